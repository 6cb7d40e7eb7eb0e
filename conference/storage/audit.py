"""The audit chains in the database: appending under the lock of a chain's head, and reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.audit import AuditEntry, AuditHead, AuditLine, AuditText, beginning, seal
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import audit_heads, audit_lines, audit_texts

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
