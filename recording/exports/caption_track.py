"""What was said as the text track of a finished MP4 (3GPP timed text, 3GPP TS 26.245), copied beside the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import av
import av.container
import av.stream
import av.subtitles.codeccontext

from conference.export_job import CaptionLine

_TICKS: Final = Fraction(1, 1000)
_LINES: Final = 2  # at once: the latest
# What FFmpeg makes the look of the text from: white, at the foot of the picture. Arial is what it takes for no font at
# all; players take whatever they have for Chinese.
_STYLE: Final = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


class CaptionTrack:
    """Its samples are put into the container when pictures of their time are."""

    def __init__(self, lines: Sequence[CaptionLine], shift_ms: int, duration_ms: int) -> None:
        """`shift_ms`: from program time to that of the file, which lasts `duration_ms`."""
        self._samples = samples(lines, shift_ms, duration_ms)
        self._next = next(self._samples, None)
        self._stream: av.stream.Stream | None = None
        self._container: av.container.OutputContainer | None = None

    def begin(self, container: av.container.OutputContainer) -> None:
        """Call before anything is put into the container. Without captions there is no track."""
        if self._next is None or self._stream is not None:
            return
        stream = container.add_stream("mov_text")
        context = stream.codec_context
        assert isinstance(context, av.subtitles.codeccontext.SubtitleCodecContext)
        context.subtitle_header = _STYLE
        stream.time_base = _TICKS
        stream.metadata["language"] = "zho"
        context.open()
        self._container, self._stream = container, stream

    def until(self, at_ms: float) -> None:
        """Put in what begins by then."""
        if self._container is None or self._stream is None:
            return
        while self._next is not None and self._next[0] <= at_ms:
            from_ms, to_ms, text = self._next
            self._next = next(self._samples, None)
            data = text.encode()
            packet = av.Packet(len(data).to_bytes(2, "big") + data)
            packet.pts = packet.dts = from_ms
            packet.duration = to_ms - from_ms
            packet.time_base = _TICKS
            packet.is_keyframe = True
            packet.stream = self._stream
            self._container.mux(packet)


def samples(lines: Sequence[CaptionLine], shift_ms: int, duration_ms: int) -> Iterator[tuple[int, int, str]]:
    """From, to and text, one behind the other without a hole: nothing where nobody speaks, two lines where two do."""
    placed = sorted(
        (max(0, each.from_ms + shift_ms), min(duration_ms, each.to_ms + shift_ms), each.text)
        for each in lines
    )
    left = [each for each in placed if each[0] < each[1]]
    left.reverse()
    shown: list[tuple[int, int, str]] = []
    at = 0
    while left or shown:
        while left and left[-1][0] <= at:
            shown.append(left.pop())
        ends = [each[1] for each in shown] + ([left[-1][0]] if left else [])
        to = min(ends)
        yield at, to, "\n".join(text for _, _, text in shown[-_LINES:])
        at = to
        shown = [each for each in shown if each[1] > at]
