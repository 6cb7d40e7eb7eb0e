"""Rows of exports."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.consultation import Consultation, Status
from conference.model.export import Export, ExportKind, ExportState
from conference.storage.rows import to_consultation, to_export, to_row
from conference.storage.statements import insert
from conference.storage.tables import consultations, exports

_WRITTEN_LATER = (
    "state",
    "reason",
    "from_ms",
    "duration_ms",
    "size_bytes",
    "sha256",
    "requested_by",
    "requested_at_ms",
    "finished_at_ms",
    "deleted_at_ms",
)


class SqlExports:
    """Implements services.ports.ExportRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, export_id: str) -> Export | None:
        return next(iter(await self._where(exports.c.id == export_id)), None)

    async def of(self, consultation_id: str, *, after: str | None = None, limit: int = 100) -> list[Export]:
        c = exports.c
        condition = c.consultation_id == consultation_id
        if after is not None:
            place = sa.select(c.requested_at_ms).where(condition, c.id == after)
            requested_at_ms = (await self._connection.execute(place)).scalar()
            if requested_at_ms is None:
                return []
            older = sa.and_(c.requested_at_ms == requested_at_ms, c.id < after)
            condition = sa.and_(condition, sa.or_(c.requested_at_ms < requested_at_ms, older))
        return await self._where(condition, limit)

    async def like(self, wanted: Export) -> Export | None:
        c = exports.c
        same = sa.and_(
            c.consultation_id == wanted.consultation_id,
            c.kind == wanted.kind.value,
            c.subject.is_not_distinct_from(wanted.subject),
            c.media_type == wanted.media_type,
        )
        return next(iter(await self._where(same, 1)), None)

    async def queued(self) -> list[Export]:
        return list(reversed(await self._where(exports.c.state == ExportState.QUEUED.value)))

    async def paths(self) -> set[str]:
        return {each.path for each in await self._where(exports.c.state == ExportState.DONE.value)}

    async def without_program(self, since_ms: int) -> list[Consultation]:
        known = sa.select(exports.c.consultation_id).where(exports.c.kind == ExportKind.PROGRAM.value)
        query = sa.select(consultations).where(
            consultations.c.status.in_([Status.ENDED.value, Status.ARCHIVED.value]),
            consultations.c.ended_at_ms >= since_ms,
            consultations.c.id.not_in(known),
        )
        rows = await self._connection.execute(query.order_by(consultations.c.ended_at_ms, consultations.c.id))
        return [to_consultation(row) for row in rows.mappings()]

    async def save(self, saved: Iterable[Export]) -> None:
        rows = [{name: each for name, each in to_row(one).items() if name != "progress"} for one in saved]
        if not rows:
            return
        statement = insert(self._connection, exports)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[exports.c.id],
                set_={name: statement.excluded[name] for name in _WRITTEN_LATER},
            ),
            rows,
        )

    async def _where(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Export]:
        query = sa.select(exports).where(condition, exports.c.deleted_at_ms.is_(None))
        query = query.order_by(exports.c.requested_at_ms.desc(), exports.c.id.desc()).limit(limit)
        return [to_export(row) for row in (await self._connection.execute(query)).mappings()]
