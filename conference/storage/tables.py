"""The tables. Types are those that SQLite and PostgreSQL share; times are UTC milliseconds."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

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


def _consultation_id() -> sa.Column[str]:
    return sa.Column(
        "consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False, index=True
    )


agenda_items = sa.Table(
    "agenda_items",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("planned_minutes", sa.Integer),
    sa.Column("planned_start_wall_ms", sa.BigInteger),
    sa.Column("speaker", sa.String(200)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_at_ms", sa.BigInteger),
    sa.Column("ended_at_ms", sa.BigInteger),
    sa.Column("comment_id", sa.String(64)),
    sa.Column("words", sa.Text),
    sa.Column("nickname", sa.String(64)),
    sa.Column("place", sa.String(64)),
)

floor_turns = sa.Table(
    "floor_turns",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("venue", sa.String(200)),
    sa.Column("item_id", sa.String(64)),
    sa.Column("granted_by", sa.String(200), nullable=False),
    sa.Column("granted_at_ms", sa.BigInteger),
    sa.Column("granted_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.BigInteger),
    sa.Column("ending", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("first_started_at_ms", sa.BigInteger),
    sa.Column("started_at_ms", sa.BigInteger),
    sa.Column("spoken_ms", sa.BigInteger, nullable=False),
    sa.Column("warned", sa.Boolean, nullable=False),
    sa.Column("ended_at_ms", sa.BigInteger),
    sa.Column("ended_wall_ms", sa.BigInteger),
    sa.Column("end_reason", sa.String(16)),
)

statements = sa.Table(
    "statements",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("venue", sa.String(200)),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("reply_to", sa.String(64)),
    sa.Column("private", sa.Boolean, nullable=False),
    sa.Column("taken", sa.Boolean, nullable=False),
    sa.Index("ix_statements_consultation_id_number", "consultation_id", "number", unique=True),
    sa.Index(
        "ix_statements_consultation_id_participant_id_key",
        "consultation_id",
        "participant_id",
        "key",
        unique=True,
    ),
)

statement_likes = sa.Table(
    "statement_likes",
    metadata,
    sa.Column("statement_id", sa.ForeignKey("statements.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("participant_id", sa.String(64), primary_key=True),
)

stays = sa.Table(
    "stays",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("means", sa.String(16), nullable=False),
    sa.Column("device", sa.String(16)),
    sa.Column("from_ms", sa.BigInteger),
    sa.Column("from_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger),
    sa.Column("to_wall_ms", sa.BigInteger),
    sa.Column("reason", sa.String(16)),
)

# ── before the meeting: who prepares it, where it takes place, who is expected ───────────────────

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("parent_id", sa.ForeignKey("organizations.id")),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("login", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("organization_id", sa.ForeignKey("organizations.id"), nullable=False, index=True),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("failed_logins", sa.Integer, nullable=False),
    sa.Column("locked_until_ms", sa.BigInteger),
    sa.Column("disabled_at_ms", sa.BigInteger),
)

staff_sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
)

venues = sa.Table(
    "venues",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("place", sa.String(200), nullable=False),
    sa.Column("operator_name", sa.String(200), nullable=False),
    sa.Column("operator_phone", sa.String(32), nullable=False),
    sa.Column("entry_code", sa.String(6), unique=True),
    sa.Column("link_revision", sa.Integer, nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)

invitees = sa.Table(
    "invitees",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("sector", sa.String(100), nullable=False),
    sa.Column("role", sa.String(32), nullable=False),
    sa.Column("venue_id", sa.String(64)),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("large_text", sa.Boolean, nullable=False),
    sa.Column("excused", sa.Boolean, nullable=False),
    sa.Column("link_revision", sa.Integer, nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)

invitee_imports = sa.Table(
    "invitee_imports",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("file_name", sa.String(200), nullable=False),
    sa.Column("rows", sa.Text, nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
)

briefing_files = sa.Table(
    "briefing_files",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("added_at_ms", sa.BigInteger, nullable=False),
    sa.Column("added_by", sa.String(200), nullable=False),
    sa.Column("removed_at_ms", sa.BigInteger),
)

recordings = sa.Table(
    "recordings",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("source", sa.String(32), nullable=False),
    sa.Column("codec", sa.String(16), nullable=False),
    sa.Column("path", sa.String(300), nullable=False),
    sa.Column("started_at_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    sa.Column("deleted_at_ms", sa.BigInteger),
    sa.UniqueConstraint("consultation_id", "path"),
)

broadcast_cuts = sa.Table(
    "broadcast_cuts",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("by_name", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("reinstated_wall_ms", sa.BigInteger),
    sa.Column("erased_wall_ms", sa.BigInteger),
)

exports = sa.Table(
    "exports",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("subject", sa.String(64)),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("media_type", sa.String(32), nullable=False),
    sa.Column("requested_by", sa.String(200), nullable=False),
    sa.Column("requested_at_ms", sa.BigInteger, nullable=False),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("to_ms", sa.BigInteger),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("duration_ms", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64)),
    sa.Column("finished_at_ms", sa.BigInteger),
    sa.Column("deleted_at_ms", sa.BigInteger),
)

# ── what the public says ─────────────────────────────────────────────────────────────────────────

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("nickname", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64)),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("program_time_ms", sa.BigInteger),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False, index=True),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("address", sa.String(300), nullable=False),
    sa.Column("shown_number", sa.BigInteger),
    sa.Column("likes", sa.Integer, nullable=False),
    sa.Column("reports", sa.Integer, nullable=False),
    sa.Column("decided_by", sa.String(200)),
    sa.Column("decided_wall_ms", sa.BigInteger),
    sa.Column("reject_reason", sa.String(500)),
    sa.Column("identity", sa.String(8)),
    sa.Index("ix_comments_consultation_id_number", "consultation_id", "number", unique=True),
    sa.Index("ix_comments_consultation_id_state", "consultation_id", "state"),
    sa.Index(
        "ix_comments_consultation_id_device_hash_key", "consultation_id", "device_hash", "key", unique=True
    ),
)

comment_marks = sa.Table(
    "comment_marks",
    metadata,
    sa.Column("comment_id", sa.ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("device_hash", sa.String(64), primary_key=True),
)

comment_groups = sa.Table(
    "comment_groups",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("representative_id", sa.String(64)),
    sa.Column("claimed_by", sa.String(64)),
    sa.Column("claimed_name", sa.String(200)),
    sa.Column("claimed_wall_ms", sa.BigInteger),
)

comment_words = sa.Table(
    "comment_words",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("text", sa.String(64), primary_key=True),
    sa.Column("level", sa.String(8), nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
)

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("comment_id", sa.ForeignKey("comments.id", ondelete="CASCADE"), nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("authors", sa.Integer, nullable=False),
    sa.Column("proposed_by", sa.String(200), nullable=False),
    sa.Column("proposed_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.String(200)),
    sa.Column("decided_wall_ms", sa.BigInteger),
    sa.Column("item_id", sa.String(64)),
    sa.Column("interrupted_id", sa.String(64)),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("subject_hash", sa.String(64), nullable=False),
    sa.Column("sealed_subject", sa.String(300), nullable=False),
    sa.Column("proven_wall_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_identities_consultation_id_device_hash", "consultation_id", "device_hash"),
)

identity_proofs = sa.Table(
    "identity_proofs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("sealed_subject", sa.String(300), nullable=False),
    sa.Column("answer_hash", sa.String(64), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("expires_wall_ms", sa.BigInteger, nullable=False, index=True),
    sa.Index("ix_identity_proofs_consultation_id_device_hash", "consultation_id", "device_hash"),
)

# ── what departments answer ──────────────────────────────────────────────────────────────────────

departments = sa.Table(
    "departments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("contact", sa.String(200), nullable=False),
    sa.Column("email", sa.String(200), nullable=False),
    sa.Column("phone", sa.String(32), nullable=False),
    sa.Column("link_revision", sa.Integer, nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("valid_until_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("created_wall_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("consultation_id", "name"),
)

responses = sa.Table(
    "responses",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("comment_id", sa.ForeignKey("comments.id", ondelete="CASCADE"), nullable=False),
    sa.Column("group_id", sa.String(64), nullable=False),
    sa.Column("promotion_id", sa.String(64)),
    sa.Column("authors", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("opened_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("department_id", sa.String(64)),
    sa.Column("suggested_department_id", sa.String(64)),
    sa.Column("assigned_wall_ms", sa.BigInteger),
    sa.Column("due_wall_ms", sa.BigInteger),
    sa.Column("reminded", sa.Integer, nullable=False),
    sa.Column("extended", sa.Integer, nullable=False),
    sa.Column("extension", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("earlier", sa.Text),
    sa.Column("answered_wall_ms", sa.BigInteger),
    sa.Column("returned_reason", sa.Text),
    sa.Column("closed_wall_ms", sa.BigInteger),
    sa.Index("ix_responses_consultation_id_number", "consultation_id", "number", unique=True),
)

response_ratings = sa.Table(
    "response_ratings",
    metadata,
    sa.Column("response_id", sa.ForeignKey("responses.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("device_hash", sa.String(64), primary_key=True),
    sa.Column("rating", sa.String(16), nullable=False),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
)

follow_ups = sa.Table(
    "follow_ups",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("response_id", sa.ForeignKey("responses.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("device_hash", sa.String(64), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    _consultation_id(),
    sa.Column("response_id", sa.ForeignKey("responses.id", ondelete="CASCADE"), nullable=False),
    sa.Column("department_id", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("created_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("done_wall_ms", sa.BigInteger),
    sa.UniqueConstraint("response_id", "key", "channel"),
    sa.Index("ix_notices_state_next_wall_ms", "state", "next_wall_ms"),
)

viewer_minutes = sa.Table(
    "viewer_minutes",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("minute_wall_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("viewers", sa.Integer, nullable=False),
    sa.Column("arrived", sa.Integer, nullable=False),
)

# ── what was said ────────────────────────────────────────────────────────────────────────────────

transcript_segments = sa.Table(
    "transcript_segments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("participant_id", sa.String(64), nullable=False),
    sa.Column("speaker_name", sa.String(200), nullable=False),
    sa.Column("speaker_role", sa.String(32), nullable=False),
    sa.Column("speaker_venue", sa.String(200)),
    sa.Column("speaker_title", sa.String(200)),
    sa.Column("is_certain", sa.Boolean, nullable=False),
    sa.Column("start_ms", sa.BigInteger, nullable=False),
    sa.Column("end_ms", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("engine", sa.String(64), nullable=False),
    sa.Column("item_id", sa.String(64)),
    sa.Column("turn_id", sa.String(64)),
    sa.Column("automatic", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("is_edited", sa.Boolean, nullable=False),
    sa.Column("is_unclear", sa.Boolean, nullable=False),
    sa.Column("is_confidential", sa.Boolean, nullable=False),
    sa.Column("proposal", sa.Text),
    sa.Column("other_words", sa.Text, nullable=False, server_default="[]"),
    sa.Index("ix_transcript_segments_consultation_id_start_ms", "consultation_id", "start_ms", "id"),
)

# What the search reads of a segment. The index over `grams` is not here, because each database has another one:
# SQLite the FTS5 table transcript_search, kept by triggers, PostgreSQL a GIN index.
transcript_grams = sa.Table(
    "transcript_grams",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column(
        "segment_id", sa.ForeignKey("transcript_segments.id", ondelete="CASCADE"), nullable=False, unique=True
    ),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("grams", sa.Text, nullable=False),
)

transcript_revisions = sa.Table(
    "transcript_revisions",
    metadata,
    sa.Column("segment_id", sa.String(64), primary_key=True),  # of a segment that may be gone: joined
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    _consultation_id(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("speaker_before", sa.String(200), nullable=False),
    sa.Column("speaker_after", sa.String(200), nullable=False),
    sa.Column("by_id", sa.String(64), nullable=False),
    sa.Column("by_name", sa.String(200), nullable=False),
    sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
)

transcript_coverage = sa.Table(
    "transcript_coverage",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("participant_id", sa.String(64), primary_key=True),
    sa.Column("from_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("to_ms", sa.BigInteger, nullable=False),
)

transcript_gaps = sa.Table(
    "transcript_gaps",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("participant_id", sa.String(64), primary_key=True),
    sa.Column("from_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("to_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("note", sa.String(500), nullable=False),
)

second_passes = sa.Table(
    "second_passes",
    metadata,
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("node", sa.String(200), nullable=False),
    sa.Column("engine", sa.String(200), nullable=False),
    sa.Column("asked_by", sa.String(200), nullable=False),
    sa.Column("asked_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("unheard", sa.Integer, nullable=False),
    sa.Column("proposals", sa.Integer, nullable=False),
    sa.Column("after_ms", sa.BigInteger, nullable=False),
    sa.Column("after_id", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("ended_wall_ms", sa.BigInteger),
)

terms = sa.Table(
    "terms",
    metadata,
    sa.Column("owner_id", sa.String(64), primary_key=True),  # a body's id, or a consultation's
    sa.Column("wrong", sa.String(64), primary_key=True),
    sa.Column("right", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), index=True),
)

term_lists = sa.Table(
    "term_lists",  # a list without a row was never changed since there are revisions: 0
    metadata,
    sa.Column("owner_id", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), index=True),
)

minutes = sa.Table(
    "minutes",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
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
    sa.Column("made_number", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("despite", sa.Text),
    sa.Column("letterhead", sa.Text),
    sa.UniqueConstraint("consultation_id", "kind", "version"),
)

minutes_texts = sa.Table(  # what stood in drafts before it was replaced
    "minutes_texts",
    metadata,
    sa.Column("minutes_id", sa.ForeignKey("minutes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("sections", sa.Text, nullable=False),
    sa.Column("written_by", sa.String(200), nullable=False),
    sa.Column("written_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("replaced_by", sa.String(200), nullable=False),
    sa.Column("replaced_wall_ms", sa.BigInteger, nullable=False),
)

minutes_layouts = sa.Table(  # the template that approved ones are printed by
    "minutes_layouts",
    metadata,
    sa.Column("minutes_id", sa.ForeignKey("minutes.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

minutes_templates = sa.Table(
    "minutes_templates",
    metadata,
    sa.Column("organization_id", sa.ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("added_by", sa.String(200), nullable=False),
    sa.Column("added_wall_ms", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
