"""Samples to AAC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

import av
import av.container
import numpy as np

from recording.exports.sink import Packet
from recording.exports.sound import RATE, Samples

_BITRATE: Final = 128_000
_FRAME: Final = 1024


class Encoder:
    """A stream of sound in a container."""

    def __init__(self, container: av.container.OutputContainer) -> None:
        self.stream = container.add_stream("aac", rate=RATE, layout="stereo")
        self.stream.codec_context.bit_rate = _BITRATE
        self.stream.codec_context.time_base = Fraction(1, RATE)

    def packets(self, blocks: Iterable[Samples]) -> Iterator[Packet]:
        """Of all blocks, which but for the last are whole frames long."""
        at = 0
        for block in blocks:
            loud = np.clip(block, -1.0, 1.0)
            for first in range(0, loud.shape[1], _FRAME):
                piece = np.ascontiguousarray(loud[:, first : first + _FRAME])
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
                at += piece.shape[1]
                yield from self.stream.encode(frame)
        yield from self.stream.encode(None)
