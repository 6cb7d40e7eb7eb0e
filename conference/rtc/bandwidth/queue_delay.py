"""The queue that stands on a receiver's way, read from the least delay of each stretch of packets.

A server that forwards sends whole pictures at once, so that most of what a trend over all packets sees (as in
draft-ietf-rmcat-gcc-02, section 5) is how long one picture takes to pass. The packet that waited least shows what was
there before: only a queue that does not empty between pictures counts, as in CoDel (RFC 8289, section 3).
"""

from __future__ import annotations

from collections import deque

_BASE_WINDOW_S = 10.0  # a longer way, and clocks that drift, are taken over after this
_STRETCH_PACKETS = 10
_STRETCH_S = 0.2
_SMOOTHED = 3  # stretches
_LEAST_THRESHOLD_S = 0.020
_NOISE_FACTOR = 1.5
_NOISE_SHARE = 0.05
_MOST_NOISE_S = 0.040
_TOO_LONG = 2.5  # thresholds
_MOVED_S = 0.010
_STANDS_S = 0.25  # so long above the threshold is no single picture and no radio's pause


class QueueDelay:
    """`queue_s` is the present queue, `is_standing` whether it is there to stay, `is_quiet` whether there is none.

    `is_too_much`: it stands, and grows, or is long and does not shrink. A short one that stays as it is costs nobody
    anything; jitter on ways that keep the order looks like one. One that shrinks is of a large picture that has passed.
    """

    def __init__(self) -> None:
        self.queue_s = 0.0
        self.is_standing = False
        self.is_too_much = False
        self.standing_since: float | None = None
        self.noise_s = 0.0
        self.at = 0.0  # when the last packet of the last stretch was sent
        self._lowest = float("inf")  # of the stretch that is being collected
        self._packets = 0
        self._began = 0.0
        self._last: float | None = None
        self._recent: deque[float] = deque(maxlen=_SMOOTHED)
        self._bases: deque[tuple[float, float]] = deque()  # (when, delay), rising in both
        self._above_since: float | None = None

    @property
    def threshold_s(self) -> float:
        """A queue beyond this is one; it grows with the jitter of the way."""
        return _LEAST_THRESHOLD_S + _NOISE_FACTOR * self.noise_s

    @property
    def is_quiet(self) -> bool:
        return self.queue_s < self.threshold_s / 2 + self.noise_s

    def update(self, lowest_delay_s: float, packets: int, sent_at: float) -> bool:
        """Take the least delay of some packets, the last sent at `sent_at`. Whether a stretch is complete."""
        if not self._packets:
            self._began = sent_at
        self._lowest = min(self._lowest, lowest_delay_s)
        self._packets += packets
        if self._packets < _STRETCH_PACKETS and sent_at - self._began < _STRETCH_S:
            return False
        self._complete(self._lowest, sent_at)
        self._lowest, self._packets = float("inf"), 0
        return True

    def empty(self) -> None:
        """Nothing was sent for so long that no queue can stand."""
        self._recent.clear()
        self.queue_s = 0.0
        self._fall()

    def rebase(self) -> None:
        """Take what stands now for the way itself: it became longer, or the queue is not ours."""
        self._bases.clear()
        self._recent.clear()
        self.queue_s = 0.0
        self._fall()

    def _complete(self, delay_s: float, at: float) -> None:
        if self._last is not None:
            change = min(abs(delay_s - self._last), 2 * _MOST_NOISE_S)
            self.noise_s += _NOISE_SHARE * (change - self.noise_s)
            self.noise_s = min(self.noise_s, _MOST_NOISE_S)
        self._last = delay_s
        self.at = at
        self._recent.append(delay_s)
        smooth = sum(self._recent) / len(self._recent)
        bases = self._bases
        while bases and bases[-1][1] >= smooth:
            bases.pop()
        bases.append((at, smooth))
        while len(bases) > 1 and at - bases[0][0] > _BASE_WINDOW_S:
            bases.popleft()
        self.queue_s = smooth - bases[0][1]
        if self.queue_s <= self.threshold_s:
            self._fall()
            return
        if self._above_since is None:
            self._above_since = at
        self.is_standing = at - self._above_since >= _STANDS_S
        moved_s = delay_s - self._recent[0]
        is_long = self.queue_s > _TOO_LONG * self.threshold_s
        self.is_too_much = self.is_standing and (moved_s > _MOVED_S or (is_long and moved_s > -_MOVED_S))
        if self.is_standing and self.standing_since is None:
            self.standing_since = at

    def _fall(self) -> None:
        self._above_since = self.standing_since = None
        self.is_standing = self.is_too_much = False
