"""How many watched, by minutes; comments are counted by their states."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "viewer_minutes",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("minute_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("viewers", sa.Integer, nullable=False),
        sa.Column("arrived", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("consultation_id", "minute_wall_ms", name="pk_viewer_minutes"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_viewer_minutes_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_comments_consultation_id_state", "comments", ["consultation_id", "state"])
