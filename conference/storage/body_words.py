"""Rows of the word lists of bodies."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.comment import Level, Word
from conference.model.errors import ConferenceError
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import organization_word_lists, organization_words


class SqlBodyWords:
    """Implements services.ports.BodyWordRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, organization_id: str) -> list[Word]:
        c = organization_words.c
        query = sa.select(c.text, c.level, c.category).where(c.organization_id == organization_id)
        rows = await self._connection.execute(query)
        # Sorted here: databases differ in how they sort Chinese.
        return sorted(
            (Word(row.text, Level(row.level), row.category) for row in rows), key=lambda each: each.text
        )

    async def revisions(self, organization_ids: Collection[str]) -> dict[str, int]:
        c = organization_word_lists.c
        query = sa.select(c.organization_id, c.revision).where(c.organization_id.in_(organization_ids))
        found = {row.organization_id: row.revision for row in await self._connection.execute(query)}
        return {each: found.get(each, 0) for each in organization_ids}

    async def replace(self, organization_id: str, seen: int, words: Iterable[Word]) -> int:
        await self._count_on(organization_id, seen)
        await self._connection.execute(
            sa.delete(organization_words).where(organization_words.c.organization_id == organization_id)
        )
        rows = [{**to_row(each), "organization_id": organization_id} for each in words]
        if rows:
            await self._connection.execute(sa.insert(organization_words), rows)
        return seen + 1

    async def _count_on(self, organization_id: str, seen: int) -> None:
        """First of all: whoever else changes this list waits here until we are done, and is too late then."""
        c = organization_word_lists.c
        write: sa.Insert | sa.Update
        if seen:
            write = sa.update(organization_word_lists).where(
                c.organization_id == organization_id, c.revision == seen
            )
            write = write.values(revision=seen + 1)
        else:
            first = insert(self._connection, organization_word_lists)
            write = first.values(organization_id=organization_id, revision=1)
            write = write.on_conflict_do_nothing(index_elements=[c.organization_id])
        if (await self._connection.execute(write)).rowcount != 1:
            raise ConferenceError("edit_conflict", f"the words of {organization_id} are not at {seen}")
