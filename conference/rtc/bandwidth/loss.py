"""Loss as a sign of a full way, told from loss that is there whatever is sent.

draft-ietf-rmcat-gcc-02, section 6, lowers the rate for any loss above a tenth: a radio that loses 15 % ends at
nothing. Here a lower rate is a trial: when the loss stays although less was sent, it is the way's own.
"""

from __future__ import annotations

from collections import deque

_WINDOW_S = 0.5
_LEAST_PACKETS = 50
_REMEMBERED_S = 5.0  # what is lost on average in this time is taken for the way's own
_HEADROOM = 1.1  # the estimate is never used up
_OWN_FOR_S = 15.0  # as long a trial's result holds
_MOST_OWN = 0.3
_TOO_MUCH = 0.08  # above the way's own,
_CHANCE = 1.5  # and so many standard deviations of a window's count
_SOME = 0.03
_LESS_SENT = 0.95
_STILL_LOST = 0.7
_BETWEEN_CUTS_S = 0.8


class LossController:
    """`fraction` of the last window, `own` what the way loses anyway, each 0 to 1."""

    def __init__(self) -> None:
        self.fraction = 0.0
        self.own = 0.0
        self._received = 0
        self._lost = 0
        self._began: float | None = None
        self._windows: deque[tuple[float, float]] = deque()
        self._trial: tuple[float, float] | None = None  # (rate sent, fraction) when the rate was lowered
        self._shown: tuple[float, float] | None = (
            None  # (fraction, until when) that a trial has shown to be the way's
        )
        self._next_cut = 0.0

    @property
    def is_calm(self) -> bool:
        """No more is lost than always: the rate may rise."""
        return self.fraction - self.own <= _SOME

    def update(
        self, received: int, lost: int, delivered_bps: float | None, now: float, *, has_queue: bool = False
    ) -> float | None:
        """Count packets; returns the rate in bit/s that should not be exceeded, when too many are lost.

        What is lost while there `has_queue` is lost by it, and is never the way's own.
        """
        if self._began is None:
            self._began = now
        self._received += received
        self._lost += lost
        total = self._received + self._lost
        if now - self._began < _WINDOW_S or total < _LEAST_PACKETS:
            return None
        self.fraction = min(1.0, max(0.0, self._lost / total))
        self._received = self._lost = 0
        self._began = now
        if delivered_bps is None:
            return None
        sent_bps = delivered_bps / max(0.05, 1.0 - self.fraction)
        if not has_queue:
            self._learn(sent_bps, now)
        by_chance = _CHANCE * (self.fraction * (1.0 - self.fraction) / total) ** 0.5
        if self.fraction - self.own <= _TOO_MUCH + by_chance or now < self._next_cut:
            return None
        self._next_cut = now + _BETWEEN_CUTS_S
        if self._trial is None:
            self._trial = (sent_bps, self.fraction)
        return _HEADROOM * delivered_bps / (1.0 - self.own)

    def _learn(self, sent_bps: float, now: float) -> None:
        windows = self._windows
        windows.append((now, self.fraction))
        while now - windows[0][0] > _REMEMBERED_S:
            windows.popleft()
        if self._trial is not None:
            before_bps, before = self._trial
            if self.fraction < _STILL_LOST * before:
                self._trial = None
            elif sent_bps < _LESS_SENT * before_bps:
                self._trial = None
                self._shown = (self.fraction, now + _OWN_FOR_S)
        own = sum(fraction for _, fraction in windows) / len(windows)
        if self._shown is not None:
            if now > self._shown[1]:
                self._shown = None
            else:
                own = max(own, self._shown[0])
        self.own = min(own, _MOST_OWN)
