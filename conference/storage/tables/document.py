"""Minutes, and what they are printed by."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

minutes = sa.Table(
    "minutes",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("sections", sa.Text, nullable=False),
    sa.Column("updated_by", sa.String(200), nullable=False),
    sa.Column("updated_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("reviewed_by", sa.String(200)),
    sa.Column("reviewed_wall_ms", sa.BigInteger),
    sa.Column("gaps_reason", sa.String(500), nullable=False),
    sa.Column("approval", sa.Text),
    sa.Column("made_number", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("despite", sa.Text),
    sa.Column("letterhead", sa.Text),
    sa.UniqueConstraint("consultation_id", "kind", "version"),
)

minutes_texts = sa.Table(  # what stood in drafts before it was replaced
    "minutes_texts",
    metadata,
    sa.Column("minutes_id", sa.ForeignKey("minutes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("sections", sa.Text, nullable=False),
    sa.Column("written_by", sa.String(200), nullable=False),
    sa.Column("written_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("replaced_by", sa.String(200), nullable=False),
    sa.Column("replaced_wall_ms", sa.BigInteger, nullable=False),
)

minutes_layouts = sa.Table(  # the template that approved ones are printed by
    "minutes_layouts",
    metadata,
    sa.Column("minutes_id", sa.ForeignKey("minutes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

minutes_templates = sa.Table(
    "minutes_templates",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("added_by", sa.String(200), nullable=False),
    sa.Column("added_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
