"""One tapped track of pictures: packets in, the newest decoded picture for a time out. Never raises for what is sent.

Packets are put together in the thread that reads, decoded in the decoding thread, and asked for by the one that
composes. A picture that stands on a lost one is never decoded: FFmpeg shows it broken and says nothing.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.video.reformatter import VideoReformatter

from conference.rtc import rtp_header
from conference.rtc.depacketizer import Frame, depacketizer_for
from conference.rtc.jitter_buffer import JitterBuffer, Missing, Ordered
from conference.rtc.sync import TrackClock
from conference.sfu import tap_frames
from recording.program.compositor import Picture
from recording.program.sounds import Delay

_WAIT_S: Final = 0.4  # for a packet that is sent again
_ASK_S: Final = 0.5
_LONGEST_ASK_S: Final = 4.0  # a sender that never answers is asked less and less
_HELD: Final = 24  # decoded pictures whose time has not come
_LONGEST_BACKLOG: Final = 60  # pictures that wait for the decoder
_STRAY_US: Final = 4_000_000
_EARLY_US: Final = 500_000
_STALLED_US: Final = 2_000_000
_MICROSECONDS: Final = Fraction(1, 1_000_000)
_MOST_WIDTH, _MOST_HEIGHT = 1280, 720  # nothing is shown larger
_CODECS: Final = {"vp8": "vp8", "h264": "h264"}

_serials = itertools.count(1)


@dataclass(frozen=True, slots=True)
class _Coded:
    data: bytes
    at_us: int
    rotation: int
    is_first: bool  # of a row that begins with a keyframe: what was decoded before is forgotten


class PictureTrack:
    """Owned by Inputs."""

    def __init__(
        self,
        opened: tap_frames.Open,
        clock: TrackClock,
        delay: Delay,
        decoding: Decoding,
        ask_keyframe: Callable[[], None],
        before: PictureTrack | None = None,
    ) -> None:
        """`before` is what it goes on from, perhaps another layer of the same camera.

        Raises ValueError for a codec that is not decoded here.
        """
        self.key = (opened.participant_id, opened.source)
        self.publication_id = opened.publication_id
        self._codec = _CODECS.get(opened.codec, "")
        if not self._codec:
            raise ValueError(f"no such codec: {opened.codec}")
        self._keeps = opened.source == "screen"  # what does not change is not sent, either
        self._clock = clock
        self._delay = delay
        self._decoding = decoding
        self._ask = ask_keyframe
        self._depacketizer = depacketizer_for(opened.codec, opened.parameters)
        self._buffer = JitterBuffer(wait_s=_WAIT_S)
        number = opened.parameters.get(tap_frames.ORIENTATION, "")
        self._orientation_id = int(number) if number.isdecimal() else 0
        self._rotation = 0
        self._is_wanted = False
        self._needs_key = True
        self._asked_s = -1e9
        self._ask_wait_s = _ASK_S
        self._lock = threading.Lock()
        self._ready: deque[tuple[int, Picture]] = deque(maxlen=_HELD)
        self._current: Picture | None = None
        self._shown_us = 0  # when the current picture was first asked for
        # Its last pictures are shown until the first one here has its time.
        self._before = before if before is not None and before.key == self.key else None
        if self._before is not None:
            self._before.end()
        self._decoder: _Decoder | None = None
        self.backlog = 0  # under the decoding thread's lock

    # ── the thread that reads ───────────────────────────────────────────────────────────────────

    def packet(self, frame: tap_frames.Packet, *, is_wanted: bool) -> None:
        """A packet came. Of a track that nobody wants to see only the clock is kept."""
        now = frame.arrival_us / 1e6
        if len(frame.packet) >= 8:
            self._clock.on_packet(int.from_bytes(frame.packet[4:8], "big"), now)
        if is_wanted != self._is_wanted:
            self._is_wanted = is_wanted
            self._buffer.flush()
            self._push(Missing(0, 0))
            self._needs_key = True
        if not is_wanted:
            return
        if self._orientation_id and len(frame.packet) > 1 and frame.packet[1] & 0x80:
            self._read_orientation(frame.packet)
        self._buffer.push(frame.packet, now)
        self.pop(now)
        if self._needs_key:
            self._ask_keyframe(now)

    def report(self, frame: tap_frames.Report) -> None:
        """The publisher's clock."""
        self._clock.on_report(frame.ntp, frame.rtp_timestamp, frame.arrival_us / 1e6)

    def gap(self) -> None:
        """The tap left packets out."""
        self._buffer.flush()
        self._push(Missing(0, 0))
        self._needs_key = True

    def pop(self, now: float) -> None:
        """Go on with what is in turn."""
        for item in self._buffer.pop(now):
            self._push(item)

    def _push(self, item: Ordered | Missing) -> None:
        for frame in self._depacketizer.push(item):
            self._frame(frame)

    def _frame(self, frame: Frame) -> None:
        if frame.follows_loss or self._needs_key:
            self._needs_key = not frame.is_keyframe
            if self._needs_key:
                return
            self._ask_wait_s = _ASK_S
        at_s = self._clock.time_s(frame.timestamp)
        at_us = round((frame.arrival_s if at_s is None else at_s) * 1e6)
        ahead_us = at_us - round(frame.arrival_s * 1e6)
        if not -_STRAY_US < ahead_us < _EARLY_US:
            at_us -= ahead_us
        coded = _Coded(frame.data, at_us + self._delay.us, self._rotation, frame.is_keyframe)
        if not self._decoding.push(self, coded):
            self._needs_key = True

    def _ask_keyframe(self, now: float) -> None:
        if now - self._asked_s >= self._ask_wait_s:
            self._asked_s, self._ask_wait_s = now, min(self._ask_wait_s * 2, _LONGEST_ASK_S)
            self._ask()

    def _read_orientation(self, packet: bytes) -> None:
        try:
            found = rtp_header.extensions(packet, rtp_header.parse(packet)).get(self._orientation_id)
        except rtp_header.RtpError:
            return
        if found:
            self._rotation = (found[0] & 3) * 90

    # ── the decoding thread ─────────────────────────────────────────────────────────────────────

    def decode(self, coded: _Coded) -> None:
        """One picture in the order of decoding."""
        if self._decoder is None:
            if not coded.is_first:
                return
            self._decoder = _Decoder(self._codec)
        try:
            frames = self._decoder.decode(coded)
        except (av.FFmpegError, ValueError):
            self._decoder = None
            self._needs_key = True  # the next packet asks
            return
        with self._lock:
            for at_us, frame in frames:
                if self._ready and at_us < self._ready[-1][0]:
                    self._ready.clear()  # the sender's clock was set back
                self._ready.append((at_us, Picture(frame, next(_serials), coded.rotation)))

    # ── the thread that composes ────────────────────────────────────────────────────────────────

    def picture_at(self, at_us: int) -> Picture | None:
        """The newest whose time has come; the last one for 2 s when no new one comes, then none."""
        with self._lock:
            while self._ready and self._ready[0][0] <= at_us:
                self._current = self._ready.popleft()[1]
                self._shown_us = at_us
            if self._before is not None:
                if self._current is None:
                    return self._before.picture_at(at_us)
                self._before = None
            if not self._keeps and at_us - self._shown_us > _STALLED_US:
                self._current = None
            return self._current

    def forget(self) -> None:
        """What was shown is old: nobody wanted to see it for a while."""
        with self._lock:
            self._ready.clear()
            self._current = self._before = None

    def end(self) -> None:
        """Another track goes on from it: it needs nothing that came before itself any more."""
        with self._lock:
            self._before = None


