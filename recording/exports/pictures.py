"""Pictures out of a person's recorded files on one time line: the shared screen while there is one, else the camera.

Frames of all codings and sizes become H264 of one size, at most 25 a second; between files it is black.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.container
import av.stream
import numpy as np

from recording.exports.sink import Packet

TICK_MS: Final = 40
_STILL_MS: Final = 1000  # a picture that does not change is sent again after this
_KEY_MS: Final = 2000
_HOLD_MS: Final = 500  # the last picture of a file stands for so long
_PAUSE_MS: Final = 5000  # and one of a camera that sends no more; a screen that does not change sends nothing
_BOUND: Final = (1280, 720)
_TIME_BASE: Final = Fraction(1, 1000)
_OPTIONS: Final = {"preset": "veryfast", "crf": "23", "maxrate": "2500k", "bufsize": "5000k", "threads": "1"}


@dataclass(slots=True)
class Reel:
    """A file of pictures whose beginning stands at `at_ms` of the time line."""

    path: Path
    at_ms: int
    is_screen: bool
    shown: av.VideoFrame | None = None
    shown_ms: int = 0
    is_over: bool = False
    _frames: Iterator[tuple[int, av.VideoFrame]] | None = field(default=None, repr=False)
    _next: tuple[int, av.VideoFrame] | None = field(default=None, repr=False)

    def seek(self, now_ms: int) -> None:
        """Show what is to be seen at this moment; moments come in order."""
        if self.is_over or now_ms < self.at_ms:
            return
        if self._frames is None:
            self._frames = self._read()
            self._next = next(self._frames, None)
        while self._next is not None and self._next[0] <= now_ms:
            self.shown_ms, self.shown = self._next
            self._next = next(self._frames, None)
        if self._next is None and now_ms - self.shown_ms > _HOLD_MS:
            self.shown, self.is_over = None, True
        elif not self.is_screen and now_ms - self.shown_ms > _PAUSE_MS:
            self.shown = None

    def _read(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """A file that cannot be read has no frames; those that cannot be decoded are left out."""
        try:
            with av.open(str(self.path)) as container:
                for packet in container.demux(container.streams.video[0]):
                    try:
                        frames = packet.decode()
                    except av.FFmpegError:
                        continue
                    for frame in frames:
                        if isinstance(frame, av.VideoFrame) and frame.time is not None:
                            yield self.at_ms + round(frame.time * 1000), frame
        except (av.FFmpegError, OSError, IndexError):
            return


class Encoder:
    """H264 of one size."""

    def __init__(self, container: av.container.OutputContainer, size: tuple[int, int]) -> None:
        stream = container.add_stream("libx264", rate=1000 // TICK_MS, options=dict(_OPTIONS))
        assert isinstance(stream, av.VideoStream)
        self.stream = stream
        self._width, self._height = size
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _TIME_BASE

    def packets(self, reels: Sequence[Reel], duration_ms: int) -> Iterator[Packet]:
        """Of the whole time line."""
        seen: tuple[int, int] | None = None
        sent_ms, key_ms = -_STILL_MS, -_KEY_MS
        for now_ms in range(0, duration_ms, TICK_MS):
            for reel in reels:
                reel.seek(now_ms)
            on = [each for each in reels if each.shown is not None]
            chosen = max(on, key=lambda each: (each.is_screen, each.shown_ms), default=None)
            what = None if chosen is None else (id(chosen), chosen.shown_ms)
            if what == seen and now_ms - sent_ms < _STILL_MS:
                continue
            seen, sent_ms = what, now_ms
            frame = self._fitted(None if chosen is None else chosen.shown)
            frame.pts, frame.time_base = now_ms, _TIME_BASE
            if now_ms - key_ms >= _KEY_MS:
                frame.pict_type = av.video.frame.PictureType.I
                key_ms = now_ms
            yield from self.stream.encode(frame)
        yield from self.stream.encode(None)

    def _fitted(self, frame: av.VideoFrame | None) -> av.VideoFrame:
        """In the middle, as large as it goes, on black."""
        canvas = np.full((self._height * 3 // 2, self._width), 16, np.uint8)
        canvas[self._height :] = 128
        if frame is not None:
            width, height = fitted(frame.width, frame.height, (self._width, self._height))
            scaled = frame.reformat(width=width, height=height, format="yuv420p")
            if (width, height) == (self._width, self._height):
                return scaled
            self._paste(canvas, scaled.to_ndarray(), width, height)
        return av.VideoFrame.from_ndarray(canvas, format="yuv420p")

    def _paste(self, canvas: np.ndarray, scaled: np.ndarray, width: int, height: int) -> None:
        left, top = (self._width - width) // 4 * 2, (self._height - height) // 4 * 2
        canvas[top : top + height, left : left + width] = scaled[:height]
        for number in range(2):
            at, of = self._height * (4 + number) // 4, height * (4 + number) // 4
            onto = canvas[at : at + self._height // 4].reshape(self._height // 2, self._width // 2)
            onto[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = scaled[
                of : of + height // 4
            ].reshape(height // 2, width // 2)


def size_of(paths: Sequence[Path]) -> tuple[int, int] | None:
    """That of the largest of the files, as far as it is not too large; None when none can be opened."""
    found: tuple[int, int] | None = None
    for path in paths:
        try:
            with av.open(str(path)) as container:
                context = container.streams.video[0].codec_context
                size = (context.width, context.height)
        except (av.FFmpegError, OSError, IndexError):
            continue
        if min(size) >= 2 and (found is None or size[0] * size[1] > found[0] * found[1]):
            found = size
    if found is None:
        return None
    bound = _BOUND if found[0] >= found[1] else (_BOUND[1], _BOUND[0])
    if found[0] <= bound[0] and found[1] <= bound[1]:
        return _fourth(found[0]), _fourth(found[1])
    return fitted(*found, bound)


def fitted(width: int, height: int, into: tuple[int, int]) -> tuple[int, int]:
    """The largest size of this shape that goes in, in steps of four pixels."""
    scale = min(into[0] / width, into[1] / height)
    return min(into[0], _fourth(round(width * scale))), min(into[1], _fourth(round(height * scale)))


def _fourth(length: int) -> int:
    return max(4, length // 4 * 4)
