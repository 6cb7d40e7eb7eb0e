"""Rows of second passes: the newest of each consultation."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.second_pass import SecondPass, SecondPassState
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import second_passes


class SqlSecondPasses:
    """Implements services.ports.SecondPassRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, consultation_id: str) -> SecondPass | None:
        return next(iter(await self._where(second_passes.c.consultation_id == consultation_id)), None)

    async def locked(self, consultation_id: str) -> SecondPass | None:
        condition = second_passes.c.consultation_id == consultation_id
        query = sa.select(second_passes).where(condition).with_for_update()
        return next(iter(await self._found(query)), None)

    async def open_ones(self, node: str | None = None) -> list[SecondPass]:
        condition = second_passes.c.state == SecondPassState.WAITING.value
        if node is not None:
            condition = sa.and_(condition, second_passes.c.node == node)
        return await self._where(condition)

    async def save(self, saved: SecondPass) -> None:
        statement = insert(self._connection, second_passes).values(to_row(saved))
        changing = [each.name for each in second_passes.c if each.name != "consultation_id"]
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[second_passes.c.consultation_id],
                set_={name: statement.excluded[name] for name in changing},
            )
        )

    async def _where(self, condition: sa.ColumnElement[bool]) -> list[SecondPass]:
        c = second_passes.c
        query = sa.select(second_passes).where(condition).order_by(c.asked_wall_ms, c.consultation_id)
        return await self._found(query)

    async def _found(self, query: sa.Select[tuple[object, ...]]) -> list[SecondPass]:
        rows = (await self._connection.execute(query)).mappings()
        return [SecondPass(**{**row, "state": SecondPassState(row["state"])}) for row in rows]
