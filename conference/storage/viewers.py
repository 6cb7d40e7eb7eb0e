"""Rows of how many watched, by minutes."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.viewers import ViewerMinute, ViewerTotals
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import viewer_minutes


class SqlViewers:
    """Implements services.ports.ViewerRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, added: Iterable[ViewerMinute]) -> None:
        rows = [to_row(each) for each in added]
        if not rows:
            return
        statement = insert(self._connection, viewer_minutes)
        c, new = viewer_minutes.c, statement.excluded
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[c.consultation_id, c.minute_wall_ms],
                set_={
                    "viewers": sa.case((c.viewers > new.viewers, c.viewers), else_=new.viewers),
                    "arrived": c.arrived + new.arrived,
                },
            ),
            rows,
        )

    async def last(self, consultation_id: str) -> ViewerMinute | None:
        c = viewer_minutes.c
        query = (
            sa.select(viewer_minutes)
            .where(c.consultation_id == consultation_id)
            .order_by(c.minute_wall_ms.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else ViewerMinute(**row)

    async def totals(self, consultation_id: str) -> ViewerTotals:
        c = viewer_minutes.c
        query = sa.select(sa.func.sum(c.arrived), sa.func.max(c.viewers)).where(
            c.consultation_id == consultation_id
        )
        total, peak = (await self._connection.execute(query)).one()
        return ViewerTotals(int(total or 0), peak or 0)
