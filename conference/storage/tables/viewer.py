"""Who watches, and how many."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("subject_hash", sa.String(64), nullable=False),
    sa.Column("sealed_subject", sa.String(300), nullable=False),
    sa.Column("proven_wall_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_identities_consultation_id_device_hash", "consultation_id", "device_hash"),
)

identity_proofs = sa.Table(
    "identity_proofs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("sealed_subject", sa.String(300), nullable=False),
    sa.Column("answer_hash", sa.String(64), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("expires_wall_ms", sa.BigInteger, nullable=False, index=True),
    sa.Index("ix_identity_proofs_consultation_id_device_hash", "consultation_id", "device_hash"),
)

viewer_minutes = sa.Table(
    "viewer_minutes",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("minute_wall_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("viewers", sa.Integer, nullable=False),
    sa.Column("arrived", sa.Integer, nullable=False),
)
