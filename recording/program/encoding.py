"""The thread that codes the program: canvases and sound in, parts for the disk and packets for the room out."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from recording.hls.cutter import Cutter
from recording.hls.formats import Format
from recording.hls.fragments import Sample
from recording.program.disk import Beginning, Disk, Still
from recording.program.encoder import (
    AAC_SAMPLES,
    FPS,
    FRAME_TICKS,
    AacEncoder,
    Blocks,
    Canvas,
    Coding,
    Scaler,
    Sound,
    VideoEncoder,
    video_frame,
)
from recording.program.feed import Feed

_QUEUE: Final = 4  # canvases: their pool has two more
_STILL_PICTURES: Final = 10 * FPS
_STILL_SIZE: Final = (640, 360)
_STILL_QUALITY: Final = 80
_AAC: Final = {"720p": 128_000, "360p": 128_000, "audio": 64_000}


@dataclass(frozen=True, slots=True)
class LifeStart:
    """A life begins: from here on pictures are coded so. Time 0 stands at `at_us` of the monotonic clock."""

    at_us: int
    program_time_ms: int
    wall_ms: int
    size: tuple[int, int]
    preset: str


@dataclass(frozen=True, slots=True)
class Shot:
    """40 ms of the program: picture `number` of the life, shown for `frames` × 40 ms, and the sound of 40 ms.

    Without a canvas the picture before is still shown. `note` is a fact for the journal that became true with it.
    """

    number: int
    canvas: Canvas | None
    frames: int
    sound: Sound
    note: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _End:
    """Nothing follows."""


class Encoding:
    """`put` from the thread that composes; blocks it while four pictures wait."""

    def __init__(
        self, renditions: Sequence[str], disk: Disk, feed: Feed, *, part_ms: int, segment_ms: int
    ) -> None:
        self._renditions = renditions
        self._disk = disk
        self._feed = feed
        self._part_ms = part_ms
        self._segment_ms = segment_ms
        self._life: _LifeEncoders | None = None
        self._waiting: queue.Queue[LifeStart | Shot | _End] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="encode", daemon=True)
        self._thread.start()

    def put(self, item: LifeStart | Shot) -> None:
        """The next piece of the program."""
        self._waiting.put(item)

    def close(self) -> None:
        """Everything that was put is with the disk when it returns."""
        self._waiting.put(_End())
        self._thread.join()

    def _run(self) -> None:
        while True:
            match self._waiting.get():
                case LifeStart() as start:
                    self._finish()
                    self._life = _LifeEncoders(
                        start,
                        self._renditions,
                        self._disk,
                        self._feed,
                        part_ms=self._part_ms,
                        segment_ms=self._segment_ms,
                    )
                case Shot() as shot:
                    if self._life is not None:
                        self._life.take(shot)
                case _:
                    self._finish()
                    return

    def _finish(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.finish()


class _LifeEncoders:
    """The encoders of one life: what they are set to stands in its init segments."""

    def __init__(
        self,
        start: LifeStart,
        renditions: Sequence[str],
        disk: Disk,
        feed: Feed,
        *,
        part_ms: int,
        segment_ms: int,
    ) -> None:
        self._start = start
        self._disk = disk
        self._feed = feed
        self._segment_pictures = segment_ms * FPS // 1000
        self._video: dict[str, tuple[VideoEncoder, Scaler]] = {}
        for name, size, maxrate in (("720p", start.size, 2_500_000), ("360p", (640, 360), 800_000)):
            if name in renditions:
                level = "3.1" if size[1] > 360 else "3.0"
                encoder = VideoEncoder(Coding(*size, maxrate, start.preset, level))
                self._video[name] = encoder, Scaler(*size)
        self._audio: dict[int, AacEncoder] = {}
        self._hears: dict[int, list[str]] = {}
        formats = []
        for name in renditions:
            rate = _AAC[name]
            if rate not in self._audio:
                self._audio[rate] = AacEncoder(rate)
            self._hears.setdefault(rate, []).append(name)
            video = self._video[name][0].format if name in self._video else None
            formats.append(Format(name, video, self._audio[rate].format))
        # Media time is program time, so that all lives lie on one time line: not every player minds a discontinuity.
        self._cutter = Cutter(
            formats, part_ms=part_ms, segment_ms=segment_ms, origin_ms=start.program_time_ms
        )
        self._blocks = Blocks(AAC_SAMPLES)
        self._still_scaler = Scaler(*_STILL_SIZE)
        disk.put(Beginning(formats, start.program_time_ms, start.wall_ms))

    def take(self, shot: Shot) -> None:
        at_us = self._start.at_us + shot.number * 1_000_000 // FPS
        if shot.note is not None:
            self._disk.put(shot.note)
        if shot.canvas is not None:
            self._picture(shot, shot.canvas, at_us)
        self._feed.sound(shot.sound, at_us)
        for block, at in self._blocks.push(shot.sound):
            for rate, encoder in self._audio.items():
                self._sound(rate, encoder.encode(block, at))
        for cut in self._cutter.take():
            self._disk.put(cut)

    def _picture(self, shot: Shot, canvas: Canvas, at_us: int) -> None:
        whole = video_frame(canvas)
        ticks = shot.number * FRAME_TICKS
        begins = shot.number % self._segment_pictures == 0
        asked = self._feed.wants_key(at_us / 1e6)
        for name, (encoder, scaler) in self._video.items():
            is_fed = name == "720p"
            unit = encoder.encode(scaler.scale(whole), ticks, key=begins or (asked and is_fed))
            self._cutter.video(name, Sample(unit.file_data, ticks, FRAME_TICKS * shot.frames, unit.is_key))
            if is_fed:
                self._feed.picture(unit, encoder.format, at_us)
        if shot.number % _STILL_PICTURES == 0:
            out = io.BytesIO()
            picture = self._still_scaler.scale(whole).to_image()  # type: ignore[no-untyped-call]
            picture.save(out, "JPEG", quality=_STILL_QUALITY)
            program_time_ms = self._start.program_time_ms + shot.number * 1000 // FPS
            self._disk.put(Still(shot.number // _STILL_PICTURES, out.getvalue(), program_time_ms))

    def _sound(self, rate: int, samples: list[Sample]) -> None:
        for name in self._hears[rate]:
            for sample in samples:
                self._cutter.audio(name, sample)

    def finish(self) -> None:
        """What the encoders still hold becomes the last part."""
        for rate, encoder in self._audio.items():
            self._sound(rate, encoder.finish())
        for cut in self._cutter.finish():
            self._disk.put(cut)
