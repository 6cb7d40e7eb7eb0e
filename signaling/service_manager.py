"""What systemd is told of this server by its notification socket: that it is ready, stops, and is in good health."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Final, Self

import structlog

log = structlog.get_logger(__name__)

_BEATS: Final = 3  # in the time after which the service would be taken for dead: two may be missed


class ServiceManager:
    """Owned by signaling.app; says nothing where nobody listens. `close` is idempotent.

    A beat proves two things: the event loop turns, for it sends it, and the media process answers. The database is
    not asked: a meeting goes on while a server of PostgreSQL is away, and a restart would end it."""

    def __init__(self, address: str | None = None, watchdog_s: float | None = None) -> None:
        """`address`: of the socket, a path or `@` and an abstract name. `watchdog_s`: how long it waits for a beat."""
        self._socket: socket.socket | None = None
        self._watchdog_s = watchdog_s
        self._is_well = True
        if not address:
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        try:
            self._socket.connect("\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            log.warning("service_manager.absent", error=error.strerror)
            self.close()

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Self:
        """As systemd says it; taken out of the environment, for children would speak in our name."""
        address = environment.pop("NOTIFY_SOCKET", None)
        usec, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        is_meant = usec.isdecimal() and int(usec) > 0 and pid in ("", str(os.getpid()))
        return cls(address, int(usec) / 1e6 if is_meant else None)

    @property
    def is_waiting(self) -> bool:
        """Somebody waits for beats."""
        return self._watchdog_s is not None and self._socket is not None

    def ready(self) -> None:
        """Everything answers from now on."""
        self._tell("READY=1", "STATUS=ready")

    def stopping(self) -> None:
        """It ends on purpose."""
        self._tell("STOPPING=1", "STATUS=stopping")

    async def watch(self, is_well: Callable[[], Awaitable[bool]]) -> None:
        """A beat each time that all is well; runs until cancelled. For when somebody waits for them."""
        assert self._watchdog_s is not None
        while True:
            well = await is_well()
            if well:
                self._tell("WATCHDOG=1")
            if well != self._is_well:
                self._is_well = well
                self._tell("STATUS=ready" if well else "STATUS=the media process does not answer")
                (log.info if well else log.error)("service_manager.health", well=well)
            await asyncio.sleep(self._watchdog_s / _BEATS)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, *lines: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send("\n".join(lines).encode())
        except OSError as error:  # full or gone: the next word may pass
            log.warning("service_manager.not_told", error=error.strerror)
