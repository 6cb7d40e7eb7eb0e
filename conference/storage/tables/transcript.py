"""What was said."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

transcript_segments = sa.Table(
    "transcript_segments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("speaker_name", sa.String(200), nullable=False),
    sa.Column("speaker_role", sa.String(32), nullable=False),
    sa.Column("speaker_venue", sa.String(200)),
    sa.Column("speaker_title", sa.String(200)),
    sa.Column("is_certain", sa.Boolean, nullable=False),
    sa.Column("start_ms", sa.BigInteger, nullable=False),
    sa.Column("end_ms", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("engine", sa.String(64), nullable=False),
    sa.Column("item_id", sa.String(64)),
    sa.Column("turn_id", sa.String(64)),
    sa.Column("automatic", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("is_edited", sa.Boolean, nullable=False),
    sa.Column("is_unclear", sa.Boolean, nullable=False),
    sa.Column("is_confidential", sa.Boolean, nullable=False),
    sa.Column("proposal", sa.Text),
    sa.Column("other_words", sa.Text, nullable=False, server_default="[]"),
    sa.Index("ix_transcript_segments_consultation_id_start_ms", "consultation_id", "start_ms", "id"),
)

# What the search reads of a segment. The index over `grams` is not here, because each database has another one:
# SQLite the FTS5 table transcript_search, kept by triggers, PostgreSQL a GIN index.
transcript_grams = sa.Table(
    "transcript_grams",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column(
        "segment_id", sa.ForeignKey("transcript_segments.id", ondelete="CASCADE"), nullable=False, unique=True
    ),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("grams", sa.Text, nullable=False),
)

transcript_revisions = sa.Table(
    "transcript_revisions",
    metadata,
    sa.Column("segment_id", sa.String(64), primary_key=True),  # of a segment that may be gone: joined
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    consultation_column(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("speaker_before", sa.String(200), nullable=False),
    sa.Column("speaker_after", sa.String(200), nullable=False),
    sa.Column("by_id", sa.String(64), nullable=False),
    sa.Column("by_name", sa.String(200), nullable=False),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
)

transcript_coverage = sa.Table(
    "transcript_coverage",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("participant_id", sa.String(64), primary_key=True),
    sa.Column("from_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("to_ms", sa.BigInteger, nullable=False),
)

transcript_gaps = sa.Table(
    "transcript_gaps",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("participant_id", sa.String(64), primary_key=True),
    sa.Column("from_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("to_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("note", sa.String(500), nullable=False),
)

second_passes = sa.Table(
    "second_passes",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
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
)
