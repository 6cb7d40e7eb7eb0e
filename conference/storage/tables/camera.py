"""Cameras of venues."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

cameras = sa.Table(
    "cameras",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("venue_id", sa.String(64), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("address", sa.String(600), nullable=False),
    sa.Column("sealed_address", sa.Text, nullable=False),
    sa.Column("has_password", sa.Boolean, nullable=False),
    sa.Column("transport", sa.String(8), nullable=False),
    sa.Column("with_sound", sa.Boolean, nullable=False),
    sa.Column("is_main", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)
