"""Minutes, every version of them, and the templates that bodies put them into."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "minutes",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="pk_minutes"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_minutes_consultation_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "consultation_id", "kind", "version", name="uq_minutes_consultation_id_kind_version"
        ),
    )
    op.create_table(
        "minutes_templates",
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.Column("added_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name="pk_minutes_templates"),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_minutes_templates_organization_id",
            ondelete="CASCADE",
        ),
    )
