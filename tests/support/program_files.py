"""The program of a consultation as its worker leaves it on the disk: journal, init segments, segments of a second.

Pictures say in their brightness which second of program time it is, sound is a tone whose pitch says which life.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from recording.hls.formats import AudioFormat, Format, VideoFormat, init_segment, length_prefixed, nal_units
from recording.hls.fragments import Sample, fragment
from recording.hls.journal import Journal

RENDITION = "720p"
FPS = 25
RATE = 48_000


@dataclass(frozen=True)
class MadeLife:
    """A life of the worker: from when on, so many seconds, in this size."""

    at_ms: int
    seconds: int
    size: tuple[int, int] = (320, 180)


def brightness(second: int) -> int:
    """Of all pictures of this second of program time."""
    return 32 + second * 23 % 192


def pitch(life: int) -> int:
    """In Hz; lives are counted from 1."""
    return 300 + 200 * life


def make_program(directory: Path, lives: list[MadeLife]) -> list[dict[str, Any]]:
    """Write all of it; the facts of the journal."""
    directory.mkdir(parents=True, exist_ok=True)
    facts: list[dict[str, Any]] = []
    number = 0
    with Journal(directory) as journal:

        def tell(fact: dict[str, Any]) -> None:
            journal.append(fact)
            facts.append(fact)

        for index, life in enumerate(lives, 1):
            number = _make_life(directory, index, life, number, tell)
    return facts


def _make_life(directory: Path, index: int, life: MadeLife, number: int, tell: Any) -> int:
    above = Path(str(index)) / RENDITION
    (directory / above).mkdir(parents=True)
    video, video_format = _pictures(life)
    audio, audio_format = _sound(life.seconds, pitch(index))
    format_ = Format(RENDITION, video_format, audio_format)
    tell({"fact": "life", "life": index, "wall_ms": 0, "program_time_ms": life.at_ms})
    init = above / "init.mp4"
    (directory / init).write_bytes(init_segment(format_))
    tell(
        {
            "fact": "init",
            "life": index,
            "rendition": RENDITION,
            "file": str(init),
            "codecs": format_.codecs,
            "width": life.size[0],
            "height": life.size[1],
            "bandwidth": format_.bandwidth,
        }
    )
    for second in range(life.seconds):
        number += 1
        shown = [each for each in video if second * 90_000 <= each.time < (second + 1) * 90_000]
        heard = [each for each in audio if second * RATE <= each.time < (second + 1) * RATE]
        data = b""
        for part in range(5):
            at = [each for each in shown if (each.time - second * 90_000) // 18_000 == part]
            to = [each for each in heard if (each.time - second * RATE) // 9_600 == part]
            data += fragment(number * 5 + part, at, to, origin_ms=life.at_ms)
        file = above / f"{number:08d}.m4s"
        (directory / file).write_bytes(data)
        tell(
            {
                "fact": "segment",
                "life": index,
                "rendition": RENDITION,
                "number": number,
                "file": str(file),
                "duration_ms": 1000,
                "program_time_ms": life.at_ms + second * 1000,
                "wall_ms": 0,
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
                "parts": [],
                "discontinuity": index > 1 and second == 0,
                "recovered": False,
            }
        )
    return number


def _pictures(life: MadeLife) -> tuple[list[Sample], VideoFormat]:
    width, height = life.size
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, FPS)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "g": str(FPS),
        "sc_threshold": "0",
        "x264-params": "repeat-headers=1",
    }
    samples, sets = [], dict[int, bytes]()
    for number in range(life.seconds * FPS):
        plane = np.full((height * 3 // 2, width), 128, np.uint8)
        plane[:height] = brightness(life.at_ms // 1000 + number // FPS)
        frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            units = nal_units(bytes(packet))
            sets |= {each[0] & 31: each for each in units if each[0] & 31 in (7, 8)}
            kept = [each for each in units if each[0] & 31 not in (6, 7, 8)]
            samples.append(Sample(length_prefixed(kept), number * 3600, 3600, packet.is_keyframe))
    return samples, VideoFormat(width, height, sets[7], sets[8], 1_000_000)


def _sound(seconds: int, hertz: int) -> tuple[list[Sample], AudioFormat]:
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "stereo", "fltp", 128_000
    samples = []
    for number in range(seconds * RATE // 1024 + 2):
        times = (np.arange(1024) + number * 1024) / RATE
        tone = (np.sin(times * hertz * 2 * np.pi) * 0.1).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE, number * 1024
        for packet in encoder.encode(frame):
            if packet.pts is not None and packet.pts >= 0:
                samples.append(Sample(bytes(packet), packet.pts, 1024))
    return samples, AudioFormat(bytes(encoder.extradata or b"")[:2], 128_000)
