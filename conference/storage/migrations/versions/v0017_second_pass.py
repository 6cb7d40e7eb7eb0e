"""The second pass: how far it is in each consultation, and the words of what it proposes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column(
        "transcript_segments", sa.Column("other_words", sa.Text, nullable=False, server_default="[]")
    )
    op.create_table(
        "second_passes",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("node", sa.String(200), nullable=False),
        sa.Column("engine", sa.String(200), nullable=False),
        sa.Column("asked_by", sa.String(200), nullable=False),
        sa.Column("asked_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("unheard", sa.Integer, nullable=False),
        sa.Column("proposals", sa.Integer, nullable=False),
        sa.Column("after_ms", sa.BigInteger, nullable=False),
        sa.Column("after_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("ended_wall_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("consultation_id", name="pk_second_passes"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_second_passes_consultation_id",
            ondelete="CASCADE",
        ),
    )
