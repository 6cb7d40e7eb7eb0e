"""Pre-checks of venues."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import consultation_column, metadata

prechecks = sa.Table(  # rows are written once and never change
    "prechecks",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    consultation_column(),
    sa.Column("venue_id", sa.ForeignKey("venues.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("venue", sa.String(100), nullable=False),
    sa.Column("checked_by", sa.String(200), nullable=False),
    sa.Column("device", sa.String(200), nullable=False),
    sa.Column("took_ms", sa.Integer, nullable=False),
    sa.Column("ended_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("items", sa.Text, nullable=False),
    sa.Column("signature", sa.String(1000), nullable=False),
    sa.UniqueConstraint("venue_id", "number"),
)
