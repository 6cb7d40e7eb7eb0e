"""Which of several cameras a recorded file is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("recordings", sa.Column("label", sa.String(256), nullable=False, server_default=""))
