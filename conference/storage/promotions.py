"""Rows of what was put to the session."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.promotion import Promotion
from conference.storage.rows import to_promotion, to_row
from conference.storage.statements import insert
from conference.storage.tables import promotions


class SqlPromotions:
    """Implements services.ports.PromotionRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, consultation_id: str) -> list[Promotion]:
        query = (
            sa.select(promotions)
            .where(promotions.c.consultation_id == consultation_id)
            .order_by(promotions.c.proposed_wall_ms, promotions.c.id)
        )
        return [to_promotion(row) for row in (await self._connection.execute(query)).mappings()]

    async def save(self, saved: Iterable[Promotion]) -> None:
        rows = [to_row(each) for each in saved]
        if not rows:
            return
        statement = insert(self._connection, promotions)
        changing = ("state", "authors", "decided_by", "decided_wall_ms", "item_id", "interrupted_id")
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[promotions.c.id],
                set_={name: statement.excluded[name] for name in changing},
            ),
            rows,
        )
