"""A client of the relay: what it may hold of the server before and after it has an allocation."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from conference.rtc import stun, turn
from signaling.relay import client as relay_client
from signaling.relay.client import RelayedClient, RelayGuests
from tests.support.eventually import eventually

BINDING = stun.build(turn.BINDING, bytes(12), b"", None)
ALLOCATE = stun.build(turn.ALLOCATE, bytes(12), b"", None)


class Coturn(asyncio.Protocol):
    """Answers requests at length; an allocation is had for the asking."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data == ALLOCATE:
            self._transport.write(stun.build(turn.ALLOCATED, bytes(12), b"", None))
            return
        answer = stun.build(0x0101, bytes(12), b"\x80\x22\x04\x00" + bytes(1024), None)
        self._transport.write(answer * (len(data) // len(BINDING)))


@asynccontextmanager
async def door(guests: RelayGuests) -> AsyncIterator[int]:
    """The port at which clients of the relay arrive, here without TLS."""
    loop = asyncio.get_running_loop()
    coturn = await loop.create_server(Coturn, "127.0.0.1", 0)
    relay_port = coturn.sockets[0].getsockname()[1]

    def arrive() -> RelayedClient:
        gate = turn.TurnGate(secret="s", realm="r", peers=(), target="127.0.0.1")
        return RelayedClient(gate, relay_port, guests)

    server = await loop.create_server(arrive, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        coturn.close()


async def ended(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        while await reader.read(1 << 16):
            pass
    return True


async def test_who_reads_no_answers_is_dropped_and_not_remembered() -> None:
    guests = RelayGuests(10)
    async with door(guests) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await eventually(lambda: guests.count == 1)

            def flood() -> bool:
                with suppress(BlockingIOError, ConnectionError):
                    client.send(BINDING * 100)
                return guests.count == 0

            await eventually(flood, every_s=0.001)


async def test_who_gets_no_allocation_has_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_client, "_ALLOCATE_S", 0.0)
    guests = RelayGuests(10)
    async with door(guests) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await ended(reader)
        writer.transport.abort()
        await eventually(lambda: guests.count == 0)


async def test_who_has_one_stays() -> None:
    guests = RelayGuests(10)
    async with door(guests) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ALLOCATE)
        assert (await reader.read(100))[:2] == b"\x01\x03"
        await eventually(lambda: guests.settled == 1)
        writer.transport.abort()
        await eventually(lambda: guests.count == 0)


async def test_more_than_there_is_place_for_are_turned_away() -> None:
    guests = RelayGuests(2, each=1)
    async with door(guests) as port:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        await eventually(lambda: guests.count == 1)
        reader, second = await asyncio.open_connection("127.0.0.1", port)
        assert await ended(reader), "one of this address has no allocation yet"
        first.write(ALLOCATE)
        await eventually(lambda: guests.settled == 1)
        _, third = await asyncio.open_connection("127.0.0.1", port)
        await eventually(lambda: guests.count == 2)
        third.write(ALLOCATE)
        await eventually(lambda: guests.settled == 2)
        reader, fourth = await asyncio.open_connection("127.0.0.1", port)
        assert await ended(reader), "the house is full"
        for each in (first, second, third, fourth):
            each.transport.abort()
