"""What processes hold while time passes: memory and descriptors, read again and again, and how fast they grow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.support import process

MB = 1 << 20
_ENDS = 3  # readings whose median stands for the beginning and for the end


@dataclass(frozen=True)
class Reading:
    """Of one process; seconds since the first."""

    at_s: float
    rss_mb: float
    descriptors: int


@dataclass(frozen=True)
class Grown:
    """Of one process, from the end of the warming up on. `rss_mb`: at its end; `mb_per_hour`: the fitted line's."""

    rss_mb: float
    mb_per_hour: float
    hours: float
    more_mb: float
    more_descriptors: int


class Growth:
    """Of named processes. Cancel `run` in the end."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._began_s = time.monotonic()
        self.readings: dict[str, list[Reading]] = {name: [] for name in pids}

    async def run(self, every_s: float) -> None:
        """Read for ever."""
        while True:
            self.read()
            await asyncio.sleep(every_s)

    def read(self) -> None:
        """Once. Fails when one of them is gone."""
        at_s = time.monotonic() - self._began_s
        for name, pid in self._pids.items():
            assert process.alive(pid), f"{name} is gone"
            rss, files = process.rss_bytes([pid]), process.open_files([pid]).total
            self.readings[name].append(Reading(at_s, rss / MB, files))

    def after(self, warm_s: float) -> dict[str, Grown]:
        """Without what was read before `warm_s`."""
        return {
            name: _grown([each for each in readings if each.at_s >= warm_s])
            for name, readings in self.readings.items()
        }


def _grown(readings: list[Reading]) -> Grown:
    assert len(readings) >= 2 * _ENDS, "too few readings"
    hours = (readings[-1].at_s - readings[0].at_s) / 3600
    slope, _ = np.polyfit([each.at_s / 3600 for each in readings], [each.rss_mb for each in readings], 1)
    first, last = readings[:_ENDS], readings[-_ENDS:]
    return Grown(
        rss_mb=round(median(each.rss_mb for each in last), 1),
        mb_per_hour=round(float(slope), 1),
        hours=round(hours, 3),
        more_mb=round(median(each.rss_mb for each in last) - median(each.rss_mb for each in first), 1),
        more_descriptors=round(
            median(each.descriptors for each in last) - median(each.descriptors for each in first)
        ),
    )
