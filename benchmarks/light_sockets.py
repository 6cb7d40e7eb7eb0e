"""`python -m benchmarks.light_sockets URL`: many Socket.IO clients of one room in a process of their own.

Each is a plain protocol that notes when a message arrived and answers pings; nothing is parsed while it is
measured. Commands come as JSON lines on standard input (`{"do": …}`), each is answered by one line.
"""

import asyncio
import base64
import json
import os
import struct
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from benchmarks.children import obey
from tests.support.eventually import eventually

EXTENSION = "permessage-deflate; client_max_window_bits"  # what browsers offer
_TAIL = b"\x00\x00\xff\xff"


class LightSocket(asyncio.Protocol):
    """One WebSocket that speaks just enough of Engine.IO and Socket.IO."""

    def __init__(self, host: str, namespace: str, token: str) -> None:
        self._host, self._namespace, self._token = host, namespace, token
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._is_open = False
        self._inflate: Any = None
        self._acks: dict[int, asyncio.Future[tuple[int, Any]]] = {}
        self._next_ack = 0
        self.closed = False
        self.log: list[tuple[int, bytes]] = []  # when it arrived, and the message
        self.entered_ns = 0
        self.has_snapshot: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    # ── below: WebSocket ────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
            f"Host: {self._host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Extensions: {EXTENSION}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        error = ConnectionError("the server closed the connection")
        if not self.has_snapshot.done():
            self.has_snapshot.set_exception(error)
        for answer in self._acks.values():
            answer.set_exception(error)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        self._buffer += data
        if not self._is_open and not self._opened():
            return
        while (frame := self._frame()) is not None:
            self._message(now_ns, frame)

    def _opened(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).lower()
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode(errors="replace"))
        if b"permessage-deflate" in head:
            self._inflate = zlib.decompressobj(-15)
        del self._buffer[: end + 4]
        self._is_open = True
        return True

    def _frame(self) -> bytes | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, begin = buffer[1] & 0x7F, 2
        if length == 126 and len(buffer) >= 4:
            (length,), begin = struct.unpack_from("!H", buffer, 2), 4
        elif length == 127 and len(buffer) >= 10:
            (length,), begin = struct.unpack_from("!Q", buffer, 2), 10
        elif length > 125:
            return None
        if len(buffer) < begin + length:
            return None
        is_deflated, body = bool(buffer[0] & 0x40), bytes(buffer[begin : begin + length])
        del buffer[: begin + length]
        return self._inflate.decompress(body + _TAIL) if is_deflated else body

    def _send(self, text: str) -> None:
        assert self._transport is not None
        body = text.encode()
        length = len(body)
        head = (
            struct.pack("!BB", 0x81, 0x80 | length)
            if length < 126
            else struct.pack("!BBH", 0x81, 0xFE, length)
        )
        self._transport.write(head + b"\0\0\0\0" + body)  # a mask of zeros

    # ── above: Engine.IO and Socket.IO ──────────────────────────────────────────────────────────

    def _message(self, now_ns: int, body: bytes) -> None:
        if body == b"2":
            self._send("3")
        elif body[:1] == b"0":
            self.entered_ns = time.monotonic_ns()
            self._send(f"40{self._namespace},{json.dumps({'token': self._token})}")
        elif body[:2] == b"42":
            self.log.append((now_ns, body))
            if not self.has_snapshot.done() and b".snapshot" in body[:40]:
                self.has_snapshot.set_result(now_ns)
            elif b"session.refused" in body[:60]:
                raise ConnectionError(body.decode())
        elif body[:2] == b"43":
            head, _, rest = body.partition(b"[")
            number = int(head.rpartition(b",")[2])
            self._acks.pop(number).set_result((now_ns, json.loads(b"[" + rest)[0]))

    async def ask(self, event: str, data: Any = None) -> tuple[float, Any]:
        """Milliseconds until the ack arrived, and its data."""
        number, self._next_ack = self._next_ack, self._next_ack + 1
        self._acks[number] = answer = asyncio.get_running_loop().create_future()
        began_ns = time.monotonic_ns()
        self._send(f"42{self._namespace},{number}{json.dumps([event, data or {}])}")
        now_ns, ack = await asyncio.wait_for(answer, 60)
        if not ack["ok"]:
            raise RuntimeError(f"{event}: {ack['error']}")
        return (now_ns - began_ns) / 1e6, ack["data"]

    def events(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Everything that came since `forget`: when, name, body."""
        found = []
        for now_ns, message in self.log:
            name, body = json.loads(message[message.index(b"[") :])
            found.append((now_ns, name, body))
        return found

    def got(self, mark: bytes) -> bool:
        """Whether one of the last messages holds it."""
        return any(mark in message for _, message in self.log[-20:])

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(url: str, namespace: str, token: str) -> LightSocket:
    """A client with its snapshot."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: LightSocket(parts.netloc, namespace, token), parts.hostname, parts.port
    )
    await asyncio.wait_for(asyncio.shield(client.has_snapshot), 60)
    return client


