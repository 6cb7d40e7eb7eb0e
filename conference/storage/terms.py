"""Rows of terms: of a body, and of a consultation."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.terms import Term
from conference.storage.tables import consultations
from conference.storage.tables import terms as term_rows


class SqlTerms:
    """Implements services.ports.TermRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, owner_id: str) -> list[Term]:
        query = sa.select(term_rows.c.right, term_rows.c.wrong).where(term_rows.c.owner_id == owner_id)
        rows = await self._connection.execute(query)
        # Sorted here: databases differ in how they sort Chinese.
        return sorted((Term(*row) for row in rows), key=lambda each: (each.wrong, each.right))

    async def replace(self, owner_id: str, terms: Sequence[Term]) -> None:
        c, there, now = term_rows.c, set(await self.of(owner_id)), set(terms)
        gone = [{"gone_wrong": each.wrong, "gone_right": each.right} for each in there - now]
        if gone:
            this = sa.and_(c.wrong == sa.bindparam("gone_wrong"), c.right == sa.bindparam("gone_right"))
            await self._connection.execute(sa.delete(term_rows).where(c.owner_id == owner_id, this), gone)
        query = sa.select(consultations.c.id).where(consultations.c.id == owner_id)
        consultation_id = (await self._connection.execute(query)).scalar()
        rows = [
            {
                "owner_id": owner_id,
                "wrong": each.wrong,
                "right": each.right,
                "consultation_id": consultation_id,
            }
            for each in sorted(now - there, key=lambda each: (each.wrong, each.right))
        ]
        if rows:
            await self._connection.execute(sa.insert(term_rows), rows)
