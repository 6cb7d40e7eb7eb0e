"""What the public says."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("nickname", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64)),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("program_time_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False, index=True),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("address", sa.String(300), nullable=False),
    sa.Column("shown_number", sa.BigInteger),
    sa.Column("likes", sa.Integer, nullable=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sa.Column("decided_by", sa.String(200)),
    sa.Column("decided_wall_ms", sa.BigInteger),
    sa.Column("reject_reason", sa.String(500)),
    sa.Column("identity", sa.String(8)),
    sa.Index("ix_comments_consultation_id_number", "consultation_id", "number", unique=True),
    sa.Index("ix_comments_consultation_id_state", "consultation_id", "state"),
    sa.Index(
        "ix_comments_consultation_id_device_hash_key", "consultation_id", "device_hash", "key", unique=True
    ),
)

comment_marks = sa.Table(
    "comment_marks",
    metadata,
    sa.Column("comment_id", sa.ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("device_hash", sa.String(64), primary_key=True),
)

comment_groups = sa.Table(
    "comment_groups",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("representative_id", sa.String(64)),
    sa.Column("claimed_by", sa.String(64)),
    sa.Column("claimed_name", sa.String(200)),
    sa.Column("claimed_wall_ms", sa.BigInteger),
)

comment_words = sa.Table(
    "comment_words",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("text", sa.String(64), primary_key=True),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
)

organization_word_lists = sa.Table(
    "organization_word_lists",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
)

organization_words = sa.Table(
    "organization_words",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("text", sa.String(64), primary_key=True),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
)

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("comment_id", sa.ForeignKey("comments.id", ondelete="CASCADE"), nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("authors", sa.Integer, nullable=False),
    sa.Column("proposed_by", sa.String(200), nullable=False),
    sa.Column("proposed_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.String(200)),
    sa.Column("decided_wall_ms", sa.BigInteger),
    sa.Column("item_id", sa.String(64)),
    sa.Column("interrupted_id", sa.String(64)),
)
