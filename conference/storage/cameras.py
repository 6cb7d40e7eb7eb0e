"""Rows of cameras."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.camera import Camera, CameraTransport
from conference.storage.rows import to_row
from conference.storage.statements import upsert
from conference.storage.tables import cameras

_KEPT: Final = {"id", "consultation_id", "venue_id", "created_at_ms"}
_CHANGES: Final = tuple(each.name for each in cameras.c if each.name not in _KEPT)


class SqlCameras:
    """Implements services.ports.CameraRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, camera_id: str) -> Camera | None:
        query = sa.select(cameras).where(cameras.c.id == camera_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else _camera(row)

    async def of(self, consultation_id: str) -> list[Camera]:
        c = cameras.c
        query = (
            sa.select(cameras)
            .where(c.consultation_id == consultation_id, c.removed_at_ms.is_(None))
            .order_by(c.venue_id, c.position, c.id)
        )
        return [_camera(row) for row in (await self._connection.execute(query)).mappings()]

    async def next_position(self, venue_id: str) -> int:
        query = sa.select(sa.func.max(cameras.c.position)).where(cameras.c.venue_id == venue_id)
        last: int | None = (await self._connection.execute(query)).scalar()
        return 1 + (last or 0)

    async def save(self, saved: Iterable[Camera]) -> None:
        rows = [to_row(each) for each in saved]
        if rows:
            await self._connection.execute(upsert(self._connection, cameras, _CHANGES), rows)


def _camera(row: RowMapping) -> Camera:
    return Camera(**{**row, "transport": CameraTransport(row["transport"])})
