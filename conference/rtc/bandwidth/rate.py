"""The estimate itself: down at once when a queue stands or too much is lost, up with what is shown to pass."""

from __future__ import annotations

from .probing import ProbeResult
from .queue_delay import QueueDelay

START_BPS = 600_000.0
LEAST_BPS = 30_000.0  # a voice
MOST_BPS = 50_000_000.0
SILENT_LEAST_BPS = 100_000.0  # what is tried when the receiver is heard again

_KEPT = 0.85  # of what came out while a queue stood
_DRAIN_S = 1.0  # in this time the queue shall be gone
_LEAST_KEPT = 0.5
_BETWEEN_CUTS_S = 0.3
_AHEAD = 1.05  # of what comes out: beyond it nothing shows that more would pass
_GROWTH = 0.08  # a second
_NEAR_GROWTH = 0.03  # a second, close below where it was too much
_CEILING_S = 15.0
_LOOK_AFTER_S = 0.7  # when the rate of before is out of the measurement
_LESS = 0.85
_FLAT_S = 0.015


class RateController:
    """`estimate_bps` is always between LEAST_BPS and MOST_BPS."""

    def __init__(self) -> None:
        self.estimate_bps = START_BPS
        self.last_cut = float("-inf")
        self._ceiling: tuple[float, float] | None = None  # (rate that was too much, when)
        self._grown_at: float | None = None
        self._next_silent_cut = 0.0
        self._first: tuple[float, float] | None = None  # (rate that came out, queue) soon after a queue stood

    def on_stretch(
        self, queue: QueueDelay, delivered_bps: float | None, *, may_grow: bool, now: float
    ) -> None:
        """The queue was measured anew."""
        if queue.is_standing:
            self._grown_at = None
            if delivered_bps is not None and queue.is_too_much:
                self._cut(queue, delivered_bps, now)
                self._look_whether_ours(queue, delivered_bps)
            return
        self._first = None
        before, self._grown_at = self._grown_at, now
        if before is None or not may_grow or not queue.is_quiet or delivered_bps is None:
            return
        grown = self.estimate_bps * (1 + self._growth(now) * min(1.0, now - before))
        if grown <= _AHEAD * delivered_bps:
            self._set(grown)

    def on_loss(self, limit_bps: float, now: float) -> None:
        """More than this should not be sent: too much of it is lost."""
        if limit_bps < self.estimate_bps:
            self._ceiling = (limit_bps, now)
            self.last_cut = now
            self._set(limit_bps)

    def on_probe(self, result: ProbeResult) -> None:
        """A probe has shown what passes, or that not even the estimate does."""
        if result.shown_bps > self.estimate_bps:
            self._set(result.shown_bps)
        elif result.is_full and result.passed_bps < self.estimate_bps:
            self._set(result.passed_bps)

    def on_silence(self, now: float) -> None:
        """Packets leave and nothing is heard of them; call it as long as that is so."""
        if now < self._next_silent_cut:
            return
        self._next_silent_cut = now + 0.5
        self.last_cut = now
        if self.estimate_bps > SILENT_LEAST_BPS:
            self._set(max(SILENT_LEAST_BPS, self.estimate_bps / 2))

    def _cut(self, queue: QueueDelay, delivered_bps: float, now: float) -> None:
        if now - self.last_cut < _BETWEEN_CUTS_S:
            return
        kept = min(_KEPT, max(_LEAST_KEPT, 0.95 - queue.queue_s / _DRAIN_S))
        if delivered_bps * kept < self.estimate_bps:
            self.last_cut = now
            self._ceiling = (delivered_bps, now)
            self._set(delivered_bps * kept)

    def _look_whether_ours(self, queue: QueueDelay, delivered_bps: float) -> None:
        """A queue of ours shrinks when less is sent, and until then as much comes out as ever. One that stays while
        less comes out is somebody else's, or the way became longer."""
        since = queue.standing_since
        if since is None or queue.at - since < _LOOK_AFTER_S:
            return
        if self._first is None:
            self._first = (delivered_bps, queue.queue_s)
            return
        rate_then, queue_then = self._first
        if queue.queue_s < queue_then - _FLAT_S:
            self._first = (max(rate_then, delivered_bps), queue.queue_s)
        elif delivered_bps < _LESS * rate_then:
            self._first = None
            queue.rebase()

    def _growth(self, now: float) -> float:
        if self._ceiling is None:
            return _GROWTH
        ceiling, at = self._ceiling
        if now - at > _CEILING_S:
            self._ceiling = None
            return _GROWTH
        return _NEAR_GROWTH if 0.8 * ceiling < self.estimate_bps < 1.2 * ceiling else _GROWTH

    def _set(self, bps: float) -> None:
        self.estimate_bps = min(MOST_BPS, max(LEAST_BPS, bps))
