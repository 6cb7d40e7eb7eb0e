"""The media process' end of a feed: reads frames from a unix stream socket, so many bytes a wake-up.

What it asks for goes back at once, or not at all while the other side does not read.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable

from conference.net.frame_socket import connected, received
from conference.sfu import tap_frames

log = logging.getLogger("media.feed")

_READ_SIZE = 32 << 10  # bytes of one wake-up: some thirty packets; others have their turn before the next


class FeedSocket:
    """One writer at the other end. `close` ends it."""

    def __init__(
        self,
        path: str,
        *,
        on_frame: Callable[[tap_frames.Frame, float], None],
        flush: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        """Connect to `path`. Raises OSError when nobody listens there.

        `on_frame(frame, now)` may raise TapFrameError, which ends the feed; `flush` is called when a wake-up's frames
        are done; `on_lost()` once, from the loop, when the writer is gone or has sent something that is no frame of a
        feed; never after `close`.
        """
        self._loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._flush = flush
        self._on_lost: Callable[[], None] | None = on_lost
        self._decoder = tap_frames.Decoder()
        self._sock: socket.socket | None = connected(path)
        self._loop.add_reader(self._sock, self._readable)

    def ask_keyframe(self, track: int) -> None:
        """Whoever does not read is not asked again: the next request comes anyway."""
        if self._sock is None:
            return
        request = tap_frames.encode(tap_frames.Keyframe(track))
        try:
            is_sent = self._sock.send(request) == len(request)
        except BlockingIOError:
            return
        except OSError:
            return  # gone, as the next read will tell
        if not is_sent:
            self._loop.call_soon(self._lose, "a request was cut")

    def close(self) -> None:
        """End at once; idempotent."""
        self._on_lost = None
        sock, self._sock = self._sock, None
        if sock is not None:
            self._loop.remove_reader(sock)
            sock.close()

    def _readable(self) -> None:
        sock = self._sock
        if sock is None:
            return
        data = received(sock, _READ_SIZE)
        if data is None:
            return
        if not data:
            self._lose("the writer is gone")
            return
        now = time.monotonic()
        try:
            for frame in self._decoder.feed(data):
                if self._sock is None:
                    break  # closed by what the frame before brought about
                self._on_frame(frame, now)
        except tap_frames.TapFrameError as error:
            self._lose(f"{type(error).__name__}: {error}")
        except Exception:  # whatever it was: it must not cost the rooms their process
            log.exception("a frame could not be handled")
            self._lose("a frame could not be handled")
        self._flush()

    def _lose(self, why: str) -> None:
        on_lost = self._on_lost
        self.close()
        if on_lost is not None:
            log.warning("feed lost: %s", why)
            on_lost()
