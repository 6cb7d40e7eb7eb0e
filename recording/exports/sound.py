"""Sound out of recorded files, mixed on one time line: blocks of samples, one after the other.

A file's samples follow each other without regard to the small steps of its time stamps; where those have come
away from the samples by more than people could bear, the sound is set to its place again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import av
import av.container
import numpy as np
import numpy.typing as npt

RATE: Final = 48_000
BLOCK: Final = 1024 * 46  # samples: frames of AAC, about a second
_SLIP: Final = RATE * 40 // 1000

Samples: TypeAlias = "npt.NDArray[np.float32]"  # (2, n)


@dataclass(slots=True)
class Voice:
    """A file whose first sample stands at `at_ms` of the time line; or a container that stands for one."""

    source: Path | Any
    at_ms: int
    skip_before_ms: int = 0  # what the file says of earlier is passed over, on the time line
    _pieces: Iterator[tuple[int, Samples]] | None = field(default=None, repr=False)
    _held: tuple[int, Samples] | None = field(default=None, repr=False)

    def add_to(self, mix: Samples, start: int) -> None:
        """Its share of a block that begins at this sample; blocks come in order."""
        end = start + mix.shape[1]
        if self._pieces is None:
            if self.at_ms * RATE // 1000 >= end:
                return
            self._pieces = self._read()
        while True:
            if self._held is None:
                self._held = next(self._pieces, None)
                if self._held is None:
                    return
            at, samples = self._held
            if at >= end:
                return
            first, last = max(at, start), min(at + samples.shape[1], end)
            if last > first:
                mix[:, first - start : last - start] += samples[:, first - at : last - at]
            if at + samples.shape[1] > end:
                return
            self._held = None

    def _read(self) -> Iterator[tuple[int, Samples]]:
        """Pieces and where they stand, in samples. A file that cannot be read has none."""
        try:
            source = str(self.source) if isinstance(self.source, Path) else self.source
            with av.open(source, "r") as container:
                yield from self._pieces_of(container)
        except (av.FFmpegError, OSError):
            return

    def _pieces_of(self, container: av.container.InputContainer) -> Iterator[tuple[int, Samples]]:
        if not container.streams.audio:
            return
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        at: int | None = None
        for packet in container.demux(container.streams.audio[0]):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue  # a broken frame is a short silence
            for frame in frames:
                if frame.time is not None:
                    place = round(frame.time * RATE) + self.at_ms * RATE // 1000
                    if at is None or abs(place - at) > _SLIP:
                        at = place
                frame.pts = None
                for piece in resampler.resample(frame):
                    samples = piece.to_ndarray().astype(np.float32, copy=False)
                    if at is not None:
                        if at + samples.shape[1] > self.skip_before_ms * RATE // 1000:
                            yield at, samples
                        at += samples.shape[1]


def mixed(voices: Iterable[Voice], from_ms: int, to_ms: int) -> Iterator[Samples]:
    """Blocks from one moment of the time line to another; the last is as long as is left."""
    kept = list(voices)
    start, end = from_ms * RATE // 1000, to_ms * RATE // 1000
    while start < end:
        mix = np.zeros((2, min(BLOCK, end - start)), np.float32)
        for voice in kept:
            voice.add_to(mix, start)
        yield mix
        start += mix.shape[1]
