"""From samples that an engine was fed to program time: silence is not fed, so that one runs ahead of the other."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import Final, NamedTuple

from transcription.recognizer import SAMPLES_PER_MS

_start: Final = attrgetter("start")


class _Stretch(NamedTuple):
    start: int
    samples: int
    at_ms: float


class TimeMap:
    """One utterance: stretches of sound in the order in which they were fed."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []

    def add(self, start_sample: int, samples: int, at_ms: float) -> None:
        """So many samples from `start_sample` on were heard from `at_ms` on."""
        self._stretches.append(_Stretch(start_sample, samples, at_ms))

    def at_ms(self, sample: int) -> float:
        """Before and behind all that was fed it is the nearest time. Raises IndexError when nothing was."""
        found = self._stretches[max(0, bisect_right(self._stretches, sample, key=_start) - 1)]
        return found.at_ms + min(max(sample - found.start, 0), found.samples) / SAMPLES_PER_MS

    def forget_before(self, sample: int) -> None:
        """Nobody asks for times before this one any more; the last stretch stays."""
        keep = bisect_right(self._stretches, sample, key=_start) - 1
        if keep > 0:
            del self._stretches[:keep]
