"""The trace: its heads, lines, and texts that can be deleted."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("chain", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

audit_lines = sa.Table(
    "audit_lines",
    metadata,
    sa.Column("chain", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("program_time_ms", sa.BigInteger),
    sa.Column("actor_kind", sa.String(16), nullable=False),
    sa.Column("actor_id", sa.String(64)),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(64)),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("ix_audit_lines_chain_subject", "chain", "subject"),
    sa.Index("ix_audit_lines_at_ms", "at_ms", "chain", "number"),
)

audit_texts = sa.Table(
    "audit_texts",
    metadata,
    sa.Column("chain", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("field", sa.String(100), primary_key=True),
    sa.Column("salt", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
