"""Recorded files, stretches that the public does not see, and files made of both."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("codec", sa.String(16), nullable=False),
    sa.Column("path", sa.String(300), nullable=False),
    sa.Column("started_at_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("deleted_at_ms", sa.BigInteger),
    sa.Column("label", sa.String(256), nullable=False, server_default=""),
    sa.UniqueConstraint("consultation_id", "path"),
)

broadcast_cuts = sa.Table(
    "broadcast_cuts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("by_name", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("reinstated_wall_ms", sa.BigInteger),
    sa.Column("erased_wall_ms", sa.BigInteger),
)

exports = sa.Table(
    "exports",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(64)),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("media_type", sa.String(32), nullable=False),
    sa.Column("requested_by", sa.String(200), nullable=False),
    sa.Column("requested_at_ms", sa.BigInteger, nullable=False),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("finished_at_ms", sa.BigInteger),
    sa.Column("deleted_at_ms", sa.BigInteger),
)
