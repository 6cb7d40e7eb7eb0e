"""Comments of the public, their groups and word lists, and what of them was put to the session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consultation_id"],
        ["consultations.id"],
        name=f"fk_{table}_consultation_id",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.add_column(
        "consultations", sa.Column("moderation", sa.String(8), nullable=False, server_default="pre")
    )
    op.add_column(
        "consultations",
        sa.Column("moderator_promotes", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    for name, kind in (
        ("comment_id", sa.String(64)),
        ("words", sa.Text()),
        ("nickname", sa.String(64)),
        ("place", sa.String(64)),
    ):
        op.add_column("agenda_items", sa.Column(name, kind))
    op.create_table(
        "comments",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("nickname", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64)),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("program_time_ms", sa.BigInteger),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("shown_number", sa.BigInteger),
        sa.Column("likes", sa.Integer, nullable=False),
        sa.Column("reports", sa.Integer, nullable=False),
        sa.Column("decided_by", sa.String(200)),
        sa.Column("decided_wall_ms", sa.BigInteger),
        sa.Column("reject_reason", sa.String(500)),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        _of_consultation("comments"),
    )
    op.create_index(
        "ix_comments_consultation_id_number", "comments", ["consultation_id", "number"], unique=True
    )
    op.create_index(
        "ix_comments_consultation_id_device_hash_key",
        "comments",
        ["consultation_id", "device_hash", "key"],
        unique=True,
    )
    op.create_table(
        "comment_marks",
        sa.Column("comment_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("comment_id", "kind", "device_hash", name="pk_comment_marks"),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name="fk_comment_marks_comment_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "comment_groups",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("representative_id", sa.String(64)),
        sa.Column("claimed_by", sa.String(64)),
        sa.Column("claimed_name", sa.String(200)),
        sa.Column("claimed_wall_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_comment_groups"),
        _of_consultation("comment_groups"),
    )
    op.create_index("ix_comment_groups_consultation_id", "comment_groups", ["consultation_id"])
    op.create_table(
        "comment_words",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("text", sa.String(64), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("consultation_id", "text", name="pk_comment_words"),
        _of_consultation("comment_words"),
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("comment_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("authors", sa.Integer, nullable=False),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("proposed_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("decided_by", sa.String(200)),
        sa.Column("decided_wall_ms", sa.BigInteger),
        sa.Column("item_id", sa.String(64)),
        sa.Column("interrupted_id", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_promotions"),
        _of_consultation("promotions"),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comments.id"], name="fk_promotions_comment_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_promotions_consultation_id", "promotions", ["consultation_id"])