class _Decoder:
    def __init__(self, codec: str) -> None:
        made = av.CodecContext.create(codec, "r")
        assert isinstance(made, av.VideoCodecContext)
        made.thread_count = 1
        self._codec = made
        self._reformatter = VideoReformatter()

    def decode(self, coded: _Coded) -> list[tuple[int, av.VideoFrame]]:
        packet = av.Packet(coded.data)
        packet.pts, packet.time_base = coded.at_us, _MICROSECONDS
        found = []
        for frame in self._codec.decode(packet):
            if frame.is_corrupt:
                raise ValueError("a broken picture")
            at_us = coded.at_us if frame.pts is None else frame.pts
            found.append((at_us, self._plain(frame)))
        return found

    def _plain(self, frame: av.VideoFrame) -> av.VideoFrame:
        """8 bits in 4:2:0, and no larger than the program."""
        large = max(frame.width / _MOST_WIDTH, frame.height / _MOST_HEIGHT)
        if large <= 1 and frame.format.name == "yuv420p":
            return frame
        scale = max(1.0, min(large, max(frame.width, frame.height) / _MOST_WIDTH))
        width, height = (max(2, round(side / scale) // 2 * 2) for side in (frame.width, frame.height))
        return self._reformatter.reformat(
            frame, width, height, "yuv420p", interpolation="BILINEAR", threads=1
        )


class Decoding:
    """The thread that decodes the pictures of all tracks, in the order in which they came."""

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._waiting: deque[tuple[PictureTrack, _Coded]] = deque()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def push(self, track: PictureTrack, coded: _Coded) -> bool:
        """False when the track has too many pictures waiting: it must go on at its next keyframe."""
        with self._ready:
            if track.backlog >= _LONGEST_BACKLOG:
                return False
            track.backlog += 1
            self._waiting.append((track, coded))
            self._ready.notify()
        return True

    def close(self) -> None:
        """Idempotent; what waits is not decoded any more."""
        with self._ready:
            self._ended = True
            self._waiting.clear()
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._waiting:
                    if self._ended:
                        return
                    self._ready.wait()
                track, coded = self._waiting.popleft()
                track.backlog -= 1
            track.decode(coded)
