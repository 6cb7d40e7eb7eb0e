"""The picture of a clip: any film, out as H264 that every browser in a room can show.

Constrained baseline without B-frames, at most 1280x720 and 30 pictures a second at even distances, a starting point
every second: a player need not wait, and next to nothing has to be coded while a clip is played.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import av
import av.filter
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

Packet: TypeAlias = "av.Packet[Any]"

MAX_WIDTH: Final = 1280
MAX_HEIGHT: Final = 720
MAX_FPS: Final = 30
_MIN_FPS: Final = 5
_MIN_SIDE: Final = 16
_MAXRATE: Final = 2_500_000
_EARLY_S: Final = 0.002  # times in files are rounded


class NoPictureError(Exception):
    """What is said to be a film has pictures that cannot be shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a source's picture becomes one that stands upright on square pixels."""

    width: int
    height: int
    turn: int  # degrees clockwise: 0, 90, 180, 270
    interlaced: bool

    @classmethod
    def of(cls, frame: VideoFrame, aspect: Fraction | None) -> Shape:
        """`aspect`: width of a pixel by its height. Raises NoPictureError."""
        turn = -round(frame.rotation / 90) * 90 % 360
        width, height = frame.width * float(aspect or 1), float(frame.height)
        if turn in (90, 270):
            width, height = height, width
        if not (0.05 < width / max(1.0, height) < 20):
            raise NoPictureError(f"{frame.width}x{frame.height}")
        share = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
        return cls(_even(width * share), _even(height * share), turn, bool(frame.interlaced_frame))


def _even(side: float) -> int:
    return max(_MIN_SIDE, round(side / 2) * 2)


def frame_rate(source: Fraction | None) -> Fraction:
    """The source's own, or an even share of it: 50 becomes 25, 60 becomes 30."""
    rate = Fraction(source or 25).limit_denominator(1001)
    if not 1 <= rate <= 240:
        rate = Fraction(25)
    rate /= math.ceil(rate / Fraction(MAX_FPS * 1001, 1000))
    return max(rate, Fraction(_MIN_FPS))


