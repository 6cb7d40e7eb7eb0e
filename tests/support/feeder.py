"""The other end of a feed: a program in real H264 and Opus, written to a unix socket in its own time."""

from __future__ import annotations

import asyncio
import functools
import random
import socket
import struct
import tempfile
import time
from pathlib import Path

from conference.sfu.tap_frames import Close, Decoder, Frame, Gap, Keyframe, Open, Packet, Report, encode
from tests.support.encoded import RATE, Picture, pictures, sounds
from tests.support.light_client.h264 import payloads

VIDEO, AUDIO = 1, 2
_OPTIONS = {"profile": "baseline", "tune": "zerolatency", "g": "90", "bf": "0"}
_SOUND_S = 0.02


@functools.cache
def _pictures() -> list[Picture]:
    return pictures("libx264", 90, options=_OPTIONS)


@functools.cache
def _sounds() -> list[bytes]:
    return sounds(100)


class Feeder:
    """Listens; sends from when it is connected. `close` is like a killed process."""

    def __init__(self, *, ssrc: int | None = None, reports: bool = True) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="feed-")  # short: a socket's path has 107 bytes
        self.path = str(Path(self._directory.name) / "f.sock")
        self.asked: list[int] = []
        self.is_connected = False
        self.ended = False
        self.sent = {VIDEO: 0, AUDIO: 0}  # packets
        self.began_s = 0.0  # monotonic: media time 0
        self.offsets = {
            VIDEO: random.getrandbits(31),
            AUDIO: random.getrandbits(31),
        }  # RTP time of media time 0
        self._ssrcs = {VIDEO: ssrc or 1111, AUDIO: (ssrc or 1111) + 1}
        self._sequences = {VIDEO: random.getrandbits(15), AUDIO: random.getrandbits(15)}
        self._reports = reports
        self._at = 0  # next picture of the loop
        self._sock: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._listener.setblocking(False)
        self._decoder = Decoder()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._sock, _ = await loop.sock_accept(self._listener)
        self._sock.setblocking(True)
        self.is_connected = True
        loop.add_reader(self._sock, self._readable)
        self.began_s = time.monotonic()
        self.open()
        picture = sound = 0
        while not self.ended:
            now_s = time.monotonic() - self.began_s
            while picture / RATE <= now_s:
                self._send_picture(picture)
                picture += 1
            while sound * _SOUND_S <= now_s:
                self._send(AUDIO, 111, sound * 960, [_sounds()[sound % 100]])
                sound += 1
            await asyncio.sleep(0.01)

    def open(self) -> None:
        parameters = {"profile-level-id": "42e01f", "packetization-mode": "1"}
        self.write(
            Open(
                VIDEO, "v", "program", "video", "program", "h264", 90000, self._ssrcs[VIDEO], "p", parameters
            )
        )
        self.write(
            Open(AUDIO, "a", "program", "audio", "program", "opus", 48000, self._ssrcs[AUDIO], "p", {})
        )
        if self._reports:
            for track in (VIDEO, AUDIO):
                self.write(Report(track, int(self.began_s * 1e6), 5 << 32, self.offsets[track]))

    def _send_picture(self, number: int) -> None:
        unit = _pictures()[self._at % len(_pictures())]
        self._at += 1
        self._send(VIDEO, 96, number * 90000 // RATE, payloads(unit.data))

    def _send(self, track: int, payload_type: int, at: int, parts: list[bytes]) -> None:
        timestamp = self.offsets[track] + at & 0xFFFFFFFF
        for number, part in enumerate(parts):
            marker = 0x80 if track == VIDEO and number == len(parts) - 1 else 0
            sequence = self._sequences[track] = self._sequences[track] + 1 & 0xFFFF
            head = struct.pack("!BBHII", 0x80, marker | payload_type, sequence, timestamp, self._ssrcs[track])
            self.write(Packet(track, int(time.monotonic() * 1e6), head + part))
            self.sent[track] += 1

    def skip(self, packets: int) -> None:
        """Leave that many numbers of the picture out, and say so."""
        self._sequences[VIDEO] = self._sequences[VIDEO] + packets & 0xFFFF
        self.write(Gap(VIDEO, packets))

    def end_tracks(self) -> None:
        """As a worker does that ends in order."""
        self._task.cancel()
        self.write(Close(VIDEO))
        self.write(Close(AUDIO))

    def write(self, frame: Frame | bytes) -> None:
        """Waits for the media process, which always reads."""
        assert self._sock is not None
        try:
            self._sock.sendall(frame if isinstance(frame, bytes) else encode(frame))
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(4096)
        except ConnectionResetError:
            data = b""
        if not data:
            self.ended = True
            asyncio.get_running_loop().remove_reader(self._sock)
        for frame in self._decoder.feed(data):
            assert isinstance(frame, Keyframe)
            self.asked.append(frame.track)
            self._at = 0

    def close(self) -> None:
        """Idempotent."""
        self.ended = True
        self._task.cancel()
        for sock in (self._sock, self._listener):
            if sock is not None and sock.fileno() >= 0:
                asyncio.get_running_loop().remove_reader(sock)
                sock.close()
        self._directory.cleanup()
