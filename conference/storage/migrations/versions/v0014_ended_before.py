"""What ended before there was recognition is recognised when somebody switches it on, and not by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    consultations = sa.table(
        "consultations", sa.column("id"), sa.column("captions", sa.Boolean), sa.column("status", sa.String)
    )
    listened = sa.table("transcript_coverage", sa.column("consultation_id"))
    op.execute(
        sa.update(consultations)
        .where(
            consultations.c.status.in_(("ended", "archived", "cancelled")),
            consultations.c.id.not_in(sa.select(listened.c.consultation_id)),
        )
        .values(captions=False)
    )
