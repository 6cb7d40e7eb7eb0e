"""The trace across consultations is read newest first."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_index("ix_audit_lines_at_ms", "audit_lines", ["at_ms", "chain", "number"])
