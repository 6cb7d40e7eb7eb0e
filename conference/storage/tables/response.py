"""What departments answer."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

departments = sa.Table(
    "departments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("contact", sa.String(200), nullable=False),
    sa.Column("email", sa.String(200), nullable=False),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("link_revision", sa.Integer, nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("valid_until_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("created_wall_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("consultation_id", "name"),
)

responses = sa.Table(
    "responses",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("comment_id", sa.ForeignKey("comments.id", ondelete="CASCADE"), nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False),
    sa.Column("promotion_id", sa.String(64)),
    sa.Column("authors", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("opened_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("department_id", sa.String(64)),
    sa.Column("suggested_department_id", sa.String(64)),
    sa.Column("assigned_wall_ms", sa.BigInteger),
    sa.Column("due_wall_ms", sa.BigInteger),
    sa.Column("reminded", sa.Integer, nullable=False),
    sa.Column("extended", sa.Integer, nullable=False),
    sa.Column("extension", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("earlier", sa.Text),
    sa.Column("answered_wall_ms", sa.BigInteger),
    sa.Column("returned_reason", sa.Text),
    sa.Column("closed_wall_ms", sa.BigInteger),
    sa.Index("ix_responses_consultation_id_number", "consultation_id", "number", unique=True),
)

response_ratings = sa.Table(
    "response_ratings",
    metadata,
    sa.Column("response_id", sa.ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("device_hash", sa.String(64), primary_key=True),
    sa.Column("rating", sa.String(16), nullable=False),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
)

follow_ups = sa.Table(
    "follow_ups",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("response_id", sa.ForeignKey("responses.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("response_id", sa.ForeignKey("responses.id", ondelete="CASCADE"), nullable=False),
    sa.Column("department_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("created_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("done_wall_ms", sa.BigInteger),
    sa.UniqueConstraint("response_id", "key", "channel"),
    sa.Index("ix_notices_state_next_wall_ms", "state", "next_wall_ms"),
)
