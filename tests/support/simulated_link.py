"""A link and a conference on it, in virtual time: what an estimator does to a rate, a queue, a delay and loss.

The media behave as the server's: whole pictures at once, a voice every 20 ms, and an allocator that follows the
estimate a moment later. Feedback is real bytes, made and read by the engines.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from conference.rtc import rtcp
from conference.rtc.bandwidth import MEDIA, PROBE, Estimator
from conference.rtc.transport_cc import TransportCc, TransportCcRecorder

STEP_S = 0.005
TICK_S = 0.020
FEEDBACK_S = 0.100
PROBE_BYTES = 280
_VOICE_S = 0.020
_VOICE_BYTES = 100
_PACKET_BYTES = 1100
_CLOCKS_APART_S = 3000.0


@dataclass(frozen=True)
class Way:
    """Conditions towards the receiver; `feedback_loss` holds on the way back."""

    rate_bps: float
    queue_s: float = 0.3
    delay_s: float = 0.03
    jitter_s: float = 0.0
    loss: float = 0.0
    feedback_loss: float = 0.0
    outage: bool = False


@dataclass
class SimulatedLink:
    """`steps` are (from when, conditions). `demand_bps` is what all layers together would be."""

    steps: Sequence[tuple[float, Way]]
    demand_bps: float = 30e6
    used: float = 0.85  # of the estimate, by an allocator that keeps some headroom
    least_bps: float = 0.0  # with an estimate below this nothing is sent, sound neither
    frame_s: float = 1 / 30
    seed: int = 1
    spoil: Callable[[random.Random, list[bytes]], list[bytes]] | None = None
    estimator: Estimator = field(default_factory=Estimator)
    estimates: list[tuple[float, int]] = field(default_factory=list)
    delays: list[tuple[float, float]] = field(default_factory=list)
    sent_bytes: int = 0
    probe_bytes: int = 0
    now: float = 100.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._began = self.now
        self._free = 0.0
        self._last_due = 0.0
        self._order = itertools.count()
        self._under_way: list[tuple[float, int, int]] = []  # (due, order, number)
        self._feedback: list[tuple[float, int, bytes]] = []
        self._recorder = TransportCcRecorder()
        self._allocated = 150e3
        self._next = dict.fromkeys(("voice", "frame", "tick", "allocate", "feedback"), self.now)

    @property
    def way(self) -> Way:
        """What holds now."""
        return [way for since, way in self.steps if self.now - self._began >= since][-1]

    def run(self, until_s: float) -> int:
        """Let time pass until `until_s` after the beginning; returns the estimate then."""
        while self.now - self._began < until_s:
            self.now += STEP_S
            self._deliver()
            self._send()
            self.estimates.append((self.now - self._began, self.estimator.estimate_bps))
        return self.estimator.estimate_bps

    def between(self, since_s: float, until_s: float) -> list[int]:
        """All estimates of that time."""
        return [bps for at, bps in self.estimates if since_s <= at < until_s]

    def first_time(self, since_s: float, holds: Callable[[int], bool]) -> float:
        """How long after `since_s` the estimate is so for the first time; infinite when never."""
        return next(
            (at - since_s for at, bps in self.estimates if at >= since_s and holds(bps)), float("inf")
        )

    def _due(self, name: str, every_s: float) -> bool:
        if self.now < self._next[name]:
            return False
        self._next[name] = max(self._next[name] + every_s, self.now)
        return True

    def _send(self) -> None:
        if self._due("allocate", 0.1):
            # A layer changes at a keyframe: up and down take a moment.
            target = min(self.estimator.estimate_bps * self.used, self.demand_bps)
            self._allocated += 0.5 * (max(target - 40e3, 0.0) - self._allocated)
            wanted = self.demand_bps if self.demand_bps > self.estimator.estimate_bps * self.used else 0.0
            self.estimator.probe_for(wanted)
        is_sent = self.estimator.estimate_bps >= self.least_bps
        if self._due("voice", _VOICE_S) and is_sent:
            self._packet(_VOICE_BYTES, MEDIA)
        if self._due("frame", self.frame_s) and is_sent:
            size = int(self._allocated * self.frame_s / 8)
            while size > 50:
                self._packet(min(size, _PACKET_BYTES), MEDIA)
                size -= _PACKET_BYTES
        if self._due("tick", TICK_S):
            due = self.estimator.padding_due(self.now)
            for _ in range(-due):
                self._packet(30, PROBE)
            while due > 0:
                self._packet(PROBE_BYTES, PROBE)
                self.probe_bytes += PROBE_BYTES
                due -= PROBE_BYTES

    def _packet(self, size: int, kind: int) -> None:
        number = self.estimator.history.add((self.now, size, kind))
        self.sent_bytes += size
        way = self.way
        if way.outage or self.random.random() < way.loss:
            return
        start = max(self.now, self._free)
        if start - self.now > way.queue_s:
            return
        self._free = start + size * 8 / way.rate_bps
        due = self._free + max(0.0, way.delay_s + self.random.uniform(-1, 1) * way.jitter_s)
        due = self._last_due = max(due, self._last_due)
        self.delays.append((self.now - self._began, due - self.now))
        heapq.heappush(self._under_way, (due, next(self._order), number))

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= self.now:
            due, _, number = heapq.heappop(self._under_way)
            self._recorder.record(number, due + _CLOCKS_APART_S)
        if self._due("feedback", FEEDBACK_S):
            packets = self._recorder.build(1, 2)
            if self.spoil is not None:
                packets = self.spoil(self.random, packets)
            for packet in packets:
                if not self.way.outage and self.random.random() >= self.way.feedback_loss:
                    entry = (self.now + self.way.delay_s, next(self._order), packet)
                    heapq.heappush(self._feedback, entry)
        while self._feedback and self._feedback[0][0] <= self.now:
            for one in _walk(heapq.heappop(self._feedback)[2]):
                if isinstance(one, TransportCc):
                    self.estimator.on_feedback(one, self.now)


def constant(rate_bps: float, **conditions: float) -> list[tuple[float, Way]]:
    """A link that stays as it is."""
    return [(0.0, replace(Way(rate_bps), **conditions))]  # type: ignore[arg-type]


def _walk(data: bytes) -> list[rtcp.Packet]:
    try:
        return list(rtcp.walk(data))
    except rtcp.RtcpError:
        return []
