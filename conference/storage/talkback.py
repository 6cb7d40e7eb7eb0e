"""Rows of what desk and venues write to each other."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.permissions import Role
from conference.model.venue_message import VenueMessage
from conference.storage.rows import to_row
from conference.storage.tables import venue_messages


class SqlVenueMessages:
    """Implements services.ports.VenueMessageRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, consultation_id: str) -> list[VenueMessage]:
        query = (
            sa.select(venue_messages)
            .where(venue_messages.c.consultation_id == consultation_id)
            .order_by(venue_messages.c.number)
        )
        rows = (await self._connection.execute(query)).mappings()
        return [VenueMessage(**{**row, "role": Role(row["role"])}) for row in rows]

    async def add(self, message: VenueMessage) -> None:
        await self._connection.execute(sa.insert(venue_messages).values(to_row(message)))
