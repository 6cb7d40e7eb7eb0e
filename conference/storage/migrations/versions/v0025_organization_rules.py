"""What bodies may use, and what their files take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "organization_rules",
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("max_live", sa.Integer),
        sa.Column("max_participants", sa.Integer),
        sa.Column("max_storage_gb", sa.Integer),
        sa.Column("retention_days", sa.Integer),
        sa.PrimaryKeyConstraint("organization_id", name="pk_organization_rules"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_organization_rules_organization_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "storage_uses",
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("node", sa.String(300), nullable=False),
        sa.Column("used_bytes", sa.BigInteger, nullable=False),
        sa.Column("measured_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "node", name="pk_storage_uses"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_storage_uses_organization_id",
            ondelete="CASCADE",
        ),
    )
