"""How much the worker spares itself, in a stated order. Pure: told what was late, says the level.

0 nothing · 1 tiles move at half the rate (with the lowest layer of each track, where the room has layers) · 2 the
picture is coded in 960x540 · 3 coded ultrafast · 4 four tiles at most · 5 fifteen pictures a second.
"""

from __future__ import annotations

from typing import Final

HALF_RATE_TILES: Final = 1
SMALLER: Final = 2
ULTRAFAST: Final = 3
FEWER_TILES: Final = 4
FEWER_PICTURES: Final = 5
_WINDOW_S: Final = 3.0
_LATE_SHARE: Final = 0.15
_CALM_S: Final = 30.0
_LONGEST_CALM_S: Final = 600.0
_RELAPSE_S: Final = 60.0


class Load:
    """Up by one level after 3 s with too many late pictures; down again after a calm half minute, or later."""

    def __init__(self, most: int = FEWER_PICTURES, *, now_s: float) -> None:
        self.level = 0
        self._most = most
        self._window_s = now_s
        self._frames = 0
        self._late = 0
        self._calm_since_s = now_s
        self._calm_s = _CALM_S
        self._lowered_s = -1e9

    def on_picture(self, now_s: float, *, is_late: bool) -> bool:
        """A picture was made, late or not. Whether the level changed."""
        self._frames += 1
        self._late += is_late
        if now_s - self._window_s < _WINDOW_S:
            return False
        share = self._late / self._frames
        self._window_s, self._frames, self._late = now_s, 0, 0
        if share > _LATE_SHARE:
            return self._raise(now_s)
        if share > 0:
            self._calm_since_s = now_s
        elif self.level and now_s - self._calm_since_s >= self._calm_s:
            self.level -= 1
            self._calm_since_s = self._lowered_s = now_s
            return True
        return False

    def _raise(self, now_s: float) -> bool:
        self._calm_since_s = now_s
        if self.level >= self._most:
            return False
        if now_s - self._lowered_s < _RELAPSE_S:
            self._calm_s = min(self._calm_s * 2, _LONGEST_CALM_S)  # it was too early
        elif not self.level:
            self._calm_s = _CALM_S
        self.level += 1
        return True
