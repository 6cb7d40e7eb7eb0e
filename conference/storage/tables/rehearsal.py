"""Rehearsals that run, or whose files are being cleared away."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

rehearsals = sa.Table(
    "rehearsals",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("started_by", sa.String(200), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("kept_id", sa.String(64)),
)
