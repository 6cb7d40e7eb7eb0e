"""A stretch of sound as M4A, as loud as it can be without distortion: of the program, else of the tracks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from conference.export_job import TrackFile
from recording.exports import aac
from recording.exports.program_reader import Life, Segment, Stream
from recording.exports.sink import NothingRecordedError, Sink
from recording.exports.sound import BLOCK, RATE, Samples, Voice, mixed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a program that is not needed here
    from pydub import AudioSegment

HEADROOM_DB: Final = 1.0
_MOST_DB: Final = 30.0  # what is quieter than that is no speech
_ROOM: Final = 4.0  # voices together may be louder than one may be
_ROOM_DB: Final = 20 * math.log10(_ROOM)
_FULL: Final = 2.0**31 - 256
_SAMPLES_PER_S: Final = 60

Progress = Callable[[float], None]


def write_clip(
    lives: Sequence[Life],
    directory: Path,
    tracks: Sequence[TrackFile],
    span: tuple[int, int],
    sink: Sink,
    title: str,
    progress: Progress,
) -> tuple[int, int]:
    """Fill the sink; from and duration in ms. `directory`: of recordings. Raises DiskError,
    NothingRecordedError."""
    from_ms, to_ms = span
    blocks = _blocks_of(lives, directory, tracks, from_ms, to_ms)
    count = max(1, (to_ms - from_ms) * RATE // 1000 // BLOCK)
    peak_db = -float("inf")
    for number, block in enumerate(blocks()):
        peak_db = max(peak_db, _segment(block).max_dBFS)
        progress(number / count / 2)
    gain_db = min(_MOST_DB, -HEADROOM_DB - _ROOM_DB - peak_db) if peak_db > -float("inf") else 0.0
    container = sink.begin(((to_ms - from_ms) // 1000 + 1) * _SAMPLES_PER_S)
    container.metadata["title"] = title
    encoder = aac.Encoder(container)

    def louder() -> Iterator[Samples]:
        for number, block in enumerate(blocks()):
            yield _samples(_segment(block).apply_gain(gain_db))
            progress(0.5 + number / count / 2)

    for packet in encoder.packets(louder()):
        container.mux(packet)
    return from_ms, to_ms - from_ms


def _blocks_of(
    lives: Sequence[Life], directory: Path, tracks: Sequence[TrackFile], from_ms: int, to_ms: int
) -> Callable[[], Iterator[Samples]]:
    """Begins anew at each call."""
    cut = [(life, _within(life, from_ms, to_ms)) for life in lives]
    cut = [(life, segments) for life, segments in cut if segments]
    heard = [each for each in tracks if each.started_at_ms < to_ms and each.ends_at_ms > from_ms]
    if not cut and not heard:
        raise NothingRecordedError("nothing was recorded of it")

    def begin() -> Iterator[Samples]:
        if cut:
            voices = [
                Voice(Stream(life.init, segments), 0, from_ms)
                for life, segments in cut
                if life.init is not None
            ]
        else:
            voices = [Voice(directory / each.path, each.started_at_ms, from_ms) for each in heard]
        return mixed(voices, from_ms, to_ms)

    return begin


def _within(life: Life, from_ms: int, to_ms: int) -> list[Segment]:
    return [each for each in life.segments if each.from_ms < to_ms and each.to_ms > from_ms]


def _segment(block: Samples) -> AudioSegment:
    """The same sound as pydub has it."""
    data = np.rint(np.clip(block.T.astype(np.float64) / _ROOM, -1.0, 1.0) * _FULL).astype("<i4").tobytes()
    return AudioSegment(data, sample_width=4, frame_rate=RATE, channels=2)


def _samples(segment: AudioSegment) -> Samples:
    data = np.frombuffer(segment.raw_data, "<i4").reshape(-1, 2).T
    return (data * (_ROOM / _FULL)).astype(np.float32)
