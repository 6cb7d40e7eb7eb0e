"""How many viewers hold a request for the next playlist open, and whether there are too many for low latency.

Each viewer of a low-latency stream asks ten times a second, each of a plain one twice. Behind a proxy that asks once
for all of them the number stays small.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_MEMORY_S: Final = 2.0  # all wait again within the time of a part: their number dips, but not for long
_ROOM: Final = (
    0.9  # of the limit: below it newcomers get low latency again, so that nobody changes to and fro
)


class Crowd:
    """Counts who waits. `limit` of requests at once; 0: none may wait."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._waiting = 0
        self._peak = self._peak_before = 0
        self._since_s = clock()
        self._is_full = False

    @property
    def waiting(self) -> int:
        """Requests that wait now."""
        return self._waiting

    def admits(self, *, waits_already: bool) -> bool:
        """Whether this viewer gets low latency; who has had it so far (and asks to wait) before newcomers."""
        most = self._limit if waits_already else self._limit * _ROOM
        seen = self._waiting if waits_already else max(self._waiting, self._recent_peak())
        admitted = seen < most
        if not admitted and not self._is_full:
            self._is_full = True
            log.warning("live.plain", waiting=self._waiting, limit=self._limit)
        elif self._is_full and self._recent_peak() < self._limit * _ROOM:
            self._is_full = False
            log.info("live.low_latency", waiting=self._waiting, limit=self._limit)
        return admitted

    @contextmanager
    def wait(self) -> Iterator[None]:
        """A request waits."""
        self._waiting += 1
        self._peak = max(self._peak, self._waiting)
        try:
            yield
        finally:
            self._waiting -= 1

    def _recent_peak(self) -> int:
        now_s = self._clock()
        if now_s - self._since_s >= _MEMORY_S:
            forgotten = now_s - self._since_s >= 2 * _MEMORY_S
            self._peak_before = self._waiting if forgotten else self._peak
            self._peak, self._since_s = self._waiting, now_s
        return max(self._peak, self._peak_before)
