"""The directory that the servers of this database share: by which id it is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "shared_directories",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("is_marked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_shared_directories"),
    )
