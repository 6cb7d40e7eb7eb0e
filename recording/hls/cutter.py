"""Cuts encoded samples of all renditions into parts and segments, which bear the same numbers everywhere. Pure.

A part covers [n × part_ms, (n + 1) × part_ms) of the life, a segment so many parts; a sample belongs where it begins. A
cut comes when every track of every rendition has gone past its end, so that renditions never come apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recording.hls.formats import AUDIO_TIMESCALE, VIDEO_TIMESCALE, Format
from recording.hls.fragments import Sample, fragment


@dataclass(frozen=True, slots=True)
class Part:
    """One moof+mdat of a rendition."""

    data: bytes
    is_independent: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """The same part of every rendition. `segment` counts from 0 in the life; `start_ms` from its beginning."""

    segment: int
    index: int
    start_ms: int
    duration_ms: int
    ends_segment: bool
    parts: Mapping[str, Part]


@dataclass(slots=True)
class _Row:
    """Samples of one track that no part has yet."""

    timescale: int
    samples: list[Sample] = field(default_factory=list)
    reached: int = 0  # in ticks: whatever begins before this is here

    def push(self, sample: Sample) -> None:
        self.samples.append(sample)
        self.reached = max(self.reached, sample.time + sample.duration)

    def has_passed(self, end_ms: int) -> bool:
        return self.reached * 1000 >= end_ms * self.timescale

    def take(self, end_ms: int) -> list[Sample]:
        """What begins before `end_ms`."""
        count = sum(each.time * 1000 < end_ms * self.timescale for each in self.samples)
        taken, self.samples = self.samples[:count], self.samples[count:]
        return taken


class Cutter:
    """Samples in by `video` and `audio`, in the order of decoding; cuts out by `take`."""

    def __init__(
        self, formats: Sequence[Format], *, part_ms: int, segment_ms: int, origin_ms: int = 0
    ) -> None:
        """Raises ValueError where a segment is not a whole number of parts.

        Media time in the parts is `origin_ms` at the beginning of the life.
        """
        if part_ms <= 0 or segment_ms % part_ms:
            raise ValueError("a segment is a whole number of parts")
        self._part_ms = part_ms
        self._segment_ms = segment_ms
        self._origin_ms = origin_ms
        self._names = [each.name for each in formats]
        self._video = {each.name: _Row(VIDEO_TIMESCALE) for each in formats if each.video is not None}
        self._audio = {each.name: _Row(AUDIO_TIMESCALE) for each in formats}
        self._start_ms = 0
        self._sequence = 0

    def video(self, name: str, sample: Sample) -> None:
        """A picture of a rendition."""
        self._video[name].push(sample)

    def audio(self, name: str, sample: Sample) -> None:
        """A frame of sound of a rendition."""
        self._audio[name].push(sample)

    def take(self) -> list[Cut]:
        """The parts that are complete now."""
        cuts = []
        rows = [*self._video.values(), *self._audio.values()]
        while all(row.has_passed(self._start_ms + self._part_ms) for row in rows):
            cuts.append(self._cut(self._start_ms + self._part_ms))
        return cuts

    def finish(self) -> list[Cut]:
        """What is left, as a last, shorter part; a rest of sound without any picture is left out."""
        cuts = self.take()
        rows = list(self._video.values() or self._audio.values())
        end_ms = min(row.reached * 1000 // row.timescale for row in rows)
        if end_ms > self._start_ms and all(
            row.samples for row in (*self._video.values(), *self._audio.values())
        ):
            cuts.append(self._cut(end_ms))
        return cuts

    def _cut(self, end_ms: int) -> Cut:
        start_ms, self._start_ms = self._start_ms, end_ms
        self._sequence += 1
        parts = {}
        for name in self._names:
            video = self._video[name].take(end_ms) if name in self._video else []
            audio = self._audio[name].take(end_ms)
            is_independent = video[0].is_key if video else name not in self._video
            data = fragment(self._sequence, video, audio, origin_ms=self._origin_ms)
            parts[name] = Part(data, is_independent)
        within_ms = start_ms % self._segment_ms
        return Cut(
            segment=start_ms // self._segment_ms,
            index=within_ms // self._part_ms,
            start_ms=start_ms,
            duration_ms=end_ms - start_ms,
            ends_segment=end_ms % self._segment_ms == 0,
            parts=parts,
        )
