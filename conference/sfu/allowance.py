"""How much of what a peer may ask for is looked at: its packets are small, and the work that they ask for is not."""

from __future__ import annotations


class Allowance:
    """So many a second, and as many at once after a quiet second."""

    __slots__ = ("_at", "_left", "_per_s")

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._left = float(per_s)
        self._at = 0.0

    def take(self, count: int, now: float) -> bool:
        """Whether so many more are allowed now; counted when so."""
        self._left = min(self._per_s, self._left + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if count > self._left:
            return False
        self._left -= count
        return True
