"""Time: the one place where a clock is read.

Protocol engines take `now` as an argument; only the loops at the edge call these.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the services need of time. Tests pass a clock that they move by hand."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""

    def wall_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC; may step when the administrator sets the clock."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000
