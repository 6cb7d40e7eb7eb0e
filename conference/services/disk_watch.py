"""The disk that recording and program are kept on: desks are warned while there is still time to do something."""

from __future__ import annotations

from typing import Final

import structlog

from conference.desk_views import DiskView
from conference.services.ports import Disk
from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)

_STEP: Final = 64 << 20  # desks are told again when so much has come or gone
_RELIEF: Final = 1.05  # a warning ends when so much more is free than what it began at


class DiskWatch:
    """Looks at the disk. Changes memory only."""

    def __init__(self, rooms: Rooms, disk: Disk, warn_bytes: int) -> None:
        self._rooms = rooms
        self._disk = disk
        self._warn_bytes = warn_bytes
        self._seen: DiskView | None = None

    @property
    def seen(self) -> DiskView | None:
        """As it was last; None before the first look."""
        return self._seen

    async def tick(self) -> None:
        """Call every few seconds."""
        try:
            free_bytes = await self._disk.free_bytes()
        except OSError as error:
            log.warning("disk.unknown", error=str(error))
            return
        warned = self._seen is not None and self._seen.warn
        warn = free_bytes < (self._warn_bytes * _RELIEF if warned else self._warn_bytes)
        if warn and not warned:
            log.warning("disk.low", free_bytes=free_bytes, warn_bytes=self._warn_bytes)
        self._seen = DiskView(free_bytes // _STEP * _STEP, warn)
        for room in self._rooms.all():
            room.show_disk(self._seen)
