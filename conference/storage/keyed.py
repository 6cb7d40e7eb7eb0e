"""Rows that stand on a key of the installation, whatever they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.consultation import Status
from conference.model.keyed import LinkRow, Resealed, SealedKind, SealedRow
from conference.storage.tables import (
    cameras,
    comments,
    consultations,
    departments,
    identities,
    identity_proofs,
    invitees,
    venues,
)

_SEALED: Final[Mapping[SealedKind, sa.Column[str]]] = {
    SealedKind.CAMERA: cameras.c.sealed_address,
    SealedKind.COMMENT: comments.c.address,
    SealedKind.IDENTITY: identities.c.sealed_subject,
    SealedKind.PROOF: identity_proofs.c.sealed_subject,
}
_LINKED: Final[Mapping[str, sa.Table]] = {"invitee": invitees, "venue": venues, "department": departments}
_COMING: Final = (
    Status.DRAFT.value,
    Status.SCHEDULED.value,
    Status.REHEARSAL.value,
    Status.LIVE.value,
    Status.POSTPONED.value,
)
_NEVER_AGAIN: Final = (Status.ARCHIVED.value, Status.CANCELLED.value)


class SqlKeyed:
    """Implements services.ports.KeyedRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def sealed(self, kind: SealedKind, after_id: str, limit: int) -> list[SealedRow]:
        column = _SEALED[kind]
        table = column.table
        context: sa.ColumnElement[str] = sa.literal("")
        if kind is SealedKind.IDENTITY:
            context = identities.c.consultation_id + " " + identities.c.kind
        query = (
            sa.select(table.c.id, column.label("sealed"), context.label("context"))
            .where(table.c.id > after_id, column != "")
            .order_by(table.c.id)
            .limit(limit)
        )
        rows = await self._connection.execute(query)
        return [SealedRow(row.id, row.sealed, row.context) for row in rows]

    async def reseal(self, kind: SealedKind, changes: Sequence[Resealed]) -> int:
        column, count = _SEALED[kind], 0
        for each in changes:
            values = {column.name: each.after}
            if each.fingerprint is not None:
                values["subject_hash"] = each.fingerprint
            statement = sa.update(column.table).where(column.table.c.id == each.id, column == each.before)
            count += (await self._connection.execute(statement.values(values))).rowcount
        return count

    async def consultations(self) -> dict[str, bool]:
        query = sa.select(consultations.c.id, consultations.c.status).order_by(consultations.c.id)
        rows = await self._connection.execute(query)
        return {row.id: row.status == Status.ARCHIVED.value for row in rows}

    async def links(self, consultation_id: str) -> list[LinkRow]:
        found: list[LinkRow] = []
        for kind, table in _LINKED.items():
            query = sa.select(table.c.id, table.c.link_revision, table.c.link_hash).where(
                table.c.consultation_id == consultation_id
            )
            if "removed_at_ms" in table.c:
                query = query.where(table.c.removed_at_ms.is_(None))
            rows = await self._connection.execute(query.order_by(table.c.id))
            found += [
                LinkRow(kind, row.id, consultation_id, row.link_revision, row.link_hash) for row in rows
            ]
        return found

    async def relink(self, before: LinkRow, after: LinkRow) -> bool:
        table = _LINKED[before.kind]
        statement = (
            sa.update(table)
            .where(table.c.id == before.id, table.c.link_hash == before.hash)
            .values(link_revision=after.revision, link_hash=after.hash)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def needed_until(self) -> int | None:
        c = consultations.c
        planned = sa.select(sa.func.max(sa.func.coalesce(c.ends_at_ms, c.scheduled_at_ms))).where(
            c.status.in_(_COMING)
        )
        answers = (
            sa.select(sa.func.max(departments.c.valid_until_wall_ms))
            .join(consultations, c.id == departments.c.consultation_id)
            .where(c.status.not_in(_NEVER_AGAIN))
        )
        found = [(await self._connection.execute(query)).scalar() for query in (planned, answers)]
        return max((int(each) for each in found if each is not None), default=None)
