"""How words are written: of bodies and consultations."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

terms = sa.Table(
    "terms",
    metadata,
    sa.Column("owner_id", sa.String(64), primary_key=True),  # a body's id, or a consultation's
    sa.Column("wrong", sa.String(64), primary_key=True),
    sa.Column("right", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), index=True),
)

term_lists = sa.Table(
    "term_lists",  # a list without a row was never changed since there are revisions: 0
    metadata,
    sa.Column("owner_id", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), index=True),
)
