"""What all tables share."""

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


def consultation_column() -> sa.Column[str]:
    """Whose row it is; gone with the consultation."""
    return sa.Column(
        "consultation_id", sa.ForeignKey("consultations.id", ondelete="CASCADE"), nullable=False, index=True
    )
