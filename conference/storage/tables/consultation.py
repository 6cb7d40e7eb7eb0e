"""Consultations, who is in them, and when they were interrupted."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

consultations = sa.Table(
    "consultations",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
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
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("organization_id", sa.String(64), index=True),
    sa.Column("briefing", sa.Text, nullable=False),
    sa.Column("ends_at_ms", sa.BigInteger),
    sa.Column("closing_at_ms", sa.BigInteger),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("recording", sa.Boolean, nullable=False),
    sa.Column("recording_paused", sa.Boolean, nullable=False),
    sa.Column("program", sa.Boolean, nullable=False),
    sa.Column("public_delay_s", sa.Integer, nullable=False),
    sa.Column("moderation", sa.String(8), nullable=False),
    sa.Column("moderator_promotes", sa.Boolean, nullable=False),
    sa.Column("comment_identity", sa.String(8), nullable=False),
    sa.Column("captions", sa.Boolean, nullable=False),
    sa.Column("program_captions", sa.Boolean, nullable=False),
    sa.Column("rehearsed_line", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rehearsal_of", sa.String(64)),
)

participants = sa.Table(
    "participants",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column(
        "consultation_id",
        sa.ForeignKey("consultations.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
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
    sa.Column("floor_gate", sa.String(16)),
    sa.Column("hand_raised_ms", sa.BigInteger),
    sa.Column("left_at_ms", sa.BigInteger, index=True),
    sa.Column("leave_reason", sa.String(16)),
    sa.Column("invitee_id", sa.String(64)),
    sa.Column("venue_id", sa.String(64)),
    sa.Column("title", sa.String(200)),
    sa.Column("sector", sa.String(100)),
    sa.Column("entered_by", sa.String(16), nullable=False),
    sa.Column("in_hall", sa.Boolean, nullable=False),
    sa.Column("waiting_since_ms", sa.BigInteger),
    sa.Column("removed_at_ms", sa.BigInteger),
    sa.Column("user_id", sa.String(64)),
    sa.Index("ix_participants_consultation_id_invitee_id", "consultation_id", "invitee_id"),
)

revoked_tokens = sa.Table(
    "revoked_tokens",
    metadata,
    sa.Column("token_id", sa.String(64), primary_key=True),
    sa.Column("revoked_at_ms", sa.BigInteger, nullable=False),
)

program_gaps = sa.Table(
    "program_gaps",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("from_ms", sa.BigInteger, primary_key=True),
    sa.Column("to_ms", sa.BigInteger, nullable=False),
)
