"""Before the meeting: where it takes place, who is expected, what there is to read."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

venues = sa.Table(
    "venues",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("place", sa.String(200), nullable=False),
    sa.Column("operator_name", sa.String(200), nullable=False),
    sa.Column("operator_phone", sa.String(32), nullable=False),
    sa.Column("entry_code", sa.String(6), unique=True),
    sa.Column("link_revision", sa.Integer, nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)

invitees = sa.Table(
    "invitees",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("sector", sa.String(100), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("venue_id", sa.String(64)),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("large_text", sa.Boolean, nullable=False),
    sa.Column("excused", sa.Boolean, nullable=False),
    sa.Column("link_revision", sa.Integer, nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)

invitee_imports = sa.Table(
    "invitee_imports",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("file_name", sa.String(200), nullable=False),
    sa.Column("rows", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
)

briefing_files = sa.Table(
    "briefing_files",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("added_at_ms", sa.BigInteger, nullable=False),
    sa.Column("added_by", sa.String(200), nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)
