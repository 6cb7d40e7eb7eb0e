"""The picture of a source on its way into the room: as it is where browsers can show it, else encoded anew.

Browsers decode H264 of 8 bits and 4:2:0 without B-frames; everything else goes through decoder and encoder here, which
costs a good part of a core. A picture that turns out to have B-frames goes that way from then on.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
from av.video.stream import VideoStream

from conference.ingest import nal
from conference.ingest.output import VIDEO_RATE, VIDEO_TRACK, Output
from conference.ingest.stream_clock import Stamps, StreamClock
from conference.ingest.transcoder import Transcoder, UndecodableError
from conference.rtc.codecs import h264

_MOST_CACHED: Final = 900  # pictures since a keyframe
_MOST_CACHED_BYTES: Final = 16 << 20
_NO_KEY_S: Final = 15.0
_FPS_WINDOW: Final = 100


class UnreadableError(Exception):
    """What comes is no picture."""


@dataclass(slots=True)
class _Cached:
    """A picture as it came, and as it was sent."""

    data: bytes
    pts: int
    stream_s: float
    stamp: int
    units: list[bytes]


class PicturePath:
    """One source's picture; `begin` with each connection. Used in the source's thread."""

    def __init__(self, output: Output, clock: StreamClock) -> None:
        self._output = output
        self._clock = clock
        self._stamps = Stamps(VIDEO_RATE)
        self._stream: VideoStream | None = None
        self._transcoder: Transcoder | None = None
        self._sets: dict[tuple[int, bytes], bytes] = {}  # by kind and number
        self._sps: bytes | None = None
        self._is_for_browsers = True
        self._had_b = self._has_b = False  # B-frames came on the connection before, and on this one
        self._length_size = 0
        self._gop: deque[_Cached] = deque()
        self._gop_bytes = 0
        self._size = (0, 0)
        self._began_s = 0.0
        self._key_s: float | None = None
        self._came: deque[float] = deque(maxlen=_FPS_WINDOW)
        self._last_s: float | None = None  # stream time of the newest picture that was stamped

    # ── what there is to say ────────────────────────────────────────────────────────────────────

    @property
    def is_shown(self) -> bool:
        """Whether pictures of this connection have gone out."""
        return self._key_s is not None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as they go into the room; zeros before the first."""
        return self._transcoder.size if self._transcoder is not None else self._size

    @property
    def is_transcoding(self) -> bool:
        return self._transcoder is not None

    @property
    def is_overloaded(self) -> bool:
        """Whether too many pictures had to be left out lately."""
        return self._transcoder is not None and self._transcoder.is_overloaded

    @property
    def codec(self) -> str:
        return "" if self._stream is None else self._stream.codec_context.name

    def fps(self, now_s: float) -> float:
        """Pictures a second that came lately."""
        while self._came and now_s - self._came[0] > 4.0:
            self._came.popleft()
        if len(self._came) < 2:
            return 0.0
        return (len(self._came) - 1) / max(self._came[-1] - self._came[0], 1e-3)

    # ── the way of a picture ────────────────────────────────────────────────────────────────────

    def begin(self, stream: VideoStream) -> None:
        """Another connection."""
        self._stream = stream
        self._transcoder = None
        self._forget_gop()
        self._sets.clear()
        self._sps = None
        self._began_s = time.monotonic()
        self._key_s = None
        self._came.clear()
        self._has_b = False
        self._length_size = 0
        if stream.codec_context.name == "h264":
            self._length_size, sets = nal.read_extradata(bytes(stream.codec_context.extradata or b""))
            self._take_sets(sets)
        if stream.codec_context.name != "h264" or self._had_b:
            self._transcode()

    def end(self) -> None:
        """The connection is gone."""
        if self.is_shown:
            self._had_b = self._has_b
        self._transcoder = None
        self._stream = None
        self._forget_gop()

    def push(self, packet: av.Packet[Any], stream_s: float, now_s: float) -> None:
        """A picture in the order of decoding. Raises UnreadableError."""
        self._came.append(now_s)
        if self._output.take_new():
            self._welcome()
        try:
            if self._transcoder is None:
                self._pass(packet, stream_s, now_s)
            elif self._had_b and not self._has_b:
                self._has_b = nal.Picture(nal.units_of(bytes(packet), self._length_size)).has_b
            if self._transcoder is not None:
                self._encode(packet, stream_s, now_s)
        except UndecodableError as error:
            raise UnreadableError(str(error)) from error
        if self._key_s is None and now_s - self._began_s > _NO_KEY_S:
            raise UnreadableError("no picture to begin with")

    def jump(self) -> None:
        """What comes next is another place of the same source."""
        self._stamps.jump()
        self._forget_gop()

    def stand(self, now_s: float) -> None:
        """Nothing comes for now: who comes meanwhile is to see the newest picture all the same."""
        if (self._output.take_new() | self._output.take_asked()) and self._gop:
            self._stamps.jump()
            self._replay(self._stamp(self._gop[-1].stream_s, now_s))
            self.report()  # while nothing comes, no other report does

    def report(self) -> None:
        """Tie the newest picture to our clock."""
        if self._key_s is not None and self._last_s is not None:
            self._output.report(VIDEO_TRACK, self._clock.our_s(self._last_s), self._stamps.last)

    def _stamp(self, stream_s: float, now_s: float) -> int:
        self._last_s = stream_s
        return self._stamps.stamp(stream_s, now_s)

    # ── as it is ────────────────────────────────────────────────────────────────────────────────

    def _pass(self, packet: av.Packet[Any], stream_s: float, now_s: float) -> None:
        data = bytes(packet)
        picture = nal.Picture(nal.units_of(data, self._length_size))
        if picture.sets:
            self._take_sets(picture.sets)
        if picture.has_b or not self._is_passed():
            self._has_b = picture.has_b
            self._transcode()
            self._catch_up()
            return
        if not picture.slices:
            return
        is_key = picture.is_key
        if is_key:
            self._forget_gop()
            self._begin_gop(now_s)
        elif self._key_s is None:
            return  # nobody could begin with it
        units = [*self._sets.values(), *picture.slices] if is_key else picture.slices
        stamp = self._stamp(stream_s, now_s)
        if is_key or self._gop:
            self._keep(_Cached(data, packet.pts or 0, stream_s, stamp, units))
        self._output.picture(units, stamp, is_key=is_key)
        if is_key:
            self._read_size()

    def _begin_gop(self, now_s: float) -> None:
        self._key_s = now_s
        if self._sps is not None:
            self._output.open_video(self._sps[1:4].hex(), is_asked=False)

    def _is_passed(self) -> bool:
        """Whether browsers show what the parameter sets say; not known to be otherwise before there are some."""
        return self._sps is None or self._is_for_browsers

    def _take_sets(self, sets: list[bytes]) -> None:
        for unit in sets:
            kind = nal.kind_of(unit)
            number = unit[4:5] if kind == nal.SPS else unit[1:2]
            self._sets[kind, number] = unit
            if kind == nal.SPS:
                if unit != self._sps:
                    self._is_for_browsers = nal.is_for_browsers(unit)
                self._sps = unit
        if len(self._sets) > 32:
            self._sets = {key: unit for key, unit in self._sets.items() if unit in sets}
        # Sequence parameter sets stand first.
        self._sets = dict(sorted(self._sets.items(), key=lambda each: each[0][0]))

    def _read_size(self) -> None:
        if self._sps is not None:
            try:
                sps = h264.parse_sps(self._sps)
            except h264.H264Error:
                return
            self._size = (sps.width, sps.height)

    # ── encoded anew ────────────────────────────────────────────────────────────────────────────

    def _transcode(self) -> None:
        assert self._stream is not None
        self._transcoder = Transcoder(self._stream.codec_context)

    def _catch_up(self) -> None:
        """Decode what the next pictures refer to; it was shown already."""
        assert self._transcoder is not None
        for each in self._gop:
            again = av.Packet(each.data)
            again.pts = each.pts
            self._transcoder.skip(again)
        if self._last_s is not None:
            self._transcoder.skip_to(self._last_s)
        self._forget_gop()

    def _encode(self, packet: av.Packet[Any], stream_s: float, now_s: float) -> None:
        assert self._transcoder is not None
        assert packet.time_base is not None
        transcoder = self._transcoder
        lag_s = now_s - self._clock.our_s(stream_s)
        if self._output.take_asked():
            transcoder.ask_key()
        is_wanted = self._output.has_reader or not self.is_shown
        for coded in transcoder.push(packet, Fraction(packet.time_base), lag_s, is_wanted=is_wanted):
            if coded.is_key:
                self._key_s = self._key_s or now_s
                self._output.open_video(coded.profile, is_asked=True)
            stamp = self._stamp(coded.stream_s, self._clock.our_s(coded.stream_s))
            self._output.picture(coded.units, stamp, is_key=coded.is_key)

    # ── for who comes later ─────────────────────────────────────────────────────────────────────

    def _keep(self, cached: _Cached) -> None:
        self._gop.append(cached)
        self._gop_bytes += len(cached.data)
        if len(self._gop) > _MOST_CACHED or self._gop_bytes > _MOST_CACHED_BYTES:
            self._forget_gop()  # until the next keyframe

    def _forget_gop(self) -> None:
        self._gop.clear()
        self._gop_bytes = 0

    def _welcome(self) -> None:
        """A new reader need not wait for the next keyframe."""
        if self._transcoder is not None:
            self._transcoder.ask_key()
        elif self._gop:
            self._replay(self._gop[-1].stamp)

    def _replay(self, last: int) -> None:
        """The pictures since the last keyframe at once, close together up to the time stamp of the last."""
        for back, each in zip(range(len(self._gop) - 1, -1, -1), self._gop, strict=True):
            self._output.picture(each.units, last - back & 0xFFFFFFFF, is_key=back == len(self._gop) - 1)
