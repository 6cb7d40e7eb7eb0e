"""What goes into the room: RTP over a unix socket to the media process, in the frames of a tap.

The source's thread writes, the main thread attaches connections and takes requests for keyframes. Nothing waits for
the reader: what it does not take leaves pictures out until the next keyframe.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from conference.rtc.packetizer import AUDIO_LEVEL, Packetizer
from conference.rtc.sdp import AUDIO_LEVEL_URI
from conference.sfu import tap_frames

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
VIDEO_RATE: Final = 90_000
AUDIO_RATE: Final = 48_000
_MOST_PENDING: Final = 2 << 20
_NTP_EPOCH_S: Final = 2_208_988_800
_READ_SIZE: Final = 4096


class Output:
    """At most one reader at a time: the newest. Tracks stay open over readers and over breaks of the source."""

    def __init__(self, participant_id: str, label: str, sources: tuple[str, str]) -> None:
        """`sources`: what the picture and the sound are called (conference.model.media.Source)."""
        self._participant_id = participant_id
        self._label = label
        self._sources = sources
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._pending = bytearray()
        self._decoder = tap_frames.Decoder()
        self._opened: dict[int, tap_frames.Open] = {}
        self._video = Packetizer(96, secrets.randbits(31) | 1, sequence=secrets.randbits(15))
        self._audio = Packetizer(111, secrets.randbits(31) | 1, sequence=secrets.randbits(15))
        self._needs_key = True
        self._left_out = 0  # pictures, since the reader is too slow
        self._is_new = False
        self._is_asked = False

    # ── the main thread ─────────────────────────────────────────────────────────────────────────

    def attach(self, sock: socket.socket) -> None:
        """A reader: it gets what is open from the next keyframe on."""
        sock.setblocking(False)
        with self._lock:
            before, self._sock = self._sock, sock
            self._pending.clear()
            self._decoder = tap_frames.Decoder()
            self._needs_key = self._is_new = True
            self._left_out = 0
            if before is not None:
                before.close()
            for opened in self._opened.values():
                self._write(tap_frames.encode(opened))

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
                data, frames = b"", []
            if not data:
                self._drop()
                return False
            if any(isinstance(each, tap_frames.Keyframe) for each in frames):
                self._is_asked = True
        return True

    # ── the source's thread ─────────────────────────────────────────────────────────────────────

    @property
    def has_reader(self) -> bool:
        return self._sock is not None

    def take_new(self) -> bool:
        """Whether a reader came since it was last asked."""
        is_new, self._is_new = self._is_new, False
        return is_new

    def take_asked(self) -> bool:
        """Whether the room asked for a keyframe since it was last asked."""
        is_asked, self._is_asked = self._is_asked, False
        return is_asked

    def open_video(self, profile_level_id: str, *, is_asked: bool) -> None:
        """Pictures of this profile follow; `is_asked`: with keyframes whenever the room asks."""
        parameters = {
            "level-asymmetry-allowed": "1",
            "packetization-mode": "1",
            "profile-level-id": profile_level_id,
        }
        if not is_asked:
            parameters[tap_frames.UNASKED_KEYFRAMES] = "1"
        before = self._opened.get(VIDEO_TRACK)
        # The level is no matter to receivers; another profile is another stream to them.
        if before is None or _shape(before.parameters) != _shape(parameters):
            self._open(VIDEO_TRACK, "video", "h264", VIDEO_RATE, self._video.ssrc, parameters)

    def open_audio(self) -> None:
        """Sound follows; harmless when it does already."""
        if AUDIO_TRACK not in self._opened:
            parameters = {"stereo": "1", "sprop-stereo": "1", AUDIO_LEVEL_URI: str(AUDIO_LEVEL)}
            self._open(AUDIO_TRACK, "audio", "opus", AUDIO_RATE, self._audio.ssrc, parameters)

    def close_tracks(self, *numbers: int) -> None:
        """They are over: nobody waits for them any more."""
        with self._lock:
            for number in numbers:
                if self._opened.pop(number, None) is not None:
                    self._write(tap_frames.encode(tap_frames.Close(number)))

    def picture(self, units: Sequence[bytes], stamp: int, *, is_key: bool) -> None:
        """One picture, with its parameter sets where it is a key."""
        with self._lock:
            if self._sock is None or VIDEO_TRACK not in self._opened:
                return
            self._flush()
            if len(self._pending) > _MOST_PENDING // 2:
                self._needs_key = True
                self._left_out += 1
                return
            if self._needs_key and not is_key:
                return
            if self._left_out:
                self._write(tap_frames.encode(tap_frames.Gap(VIDEO_TRACK, self._left_out)))
            self._needs_key, self._left_out = False, 0
            self._send(VIDEO_TRACK, self._video.picture(units, stamp))

    def sound(self, payload: bytes, stamp: int, level: int) -> None:
        """One packet of Opus; `level` is 0 for the loudest to 127 for silence."""
        with self._lock:
            if AUDIO_TRACK in self._opened:
                self._send(AUDIO_TRACK, [self._audio.packet(payload, stamp, marker=False, level=level)])

    def report(self, track: int, our_s: float, stamp: int) -> None:
        """What ties sound to picture, like a publisher's sender report: `stamp` was at `our_s`, monotonic."""
        now_s = time.monotonic()
        wall_s = time.time() + our_s - now_s + _NTP_EPOCH_S
        with self._lock:
            if track in self._opened:
                frame = tap_frames.Report(
                    track, int(now_s * 1e6), int(wall_s * (1 << 32)), stamp & 0xFFFFFFFF
                )
                self._write(tap_frames.encode(frame))

    # ── under the lock ──────────────────────────────────────────────────────────────────────────

    def _open(
        self, track: int, kind: str, codec: str, clock_rate: int, ssrc: int, parameters: dict[str, str]
    ) -> None:
        opened = tap_frames.Open(
            track,
            f"{self._participant_id}-{kind}",
            self._participant_id,
            kind,
            self._sources[0 if track == VIDEO_TRACK else 1],
            codec,
            clock_rate,
            ssrc,
            self._participant_id,
            parameters,
            self._label,
        )
        with self._lock:
            self._opened[track] = opened
            if track == VIDEO_TRACK:
                self._needs_key = True
            self._write(tap_frames.encode(opened))

    def _send(self, track: int, packets: Sequence[bytes]) -> None:
        now_us = time.monotonic_ns() // 1000
        self._write(b"".join([tap_frames.encode_packet(track, now_us, each) for each in packets]))

    def _write(self, data: bytes) -> None:
        if self._sock is None or len(self._pending) > _MOST_PENDING:
            return
        self._pending += data
        self._flush()

    def _flush(self) -> None:
        if self._sock is None or not self._pending:
            return
        with contextlib.suppress(OSError):  # full, or gone: the main thread hears of that
            sent = self._sock.send(self._pending)
            del self._pending[:sent]

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        self._pending.clear()
        if sock is not None:
            sock.close()


def _shape(parameters: Mapping[str, str]) -> tuple[str, bool]:
    return parameters["profile-level-id"][:4], tap_frames.UNASKED_KEYFRAMES in parameters
