"""A Socket.IO client that costs next to nothing: messages are noted with their arrival, and parsed when asked for."""

import asyncio
import base64
import json
import os
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

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
        # Answers what the server asks, by its name and data; what it asks nobody answers otherwise.
        self.on_ask: Callable[[str, Any], Any] | None = None
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
            asked = (
                body[: body.index(b"[")].rpartition(b",")[2].decode()
            )  # a number, of what is to be answered
            if asked and self.on_ask is not None:
                name, data = json.loads(body[body.index(b"[") :])
                answer = json.dumps([self.on_ask(name, data)])
                self._send(f"43{self._namespace},{asked}{answer}")
            if not self.has_snapshot.done() and b".snapshot" in body[:40]:
                self.has_snapshot.set_result(now_ns)
            elif b"session.refused" in body[:60] and not self.has_snapshot.done():
                self.has_snapshot.set_exception(ConnectionError(body.decode()))
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


async def connect(
    url: str, namespace: str, token: str, on_ask: Callable[[str, Any], Any] | None = None
) -> LightSocket:
    """A client with its snapshot."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: LightSocket(parts.netloc, namespace, token), parts.hostname, parts.port
    )
    client.on_ask = on_ask
    await asyncio.wait_for(asyncio.shield(client.has_snapshot), 60)
    return client
