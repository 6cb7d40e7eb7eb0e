"""Encoded frames made here: what a publisher would send, as the recorder gets it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.logging
import numpy as np

RATE = 30


class Picture:
    """One encoded picture: its bytes in the order of decoding, when it is shown, whether it stands alone."""

    def __init__(self, data: bytes, number: int, is_key: bool) -> None:
        self.data = data
        self.at_us = number * 1_000_000 // RATE
        self.is_key = is_key


def pictures(
    codec: str, count: int = 60, width: int = 320, height: int = 240, options: dict[str, str] | None = None
) -> list[Picture]:
    """`codec` is FFmpeg's name of an encoder. Every picture has another brightness."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, RATE)
    encoder.options = options or {}
    packets = []
    for number in range(count):
        plane = np.full((height * 3 // 2, width), number * 4 % 255, np.uint8)
        frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [Picture(bytes(each), each.pts or 0, each.is_keyframe) for each in packets]


def sounds(count: int = 100) -> list[bytes]:
    """Opus packets of 20 ms each, of a tone."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    packets = []
    for number in range(count + 1):
        times = (np.arange(960) + number * 960) / 48_000
        tone = (np.sin(times * 440 * 2 * np.pi) * 8_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += encoder.encode(frame)
    return [bytes(each) for each in packets][:count]


def decoded(path: Path) -> tuple[int, list[str], list[float]]:
    """Frames decoded, what FFmpeg had to say against the file, and the frames' times in seconds."""
    with av.logging.Capture(local=False) as said:
        av.logging.set_level(av.logging.WARNING)
        try:
            with av.open(str(path)) as container:
                times = [
                    frame.time or 0.0
                    for frame in container.decode(container.streams[0])
                    if isinstance(frame, av.VideoFrame | av.AudioFrame)
                ]
        finally:
            av.logging.set_level(None)
    return len(times), [text for level, _, text in said if level <= av.logging.WARNING], times


def goes_forward(times: list[float]) -> bool:
    """Whether each time is later than the one before."""
    return all(later > earlier for earlier, later in pairwise(times))
