"""Viewers of a livestream, thousands in one process: each asks for playlists and media over its own connections.

A viewer plays from as far behind the newest piece as the playlist says. A piece that is not there when it is due is
*late*; the viewer waits for it and plays on from there.
"""

from __future__ import annotations

import heapq
import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

_RECEIVED: Final = bytearray(1 << 20)
_HOLD_BACK: Final = re.compile(r"PART-HOLD-BACK=([0-9.]+)")


class Piece(NamedTuple):
    """A segment or a part; times in seconds since the epoch, as the playlist dates it."""

    number: int
    part: int
    uri: str
    begins_s: float
    ends_s: float
    independent: bool


class Listed(NamedTuple):
    """`next` is what to wait for: number and part."""

    pieces: tuple[Piece, ...]
    next: tuple[int, int]
    hold_back_s: float


@lru_cache(maxsize=64)
def listed(body: bytes, low_latency: bool) -> Listed:
    """What a player of this kind makes of a playlist; the same text is read once."""
    number, part, at_s = 0, 0, 0.0
    duration_s = 0.0
    pieces: list[Piece] = []
    text = body.decode()
    begun_s = 0.0
    for line in text.splitlines():
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            number = int(value)
        elif tag == "#EXT-X-PROGRAM-DATE-TIME":
            at_s = begun_s = datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
        elif tag == "#EXT-X-PART":
            lasts_s = float(value.split("DURATION=")[1].split(",")[0])
            uri = value.split('URI="')[1].split('"')[0]
            if low_latency:
                pieces.append(Piece(number, part, uri, begun_s, begun_s + lasts_s, part == 0))
            begun_s += lasts_s
            part += 1
        elif tag == "#EXTINF":
            duration_s = float(value.rstrip(","))
        elif line and not line.startswith("#"):
            if not low_latency:
                pieces.append(Piece(number, 0, line, at_s, at_s + duration_s, True))
            at_s += duration_s
            begun_s = at_s
            number, part = number + 1, 0
    found = _HOLD_BACK.search(text)
    return Listed(tuple(pieces), (number, part), float(found[1]) if low_latency and found else 3.0)


@dataclass
class Tally:
    """What all viewers together met."""

    requests: int = 0
    pieces: int = 0
    late: int = 0
    late_s: list[float] = field(default_factory=list)
    failed: int = 0
    bytes: int = 0
    behind_s: list[float] = field(default_factory=list)  # a piece's arrival after its last moment


