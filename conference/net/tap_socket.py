"""The media process' end of a tap: a unix stream socket that never blocks, with a bounded buffer.

What one wake-up of the loop writes leaves in one system call after it. Implements conference.sfu.tap.Sink.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable

from conference.net.frame_socket import connected, received
from conference.sfu import tap_frames

log = logging.getLogger("media.tap")

LIMIT = 4 << 20
_WRITE_SIZE = 256 << 10  # bytes of one call; more would only be copied and given back
_READ_SIZE = 4096
_LINGER_S = 2.0


class TapSocket:
    """One reader. `close` lets the rest go out first; `abort` does not."""

    def __init__(
        self,
        path: str,
        *,
        on_keyframe: Callable[[int], None],
        on_lost: Callable[[], None],
        on_height: Callable[[int, int | None], None] | None = None,
        limit: int = LIMIT,
    ) -> None:
        """Connect to `path`. Raises OSError when nobody listens there.

        `on_keyframe(track)` and `on_height(track, pixels)` are what the reader asks for, pixels None for the best;
        `on_lost()` is called once, from the loop, when the reader is gone or so far behind that not even `limit` bytes
        help; never after `close` or `abort`.
        """
        self.limit = limit
        self.sent_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._on_keyframe = on_keyframe
        self._on_height = on_height
        self._on_lost: Callable[[], None] | None = on_lost
        self._decoder = tap_frames.Decoder()
        self._chunks: deque[bytes | memoryview] = deque()
        self._pending = 0
        self._is_scheduled = False
        self._linger: asyncio.TimerHandle | None = None
        self._sock: socket.socket | None = connected(path)
        self._loop.add_reader(self._sock, self._readable)

    # ── conference.sfu.tap.Sink ─────────────────────────────────────────────────────────────────

    @property
    def pending(self) -> int:
        return self._pending

    def write(self, data: bytes) -> None:
        if self._sock is None or self._linger is not None:
            return
        self._chunks.append(data)
        self._pending += len(data)
        if self._is_scheduled:
            if self._pending > self.limit:
                self._loop.call_soon(self._lose, "the reader is too far behind")
            return
        self._is_scheduled = True
        self._loop.call_soon(self._write)

    def close(self) -> None:
        """What is queued goes out, then the reader sees the end; after 2 s it ends anyway."""
        if self._sock is None or self._linger is not None:
            return
        self._on_lost = None
        self._linger = self._loop.call_later(_LINGER_S, self.abort)
        if not self._is_scheduled:
            self._end_if_written()

    def abort(self) -> None:
        """End at once; idempotent."""
        self._on_lost = None
        sock, self._sock = self._sock, None
        if self._linger is not None:
            self._linger.cancel()
        self._chunks.clear()
        self._pending = 0
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            sock.close()

    def flush(self) -> None:
        """Write what the kernel takes now, for a process that ends."""
        while self._sock is not None and self._pending:
            before = self._pending
            self._write()
            if self._pending == before:
                return

    # ── the loop ────────────────────────────────────────────────────────────────────────────────

    def _write(self) -> None:
        """Once a wake-up; while the kernel's buffer is full, whenever it has room again."""
        sock = self._sock
        if sock is None:
            return
        chunks = self._chunks
        block: list[bytes | memoryview] = []
        size = 0
        while chunks and size < _WRITE_SIZE:
            block.append(chunks.popleft())
            size += len(block[-1])
        data = b"".join(block)
        try:
            written = sock.send(data) if data else 0
        except BlockingIOError:
            written = 0
        except OSError as error:
            self._lose(error.strerror or "broken")
            return
        self.sent_bytes += written
        self._pending -= written
        if written < size:
            chunks.appendleft(memoryview(data)[written:])
        if chunks:
            self._is_scheduled = True
            self._loop.add_writer(sock, self._write)
        else:
            self._is_scheduled = False
            self._loop.remove_writer(sock)
            self._end_if_written()

    def _end_if_written(self) -> None:
        if self._linger is not None and not self._pending:
            self.abort()

    def _readable(self) -> None:
        sock = self._sock
        if sock is None:
            return
        data = received(sock, _READ_SIZE)
        if data is None:
            return
        if not data:
            self._lose("the reader is gone")
            return
        try:
            for frame in self._decoder.feed(data):
                if isinstance(frame, tap_frames.Keyframe):
                    self._on_keyframe(frame.track)
                elif isinstance(frame, tap_frames.Height) and self._on_height is not None:
                    self._on_height(frame.track, frame.height_px or None)
        except tap_frames.TapFrameError:
            self._lose("the reader sent a broken frame")

    def _lose(self, why: str) -> None:
        on_lost = self._on_lost
        self.abort()
        if on_lost is not None:
            log.warning("tap lost: %s", why)
            on_lost()
