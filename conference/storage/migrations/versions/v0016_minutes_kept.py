"""What minutes were made of, what stood in drafts before, and what approved ones are printed under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# By the line that tells when it was made last: of this version, or of the one that it came from.
_MADE = """
UPDATE minutes SET made_number = COALESCE((
    SELECT MAX(audit_lines.number) FROM audit_lines
    WHERE audit_lines.chain = minutes.consultation_id AND audit_lines.action = 'minutes.made'
    AND audit_lines.subject IN (
        SELECT others.id FROM minutes AS others
        WHERE others.consultation_id = minutes.consultation_id AND others.kind = minutes.kind
        AND others.version <= minutes.version
    )
), 0)
"""


def upgrade() -> None:
    op.add_column("minutes", sa.Column("made_number", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("minutes", sa.Column("despite", sa.Text))
    op.add_column("minutes", sa.Column("letterhead", sa.Text))
    op.execute(_MADE)
    op.create_table(
        "minutes_texts",
        sa.Column("minutes_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("sections", sa.Text, nullable=False),
        sa.Column("written_by", sa.String(200), nullable=False),
        sa.Column("written_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("replaced_by", sa.String(200), nullable=False),
        sa.Column("replaced_wall_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("minutes_id", "revision", name="pk_minutes_texts"),
        _belongs("minutes_texts", "minutes_id", "minutes.id"),
        _belongs("minutes_texts", "consultation_id", "consultations.id"),
    )
    op.create_table(
        "minutes_layouts",
        sa.Column("minutes_id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("minutes_id", name="pk_minutes_layouts"),
        _belongs("minutes_layouts", "minutes_id", "minutes.id"),
        _belongs("minutes_layouts", "consultation_id", "consultations.id"),
    )


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}", ondelete="CASCADE")
