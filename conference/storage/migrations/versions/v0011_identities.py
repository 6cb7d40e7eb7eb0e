"""What viewers showed of themselves, proofs under way, and whether a consultation asks for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consultation_id"],
        ["consultations.id"],
        name=f"fk_{table}_consultation_id",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.add_column(
        "consultations",
        sa.Column("comment_identity", sa.String(8), nullable=False, server_default="optional"),
    )
    op.add_column("comments", sa.Column("identity", sa.String(8)))
    op.create_table(
        "identities",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("subject_hash", sa.String(64), nullable=False),
        sa.Column("sealed_subject", sa.String(300), nullable=False),
        sa.Column("proven_wall_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        _of_consultation("identities"),
    )
    op.create_index(
        "ix_identities_consultation_id_device_hash", "identities", ["consultation_id", "device_hash"]
    )
    op.create_table(
        "identity_proofs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("device_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("sealed_subject", sa.String(300), nullable=False),
        sa.Column("answer_hash", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("expires_wall_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identity_proofs"),
        _of_consultation("identity_proofs"),
    )
    op.create_index(
        "ix_identity_proofs_consultation_id_device_hash",
        "identity_proofs",
        ["consultation_id", "device_hash"],
    )
    op.create_index("ix_identity_proofs_expires_wall_ms", "identity_proofs", ["expires_wall_ms"])
