"""What the public may not see, its delay, and the switches of program and recording."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name, default in (("recording_paused", sa.false()), ("program", sa.true())):
        op.add_column("consultations", sa.Column(name, sa.Boolean, nullable=False, server_default=default))
    op.add_column(
        "consultations",
        sa.Column("public_delay_s", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "broadcast_cuts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("reinstated_wall_ms", sa.BigInteger),
        sa.Column("erased_wall_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_broadcast_cuts"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_broadcast_cuts_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_broadcast_cuts_consultation_id", "broadcast_cuts", ["consultation_id"])
