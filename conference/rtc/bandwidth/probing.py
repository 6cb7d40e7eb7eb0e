"""Short stretches of more than is needed, to see whether it passes.

What receivers are sent comes in the steps of layers, so that hardly ever as much is on the way as could be. A probe
fills up what is sent anyway to its rate, for a tenth of a second; three small packets behind it show the queue that
it left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .send_history import RING, Arrival, SendHistory

BURST_S = 0.020  # the tick on which probes leave
_LENGTH_S = 0.100
_SHORT_LENGTH_S = 0.060
_SHORT_FROM_BPS = 4e6  # enough packets in less time
_MARKERS = 3
_ANSWER_S = 1.5
_FIRST_FACTOR = 2.0
_FACTOR = 1.3
_NOISY_FACTOR = 1.5
_PACKETS_LEFT = RING // 2
_AFTER_CUT_S = 1.0
_LEAST_WAIT_S = 1.0
_MOST_WAIT_S = 4.0
_LOST_TOO_MUCH = 0.10  # above what the way always loses
_STRETCHED = 0.10
_STRETCHED_S = 0.004
_NOISE_LENGTH = 6.0
_NOISE_STRETCH = 1.5
_NOISY_S = 0.002
_USUAL_NOISE_S = 0.008  # from the pictures themselves
_AGAIN_S = 0.3
_AHEAD = 1.25  # of what is wanted, so that it is shown to pass with some to spare
_SAFE = 0.92  # of what was measured


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """`shown_bps` is a rate to trust, `passed_bps` what passed; `is_full`: more of it waited than passed at once."""

    shown_bps: float
    passed_bps: float
    is_full: bool


@dataclass(slots=True)
class _Cluster:
    bps: float
    length_s: float
    began: float
    ticked: float
    estimate_bps: float
    first: int  # number of its first packet
    end: int  # its first marker; 0 while it is being sent
    ended: float
    noise_s: float
    sent_bytes: int
    counted: int  # sent_bytes holds what is below this number
    received_bytes: int
    received: int
    head_delay_s: float
    tail_delay_s: float


class ProbeController:
    """Says how much to add to what is sent, and what the receiver's feedback shows."""

    def __init__(self) -> None:
        self.wanted_bps = 0.0
        self.sent = 0  # probes so far
        self._cluster: _Cluster | None = None
        self._wait_s = _LEAST_WAIT_S
        self._next = 0.0
        self._factor = _FIRST_FACTOR

    @property
    def is_active(self) -> bool:
        """Whether the feedback's single arrivals are needed."""
        return self._cluster is not None

    def hold(self, now: float) -> None:
        """The way is full: give up, and try no other for a while."""
        self._cluster = None
        self._factor = _FACTOR
        self._next = max(self._next, now + _AFTER_CUT_S)

    def restart(self, now: float) -> None:
        """The receiver is heard again: its way may be any other, as at the beginning."""
        self._cluster = None
        self._factor = _FIRST_FACTOR
        self._wait_s = _LEAST_WAIT_S
        self._next = now

    def repeat(self, now: float) -> None:
        """What was told of the probe says nothing: try again soon."""
        if self._cluster is not None:
            self._cluster = None
            self._next = now + _AGAIN_S

    def count(self, history: SendHistory) -> None:
        """Take note of what was sent; call it before feedback, which makes the history forget."""
        cluster = self._cluster
        if cluster is not None and not cluster.end:
            cluster.sent_bytes += history.bytes_since(cluster.counted)
            cluster.counted = history.next

    def due_bytes(self, history: SendHistory, estimate_bps: float, noise_s: float, now: float) -> int:
        """Call on every tick. How many bytes to send as padding now; -n: n small packets that mark the end."""
        cluster = self._cluster
        if cluster is None:
            if self.wanted_bps <= estimate_bps or now < self._next:
                return 0
            cluster = self._begin(history, estimate_bps, noise_s, now)
        elif cluster.end:
            if now - cluster.ended > _ANSWER_S:
                self.repeat(now)
            return 0
        self.count(history)
        elapsed = now - cluster.began
        if elapsed >= cluster.length_s - BURST_S / 4:
            cluster.end, cluster.ended = history.next, now
            return -_MARKERS
        step_s = max(BURST_S, now - cluster.ticked)
        cluster.ticked = now
        due = min(elapsed + step_s, cluster.length_s) * cluster.bps / 8 - cluster.sent_bytes
        # A late tick must not become a flood.
        return max(0, min(int(due), int(2 * BURST_S * cluster.bps / 8)))

    def on_arrivals(self, arrivals: Sequence[Arrival], own_loss: float, now: float) -> ProbeResult | None:
        """What the probe shows, as soon as something behind it has come."""
        cluster = self._cluster
        if cluster is None:
            return None
        for one in arrivals:
            if one.number < cluster.first:
                continue
            if cluster.end and one.number >= cluster.end:
                if one.sent_at == cluster.ended:
                    cluster.tail_delay_s = min(cluster.tail_delay_s, one.delay_s)
                continue
            cluster.received_bytes += one.size_bytes
            cluster.received += 1
            if one.sent_at == cluster.began:
                cluster.head_delay_s = min(cluster.head_delay_s, one.delay_s)
        if not cluster.end or cluster.tail_delay_s == float("inf"):
            return None
        return self._judge(cluster, own_loss, now)

    def _begin(self, history: SendHistory, estimate_bps: float, noise_s: float, now: float) -> _Cluster:
        noise_s = max(0.0, noise_s - _USUAL_NOISE_S)
        factor = self._factor if noise_s < _NOISY_S else min(self._factor, _NOISY_FACTOR)
        bps = max(min(estimate_bps * factor, self.wanted_bps * _AHEAD), estimate_bps * 1.1)
        length_s = _SHORT_LENGTH_S if bps >= _SHORT_FROM_BPS else _LENGTH_S
        length_s += _NOISE_LENGTH * noise_s
        first = history.next
        cluster = _Cluster(
            bps,
            length_s,
            now,
            now,
            estimate_bps,
            first,
            0,
            0.0,
            noise_s,
            0,
            first,
            0,
            0,
            float("inf"),
            float("inf"),
        )
        self._cluster = cluster
        self.sent += 1
        return cluster

    def _judge(self, cluster: _Cluster, own_loss: float, now: float) -> ProbeResult | None:
        length_s = cluster.ended - cluster.began
        packets = cluster.end - cluster.first
        if not cluster.received or packets > _PACKETS_LEFT or cluster.head_delay_s == float("inf"):
            self.repeat(now)
            return None
        lost = 1.0 - cluster.received / packets
        stretch_s = max(0.0, cluster.tail_delay_s - cluster.head_delay_s)
        allowed_s = _STRETCHED * length_s + _STRETCHED_S + _NOISE_STRETCH * cluster.noise_s
        sent_bps = 8 * cluster.sent_bytes / length_s
        is_full = stretch_s > allowed_s or lost > own_loss + _LOST_TOO_MUCH
        if is_full:
            passed_bps = 8 * cluster.received_bytes / (1.0 - min(own_loss, lost)) / (length_s + stretch_s)
        else:
            passed_bps = sent_bps * length_s / (length_s + stretch_s)
        result = ProbeResult(_SAFE * passed_bps, passed_bps, is_full and stretch_s > allowed_s)
        if is_full or result.shown_bps <= cluster.estimate_bps:
            self._fail(now)
        else:
            self.restart(now)
        return result

    def _fail(self, now: float) -> None:
        self._cluster = None
        self._next = now + self._wait_s
        self._wait_s = min(_MOST_WAIT_S, self._wait_s * 2)
        self._factor = _FACTOR
