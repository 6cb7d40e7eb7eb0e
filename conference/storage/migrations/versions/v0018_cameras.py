"""Cameras of venues that the server fetches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "cameras",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("venue_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("address", sa.String(600), nullable=False),
        sa.Column("sealed_address", sa.Text, nullable=False),
        sa.Column("has_password", sa.Boolean, nullable=False),
        sa.Column("transport", sa.String(8), nullable=False),
        sa.Column("with_sound", sa.Boolean, nullable=False),
        sa.Column("is_main", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_cameras"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_cameras_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_cameras_consultation_id", "cameras", ["consultation_id"])
