"""The word lists of bodies, for the filter of comments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "organization_word_lists",
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_organization_word_lists"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_organization_word_lists_organization_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "organization_words",
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("text", sa.String(64), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "text", name="pk_organization_words"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_organization_words_organization_id",
            ondelete="CASCADE",
        ),
    )
