"""Prepared clips, and each time that one was played."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "clips",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("venue_id", sa.String(200)),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger, nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("has_picture", sa.Boolean, nullable=False),
        sa.Column("has_sound", sa.Boolean, nullable=False),
        sa.Column("cue_ms", sa.BigInteger, nullable=False),
        sa.Column("prepared_at_ms", sa.BigInteger),
        sa.Column("deleted_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_clips"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_clips_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_clips_consultation_id", "clips", ["consultation_id"])
    op.create_table(
        "clip_plays",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("clip_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("started_by", sa.String(200), nullable=False),
        sa.Column("started_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("position_ms", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("began_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("ended_wall_ms", sa.BigInteger),
        sa.Column("end", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_clip_plays"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name="fk_clip_plays_consultation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_clip_plays_consultation_id", "clip_plays", ["consultation_id"])
