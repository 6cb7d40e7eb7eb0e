"""Draining: a server that opens no more rooms, and ends when those that are open have ended."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)


class Draining:
    """Begun by SIGUSR1. Where other nodes are, who wants another room is sent there."""

    def __init__(self, rooms: Rooms, ended: Callable[[], None]) -> None:
        self._rooms = rooms
        self._ended = ended

    def begin(self) -> None:
        """Idempotent; there is no way back but a new start."""
        if not self._rooms.is_draining:
            self._rooms.is_draining = True
            log.warning("server.draining", rooms=len(self._rooms.all()))

    async def tick(self) -> None:
        """Call every second or so."""
        if not self._rooms.is_draining:
            return
        await self._rooms.renew_claims()  # the others hear of it
        if not self._rooms.all():
            log.warning("server.drained")
            self._ended()
