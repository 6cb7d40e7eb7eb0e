"""Prepared clips, and each time that one was played."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

clips = sa.Table(
    "clips",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("venue_id", sa.String(200)),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("added_at_ms", sa.BigInteger, nullable=False),
    sa.Column("added_by", sa.String(200), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("has_picture", sa.Boolean, nullable=False),
    sa.Column("has_sound", sa.Boolean, nullable=False),
    sa.Column("cue_ms", sa.BigInteger, nullable=False),
    sa.Column("prepared_at_ms", sa.BigInteger),
    sa.Column("deleted_at_ms", sa.BigInteger),
)

clip_plays = sa.Table(
    "clip_plays",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("clip_id", sa.String(64), nullable=False),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("started_by", sa.String(200), nullable=False),
    sa.Column("started_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("position_ms", sa.BigInteger, nullable=False),
    sa.Column("at_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("began_ms", sa.BigInteger),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("ended_wall_ms", sa.BigInteger),
    sa.Column("end", sa.String(16)),
)
