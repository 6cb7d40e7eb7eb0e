"""A list of terms has a revision: whoever knows it need not read the list again, and nobody writes over another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "term_lists",
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("consultation_id", sa.String(64)),
        sa.PrimaryKeyConstraint("owner_id", name="pk_term_lists"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_term_lists_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_term_lists_consultation_id", "term_lists", ["consultation_id"])
