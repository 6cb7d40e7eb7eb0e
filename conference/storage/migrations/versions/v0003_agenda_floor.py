"""Agenda, floor, written statements, attendance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consultation_id"], ["consultations.id"], name=f"fk_{table}_consultation_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.add_column("participants", sa.Column("floor_gate", sa.String(16)))
    op.add_column("participants", sa.Column("hand_raised_ms", sa.BigInteger))
    op.create_table(
        "agenda_items",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("planned_minutes", sa.Integer),
        sa.Column("planned_start_wall_ms", sa.BigInteger),
        sa.Column("speaker", sa.String(200)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_agenda_items"),
        _of_consultation("agenda_items"),
    )
    op.create_index("ix_agenda_items_consultation_id", "agenda_items", ["consultation_id"])
    op.create_table(
        "floor_turns",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="pk_floor_turns"),
        _of_consultation("floor_turns"),
    )
    op.create_index("ix_floor_turns_consultation_id", "floor_turns", ["consultation_id"])
    op.create_table(
        "statements",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name="pk_statements"),
        _of_consultation("statements"),
    )
    op.create_index(
        "ix_statements_consultation_id_number", "statements", ["consultation_id", "number"], unique=True
    )
    op.create_index(
        "ix_statements_consultation_id_participant_id_key",
        "statements",
        ["consultation_id", "participant_id", "key"],
        unique=True,
    )
    op.create_table(
        "statement_likes",
        sa.Column("statement_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("statement_id", "participant_id", name="pk_statement_likes"),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statements.id"], name="fk_statement_likes_statement_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "stays",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.Column("means", sa.String(16), nullable=False),
        sa.Column("device", sa.String(16)),
        sa.Column("from_ms", sa.BigInteger),
        sa.Column("from_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger),
        sa.Column("to_wall_ms", sa.BigInteger),
        sa.Column("reason", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_stays"),
        _of_consultation("stays"),
    )
    op.create_index("ix_stays_consultation_id", "stays", ["consultation_id"])
