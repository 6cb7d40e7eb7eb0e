"""The one TLS port: what comes first decides who speaks with a connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from conference.rtc import stun
from signaling.lan import server_context
from signaling.tls import port as tls_port
from signaling.tls.port import TlsPort
from tests.support.eventually import eventually

_CA = trustme.CA()


class Echo(asyncio.Protocol):
    """Says back what it hears, behind its own name."""

    def __init__(self, name: bytes) -> None:
        self._name = name
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(self._name + data)


class Given:
    """What was handed over; duplicates, because the port closes its own."""

    def __init__(self, *, takes: bool = True) -> None:
        self.sockets: list[socket.socket] = []
        self.ufrags: list[str | None] = []
        self._takes = takes

    def __call__(self, sock: socket.socket, ufrag: str | None) -> bool:
        if self._takes:
            self.ufrags.append(ufrag)
            self.sockets.append(sock.dup())
        return self._takes


@asynccontextmanager
async def port(
    given: Given | None = None, *, turn: bool = True, proxies: bool = False
) -> AsyncIterator[tuple[TlsPort, int]]:
    context = server_context()
    _CA.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = TlsPort(
            listener,
            lambda: context,
            http=lambda: Echo(b"http "),
            hand_over=given,
            turn=lambda: Echo(b"turn ") if turn else None,
            is_proxy=lambda _: proxies,
        )
        made.open()
        try:
            yield made, listener.getsockname()[1]
        finally:
            await made.close()
            for each in given.sockets if given is not None else ():
                each.close()


async def spoken(number: int, said: bytes) -> bytes:
    """What comes back over TLS; empty when the connection is closed."""
    context = ssl.create_default_context()
    _CA.configure_trust(context)
    reader, writer = await asyncio.open_connection("127.0.0.1", number, ssl=context)
    try:
        writer.write(said)
        return await reader.read(200)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_http_and_turn_are_told_apart_in_tls() -> None:
    async with port() as (made, number):
        assert await spoken(number, b"GET / HTTP/1.1\r\n\r\n") == b"http GET / HTTP/1.1\r\n\r\n"
        assert await spoken(number, b"\x00\x03\x00\x00rest") == b"turn \x00\x03\x00\x00rest"
        assert made.sorted == {"http": 1, "turn": 1}


async def test_turn_is_refused_while_there_is_no_relay() -> None:
    async with port(turn=False) as (made, number):
        assert await spoken(number, b"\x00\x03\x00\x00") == b""
        assert made.sorted == {"refused": 1}


async def test_a_connection_of_media_is_handed_over_with_every_byte_in_it() -> None:
    given = Given()
    async with port(given) as (_, number):
        with socket.create_connection(("127.0.0.1", number)) as client:
            client.sendall(b"\x00\x04abcd")
            await eventually(lambda: given.sockets)
            taken = given.sockets[0]
            taken.setblocking(True)
            assert taken.recv(100) == b"\x00\x04abcd"
            taken.sendall(b"back")
            assert client.recv(100) == b"back"


async def test_a_connection_of_media_says_whom_its_first_check_is_for() -> None:
    given = Given()
    check = stun.build_request(bytes(12), "2abc:theirs", "secret")
    framed = len(check).to_bytes(2, "big") + check
    async with port(given) as (_, number):
        with socket.create_connection(("127.0.0.1", number)) as client:
            for size in (1, 40):  # it comes in pieces
                client.sendall(framed[:size])
                framed = framed[size:]
                await asyncio.sleep(0.05)
                assert not given.sockets
            client.sendall(framed + b"more")
            await eventually(lambda: given.sockets)
            assert given.ufrags == ["2abc"]
            given.sockets[0].setblocking(True)
            assert given.sockets[0].recv(1000) == len(check).to_bytes(2, "big") + check + b"more"
        with socket.create_connection(("127.0.0.1", number)) as client:
            client.sendall(b"\x00\x50half a frame")
            client.shutdown(socket.SHUT_WR)
            await eventually(lambda: len(given.ufrags) == 2)
    assert given.ufrags[1] is None


@pytest.mark.parametrize("given", [None, Given(takes=False)])
async def test_media_is_turned_away_where_nobody_takes_it(given: Given | None) -> None:
    async with port(given) as (made, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"\x00\x04abcd")
        with suppress(ConnectionError):
            assert await reader.read(1) == b""
        writer.transport.abort()
        assert made.sorted == {"refused": 1}


async def test_what_is_no_tls_ends_and_others_go_on() -> None:
    async with port() as (made, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        try:
            while await reader.read(100):
                pass
        except ConnectionError:
            pass
        writer.transport.abort()
        await eventually(lambda: made.sorted["failed"] == 1)
        assert await spoken(number, b"again") == b"http again"


async def test_closing_drops_who_has_not_said_what_it_wants() -> None:
    async with port() as (made, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", number)
        context = ssl.create_default_context()
        _CA.configure_trust(context)
        in_tls, tls_writer = await asyncio.open_connection("127.0.0.1", number, ssl=context)
        await made.close()
        for each in (reader, in_tls):
            with suppress(ConnectionError):
                assert await each.read(1) == b""
        writer.transport.abort()
        tls_writer.transport.abort()


class Silent:
    """Connections that say nothing, before TLS or in it."""

    def __init__(self) -> None:
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self, number: int, *, tls: bool) -> asyncio.StreamReader:
        context = ssl.create_default_context() if tls else None
        if context is not None:
            _CA.configure_trust(context)
        reader, writer = await asyncio.open_connection("127.0.0.1", number, ssl=context)
        self._writers.append(writer)
        return reader

    def close(self) -> None:
        for each in self._writers:
            each.transport.abort()


@pytest.fixture
async def silent() -> AsyncIterator[Silent]:
    made = Silent()
    yield made
    made.close()


@pytest.mark.parametrize("tls", [False, True])
async def test_who_says_nothing_makes_room_for_others_of_its_address(
    monkeypatch: pytest.MonkeyPatch, silent: Silent, tls: bool
) -> None:
    monkeypatch.setattr(tls_port, "_MAX_UNSORTED_EACH", 2)
    monkeypatch.setattr(tls_port, "_PATIENCE_S", 0.0)
    async with port() as (made, number):
        first = await silent.open(number, tls=tls)
        await silent.open(number, tls=tls)
        assert await spoken(number, b"hello") == b"http hello"
        with suppress(ConnectionError):
            assert await first.read(1) == b"", "the oldest has gone"
        assert made.sorted["crowded_out"] == 1


async def test_a_crowd_that_has_just_come_is_not_sent_away_for_one_more(
    monkeypatch: pytest.MonkeyPatch, silent: Silent
) -> None:
    monkeypatch.setattr(tls_port, "_MAX_UNSORTED_EACH", 1)
    async with port() as (made, number):
        await silent.open(number, tls=True)
        late = await silent.open(number, tls=False)
        with suppress(ConnectionError):
            assert await late.read(1) == b""
        assert made.sorted == {"too_many": 1}


async def test_behind_a_proxy_of_ours_stand_many(monkeypatch: pytest.MonkeyPatch, silent: Silent) -> None:
    monkeypatch.setattr(tls_port, "_MAX_UNSORTED_EACH", 1)
    async with port(proxies=True) as (_, number):
        await silent.open(number, tls=True)
        assert await spoken(number, b"hello") == b"http hello"


async def test_who_has_spoken_or_gone_counts_no_more(monkeypatch: pytest.MonkeyPatch, silent: Silent) -> None:
    monkeypatch.setattr(tls_port, "_MAX_UNSORTED_EACH", 1)
    async with port() as (made, number):
        for _ in range(3):
            assert await spoken(number, b"hello") == b"http hello"
        await silent.open(number, tls=False)
        silent.close()
        await eventually(lambda: made.waiting == 0)
        assert await spoken(number, b"hello") == b"http hello"
