"""What desk and venues write to each other."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

venue_messages = sa.Table(
    "venue_messages",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
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
    sa.Index("ix_venue_messages_consultation_id_number", "consultation_id", "number", unique=True),
    sa.Index(
        "ix_venue_messages_consultation_id_author_id_key",
        "consultation_id",
        "author_id",
        "key",
        unique=True,
    ),
)
