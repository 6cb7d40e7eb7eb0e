"""A client of TURN in TLS and its connection to coturn, with the gate between them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from typing import Final

import structlog

from conference.address import source_of
from conference.rtc.turn import TurnError, TurnGate

log = structlog.get_logger(__name__)

_HIGH: Final = 256 << 10  # bytes that wait for the client: beyond it media is dropped, as a router would
_FULL: Final = 1 << 20  # with answers to requests: who reads none of them goes
_UNSENT: Final = 64 << 10  # bytes that the kernel keeps unsent; the rest waits where we see it
_CONNECT_S: Final = 5.0
_ALLOCATE_S: Final = 20.0  # to show a credential; coturn itself waits for a minute
_EACH: Final = 200  # of one address without an allocation: a whole office stands behind one


class RelayGuests:
    """All clients of the relay: how many there may be, and how many of one address before they have shown a
    credential."""

    def __init__(self, most: int, each: int = _EACH) -> None:
        self._most = most
        self._each = each
        self._all: set[RelayedClient] = set()
        self._strangers: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return len(self._all)

    @property
    def settled(self) -> int:
        """Those with an allocation."""
        return len(self._all) - self._strangers.total()

    def admit(self, client: RelayedClient, source: str) -> bool:
        """False when there is no place for one more of `source`."""
        if len(self._all) >= self._most or self._strangers[source] >= self._each:
            return False
        self._all.add(client)
        self._strangers[source] += 1
        return True

    def settle(self, source: str) -> None:
        """One of `source` is no stranger any more."""
        self._strangers[source] -= 1
        if self._strangers[source] <= 0:
            del self._strangers[source]

    def dismiss(self, client: RelayedClient) -> None:
        """It is gone, and was settled before if it was a stranger."""
        self._all.discard(client)


class RelayedClient(asyncio.Protocol):
    """The client's side; opens the other side when it is connected, and ends with it."""

    def __init__(self, gate: TurnGate, port: int, guests: RelayGuests) -> None:
        """`port`: of coturn, on loopback."""
        self._gate = gate
        self._port = port
        self._guests = guests
        self._stranger: str | None = None  # its source, until it has an allocation
        self._deadline: asyncio.TimerHandle | None = None
        self._client: asyncio.Transport | None = None
        self._relay: asyncio.Transport | None = None
        self._early = bytearray()  # what came before the other side stood
        self._opening: asyncio.Task[None] | None = None

    # ── the client ──────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        source = source_of(str((transport.get_extra_info("peername") or ("",))[0]))
        if not self._guests.admit(self, source):
            transport.abort()
            return
        self._stranger = source
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(_ALLOCATE_S, self.close)
        self._opening = loop.create_task(self._open())

    def data_received(self, data: bytes) -> None:
        try:
            onward = self._gate.from_client(data)
        except TurnError:
            self.close()
            return
        if not onward:
            return
        if self._relay is not None:
            self._relay.write(onward)
        else:
            self._early += onward
            if len(self._early) > _HIGH:
                self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._client = None
        self._settle()
        self._guests.dismiss(self)
        self.close()

    # ── coturn ──────────────────────────────────────────────────────────────────────────────────

    def relay_made(self, transport: asyncio.Transport) -> None:
        self._relay = transport
        if self._early:
            transport.write(bytes(self._early))
            self._early.clear()

    def relay_received(self, data: bytes) -> None:
        client = self._client
        if client is None:
            return
        try:
            onward = self._gate.from_relay(data, congested=client.get_write_buffer_size() > _HIGH)
        except TurnError:
            log.error("relay.broken_stream")
            self.close()
            return
        if onward:
            client.write(onward)
        if self._gate.has_allocation:
            self._settle()
        if client.get_write_buffer_size() > _FULL:
            self.close()

    def relay_lost(self) -> None:
        self._relay = None
        self.close()

    def hold(self, held: bool) -> None:
        """The relay takes no more for now, or again."""
        if self._client is not None:
            with contextlib.suppress(RuntimeError):  # closing
                (self._client.pause_reading if held else self._client.resume_reading)()

    def _settle(self) -> None:
        if self._stranger is None:
            return
        self._guests.settle(self._stranger)
        self._stranger = None
        if self._deadline is not None:
            self._deadline.cancel()

    # ── both ────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """End both sides; idempotent."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        for transport in (self._client, self._relay):
            if transport is not None:
                transport.abort()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await loop.create_connection(lambda: _RelaySide(self), "127.0.0.1", self._port)
        except OSError:  # TimeoutError is one
            if self._client is not None:
                self._client.abort()


class _RelaySide(asyncio.Protocol):
    def __init__(self, owner: RelayedClient) -> None:
        self._owner = owner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._owner.relay_made(transport)

    def data_received(self, data: bytes) -> None:
        self._owner.relay_received(data)

    def pause_writing(self) -> None:
        self._owner.hold(True)

    def resume_writing(self) -> None:
        self._owner.hold(False)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.relay_lost()
