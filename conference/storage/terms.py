"""Rows of terms: of a body, and of a consultation."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.errors import ConferenceError
from conference.model.terms import Term, in_order
from conference.storage.statements import insert
from conference.storage.tables import consultations, term_lists
from conference.storage.tables import terms as term_rows

_AT_ONCE: Final = 500  # rows; the sockets of meetings get their turn in between


class SqlTerms:
    """Implements services.ports.TermRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, owner_id: str) -> list[Term]:
        c, found = term_rows.c, list[Term]()
        query = sa.select(c.right, c.wrong).where(c.owner_id == owner_id)
        query = query.order_by(c.wrong, c.right).limit(_AT_ONCE)
        page = query
        while True:
            rows = (await self._connection.execute(page)).all()
            found += (Term(*row) for row in rows)
            if len(rows) < _AT_ONCE:
                break
            last = found[-1]
            page = query.where(
                sa.or_(c.wrong > last.wrong, sa.and_(c.wrong == last.wrong, c.right > last.right))
            )
        # Sorted here: databases differ in how they sort Chinese.
        return await asyncio.to_thread(in_order, found)

    async def revisions(self, owner_ids: Collection[str]) -> dict[str, int]:
        c = term_lists.c
        query = sa.select(c.owner_id, c.revision).where(c.owner_id.in_(owner_ids))
        found = {row.owner_id: row.revision for row in await self._connection.execute(query)}
        return {each: found.get(each, 0) for each in owner_ids}

    async def change(self, owner_id: str, seen: int, gone: Collection[Term], new: Collection[Term]) -> int:
        query = sa.select(consultations.c.id).where(consultations.c.id == owner_id)
        consultation_id = (await self._connection.execute(query)).scalar()
        await self._count_on(owner_id, consultation_id, seen)
        c = term_rows.c
        this = sa.and_(c.wrong == sa.bindparam("gone_wrong"), c.right == sa.bindparam("gone_right"))
        delete = sa.delete(term_rows).where(c.owner_id == owner_id, this)
        for some in _pieces(gone):
            lost = [{"gone_wrong": each.wrong, "gone_right": each.right} for each in some]
            await self._connection.execute(delete, lost)
        same: dict[str, str | None] = {"owner_id": owner_id, "consultation_id": consultation_id}
        for some in _pieces(new):
            rows = [same | {"wrong": each.wrong, "right": each.right} for each in some]
            await self._connection.execute(sa.insert(term_rows), rows)
        return seen + 1

    async def _count_on(self, owner_id: str, consultation_id: str | None, seen: int) -> None:
        """First of all: whoever else changes this list waits here until we are done, and is too late then."""
        c = term_lists.c
        write: sa.Insert | sa.Update
        if seen:
            write = sa.update(term_lists).where(c.owner_id == owner_id, c.revision == seen)
            write = write.values(revision=seen + 1)
        else:
            first = insert(self._connection, term_lists)
            write = first.values(
                owner_id=owner_id, revision=1, consultation_id=consultation_id
            ).on_conflict_do_nothing(index_elements=[c.owner_id])
        if (await self._connection.execute(write)).rowcount != 1:
            raise ConferenceError("edit_conflict", f"the terms of {owner_id} are not at revision {seen}")

    async def replace(self, owner_id: str, terms: Sequence[Term]) -> None:
        there, now = set(await self.of(owner_id)), set(terms)
        if there != now:
            seen = (await self.revisions([owner_id]))[owner_id]
            await self.change(owner_id, seen, there - now, now - there)


def _pieces(terms: Collection[Term]) -> list[list[Term]]:
    listed = list(terms)
    return [listed[first : first + _AT_ONCE] for first in range(0, len(listed), _AT_ONCE)]
