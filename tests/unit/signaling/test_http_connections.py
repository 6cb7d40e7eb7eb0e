"""Connections over HTTP: a head that never ends, silence, and a crowd behind one address."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
import trustme
from aiohttp import ClientSession, TCPConnector, WSMsgType, web

from signaling.http import connections as module
from signaling.http.connections import Connections, note_request
from signaling.lan import server_context
from signaling.tls.port import TlsPort
from tests.support.eventually import eventually

_CA = trustme.CA()
_SHORT_S = 0.3


class Stage:
    """A server behind the connections, plain or in TLS, whose answers wait for `may_answer`."""

    def __init__(self, url: str, port: int, connections: Connections, *, tls: bool) -> None:
        self.url = url
        self.port = port
        self.connections = connections
        self.tls = tls
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=_trust(self.tls))
        self._writers.append(writer)
        return reader, writer

    def session(self) -> ClientSession:
        return ClientSession(connector=TCPConnector(ssl=_trust(self.tls) or False))

    def close(self) -> None:
        for each in self._writers:
            each.transport.abort()


def _trust(tls: bool) -> ssl.SSLContext | None:
    if not tls:
        return None
    context = ssl.create_default_context()
    _CA.configure_trust(context)
    return context


@asynccontextmanager
async def serving(*, tls: bool, is_proxy: Callable[[str], bool] = lambda _: False) -> AsyncIterator[Stage]:
    app = web.Application(middlewares=[note_request])
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=600, shutdown_timeout=0.1)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    async def hello(request: web.Request) -> web.Response:
        stage.asked += 1
        await stage.may_answer.wait()
        return web.Response(text=str(len(await request.read())))

    async def echo(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            await answer.send_str(message.data)
        return answer

    app.router.add_route("*", "/", hello)
    app.router.add_get("/ws", echo)
    await runner.setup()
    server = runner.server
    assert server is not None
    connections = Connections(server, is_proxy=is_proxy)
    stage = Stage(f"http{'s' if tls else ''}://127.0.0.1:{port}", port, connections, tls=tls)
    tls_port: TlsPort | None = None
    plain: asyncio.Server | None = None
    if tls:
        context = server_context()
        _CA.issue_cert("127.0.0.1").configure_cert(context)
        tls_port = TlsPort(listener, lambda: context, http=connections)
        tls_port.open()
    else:
        plain = await asyncio.get_running_loop().create_server(connections, sock=listener)
    try:
        yield stage
    finally:
        stage.close()
        if tls_port is not None:
            await tls_port.close()
        if plain is not None:
            plain.close()
        await runner.cleanup()
        listener.close()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Waits for the end of the connection; False when something was said first."""
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_a_head_that_comes_a_byte_at_a_time_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    monkeypatch.setattr(module, "_HEAD_S", _SHORT_S)
    async with serving(tls=tls) as stage:
        reader, writer = await stage.connect()
        closing = asyncio.ensure_future(is_closed(reader))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        while not closing.done():
            with suppress(ConnectionError):
                writer.write(b"a")
            await asyncio.sleep(_SHORT_S / 20)
        assert await closing
        assert (stage.asked, stage.connections.cut) == (0, {"slow_head": 1})
        await eventually(lambda: stage.connections.count == 0)


async def test_nor_is_the_head_of_a_later_request(monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    monkeypatch.setattr(module, "_HEAD_S", _SHORT_S)
    async with serving(tls=tls) as stage:
        reader, writer = await stage.connect()
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
        writer.write(b"GET / HT")
        assert await is_closed(reader)
        assert (stage.asked, stage.connections.cut) == (2, {"slow_head": 1})


async def test_who_says_nothing_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WORD_S", _SHORT_S)
    async with serving(tls=False) as stage:
        reader, _ = await stage.connect()
        assert await is_closed(reader)
        assert stage.connections.cut == {"silent": 1}


async def test_a_slow_answer_a_slow_upload_and_idleness_are_no_slow_head(
    monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """Each takes several times as long as a head may."""
    monkeypatch.setattr(module, "_HEAD_S", _SHORT_S)
    async with serving(tls=tls) as stage:
        reader, writer = await stage.connect()
        stage.may_answer.clear()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
        await eventually(lambda: stage.asked == 1)
        for piece in (b"a", b"b", b"c", b"d"):
            await asyncio.sleep(_SHORT_S)
            writer.write(piece)
        stage.may_answer.set()
        assert (await reader.readuntil(b"\r\n\r\n4")).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(3 * _SHORT_S)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200")
        assert stage.connections.cut == {}


async def test_web_sockets_stay_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch, tls: bool) -> None:
    monkeypatch.setattr(module, "_HEAD_S", _SHORT_S)
    monkeypatch.setattr(module, "_FIRST_WORD_S", _SHORT_S)
    async with serving(tls=tls) as stage, stage.session() as session:
        async with session.ws_connect(f"{stage.url}/ws") as line:
            for number in range(4):
                await asyncio.sleep(_SHORT_S)
                await line.send_str(str(number))
                message = await line.receive()
                assert (message.type, message.data) == (WSMsgType.TEXT, str(number))
            assert stage.connections.count == 1
        await eventually(lambda: stage.connections.count == 0)


async def test_an_address_that_holds_too_many_gives_up_an_idle_one(
    monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    monkeypatch.setattr(module, "_MAX_EACH", 2)
    async with serving(tls=tls) as stage, stage.session() as session:
        line = await session.ws_connect(f"{stage.url}/ws")
        idle, writer = await stage.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await idle.readuntil(b"\r\n\r\n0")
        async with stage.session() as other:
            async with other.get(stage.url) as answer:
                assert answer.status == 200
            assert await is_closed(idle)
        assert stage.connections.cut == {"crowded_out": 1}
        await line.send_str("still here")
        assert (await line.receive()).data == "still here"
        await line.close()


async def test_a_newcomer_is_turned_away_where_all_others_are_in_use(
    monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    monkeypatch.setattr(module, "_MAX_EACH", 1)
    async with serving(tls=tls) as stage, stage.session() as session:
        line = await session.ws_connect(f"{stage.url}/ws")
        reader, writer = await stage.connect()
        with suppress(ConnectionError):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await is_closed(reader)
        assert stage.connections.cut == {"too_many": 1}
        await line.send_str("still here")
        assert (await line.receive()).data == "still here"
        await line.close()


async def test_behind_a_proxy_of_ours_stand_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_EACH", 1)
    async with serving(tls=False, is_proxy=lambda _: True) as stage, stage.session() as session:
        line = await session.ws_connect(f"{stage.url}/ws")
        async with session.get(stage.url) as answer:
            assert answer.status == 200
        await line.close()


async def test_a_hall_behind_one_address_gets_in(tls: bool) -> None:
    """Two hundred devices, each with a web socket and a request beside it."""
    async with serving(tls=tls) as stage:
        stage.may_answer.clear()
        async with ClientSession(connector=TCPConnector(ssl=_trust(tls) or False, limit=0)) as session:
            lines = await asyncio.gather(*(session.ws_connect(f"{stage.url}/ws") for _ in range(200)))
            asking = [asyncio.ensure_future(session.get(stage.url)) for _ in range(200)]
            await eventually(lambda: stage.asked == 200)
            assert stage.connections.count == 400
            stage.may_answer.set()
            assert {(await each).status for each in asking} == {200}
            await asyncio.gather(*(each.close() for each in lines))
        assert stage.connections.cut == {}