class Crowd:
    """The clients of this process, and what it can be told to do with them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: list[LightSocket] = []
        self.commands: dict[str, Callable[..., Awaitable[Any]]] = {
            each.__name__: each
            for each in (self.join, self.grants, self.write, self.sync, self.reach, self.check)
        }

    async def join(self, tokens: list[str], at_once: int) -> list[float]:
        """How long each waited for its snapshot."""
        gate = asyncio.Semaphore(at_once)

        async def one(token: str) -> float:
            async with gate:
                client = await connect(self._url, "/room", token)
                self._clients.append(client)
                return (client.has_snapshot.result() - client.entered_ns) / 1e6

        return list(await asyncio.gather(*(one(token) for token in tokens)))

    async def grants(self) -> list[dict[str, int]]:
        """For each client: when it learnt first that this participant holds the floor."""
        found = []
        for client in self._clients:
            times: dict[str, int] = {}
            for now_ns, name, body in client.events():
                if name == "floor.updated" and body["floor"]["holder"] is not None:
                    times.setdefault(body["floor"]["holder"]["participant_id"], now_ns)
            found.append(times)
        return found

    async def write(self, first: int, count: int, every_s: float, begin_ns: int) -> list[float]:
        """Statements at fixed times whether or not earlier ones were answered; how long each answer took."""

        async def one(number: int) -> float:
            await asyncio.sleep(max(0.0, begin_ns / 1e9 + number * every_s - time.monotonic()))
            client = self._clients[number % len(self._clients)]
            body = {
                "text": f"第{first + number}条：建议增设助餐点，方便老人。",
                "key": f"statement-{first + number}",
            }
            return (await client.ask("statement.add", body))[0]

        return list(await asyncio.gather(*(one(number) for number in range(count))))

    async def sync(self, count: int) -> list[float]:
        """How long a fresh snapshot takes; one after the other."""
        return [(await self._clients[n % len(self._clients)].ask("room.sync"))[0] for n in range(count)]

    async def reach(self, version: int) -> None:
        """Wait until every client has what led to this version of the room."""
        mark = f'"version":{version},'.encode()
        for client in self._clients:
            await eventually(partial(client.got, mark), timeout_s=30)

    async def check(self) -> dict[str, Any]:
        """What must be the same for all: no hole in any client's versions, and the order of the statements."""
        orders: set[tuple[str, ...]] = set()
        holes = 0
        for client in self._clients:
            version, order = -1, []
            for _, name, body in client.events():
                if name == "room.snapshot":
                    version = body["version"]
                    continue
                if name == "statement.added":
                    order.append(body["statement"]["id"])
                if "version" in body:
                    holes += body["version"] != version + 1
                    version = body["version"]
            orders.add(tuple(order))
        closed = sum(client.closed for client in self._clients)
        return {"orders": list(orders), "holes": holes, "closed": closed}


async def main() -> None:
    """Obey until standard input ends."""
    await obey(Crowd(sys.argv[1]).commands)


if __name__ == "__main__":
    asyncio.run(main())
