"""`python -m benchmarks.comment_crowd URL CONSULTATION RATE SECONDS SEED`: viewers who write, in a process of its own.

Each comment is by another device from another address, at its fixed time whatever became of those before; what is
answered late counts from that time. Goes on until the server is gone or the seconds are over, then one line of JSON:
when each was answered (CLOCK_MONOTONIC) and its id, latencies, and what else was answered.
"""

from __future__ import annotations

import asyncio
import gc
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from benchmarks.comment_sentences import sentences

_MOST_CONNECTIONS: Final = 2_000
_LEAD_S: Final = 0.5


class _Connection(asyncio.Protocol):
    """Keep-alive, one request under way."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._due_s = 0.0
        self.is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes, due_s: float) -> None:
        assert self._transport is not None
        self.is_busy, self._due_s = True, due_s
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        place = head.lower().find(b"content-length:")
        if len(body) < int(head[place + 15 :].split(b"\r\n", 1)[0]):
            return
        self._received = b""
        self.is_busy = False
        self._crowd.answered(self, int(head[9:12]), body, self._due_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Crowd:
    """All of them."""

    def __init__(self, url: str, consultation: str, rate: float, seconds: float, seed: int) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._address = parts.hostname, parts.port
        path = f"/api/v1/public/consultations/{consultation}/comments"
        self._requests = [
            _request(path, parts.netloc, number, text)
            for number, text in enumerate(sentences(round(rate * seconds), seed))
        ]
        self._rate = rate
        self._idle: list[_Connection] = []
        self._open = 0
        self._gone = asyncio.Event()
        self._left = len(self._requests)
        self.done: list[tuple[float, str]] = []
        self.latencies_ms: list[float] = []
        self.others: Counter[str] = Counter()
        self.begun_s = 0.0

    async def run(self, say: Callable[[str], None]) -> None:
        for _ in range(64):
            self._idle.append(await self._connect())
        gc.collect()
        gc.freeze()
        gc.disable()
        say("ready")
        self.begun_s = begin_s = time.monotonic() + _LEAD_S
        for number, request in enumerate(self._requests):
            due_s = begin_s + number / self._rate
            wait_s = due_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if self._gone.is_set():
                break
            if not self._idle and self._open < _MOST_CONNECTIONS:
                try:
                    self._idle.append(await self._connect())
                except OSError:
                    break
            if self._idle:
                self._idle.pop().ask(request, due_s)
            else:
                self.others["no connection left"] += 1
                self._finished()
        try:
            await asyncio.wait_for(self._gone.wait(), 10)
        except TimeoutError:
            self.others["never answered"] += self._left

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self), *self._address)
        self._open += 1
        return connection

    def answered(self, connection: _Connection, status: int, body: bytes, due_s: float) -> None:
        now_s = time.monotonic()
        if status == 202:
            self.done.append((now_s, json.loads(body)["id"]))
            self.latencies_ms.append((now_s - due_s) * 1000)
        else:
            code = json.loads(body).get("code") if body else ""
            self.others[f"{status} {code}"] += 1
        self._idle.append(connection)
        self._finished()

    def _finished(self) -> None:
        self._left -= 1
        if not self._left:
            self._gone.set()

    def lost(self, connection: _Connection) -> None:
        self._open -= 1
        self.others["lost with an answer due" if connection.is_busy else "lost"] += 1
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._open:
            self._gone.set()


def _request(path: str, host: str, number: int, text: str) -> bytes:
    body = json.dumps(
        {
            "nickname": f"网友{number % 5000}",
            "text": text,
            "program_time_ms": 0,
            "key": f"bench-{number:012d}",
        },
        ensure_ascii=False,
    ).encode()
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"X-Forwarded-For: {address}\r\nCookie: yuanshang_device={secrets.token_urlsafe(32)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _main(url: str, consultation: str, rate: float, seconds: float, seed: int) -> None:
    crowd = Crowd(url, consultation, rate, seconds, seed)
    await crowd.run(lambda word: print(word, flush=True))
    print(
        json.dumps(
            {
                "begun_s": crowd.begun_s,
                "done": crowd.done,
                "latencies_ms": [round(each, 2) for each in crowd.latencies_ms],
                "others": crowd.others,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])))
