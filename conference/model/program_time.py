"""Program time: milliseconds since the room went live, on one monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProgramClock:
    """Program time was `base_ms` when the monotonic clock stood at `anchor_s`."""

    base_ms: int
    anchor_s: float

    def at(self, monotonic_s: float) -> int:
        """Program time in ms; never below the base."""
        return self.base_ms + max(0, int((monotonic_s - self.anchor_s) * 1000))

    @classmethod
    def resumed(
        cls, *, started_at_ms: int, high_water_ms: int, wall_ms: int, monotonic_s: float
    ) -> ProgramClock:
        """Go on after a restart: from the stored wall-clock start, never below the high-water mark."""
        return cls(base_ms=max(wall_ms - started_at_ms, high_water_ms, 0), anchor_s=monotonic_s)
