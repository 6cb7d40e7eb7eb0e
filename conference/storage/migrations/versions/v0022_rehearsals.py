"""Rehearsals: what runs or is being cleared away, up to which line of the trace, and what was kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column(
        "consultations", sa.Column("rehearsed_line", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column("consultations", sa.Column("rehearsal_of", sa.String(64)))
    op.create_table(
        "rehearsals",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("started_by", sa.String(200), nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("kept_id", sa.String(64)),
        sa.PrimaryKeyConstraint("consultation_id", name="pk_rehearsals"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_rehearsals_consultation_id",
            ondelete="CASCADE",
        ),
    )