class Connection:
    """A keep-alive connection with at most one request under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._socket = socket.create_connection(load.address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._head = b""
        self._body = bytearray()
        self._left = -1  # of the body; -1: the head is not complete
        self._keeps = False
        self._status = 0
        self._answered: Callable[[int, bytes], None] | None = None
        load.selector.register(self._socket, selectors.EVENT_READ, self)

    @property
    def is_idle(self) -> bool:
        return self._answered is None

    def ask(self, path: str, answered: Callable[[int, bytes], None], *, keeps: bool) -> None:
        """`keeps`: the body is wanted, not only that it came."""
        self._answered, self._keeps = answered, keeps
        self._load.tally.requests += 1
        self._socket.send(f"GET /live/c/{path} HTTP/1.1\r\nHost: live\r\n\r\n".encode())

    def readable(self) -> None:
        count = self._socket.recv_into(_RECEIVED)
        if not count:
            raise ConnectionError("the server closed a connection")
        self._load.tally.bytes += count
        data = memoryview(_RECEIVED)[:count]
        if self._left < 0:
            self._head += bytes(data)
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._head[:end].lower()
            self._status = int(head[9:12])
            length = head.find(b"content-length:")
            self._left = int(head[length + 15 :].split(b"\r\n", 1)[0]) if length >= 0 else 0
            data = memoryview(self._head)[end + 4 :]
            self._body = bytearray()
        self._left -= len(data)
        if self._keeps:
            self._body += data
        if self._left == 0:
            answered, self._answered = self._answered, None
            self._head, self._left = b"", -1
            assert answered is not None
            answered(self._status, bytes(self._body))


class Viewer:
    """One of them."""

    def __init__(self, load: Load, rendition: str, *, low_latency: bool) -> None:
        self._load = load
        self._list = f"{rendition}.m3u8"
        self._low_latency = low_latency
        self._lists, self._media = Connection(load), Connection(load)
        self._waiting: deque[Piece] = deque()
        self._last: tuple[int, int] | None = None
        self._plays_s: float | None = None  # wall time less media time
        self._since_s = time.time()
        self._reload()

    def _reload(self, after: tuple[int, int] | None = None) -> None:
        path = self._list
        if after is not None:
            path += f"?_HLS_msn={after[0]}&_HLS_part={after[1]}"
        self._lists.ask(path, self._take_list, keeps=True)

    def _take_list(self, status: int, body: bytes) -> None:
        if status != 200:
            self._load.tally.failed += 1
            self._load.at(time.monotonic() + 0.5, self._reload)
            return
        found = listed(body, self._low_latency)
        is_newer = self._follow(found)
        if self._low_latency:
            self._reload(found.next)
        else:
            self._load.at(time.monotonic() + (1.0 if is_newer else 0.5), self._reload)
        self._fetch()

    def _follow(self, found: Listed) -> bool:
        if self._last is None:
            plays_s = found.pieces[-1].ends_s - found.hold_back_s
            starts = [each for each in found.pieces if each.independent and each.begins_s <= plays_s]
            begins = starts[-1] if starts else found.pieces[0]
            self._plays_s = time.time() - plays_s
            self._last = (begins.number, begins.part - 1)
        before = self._last
        for piece in found.pieces:
            if (piece.number, piece.part) > self._last:
                self._waiting.append(piece)
                self._last = (piece.number, piece.part)
        return self._last != before

    def _fetch(self) -> None:
        if self._waiting and self._media.is_idle:
            piece = self._waiting[0]
            self._media.ask(piece.uri, self._take_piece, keeps=False)

    def _take_piece(self, status: int, _body: bytes) -> None:
        piece = self._waiting.popleft()
        now_s = time.time()
        tally = self._load.tally
        if status != 200:
            tally.failed += 1
        assert self._plays_s is not None
        late_s = now_s - (piece.begins_s + self._plays_s)
        is_settled = now_s - self._since_s > self._load.settle_s
        if late_s > 0:
            self._plays_s += late_s
        if is_settled:
            tally.pieces += 1
            tally.behind_s.append(now_s - piece.ends_s)
            if late_s > 0:
                tally.late += 1
                tally.late_s.append(late_s)
        self._fetch()


class Load:
    """Runs the viewers in one thread."""

    def __init__(self, port: int, *, settle_s: float = 4.0) -> None:
        """A viewer's first `settle_s` seconds are not counted: it joins in the middle of things."""
        self.address = "127.0.0.1", port
        self.settle_s = settle_s
        self.selector = selectors.DefaultSelector()
        self.tally = Tally()
        self.viewers: list[Viewer] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when_s: float, call: Callable[[], None]) -> None:
        """On the monotonic clock."""
        self._count += 1
        heapq.heappush(self._due, (when_s, self._count, call))

    def _come(self, rendition: str, low_latency: bool) -> None:
        self.viewers.append(Viewer(self, rendition, low_latency=low_latency))

    def run(self, viewers: int, rendition: str, *, low_latency: bool, join_s: float, seconds: float) -> Tally:
        """They come in the course of `join_s` and stay until `seconds` after that."""
        begin_s = time.monotonic()
        for number in range(viewers):
            self.at(begin_s + join_s * number / viewers, lambda: self._come(rendition, low_latency))
        end_s = begin_s + join_s + seconds
        while (now_s := time.monotonic()) < end_s:
            while self._due and self._due[0][0] <= now_s:
                heapq.heappop(self._due)[2]()
            wait_s = min(end_s, self._due[0][0] if self._due else end_s) - time.monotonic()
            for key, _ in self.selector.select(max(0.0, wait_s)):
                key.data.readable()
        return self.tally
