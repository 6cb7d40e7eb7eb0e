"""Messages between desk and venues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "venue_messages",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("venue_id", sa.String(200), nullable=False),
        sa.Column("venue", sa.String(200), nullable=False),
        sa.Column("from_venue", sa.Boolean, nullable=False),
        sa.Column("author_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("key", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_venue_messages"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_venue_messages_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_venue_messages_consultation_id_number",
        "venue_messages",
        ["consultation_id", "number"],
        unique=True,
    )
    op.create_index(
        "ix_venue_messages_consultation_id_author_id_key",
        "venue_messages",
        ["consultation_id", "author_id", "key"],
        unique=True,
    )
