"""The program's way back into the room: RTP over a unix socket to the media process, in the frames of a tap.

The encoding thread writes, the reading thread attaches connections and takes requests for keyframes. Nothing waits
for the reader: what it does not take leaves pictures out until the next keyframe.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from typing import Final

from conference.rtc.packetizer import Packetizer
from conference.sfu import tap_frames
from recording.hls.formats import VideoFormat
from recording.program.encoder import OPUS_SAMPLES, AccessUnit, Blocks, OpusEncoder, Sound

PROGRAM: Final = "program"
VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
_KEYFRAME_S: Final = 0.5
_REPORT_S: Final = 1.0
_MOST_PENDING: Final = 1 << 20
_NTP_EPOCH_S: Final = 2_208_988_800
_READ_SIZE: Final = 4096


class Feed:
    """At most one reader at a time: the newest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._pending = bytearray()
        self._decoder = tap_frames.Decoder()
        self._video = Packetizer(96, secrets.randbits(31) | 1, sequence=secrets.randbits(15))
        self._audio = Packetizer(111, secrets.randbits(31) | 1, sequence=secrets.randbits(15))
        self._needs_key = True
        self._left_out = 0  # pictures, since the reader is too slow
        self._asked = False
        self._key_s = -1e9
        self._report_s = -1e9
        self._opus: OpusEncoder | None = None
        self._blocks = Blocks(OPUS_SAMPLES)

    # ── the thread that reads ───────────────────────────────────────────────────────────────────

    def attach(self, sock: socket.socket) -> None:
        """A reader: it gets both tracks from the next keyframe on."""
        sock.setblocking(False)
        with self._lock:
            before, self._sock = self._sock, sock
            self._pending.clear()
            self._decoder = tap_frames.Decoder()
            self._needs_key = self._asked = True
            self._left_out = 0
            self._report_s = -1e9
            if before is not None:
                before.close()
            self._write(
                tap_frames.encode(self._opened(VIDEO_TRACK, "video", "h264", 90_000, self._video.ssrc))
            )
            self._write(
                tap_frames.encode(self._opened(AUDIO_TRACK, "audio", "opus", 48_000, self._audio.ssrc))
            )

    def read(self) -> bool:
        """Its socket can be read; False when it is gone."""
        with self._lock:
            if self._sock is None:
                return False
            try:
                data = self._sock.recv(_READ_SIZE)
                frames = self._decoder.feed(data) if data else []
            except BlockingIOError:
                return True
            except (OSError, tap_frames.TapFrameError):
                data = b""
            if not data:
                self._drop()
                return False
            if any(isinstance(each, tap_frames.Keyframe) for each in frames):
                self._asked = True
        return True

    # ── the thread that encodes ─────────────────────────────────────────────────────────────────

    def wants_key(self, now_s: float) -> bool:
        """Whether the next picture is to be a starting point because the room asked; not more than twice a second."""
        if not self._asked or now_s - self._key_s < _KEYFRAME_S:
            return False
        self._asked, self._key_s = False, now_s
        return True

    def picture(self, unit: AccessUnit, format_: VideoFormat, at_us: int) -> None:
        """A coded picture that belongs at `at_us` of the monotonic clock."""
        with self._lock:
            if self._sock is None:
                return
            self._flush()
            if len(self._pending) > _MOST_PENDING // 2:
                self._needs_key = self._asked = True
                self._left_out += 1
                return
            if self._needs_key and not unit.is_key:
                return
            if self._left_out:
                self._write(tap_frames.encode(tap_frames.Gap(VIDEO_TRACK, self._left_out)))
            self._needs_key, self._left_out = False, 0
            units = [format_.sps, format_.pps, *unit.units] if unit.is_key else unit.units
            self._send(VIDEO_TRACK, self._video.picture(units, at_us * 9 // 100))
            self._report(at_us)

    def sound(self, samples: Sound, at_us: int) -> None:
        """Mixed sound from `at_us` on, in pieces that follow each other."""
        with self._lock:
            if self._sock is None:
                self._opus = None
                return
        first = at_us * 48 // 1000
        if self._opus is None:
            self._opus, self._blocks = OpusEncoder(), Blocks(OPUS_SAMPLES, first)
        packets = []
        for block, at in self._blocks.push(samples):
            for payload in self._opus.encode(block, at):
                packets.append(self._audio.packet(payload, at, marker=False))
        with self._lock:
            self._send(AUDIO_TRACK, packets)

    def close(self) -> None:
        """The program has ended; idempotent."""
        with self._lock:
            if self._sock is not None:
                for track in (VIDEO_TRACK, AUDIO_TRACK):
                    self._write(tap_frames.encode(tap_frames.Close(track)))
                self._drop()

    # ── under the lock ──────────────────────────────────────────────────────────────────────────

    def _opened(self, track: int, kind: str, codec: str, clock_rate: int, ssrc: int) -> tap_frames.Open:
        parameters = {"stereo": "1", "sprop-stereo": "1"}
        if kind == "video":
            parameters = {
                "level-asymmetry-allowed": "1",
                "packetization-mode": "1",
                "profile-level-id": "42e01f",
            }
        return tap_frames.Open(
            track, f"{PROGRAM}-{kind}", PROGRAM, kind, PROGRAM, codec, clock_rate, ssrc, PROGRAM, parameters
        )

    def _report(self, at_us: int) -> None:
        """What ties sound to picture, like a publisher's sender report."""
        now_us = time.monotonic_ns() // 1000
        if now_us / 1e6 - self._report_s < _REPORT_S:
            return
        self._report_s = now_us / 1e6
        wall_s = time.time() + (at_us - now_us) / 1e6 + _NTP_EPOCH_S
        ntp = int(wall_s * (1 << 32))
        for track, timestamp in ((VIDEO_TRACK, at_us * 9 // 100), (AUDIO_TRACK, at_us * 48 // 1000)):
            self._write(tap_frames.encode(tap_frames.Report(track, now_us, ntp, timestamp & 0xFFFFFFFF)))

    def _send(self, track: int, packets: Sequence[bytes]) -> None:
        now_us = time.monotonic_ns() // 1000
        self._write(b"".join(tap_frames.encode_packet(track, now_us, each) for each in packets))

    def _write(self, data: bytes) -> None:
        if self._sock is None or len(self._pending) > _MOST_PENDING:
            return
        self._pending += data
        self._flush()

    def _flush(self) -> None:
        if self._sock is None or not self._pending:
            return
        with contextlib.suppress(OSError):  # full, or gone: the reading thread hears of that
            sent = self._sock.send(self._pending)
            del self._pending[:sent]

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        self._pending.clear()
        if sock is not None:
            sock.close()
