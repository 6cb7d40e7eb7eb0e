"""A room's tap without a room: sends encoded pictures and sound to a program worker when they belong there."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from conference.rtc.packetizer import Packetizer
from conference.sfu import tap_frames
from recording.hls.formats import nal_units
from tests.support.program_process import on_time

_PIECE = 1_100


def rtp(codec: str, packetizer: Packetizer, data: bytes, timestamp: int) -> list[bytes]:
    """One frame as packets."""
    if codec == "h264":
        return packetizer.picture(nal_units(data), timestamp)
    if codec == "opus":
        return [packetizer.packet(data, timestamp, marker=False)]
    pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
    return [
        packetizer.packet((b"\0" if number else b"\x10") + piece, timestamp, marker=number == len(pieces) - 1)
        for number, piece in enumerate(pieces)
    ]


@dataclass
class Source:
    """A track: `frames` again and again, `fps` of them a second, as long as it is not paused.

    The first frame must be a keyframe. `began_us` is the monotonic time of frame 0, once it was sent.
    """

    track: int
    participant_id: str
    source: str
    codec: str
    frames: Sequence[bytes]
    fps: float
    is_paused: bool = False
    began_us: int = 0
    sent: int = 0
    wanted_keys: int = 0
    mangle: Callable[[int, list[bytes]], list[bytes]] | None = None
    packetizer: Packetizer = field(init=False)

    def __post_init__(self) -> None:
        self.packetizer = Packetizer(96, 1000 + self.track)

    @property
    def rate(self) -> int:
        return 48_000 if self.codec == "opus" else 90_000

    def opened(self) -> tap_frames.Open:
        kind = "audio" if self.codec == "opus" else "video"
        return tap_frames.Open(
            self.track, f"pub_{self.track}", self.participant_id, kind, self.source, self.codec,
            self.rate, self.packetizer.ssrc, f"cname-{self.participant_id}", {},
        )  # fmt: skip


class TapFeeder:
    """`close` in the end. Program time was `program_time_ms` when it was made."""

    def __init__(self, path: str, program_time_ms: int = 0) -> None:
        self.base_us = time.monotonic_ns() // 1000
        self._program_time_ms = program_time_ms
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(path)
        self._lock = threading.Lock()
        self._sources: list[Source] = []
        self._ended = threading.Event()
        self.broken: Exception | None = None
        self.send(tap_frames.Clock(self.base_us, program_time_ms))
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._run, self._read)]
        for each in self._threads:
            each.start()

    def program_time_ms(self, monotonic_us: float) -> float:
        return self._program_time_ms + (monotonic_us - self.base_us) / 1000

    def send(self, frame: tap_frames.Frame | bytes) -> None:
        data = frame if isinstance(frame, bytes) else tap_frames.encode(frame)
        with self._lock:
            self._sock.sendall(data)

    def add(self, *sources: Source, at_us: int | None = None) -> None:
        """From now on, or from `at_us` on, they are sent, all with the same time 0."""
        now_us = time.monotonic_ns() // 1000 if at_us is None else at_us
        for each in sources:
            each.began_us = now_us
            self.send(each.opened())
            wall_s = 1_700_000_000.0
            self.send(tap_frames.Report(each.track, now_us, int((wall_s + now_us / 1e6) * 2**32), 0))
        with self._lock:
            self._sources += sources

    def remove(self, source: Source) -> None:
        with self._lock:
            self._sources.remove(source)
        self.send(tap_frames.Close(source.track))

    def close(self) -> None:
        self._ended.set()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        for each in self._threads:
            each.join()
        self._sock.close()

    def _run(self) -> None:
        on_time()
        try:
            while not self._ended.wait(0.004):
                now_us = time.monotonic_ns() // 1000
                with self._lock:
                    sources = list(self._sources)
                for each in sources:
                    self._send_due(each, now_us)
        except OSError as error:
            if not self._ended.is_set():
                self.broken = error

    def _send_due(self, each: Source, now_us: int) -> None:
        while each.began_us + each.sent / each.fps * 1e6 <= now_us:
            number, each.sent = each.sent, each.sent + 1
            timestamp = round(number / each.fps * each.rate)
            packets = rtp(each.codec, each.packetizer, each.frames[number % len(each.frames)], timestamp)
            if each.is_paused:
                continue
            if each.mangle is not None:
                packets = each.mangle(number, packets)
            self.send(b"".join(tap_frames.encode_packet(each.track, now_us, packet) for packet in packets))

    def _read(self) -> None:
        decoder = tap_frames.Decoder()
        while not self._ended.is_set():
            try:
                data = self._sock.recv(4096)
            except OSError:
                return
            if not data:
                return
            for frame in decoder.feed(data):
                if isinstance(frame, tap_frames.Keyframe):
                    for each in self._sources:
                        if each.track == frame.track:
                            each.wanted_keys += 1
