"""Rows of venues and invitees, and of the links and codes that lead to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.invitee import Invitee
from conference.model.venue import Venue
from conference.storage.rows import to_invitee, to_row, to_venue
from conference.storage.statements import insert
from conference.storage.tables import invitees, venues

_Guest = TypeVar("_Guest", Venue, Invitee)


class _SqlGuests(Generic[_Guest]):
    """What both have: a place in the list of a consultation, a link, and rows that stay when they are removed."""

    def __init__(
        self, connection: AsyncConnection, table: sa.Table, read: Callable[[sa.RowMapping], _Guest]
    ) -> None:
        self._connection = connection
        self._table = table
        self._read: Callable[[sa.RowMapping], _Guest] = read

    async def get(self, guest_id: str) -> _Guest | None:
        return await self._one(self._table.c.id == guest_id)

    async def by_link(self, link_hash: str) -> _Guest | None:
        return await self._one(self._table.c.link_hash == link_hash, self._table.c.removed_at_ms.is_(None))

    async def of(self, consultation_id: str) -> list[_Guest]:
        c = self._table.c
        query = sa.select(self._table).where(c.consultation_id == consultation_id, c.removed_at_ms.is_(None))
        return await self._all(query.order_by(c.position, c.id))

    async def among(self, guest_ids: Iterable[str]) -> list[_Guest]:
        return await self._all(sa.select(self._table).where(self._table.c.id.in_(list(guest_ids))))

    async def next_position(self, consultation_id: str) -> int:
        c = self._table.c
        query = sa.select(sa.func.max(c.position)).where(c.consultation_id == consultation_id)
        last: int | None = (await self._connection.execute(query)).scalar()
        return 1 + (last or 0)

    async def save(self, saved: Iterable[_Guest]) -> None:
        rows = [to_row(each) for each in saved]
        if not rows:
            return
        statement = insert(self._connection, self._table)
        kept = {"id", "consultation_id", "created_at_ms"}
        overwritten = {
            column.name: statement.excluded[column.name]
            for column in self._table.c
            if column.name not in kept
        }
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=[self._table.c.id], set_=overwritten), rows
        )

    async def _one(self, *conditions: sa.ColumnElement[bool]) -> _Guest | None:
        query = sa.select(self._table).where(*conditions)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else self._read(row)

    async def _all(self, query: sa.Select[Any]) -> list[_Guest]:
        return [self._read(row) for row in (await self._connection.execute(query)).mappings()]


class SqlVenues(_SqlGuests[Venue]):
    """Implements services.ports.VenueRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection, venues, to_venue)

    async def by_code(self, entry_code: str) -> Venue | None:
        return await self._one(venues.c.entry_code == entry_code, venues.c.removed_at_ms.is_(None))


class SqlInvitees(_SqlGuests[Invitee]):
    """Implements services.ports.InviteeRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection, invitees, to_invitee)
