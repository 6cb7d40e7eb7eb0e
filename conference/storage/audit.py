"""The audit chains in the database: appending under the lock of a chain's head, and reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.audit import (
    STAFF_CHAIN,
    AuditEntry,
    AuditHead,
    AuditLine,
    AuditPlace,
    AuditSearch,
    AuditText,
    beginning,
    seal,
)
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import audit_heads, audit_lines, audit_texts, consultations, users

_AT_ONCE: Final = 50


class SqlAudit:
    """Implements services.ports.AuditRepository. The columns stand in the order of the fields."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, entry: AuditEntry) -> AuditLine:
        line, texts = seal(entry, await self._locked_head(entry.chain))
        await self._connection.execute(sa.insert(audit_lines).values(to_row(line)))
        if texts:
            await self._connection.execute(sa.insert(audit_texts), [to_row(text) for text in texts])
        await self._connection.execute(
            sa.update(audit_heads)
            .where(audit_heads.c.chain == line.chain)
            .values(number=line.number, hash=line.hash)
        )
        return line

    async def append_all(self, entries: Sequence[AuditEntry]) -> None:
        if not entries:
            return
        head = await self._locked_head(entries[0].chain)
        for first in range(0, len(entries), _AT_ONCE):  # between these others get their turn
            lines, texts = [], []
            for entry in entries[first : first + _AT_ONCE]:
                line, personal = seal(entry, head)
                head = AuditHead(line.chain, line.number, line.hash)
                lines.append(to_row(line))
                texts += [to_row(text) for text in personal]
            await self._connection.execute(sa.insert(audit_lines), lines)
            if texts:
                await self._connection.execute(sa.insert(audit_texts), texts)
        await self._connection.execute(
            sa.update(audit_heads)
            .where(audit_heads.c.chain == head.chain)
            .values(number=head.number, hash=head.hash)
        )

    async def _locked_head(self, chain: str) -> AuditHead:
        """The head, which nobody else can move before this transaction ends.

        PostgreSQL locks the row. SQLite leaves FOR UPDATE out: there each writing transaction holds the lock
        of the whole database from its beginning.
        """
        query = sa.select(audit_heads).where(audit_heads.c.chain == chain).with_for_update()
        row = (await self._connection.execute(query)).mappings().one_or_none()
        if row is None:
            statement = insert(self._connection, audit_heads).values(to_row(beginning(chain)))
            await self._connection.execute(statement.on_conflict_do_nothing())
            row = (await self._connection.execute(query)).mappings().one()
        return AuditHead(**row)

    async def head(self, chain: str) -> AuditHead:
        query = sa.select(audit_heads).where(audit_heads.c.chain == chain)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return beginning(chain) if row is None else AuditHead(**row)

    async def reached_ms(self, chain: str, after: int = 0) -> int | None:
        query = sa.select(sa.func.max(audit_lines.c.program_time_ms)).where(
            audit_lines.c.chain == chain, audit_lines.c.number > after
        )
        reached_ms: int | None = (await self._connection.execute(query)).scalar()
        return reached_ms

    async def lines(
        self,
        chain: str,
        after: int = 0,
        limit: int = 100,
        *,
        action: str | None = None,
        actor: str | None = None,
        subject: str | None = None,
        newest: bool = False,
        before: int | None = None,
    ) -> list[AuditLine]:
        query = sa.select(audit_lines).where(audit_lines.c.chain == chain, audit_lines.c.number > after)
        if action is not None:
            query = query.where(audit_lines.c.action == action)
        if actor is not None:
            query = query.where(sa.or_(audit_lines.c.actor_id == actor, audit_lines.c.actor_kind == actor))
        if subject is not None:
            query = query.where(audit_lines.c.subject == subject)
        if before is not None:
            query = query.where(audit_lines.c.number < before)
        number = audit_lines.c.number
        query = query.order_by(number.desc() if newest else number).limit(limit)
        return [AuditLine(*row) for row in await self._connection.execute(query)]

    async def across(
        self, search: AuditSearch, before: AuditPlace | None, limit: int, scan: int
    ) -> tuple[list[AuditLine], AuditPlace | None]:
        c = audit_lines.c
        place = (c.at_ms, c.chain, c.number)
        looked_at = sa.select(audit_lines)
        if search.chain is not None:
            looked_at = looked_at.where(c.chain == search.chain)
        if search.since_ms is not None:
            looked_at = looked_at.where(c.at_ms >= search.since_ms)
        if search.until_ms is not None:
            looked_at = looked_at.where(c.at_ms < search.until_ms)
        if before is not None:
            # The first condition alone is what SQLite finds by the index.
            looked_at = looked_at.where(
                c.at_ms <= before.at_ms,
                sa.tuple_(*place) < sa.tuple_(before.at_ms, before.chain, before.number),
            )
        newest = [each.desc() for each in place]
        last_row = await self._connection.execute(
            looked_at.with_only_columns(*place).order_by(*newest).offset(scan - 1).limit(1)
        )
        last = next((AuditPlace(*row) for row in last_row), None)
        some = looked_at.order_by(*newest).limit(scan).subquery()
        query = sa.select(some).where(*_wanted(search, some))
        query = query.order_by(some.c.at_ms.desc(), some.c.chain.desc(), some.c.number.desc())
        found = [AuditLine(*row) for row in await self._connection.execute(query.limit(limit + 1))]
        if len(found) > limit:
            end = found[limit - 1]
            last = AuditPlace(end.at_ms, end.chain, end.number)
        return found[:limit], last

    async def texts_among(self, places: Collection[AuditPlace]) -> list[AuditText]:
        c = audit_texts.c
        wanted = [(each.chain, each.number) for each in places]
        query = sa.select(audit_texts).where(sa.tuple_(c.chain, c.number).in_(wanted))
        return [AuditText(*row) for row in await self._connection.execute(query)]

    async def texts(self, chain: str, first: int, last: int) -> list[AuditText]:
        query = (
            sa.select(audit_texts)
            .where(audit_texts.c.chain == chain, audit_texts.c.number.between(first, last))
            .order_by(audit_texts.c.number, audit_texts.c.field)
        )
        return [AuditText(*row) for row in await self._connection.execute(query)]

    async def texts_of(self, chain: str, numbers: Sequence[int]) -> list[AuditText]:
        query = (
            sa.select(audit_texts)
            .where(audit_texts.c.chain == chain, audit_texts.c.number.in_(numbers))
            .order_by(audit_texts.c.number, audit_texts.c.field)
        )
        return [AuditText(*row) for row in await self._connection.execute(query)]

    async def forget(self, chain: str, number: int) -> None:
        await self._connection.execute(
            sa.delete(audit_texts).where(audit_texts.c.chain == chain, audit_texts.c.number == number)
        )


def _wanted(search: AuditSearch, lines: sa.Subquery) -> list[sa.ColumnElement[bool]]:
    """The conditions of a search that no index helps with."""
    c, ids = lines.c, list(search.organization_ids)
    people = sa.select(users.c.id).where(users.c.organization_id.in_(ids))
    owner = consultations.c.organization_id
    chains = sa.select(consultations.c.id).where(sa.or_(owner.is_(None), owner.in_(ids)))
    of_staff = c.chain == STAFF_CHAIN
    if not search.all_staff:
        about = sa.or_(c.subject.in_(ids), c.subject.in_(people), c.actor_id.in_(people))
        of_staff = sa.and_(of_staff, about)
    conditions: list[sa.ColumnElement[bool]] = [sa.or_(c.chain.in_(chains), of_staff)]
    if search.action is not None:
        conditions.append(c.action == search.action)
    if search.actor is not None:
        conditions.append(sa.or_(c.actor_id == search.actor, c.actor_kind == search.actor))
    return conditions
