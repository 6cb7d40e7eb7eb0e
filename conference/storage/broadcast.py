"""Rows of what the public may not see."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.broadcast import Cut, CutKind
from conference.storage.rows import to_cut, to_row
from conference.storage.statements import insert
from conference.storage.tables import broadcast_cuts


class SqlBroadcastCuts:
    """Implements services.ports.BroadcastCutRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, consultation_id: str) -> list[Cut]:
        return await self._where(broadcast_cuts.c.consultation_id == consultation_id)

    async def unerased(self) -> list[Cut]:
        c = broadcast_cuts.c
        return await self._where(
            sa.and_(c.kind == CutKind.PAUSE.value, c.to_ms.is_not(None), c.erased_wall_ms.is_(None))
        )

    async def save(self, saved: Iterable[Cut]) -> None:
        rows = [to_row(each) for each in saved]
        if not rows:
            return
        statement = insert(self._connection, broadcast_cuts)
        changing = ("to_ms", "reinstated_wall_ms", "erased_wall_ms")
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[broadcast_cuts.c.id],
                set_={name: statement.excluded[name] for name in changing},
            ),
            rows,
        )

    async def _where(self, condition: sa.ColumnElement[bool]) -> list[Cut]:
        query = sa.select(broadcast_cuts).where(condition)
        query = query.order_by(broadcast_cuts.c.at_wall_ms, broadcast_cuts.c.id)
        return [to_cut(row) for row in (await self._connection.execute(query)).mappings()]
