"""Rows of recorded files."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.recording import FileState, Recording
from conference.storage.rows import to_recording, to_row
from conference.storage.statements import insert
from conference.storage.tables import recordings


class SqlRecordings:
    """Implements services.ports.RecordingRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, recording_id: str) -> Recording | None:
        condition = sa.and_(recordings.c.id == recording_id, recordings.c.deleted_at_ms.is_(None))
        return next(iter(await self._where(condition)), None)

    async def of(
        self, consultation_id: str, *, after: str | None = None, limit: int = 100
    ) -> list[Recording]:
        c = recordings.c
        condition = sa.and_(c.consultation_id == consultation_id, c.deleted_at_ms.is_(None))
        if after is not None:
            place = sa.select(c.started_at_ms).where(c.consultation_id == consultation_id, c.id == after)
            started_at_ms = (await self._connection.execute(place)).scalar()
            if started_at_ms is None:
                return []
            later = sa.or_(
                c.started_at_ms > started_at_ms, sa.and_(c.started_at_ms == started_at_ms, c.id > after)
            )
            condition = sa.and_(condition, later)
        return await self._where(condition, limit)

    async def at(self, consultation_id: str, paths: Iterable[str]) -> list[Recording]:
        c = recordings.c
        return await self._where(sa.and_(c.consultation_id == consultation_id, c.path.in_(list(paths))))

    async def unfinished(self) -> set[str]:
        query = sa.select(recordings.c.consultation_id).where(
            recordings.c.state == FileState.RECORDING.value, recordings.c.deleted_at_ms.is_(None)
        )
        return set((await self._connection.execute(query.distinct())).scalars())

    async def unfinished_paths(self) -> list[str]:
        query = sa.select(recordings.c.path).where(
            recordings.c.state == FileState.RECORDING.value, recordings.c.deleted_at_ms.is_(None)
        )
        return list((await self._connection.execute(query.order_by(recordings.c.path))).scalars())

    async def deleted(self, consultation_id: str) -> list[Recording]:
        c = recordings.c
        return await self._where(sa.and_(c.consultation_id == consultation_id, c.deleted_at_ms.is_not(None)))

    async def deleted_paths(self) -> list[str]:
        query = sa.select(recordings.c.path).where(recordings.c.deleted_at_ms.is_not(None))
        return list((await self._connection.execute(query.order_by(recordings.c.path))).scalars())

    async def save(self, saved: Iterable[Recording]) -> None:
        rows = [to_row(each) for each in saved]
        if not rows:
            return
        statement = insert(self._connection, recordings)
        changing = ("duration_ms", "size_bytes", "sha256", "state", "deleted_at_ms")
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[recordings.c.id], set_={name: statement.excluded[name] for name in changing}
            ),
            rows,
        )

    async def _where(self, condition: sa.ColumnElement[bool], limit: int | None = None) -> list[Recording]:
        query = sa.select(recordings).where(condition)
        query = query.order_by(recordings.c.started_at_ms, recordings.c.id).limit(limit)
        return [to_recording(row) for row in (await self._connection.execute(query)).mappings()]
