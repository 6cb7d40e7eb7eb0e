"""A client of TURN in TLS and its connection to coturn, with the gate between them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Final

import structlog

from conference.rtc.turn import TurnError, TurnGate

log = structlog.get_logger(__name__)

_HIGH: Final = 256 << 10  # bytes that wait for the client: beyond it media is dropped, as a router would
_UNSENT: Final = 64 << 10  # bytes that the kernel keeps unsent; the rest waits where we see it
_CONNECT_S: Final = 5.0


class RelayedClient(asyncio.Protocol):
    """The client's side; opens the other side when it is connected, and ends with it."""

    def __init__(self, gate: TurnGate, port: int) -> None:
        """`port`: of coturn, on loopback."""
        self._gate = gate
        self._port = port
        self._client: asyncio.Transport | None = None
        self._relay: asyncio.Transport | None = None
        self._early = bytearray()  # what came before the other side stood
        self._opening: asyncio.Task[None] | None = None

    # ── the client ──────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        self._opening = asyncio.get_running_loop().create_task(self._open())

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

    def relay_lost(self) -> None:
        self._relay = None
        self.close()

    def hold(self, held: bool) -> None:
        """The relay takes no more for now, or again."""
        if self._client is not None:
            with contextlib.suppress(RuntimeError):  # closing
                (self._client.pause_reading if held else self._client.resume_reading)()

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
