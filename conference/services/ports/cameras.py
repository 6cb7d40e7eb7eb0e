"""Rows of cameras."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from conference.model.camera import Camera


class CameraRepository(Protocol):
    """Rows of cameras. Removed ones are found by `get` alone."""

    async def get(self, camera_id: str) -> Camera | None: ...

    async def of(self, consultation_id: str) -> list[Camera]:
        """By venue and position."""

    async def next_position(self, venue_id: str) -> int:
        """Behind all, removed ones included."""

    async def save(self, saved: Iterable[Camera]) -> None:
        """Insert or overwrite."""
