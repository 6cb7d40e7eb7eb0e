"""A picture that browsers cannot show, decoded and encoded as H264 in constrained baseline without B-frames.

It is made for a machine that does other things as well: at most 1280x720 and 30 pictures a second, and what comes too
late is left out, first encoding, then decoding of pictures that no other needs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
from av.codec.context import Flags
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from conference.ingest import nal

LAG_S: Final = 0.5  # behind the source: encoding is left out
_FAR_BEHIND_S: Final = 1.0  # decoding, too
_MOST_WIDTH: Final = 1280
_MOST_HEIGHT: Final = 720
_MOST_SOURCE_PIXELS: Final = 4096 * 2304
_LEAST_STEP_S: Final = 1 / 32
_NEW_S: Final = 1.0  # so far back is no disorder: the source's time was set anew
_KEY_S: Final = 10.0  # between two keyframes that nobody asks for
_KEY_LEAST_S: Final = 0.5
_MOST_ERRORS: Final = 250  # in a row
_WINDOW_S: Final = 10.0
_OVERLOAD: Final = 0.3  # of pictures left out
_TICKS: Final = 90_000


class UndecodableError(Exception):
    """It cannot be decoded, or is too large to be."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture for browsers, its parameter sets before it where it is a key. `profile` is a profile-level-id."""

    units: list[bytes]
    stream_s: float
    is_key: bool
    profile: str


class Transcoder:
    """One connection's picture. Used in the source's thread."""

    def __init__(self, decoder: av.VideoCodecContext) -> None:
        self.size = (0, 0)
        self.is_overloaded = False
        self._decoder = decoder
        if not decoder.is_open:
            decoder.thread_count = 1  # threads would hold pictures back
        self._encoder: _Encoder | None = None
        self._reformatter = VideoReformatter()
        self._errors = 0
        self._asked = True
        self._key_s = -1e9
        self._last_s = -1e9  # stream time of the last picture encoded
        self._window_s = time.monotonic()
        self._taken = 0
        self._left_out = 0

    def ask_key(self) -> None:
        """The next picture is to be one to begin with."""
        self._asked = True

    def skip_to(self, stream_s: float) -> None:
        """Pictures up to there have been shown."""
        self._last_s = stream_s

    def skip(self, packet: av.Packet[Any]) -> None:
        """Only for the pictures that refer to it."""
        try:
            self._decoder.decode(packet)
        except av.FFmpegError:
            self._errors += 1

    def push(
        self, packet: av.Packet[Any], time_base: Fraction, lag_s: float, *, is_wanted: bool
    ) -> Iterator[Coded]:
        """What comes out for a picture that is so far behind its time. Raises UndecodableError."""
        self._decoder.skip_frame = "NONREF" if lag_s > _FAR_BEHIND_S else "DEFAULT"
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError as error:
            self._errors += 1
            if self._errors > _MOST_ERRORS:
                raise UndecodableError(type(error).__name__) from error
            return
        if frames:
            self._errors = 0
        for frame in frames:
            if frame.pts is None:
                continue
            stream_s = float(frame.pts * time_base)
            if not is_wanted or -_NEW_S < stream_s - self._last_s < _LEAST_STEP_S:
                continue
            self._count(is_left_out=lag_s > LAG_S)
            if lag_s > LAG_S and self.size != (0, 0):
                continue
            self._last_s = stream_s
            yield self._code(frame, stream_s)

    def _count(self, *, is_left_out: bool) -> None:
        self._taken += 1
        self._left_out += is_left_out
        now_s = time.monotonic()
        if now_s - self._window_s > _WINDOW_S:
            self.is_overloaded = self._left_out > _OVERLOAD * self._taken
            self._window_s, self._taken, self._left_out = now_s, 0, 0

    def _code(self, frame: av.VideoFrame, stream_s: float) -> Coded:
        if frame.width * frame.height > _MOST_SOURCE_PIXELS:
            raise UndecodableError(f"{frame.width}x{frame.height}")
        size = fitted(frame.width, frame.height)
        if self._encoder is None or self._encoder.size != size:
            self._encoder = _Encoder(size)
            self.size = size
            self._asked = True
        picture = self._reformatter.reformat(
            frame, *size, "yuv420p", interpolation="FAST_BILINEAR", threads=1
        )
        now_s = time.monotonic()
        is_key = (self._asked and now_s - self._key_s >= _KEY_LEAST_S) or now_s - self._key_s > _KEY_S
        if is_key:
            self._asked, self._key_s = False, now_s
        return self._encoder.encode(picture, stream_s, is_key=is_key)


class _Encoder:
    """x264 without delay: one picture in, one out."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        rate = max(400_000, min(2_500_000, size[0] * size[1] * 27 // 10))
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, av.VideoCodecContext)
        codec.width, codec.height = size
        codec.pix_fmt = "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, _TICKS), Fraction(30)
        codec.gop_size = 10_000  # keyframes come where they are asked for
        codec.thread_count = 1
        codec.flags |= Flags.global_header
        codec.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": "23",
            "maxrate": str(rate),
            "bufsize": str(rate),
            "forced-idr": "1",
            "x264-params": "scenecut=0:keyint=infinite:min-keyint=1:threads=1:sliced-threads=0",
        }
        codec.open()
        self._codec = codec
        _, self._sets = nal.read_extradata(bytes(codec.extradata or b""))
        sps = nal.first_set(self._sets, nal.SPS)
        assert sps is not None
        # x264 keeps to constrained baseline: with the bit that says so every browser takes it.
        self._profile = f"{sps[1]:02x}{sps[2] | 0x40:02x}{sps[3]:02x}"
        self._last = -1

    def encode(self, frame: av.VideoFrame, stream_s: float, *, is_key: bool) -> Coded:
        self._last = max(self._last + 1, round(stream_s * _TICKS))
        frame.pts, frame.time_base = self._last, Fraction(1, _TICKS)
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        units = [unit for packet in self._codec.encode(frame) for unit in nal.units_of(bytes(packet))]
        picture = nal.Picture(units)
        sets = self._sets if picture.is_idr else []
        return Coded([*sets, *picture.slices], stream_s, picture.is_idr, self._profile)


def fitted(width: int, height: int) -> tuple[int, int]:
    """At most 1280x720, of the same shape, even."""
    scale = min(1.0, _MOST_WIDTH / width, _MOST_HEIGHT / height)
    return max(16, round(width * scale / 2) * 2), max(16, round(height * scale / 2) * 2)
