"""Staff, venues, invitees, and what a consultation says before it begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consultation_id"], ["consultations.id"], name=f"fk_{table}_consultation_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    _consultations_and_participants()
    _staff()
    _venues_and_invitees()
    op.create_table(
        "briefing_files",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_at_ms", sa.BigInteger, nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_briefing_files"),
        _of_consultation("briefing_files"),
    )
    op.create_index("ix_briefing_files_consultation_id", "briefing_files", ["consultation_id"])


def _consultations_and_participants() -> None:
    # The defaults are what was true of rows made before; new rows always say it themselves.
    op.add_column(
        "consultations", sa.Column("kind", sa.String(16), nullable=False, server_default="thematic")
    )
    op.add_column("consultations", sa.Column("organization_id", sa.String(64)))
    op.add_column("consultations", sa.Column("briefing", sa.Text, nullable=False, server_default=""))
    op.add_column("consultations", sa.Column("ends_at_ms", sa.BigInteger))
    op.add_column("consultations", sa.Column("closing_at_ms", sa.BigInteger))
    op.add_column("consultations", sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.create_index("ix_consultations_organization_id", "consultations", ["organization_id"])
    op.add_column("participants", sa.Column("invitee_id", sa.String(64)))
    op.add_column("participants", sa.Column("venue_id", sa.String(64)))
    op.add_column("participants", sa.Column("title", sa.String(200)))
    op.add_column("participants", sa.Column("sector", sa.String(100)))
    op.add_column(
        "participants", sa.Column("entered_by", sa.String(16), nullable=False, server_default="token")
    )
    op.add_column("participants", sa.Column("in_hall", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("participants", sa.Column("waiting_since_ms", sa.BigInteger))
    op.add_column("participants", sa.Column("removed_at_ms", sa.BigInteger))
    op.execute("UPDATE participants SET removed_at_ms = left_at_ms WHERE leave_reason = 'removed'")
    op.add_column("participants", sa.Column("user_id", sa.String(64)))
    op.create_index(
        "ix_participants_consultation_id_invitee_id", "participants", ["consultation_id", "invitee_id"]
    )


def _staff() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("parent_id", sa.String(64)),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("name", name="uq_organizations_name"),
        sa.ForeignKeyConstraint(["parent_id"], ["organizations.id"], name="fk_organizations_parent_id"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("organization_id", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("failed_logins", sa.Integer, nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger),
        sa.Column("disabled_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_users_organization_id"),
    )
    op.create_index("ix_users_organization_id", "users", ["organization_id"])
    op.create_table(
        "staff_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_staff_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_staff_sessions_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_staff_sessions_user_id", "staff_sessions", ["user_id"])


def _venues_and_invitees() -> None:
    op.create_table(
        "venues",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("operator_name", sa.String(200), nullable=False),
        sa.Column("operator_phone", sa.String(32), nullable=False),
        sa.Column("entry_code", sa.String(6)),
        sa.Column("link_revision", sa.Integer, nullable=False),
        sa.Column("link_hash", sa.String(64), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_venues"),
        sa.UniqueConstraint("entry_code", name="uq_venues_entry_code"),
        sa.UniqueConstraint("link_hash", name="uq_venues_link_hash"),
        _of_consultation("venues"),
    )
    op.create_index("ix_venues_consultation_id", "venues", ["consultation_id"])
    op.create_table(
        "invitees",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
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
        sa.Column("link_hash", sa.String(64), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("removed_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_invitees"),
        sa.UniqueConstraint("link_hash", name="uq_invitees_link_hash"),
        _of_consultation("invitees"),
    )
    op.create_index("ix_invitees_consultation_id", "invitees", ["consultation_id"])
    op.create_table(
        "invitee_imports",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("consultation_id", name="pk_invitee_imports"),
        _of_consultation("invitee_imports"),
    )
