"""What bodies may use, and what their files take."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

organization_rules = sa.Table(
    "organization_rules",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("max_live", sa.Integer),
    sa.Column("max_participants", sa.Integer),
    sa.Column("max_storage_gb", sa.Integer),
    sa.Column("retention_days", sa.Integer),
)

storage_uses = sa.Table(
    "storage_uses",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("node", sa.String(300), primary_key=True),
    sa.Column("used_bytes", sa.BigInteger, nullable=False),
    sa.Column("measured_at_ms", sa.BigInteger, nullable=False),
)
