"""Pre-checks of venues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "prechecks",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("venue_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("venue", sa.String(100), nullable=False),
        sa.Column("checked_by", sa.String(200), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("took_ms", sa.Integer, nullable=False),
        sa.Column("ended_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("signature", sa.String(1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prechecks"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_prechecks_consultation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["venue_id"], ["venues.id"], name="fk_prechecks_venue_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("venue_id", "number", name="uq_prechecks_venue_id_number"),
    )
    op.create_index("ix_prechecks_consultation_id", "prechecks", ["consultation_id"])
