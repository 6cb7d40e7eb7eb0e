"""An outbox: what one session is still to be sent, in order and bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from engineio import packet as engineio
from socketio import packet as socketio

MAX_PENDING: Final = 2000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event. `generation` is set for media offers, whose ack is awaited. `is_last`: then disconnect."""

    name: str
    body: dict[str, Any]
    generation: int | None = None
    is_last: bool = False
    _packets: dict[str, engineio.Packet] = field(default_factory=dict, compare=False, repr=False)

    def packet(self, namespace: str) -> engineio.Packet:
        """As it goes over the wire: encoded once for all who get it."""
        packet = self._packets.get(namespace)
        if packet is None:
            # Bodies are JSON: to look into all of a snapshot for bytes takes longer than to write it.
            data = [self.name, self.body]
            event = socketio.Packet(socketio.EVENT, data=data, namespace=namespace, binary=False)
            packet = self._packets[namespace] = engineio.Packet(engineio.MESSAGE, event.encode())
        return packet


LAST: Final = Outgoing("", {}, is_last=True)


@dataclass(slots=True)
class Outbox:
    """Filled without waiting, emptied by one task. One that overflows is abandoned: its client starts over."""

    session_id: str
    on_overflow: Callable[[], None]
    is_led: bool = False  # another node led it here
    pending: deque[Outgoing] = field(default_factory=deque)
    is_closed: bool = False
    _put: int = 0
    _sent: int = 0
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, item: Outgoing) -> None:
        """Add an event; after `close` nothing is taken any more."""
        if self.is_closed:
            return
        if len(self.pending) >= MAX_PENDING:
            self.abandon()
            self.on_overflow()
            return
        self.pending.append(item)
        self._put += 1
        self._filled.set()

    def close(self) -> None:
        """Disconnect once everything before is sent."""
        if not self.is_closed:
            self.is_closed = True
            self.pending.append(LAST)
            self._filled.set()
            self._moved.set()

    def abandon(self) -> None:
        """The socket is gone: nothing will be sent any more."""
        self.is_closed = True
        self.pending.clear()
        self._moved.set()

    async def next(self) -> Outgoing:
        """The next event; say `sent` once it is on its way."""
        while not self.pending:
            self._filled.clear()
            await self._filled.wait()
        return self.pending.popleft()

    def sent(self) -> None:
        """What `next` gave is on its way."""
        self._sent += 1
        self._moved.set()

    async def drained(self) -> None:
        """Wait until everything put so far is on its way, so that an answer does not overtake it."""
        goal = self._put
        while self._sent < goal and not self.is_closed:
            self._moved.clear()
            await self._moved.wait()
