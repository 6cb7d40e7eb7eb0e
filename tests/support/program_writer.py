"""Programs written as the worker writes them, without one: real segments of a picture that says what second it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recording.hls.cutter import Cut, Cutter
from recording.hls.formats import Format
from recording.hls.fragments import Sample
from recording.hls.journal import Journal
from recording.hls.segmenter import Life, recover
from recording.program.encoder import (
    AAC_SAMPLES,
    FRAME_SAMPLES,
    FRAME_TICKS,
    AacEncoder,
    Blocks,
    Coding,
    VideoEncoder,
    video_frame,
)

PERIOD_S = 8  # whole pictures, seconds and frames of sound
PART_MS = 200
SMALL = {"720p": (160, 96), "360p": (96, 64), "audio": None}
REAL = {"720p": (1280, 720), "360p": (640, 360), "audio": None}
Sizes = Mapping[str, tuple[int, int] | None]


def grey_of(second: int) -> int:
    """The picture of that second of a life, all over."""
    return 40 + second % PERIOD_S * 24


@functools.cache
def _material(
    size: tuple[int, int] | None, bitrate: int, busy: bool
) -> tuple[Format, list[Sample], list[Sample]]:
    """Eight seconds; `busy` pictures take all of their bit rate."""
    sound = AacEncoder(64_000)
    blocks = Blocks(AAC_SAMPLES)
    frames: list[Sample] = []
    for number in range(PERIOD_S * 25 + 2):
        times = (np.arange(FRAME_SAMPLES) + number * FRAME_SAMPLES) / 48_000
        tone = np.sin(times * 440 * 2 * np.pi).astype(np.float32) * 0.2
        for block, at in blocks.push(np.stack((tone, tone), axis=1)):
            frames += sound.encode(block, at)
    frames = frames[: PERIOD_S * 48_000 // AAC_SAMPLES]
    if size is None:
        return Format("", None, sound.format), [], frames
    width, height = size
    video = VideoEncoder(Coding(width, height, bitrate))
    noise = np.random.default_rng(1)
    pictures: list[Sample] = []
    for number in range(PERIOD_S * 25):
        canvas = np.full((height * 3 // 2, width), 128, np.uint8)
        canvas[:height] = grey_of(number // 25)
        if busy:
            coarse = noise.integers(0, 60, (height // 8, width // 8), np.uint8)
            canvas[:height] += np.kron(coarse, np.ones((8, 8), np.uint8))
        unit = video.encode(video_frame(canvas), number * FRAME_TICKS, key=number % 25 == 0)
        pictures.append(Sample(unit.file_data, number * FRAME_TICKS, FRAME_TICKS, unit.is_key))
    return Format("", video.format, sound.format), pictures, frames


class ProgramWriter:
    """One consultation's program, life after life. `tell` hears every fact, as the supervisor does."""

    def __init__(
        self,
        directory: Path,
        tell: Callable[[Mapping[str, Any]], None] = lambda _: None,
        *,
        sizes: Sizes = SMALL,
        busy: bool = False,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.tell = tell
        self._materials = {
            name: _material(size, 2_500_000 if name == "720p" else 600_000, busy)
            for name, size in sizes.items()
        }
        self._formats = [replace(each[0], name=name) for name, each in self._materials.items()]
        self._journal = Journal(directory)
        self._life: Life | None = None
        self._cuts: list[Cut] = []
        self._begins_ms = 0
        self._written = 0

    @property
    def time_ms(self) -> int:
        """Program time up to which there are parts."""
        return self._begins_ms + self._written * PART_MS

    def begin(self, program_time_ms: int) -> None:
        """A new life."""
        self.tell({"fact": "ready"})
        before = recover(self.directory, self._journal, self.tell)
        self._life = Life(
            self.directory, self._journal, self.tell, self._formats,
            number=before.next_life, first_segment=before.next_segment,
            program_time_ms=program_time_ms, wall_ms=0,
        )  # fmt: skip
        self._cutter = Cutter(self._formats, part_ms=PART_MS, segment_ms=1000, origin_ms=program_time_ms)
        self._begins_ms, self._written, self._pushed = program_time_ms, 0, 0
        self._cuts = []

    def parts(self, count: int) -> None:
        """So many more parts of every rendition."""
        assert self._life is not None
        while len(self._cuts) < count:
            self._push()
        for cut in self._cuts[:count]:
            self._life.write(cut)
        self._cuts = self._cuts[count:]
        self._written += count

    def seconds(self, count: int) -> None:
        """So many segments, if one begins now."""
        self.parts(count * 1000 // PART_MS)

    def kill(self) -> None:
        """As kill -9: what is open stays unlisted."""
        self._life = None
        self.tell({"fact": "gone"})

    def end(self) -> None:
        """Close what is open."""
        assert self._life is not None
        self._life.close()
        self._life = None
        self.tell({"fact": "ended"})
        self.tell({"fact": "gone"})

    def close(self) -> None:
        """No more lives; another writer may begin."""
        self._journal.close()

    def still(self, number: int, program_time_ms: int) -> None:
        assert self._life is not None
        self._life.write_still(number, b"\xff\xd8still", program_time_ms)

    def _push(self) -> None:
        """Another second of material."""
        second, self._pushed = self._pushed, self._pushed + 1
        turn, within = divmod(second, PERIOD_S)
        for name, (format_, pictures, frames) in self._materials.items():
            if format_.video is not None:
                for each in pictures[within * 25 : (within + 1) * 25]:
                    self._cutter.video(name, replace(each, time=each.time + turn * PERIOD_S * 90_000))
            first, last = -(-within * 375 // 8), -(-(within + 1) * 375 // 8)
            for each in frames[first:last]:
                self._cutter.audio(name, replace(each, time=each.time + turn * PERIOD_S * 48_000))
        self._cuts += self._cutter.take()
