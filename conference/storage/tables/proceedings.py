"""What goes on in the room: agenda, floor, written statements, who was there."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

agenda_items = sa.Table(
    "agenda_items",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("planned_minutes", sa.Integer),
    sa.Column("planned_start_wall_ms", sa.BigInteger),
    sa.Column("speaker", sa.String(200)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_at_ms", sa.BigInteger),
    sa.Column("ended_at_ms", sa.BigInteger),
    sa.Column("comment_id", sa.String(64)),
    sa.Column("words", sa.Text),
    sa.Column("nickname", sa.String(64)),
    sa.Column("place", sa.String(64)),
)

floor_turns = sa.Table(
    "floor_turns",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("venue", sa.String(200)),
    sa.Column("item_id", sa.String(64)),
    sa.Column("granted_by", sa.String(200), nullable=False),
    sa.Column("granted_at_ms", sa.BigInteger),
    sa.Column("granted_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.BigInteger),
    sa.Column("ending", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("first_started_at_ms", sa.BigInteger),
    sa.Column("started_at_ms", sa.BigInteger),
    sa.Column("spoken_ms", sa.BigInteger, nullable=False),
    sa.Column("warned", sa.Boolean, nullable=False),
    sa.Column("ended_at_ms", sa.BigInteger),
    sa.Column("ended_wall_ms", sa.BigInteger),
    sa.Column("end_reason", sa.String(16)),
)

statements = sa.Table(
    "statements",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("venue", sa.String(200)),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("reply_to", sa.String(64)),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("taken", sa.Boolean, nullable=False),
    sa.Index("ix_statements_consultation_id_number", "consultation_id", "number", unique=True),
    sa.Index(
        "ix_statements_consultation_id_participant_id_key",
        "consultation_id",
        "participant_id",
        "key",
        unique=True,
    ),
)

statement_likes = sa.Table(
    "statement_likes",
    metadata,
    sa.Column("statement_id", sa.ForeignKey("statements.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("participant_id", sa.String(64), primary_key=True),
)

stays = sa.Table(
    "stays",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("means", sa.String(16), nullable=False),
    sa.Column("device", sa.String(16)),
    sa.Column("from_ms", sa.BigInteger),
    sa.Column("from_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger),
    sa.Column("to_wall_ms", sa.BigInteger),
    sa.Column("reason", sa.String(16)),
)
