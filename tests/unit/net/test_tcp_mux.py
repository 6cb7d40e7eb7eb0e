"""ICE-TCP: which connections are kept, and for how long."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from conference.net import tcp_mux
from conference.net.directory import TransportDirectory
from conference.net.tcp_mux import TcpMux
from conference.rtc import stun
from conference.sfu.counters import Counters
from conference.sfu.path import Door
from tests.support.eventually import eventually

CHECK = stun.build(stun.BINDING_REQUEST, bytes(12), b"\x00\x06\x00\x03u:v\x00", None)


class Transport:
    """Takes every check for right."""

    def receive_stun(self, data: bytes, address: tuple[str, int], door: Door, now: float) -> None:
        door.bind(address, self)

    def receive_dtls(self, data: bytes, now: float) -> None: ...

    def receive_rtp(self, pointer: Any, length: int, now: float) -> None: ...

    def receive_rtcp(self, data: bytes, now: float) -> None: ...


@pytest.fixture
async def mux() -> AsyncIterator[TcpMux]:
    made = TcpMux("127.0.0.1", 0, TransportDirectory(), Counters(), lambda: None)
    await made.open()
    yield made
    await made.close()


async def connected(mux: TcpMux) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    before = mux.connections
    reader, writer = await asyncio.open_connection("127.0.0.1", mux.port)
    await eventually(lambda: mux.connections == before + 1)
    return reader, writer


async def ended(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        assert await reader.read(1) == b""
    return True


async def test_a_connection_that_is_gone_before_it_was_adopted_is_no_fault(mux: TcpMux) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # with a reset
    accepted.setblocking(False)
    mux.adopt(accepted)
    await eventually(lambda: accepted.fileno() == -1)
    assert faults == []
    assert mux.connections == 0


async def test_a_connection_goes_with_its_transport_though_it_was_never_used(
    mux: TcpMux, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_mux, "_FIRST_PACKET_S", 0.05)
    monkeypatch.setattr(tcp_mux, "_IN_USE_S", 0.05)
    transport = Transport()
    mux.directory.register("u", transport)
    reader, writer = await connected(mux)
    writer.write(len(CHECK).to_bytes(2, "big") + CHECK)
    await eventually(lambda: mux.received == 1)
    silent, other = await connected(mux)
    assert await ended(silent), "it said nothing"
    assert mux.connections == 1
    mux.directory.forget(transport)
    assert await ended(reader)
    for each in (writer, other):
        each.transport.abort()


async def test_strangers_of_one_address_are_counted(mux: TcpMux, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_mux, "_MAX_STRANGERS_EACH", 1)
    mux.directory.register("u", Transport())
    _, first = await connected(mux)
    reader, second = await asyncio.open_connection("127.0.0.1", mux.port)
    assert await ended(reader)
    first.write(len(CHECK).to_bytes(2, "big") + CHECK)
    await eventually(lambda: mux.received == 1)
    _, third = await connected(mux)
    for each in (first, second, third):
        each.transport.abort()
