"""Departments, the cases that they answer, what authors say of the answers, and notices to departments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consultation_id"],
        ["consultations.id"],
        name=f"fk_{table}_consultation_id",
        ondelete="CASCADE",
    )


def _of_response(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["response_id"], ["responses.id"], name=f"fk_{table}_response_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "departments",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("contact", sa.String(200), nullable=False),
        sa.Column("email", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(32), nullable=False),
        sa.Column("link_revision", sa.Integer, nullable=False),
        sa.Column("link_hash", sa.String(64), nullable=False),
        sa.Column("valid_until_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("created_wall_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_departments"),
        sa.UniqueConstraint("consultation_id", "name", name="uq_departments_consultation_id_name"),
        sa.UniqueConstraint("link_hash", name="uq_departments_link_hash"),
        _of_consultation("departments"),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("comment_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("promotion_id", sa.String(64)),
        sa.Column("authors", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
        _of_consultation("responses"),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name="fk_responses_comment_id", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_responses_consultation_id_number", "responses", ["consultation_id", "number"], unique=True
    )
    op.create_index("ix_responses_state", "responses", ["state"])
    op.create_table(
        "response_ratings",
        sa.Column("response_id", sa.String(64), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("rating", sa.String(16), nullable=False),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("response_id", "device_hash", name="pk_response_ratings"),
        _of_response("response_ratings"),
    )
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("response_id", sa.String(64), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_follow_ups"),
        _of_response("follow_ups"),
    )
    op.create_index("ix_follow_ups_response_id", "follow_ups", ["response_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("response_id", sa.String(64), nullable=False),
        sa.Column("department_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("created_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("done_wall_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.UniqueConstraint("response_id", "key", "channel", name="uq_notices_response_id_key_channel"),
        _of_consultation("notices"),
        _of_response("notices"),
    )
    op.create_index("ix_notices_consultation_id", "notices", ["consultation_id"])
    op.create_index("ix_notices_state_next_wall_ms", "notices", ["state", "next_wall_ms"])
    # A case asks for the comments of its group, and for the lines of the trace about it.
    op.create_index("ix_comments_group_id", "comments", ["group_id"])
    op.create_index("ix_audit_lines_chain_subject", "audit_lines", ["chain", "subject"])
