"""The other end of a tap: listens on a unix socket and keeps every frame, for as long as the test lets it read."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from pathlib import Path
from typing import TypeVar

from conference.sfu.tap_frames import Decoder, Frame, Gap, Open, Packet, encode

F = TypeVar("F")


class TapReader:
    """`close` in the end; `frames` grows while it reads."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="tap-")  # short: a socket's path has 107 bytes
        self.path = str(Path(self._directory.name) / "t.sock")
        self.frames: list[Frame] = []
        self.ended = False
        self._decoder = Decoder()
        self._loop = asyncio.get_running_loop()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._sock: socket.socket | None = None
        self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        self._sock, _ = self._listener.accept()
        self._sock.setblocking(False)
        self.resume()

    def _read(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(1 << 20)
        except BlockingIOError:
            return
        if not data:
            self.ended = True
            self.pause()
        self.frames += self._decoder.feed(data)

    def pause(self) -> None:
        """Read nothing more, like a process that hangs."""
        assert self._sock is not None
        self._loop.remove_reader(self._sock)

    def resume(self) -> None:
        assert self._sock is not None
        self._loop.add_reader(self._sock, self._read)

    def send(self, frame: Frame | bytes) -> None:
        assert self._sock is not None
        self._sock.send(frame if isinstance(frame, bytes) else encode(frame))

    @property
    def ended_cleanly(self) -> bool:
        """The writer closed it between two frames."""
        return self.ended and self._decoder.is_between_frames

    def of(self, kind: type[F]) -> list[F]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def track(self, source: str) -> int | None:
        """The number of the last track of this source."""
        return next((one.track for one in reversed(self.of(Open)) if one.source == source), None)

    def packets(self, source: str) -> list[bytes]:
        number = self.track(source)
        return [one.packet for one in self.of(Packet) if one.track == number]

    def gaps(self, source: str) -> list[Gap]:
        number = self.track(source)
        return [one for one in self.of(Gap) if one.track == number]

    def close(self) -> None:
        """Gone, like a killed process; idempotent."""
        for sock in (self._sock, self._listener):
            if sock is not None and sock.fileno() >= 0:
                self._loop.remove_reader(sock)
                sock.close()
        self._directory.cleanup()