class _Filters:
    """FFmpeg's filters for frames of one kind; made anew when they change."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._graph: av.filter.Graph | None = None
        self._kind: tuple[int, int, str] | None = None

    def apply(self, frame: VideoFrame) -> VideoFrame:
        kind = (frame.width, frame.height, frame.format.name)
        if self._graph is None or kind != self._kind:
            self._graph, self._kind = self._made(frame), kind
        self._graph.push(frame)
        made = self._graph.pull()
        assert isinstance(made, VideoFrame)
        return made

    def _made(self, frame: VideoFrame) -> av.filter.Graph:
        shape, graph = self._shape, av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base or Fraction(1, 90_000),
        )
        size = f"{shape.width}:{shape.height}"
        steps = {
            0: [],
            90: [("transpose", "clock")],
            180: [("transpose", "clock"), ("transpose", "clock")],
            270: [("transpose", "cclock")],
        }[shape.turn]
        steps += [("scale", f"{size}:out_color_matrix=bt601:out_range=tv"), ("format", "yuv420p")]
        steps = [*steps, ("setsar", "1"), ("buffersink", "")]
        nodes = [source, *(graph.add(name, arguments) for name, arguments in steps)]
        for before, after in itertools.pairwise(nodes):
            before.link_to(after)
        graph.configure()
        return graph


class Deinterlacer:
    """Whole pictures out of fields; one picture late."""

    def __init__(self, frame: VideoFrame) -> None:
        graph = av.filter.Graph()
        nodes = [
            graph.add_buffer(
                width=frame.width,
                height=frame.height,
                format=frame.format,
                time_base=frame.time_base or Fraction(1, 90_000),
            ),
            graph.add("yadif", "mode=send_frame:deint=interlaced"),
            graph.add("buffersink", ""),
        ]
        for before, after in itertools.pairwise(nodes):
            before.link_to(after)
        graph.configure()
        self._graph = graph

    def push(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """None at the end."""
        self._graph.push(frame)
        while True:
            try:
                made = self._graph.pull()
            except (BlockingIOError, EOFError):
                return
            assert isinstance(made, VideoFrame)
            yield made


class PictureTrack:
    """Takes decoded pictures with their times, gives packets of the file that is made."""

    def __init__(self, out: av.container.OutputContainer, first: VideoFrame, source: VideoStream) -> None:
        """Raises NoPictureError."""
        self.shape = Shape.of(first, source.sample_aspect_ratio)
        self.rate = frame_rate(source.average_rate or source.guessed_rate)
        self._filters = _Filters(self.shape)
        self._deinterlacer = Deinterlacer(first) if self.shape.interlaced else None
        self._late_s = 0.0  # what lies between a file's times and those of its clip
        self._stream = _made_stream(out, self.shape, self.rate)
        self._gop = math.ceil(self.rate)
        self._number = 0
        self._held: VideoFrame | None = None
        self._held_at_s = 0.0
        self._step_s = float(1 / self.rate)  # how long the source's last picture may have lasted
        self._shown: tuple[VideoFrame, VideoFrame] | None = None

    @property
    def end_s(self) -> float:
        """Where the next picture would be."""
        return float(self._number / self.rate)

    @property
    def last_s(self) -> float:
        """Where the newest picture has had its time."""
        return max(self.end_s, self._held_at_s + self._step_s)

    def push(self, frame: VideoFrame, at_s: float) -> Iterator[Packet]:
        """Pictures in the order of their times."""
        if self._deinterlacer is None:
            yield from self._take(frame, at_s)
            return
        self._late_s = at_s - float(frame.time or 0)
        for each in self._deinterlacer.push(frame):
            yield from self._take(each, float(each.time or 0) + self._late_s)

    def finish(self, until_s: float) -> Iterator[Packet]:
        """The last picture stands until then. Nothing comes after it."""
        if self._deinterlacer is not None:
            for each in self._deinterlacer.push(None):
                yield from self._take(each, float(each.time or 0) + self._late_s)
        while self._held is not None and (self.end_s < until_s - _EARLY_S or not self._number):
            yield from self._encoded(self._held)
        yield from self._stream.encode(None)

    def poster(self) -> VideoFrame | None:
        """What is shown now."""
        return None if self._shown is None else self._shown[1]

    def _take(self, frame: VideoFrame, at_s: float) -> Iterator[Packet]:
        """What was held is shown up to this one; the first one from the beginning."""
        held = frame if self._held is None else self._held
        while self.end_s < at_s - _EARLY_S:
            yield from self._encoded(held)
        if self._held is not None:
            self._step_s = min(float(1 / self.rate), max(0.0, at_s - self._held_at_s))
        self._held, self._held_at_s = frame, at_s

    def _encoded(self, source: VideoFrame) -> Iterator[Packet]:
        if self._shown is None or self._shown[0] is not source:
            self._shown = (source, self._filters.apply(source))
        frame = self._shown[1]
        frame.pts, frame.time_base = self._number, 1 / self.rate
        frame.pict_type = PictureType.I if self._number % self._gop == 0 else PictureType.NONE
        self._number += 1
        yield from self._stream.encode(frame)


def _made_stream(out: av.container.OutputContainer, shape: Shape, rate: Fraction) -> VideoStream:
    stream = out.add_stream("libx264", rate=rate)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, "yuv420p"
    stream.codec_context.time_base = 1 / rate
    stream.codec_context.thread_count = 1
    gop = math.ceil(rate)
    stream.codec_context.gop_size = gop
    stream.codec_context.max_b_frames = 0
    stream.options = {
        "preset": "superfast",
        "profile": "baseline",
        "level": "3.1",
        "crf": "22",
        "maxrate": str(_MAXRATE),
        "bufsize": str(_MAXRATE),
        "forced-idr": "1",
        "x264-params": f"scenecut=0:keyint={gop}:min-keyint={gop}:bframes=0:ref=1:threads=1:sliced-threads=0:"
        "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:fullrange=off",
    }
    return stream
