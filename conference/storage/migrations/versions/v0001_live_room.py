"""Consultations, participants of the live room, revoked tokens, gaps in program time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "consultations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("waiting_room", sa.Boolean, nullable=False),
        sa.Column("microphone_on_join", sa.Boolean, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("scheduled_at_ms", sa.BigInteger),
        sa.Column("organization", sa.String(200)),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("program_high_water_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consultations"),
    )
    op.create_index("ix_consultations_status", "consultations", ["status"])
    op.create_table(
        "participants",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("venue", sa.String(200)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("device", sa.String(16)),
        sa.Column("token_id", sa.String(64), nullable=False),
        sa.Column("resume_hash", sa.String(64), nullable=False),
        sa.Column("joined_at_ms", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("microphone_on", sa.Boolean, nullable=False),
        sa.Column("camera_on", sa.Boolean, nullable=False),
        sa.Column("soft_muted", sa.Boolean, nullable=False),
        sa.Column("hard_muted", sa.Boolean, nullable=False),
        sa.Column("muted_by", sa.String(200)),
        sa.Column("mute_all_mark", sa.String(16)),
        sa.Column("hand_order", sa.Integer),
        sa.Column("left_at_ms", sa.BigInteger),
        sa.Column("leave_reason", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_participants"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_participants_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_participants_consultation_id", "participants", ["consultation_id"])
    op.create_index("ix_participants_left_at_ms", "participants", ["left_at_ms"])
    op.create_table(
        "revoked_tokens",
        sa.Column("token_id", sa.String(64), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_id", name="pk_revoked_tokens"),
    )
    op.create_table(
        "program_gaps",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("consultation_id", "from_ms", name="pk_program_gaps"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_program_gaps_consultation_id",
            ondelete="CASCADE",
        ),
    )
