"""Rows of venues and invitees, and of the links and codes that lead to them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.invitee import Invitee
from conference.model.venue import Venue
from conference.storage.rows import to_invitee, to_row, to_venue
from conference.storage.statements import insert
from conference.storage.tables import invitees, venues


class SqlVenues:
    """Implements services.ports.VenueRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, venue_id: str) -> Venue | None:
        return await self._one(venues.c.id == venue_id)

    async def by_link(self, link_hash: str) -> Venue | None:
        return await self._one(venues.c.link_hash == link_hash, venues.c.removed_at_ms.is_(None))

    async def by_code(self, entry_code: str) -> Venue | None:
        return await self._one(venues.c.entry_code == entry_code, venues.c.removed_at_ms.is_(None))

    async def of(self, consultation_id: str) -> list[Venue]:
        query = (
            sa.select(venues)
            .where(venues.c.consultation_id == consultation_id, venues.c.removed_at_ms.is_(None))
            .order_by(venues.c.position, venues.c.id)
        )
        return [to_venue(row) for row in (await self._connection.execute(query)).mappings()]

    async def among(self, venue_ids: Iterable[str]) -> list[Venue]:
        query = sa.select(venues).where(venues.c.id.in_(list(venue_ids)))
        return [to_venue(row) for row in (await self._connection.execute(query)).mappings()]

    async def next_position(self, consultation_id: str) -> int:
        return await _next_position(self._connection, venues, consultation_id)

    async def save(self, saved: Iterable[Venue]) -> None:
        await _save(self._connection, venues, saved)

    async def _one(self, *conditions: sa.ColumnElement[bool]) -> Venue | None:
        row = (await self._connection.execute(sa.select(venues).where(*conditions))).mappings().one_or_none()
        return None if row is None else to_venue(row)


class SqlInvitees:
    """Implements services.ports.InviteeRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, invitee_id: str) -> Invitee | None:
        return await self._one(invitees.c.id == invitee_id)

    async def by_link(self, link_hash: str) -> Invitee | None:
        return await self._one(invitees.c.link_hash == link_hash, invitees.c.removed_at_ms.is_(None))

    async def of(self, consultation_id: str) -> list[Invitee]:
        query = (
            sa.select(invitees)
            .where(invitees.c.consultation_id == consultation_id, invitees.c.removed_at_ms.is_(None))
            .order_by(invitees.c.position, invitees.c.id)
        )
        return [to_invitee(row) for row in (await self._connection.execute(query)).mappings()]

    async def among(self, invitee_ids: Iterable[str]) -> list[Invitee]:
        query = sa.select(invitees).where(invitees.c.id.in_(list(invitee_ids)))
        return [to_invitee(row) for row in (await self._connection.execute(query)).mappings()]

    async def next_position(self, consultation_id: str) -> int:
        return await _next_position(self._connection, invitees, consultation_id)

    async def save(self, saved: Iterable[Invitee]) -> None:
        await _save(self._connection, invitees, saved)

    async def _one(self, *conditions: sa.ColumnElement[bool]) -> Invitee | None:
        query = sa.select(invitees).where(*conditions)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_invitee(row)


async def _next_position(connection: AsyncConnection, table: sa.Table, consultation_id: str) -> int:
    query = sa.select(sa.func.max(table.c.position)).where(table.c.consultation_id == consultation_id)
    last: int | None = (await connection.execute(query)).scalar()
    return 1 + (last or 0)


async def _save(connection: AsyncConnection, table: sa.Table, saved: Iterable[Venue | Invitee]) -> None:
    rows = [to_row(each) for each in saved]
    if not rows:
        return
    statement = insert(connection, table)
    kept = {"id", "consultation_id", "created_at_ms"}
    overwritten = {
        column.name: statement.excluded[column.name] for column in table.c if column.name not in kept
    }
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[table.c.id], set_=overwritten), rows
    )
