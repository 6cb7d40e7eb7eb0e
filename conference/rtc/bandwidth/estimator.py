"""One receiver's bandwidth: numbers and feedback in, an estimate and probes to send out."""

from __future__ import annotations

from conference.rtc.transport_cc import TransportCc

from .delivered_rate import DeliveredRate
from .loss import LossController
from .probing import ProbeController
from .queue_delay import QueueDelay
from .rate import RateController
from .send_history import SendHistory

_SILENT_S = 1.0
_KNOCK_S = 0.5
_HAIL_S = 0.1
_EMPTY_S = 2.0  # after the last packet that was measured no queue of ours is left
_MUTE_S = 3.0
_MUTE_PACKETS = 100


class Estimator:
    """Sizes are those of plain RTP packets, and so is the estimate: what lies below RTP is left out of both."""

    def __init__(self) -> None:
        self.history = SendHistory()
        self.queue = QueueDelay()
        self.loss = LossController()
        self.probes = ProbeController()
        self._rate = RateController()
        self._delivered = DeliveredRate()
        self._first_tick: float | None = None
        self._is_silent = False
        self._next_knock = 0.0
        self._count: int | None = None  # of the feedback packet that comes next
        self.feedbacks = 0

    @property
    def estimate_bps(self) -> int:
        """What may be sent, in bit/s; before the first feedback a careful guess."""
        return int(self._rate.estimate_bps)

    @property
    def delivered_bps(self) -> int:
        """What came out in the last half second; 0 before it is known."""
        return int(self._delivered.bps or 0)

    @property
    def state(self) -> str:
        """ "silent", "full" or "normal"."""
        if self._is_silent:
            return "silent"
        return "full" if self.queue.is_standing else "normal"

    def is_mute(self, now: float) -> bool:
        """Enough was sent, and not one feedback packet came: this receiver gives none."""
        began = self._first_tick
        return (
            not self.feedbacks
            and self.history.next > _MUTE_PACKETS
            and began is not None
            and now - began > _MUTE_S
        )

    def probe_for(self, bps: float) -> None:
        """More than the estimate could be used: so much. 0: no need to know whether there is more."""
        self.probes.wanted_bps = max(0.0, bps)

    def on_feedback(self, feedback: TransportCc, now: float) -> None:
        """Take one feedback packet; what it says twice or of packets unknown changes nothing."""
        self.probes.count(self.history)
        delivery = self.history.take(feedback, with_arrivals=self.probes.is_active)
        if delivery is None:
            return
        self.feedbacks += 1
        if self._is_gap(feedback.feedback_count):
            self._delivered.restart()
            self.probes.repeat(now)
        if self._is_silent and delivery.received:
            self._is_silent = False
            self._delivered.clear()
            self.probes.restart(now)
        if delivery.received:
            self._delivered.update(delivery.last_arrival_s, delivery.received_bytes)
            if self.queue.update(delivery.lowest_delay_s, delivery.received, delivery.sent_at):
                self._rate.on_stretch(self.queue, self._delivered.bps, may_grow=self.loss.is_calm, now=now)
        has_queue = self.queue.queue_s > self.queue.threshold_s
        limit_bps = self.loss.update(
            delivery.received, delivery.lost, self._delivered.bps, now, has_queue=has_queue
        )
        if limit_bps is not None:
            self._rate.on_loss(limit_bps, now)
        if delivery.arrivals:
            result = self.probes.on_arrivals(delivery.arrivals, self.loss.own, now)
            if result is not None:
                self._rate.on_probe(result)

    def _knock(self, now: float) -> int:
        """Who is sent nothing, because the estimate is so low, would never be heard of again."""
        self.probes.hold(now)
        if now < self._next_knock:
            return 0
        self._next_knock = now + _KNOCK_S
        return -1

    def _hail(self, now: float) -> int:
        """Who is sent nothing, because all there is needs more than our guess, would never be heard of at all."""
        if self.probes.wanted_bps <= self._rate.estimate_bps or now < self._next_knock:
            return 0
        self._next_knock = now + _HAIL_S
        return -1

    def _is_gap(self, count: int) -> bool:
        """Whether other feedback was lost or overtaken before this one."""
        expected, self._count = self._count, (count + 1) & 0xFF
        return expected is not None and count != expected

    def change_path(self) -> None:
        """Packets go another way from now on: delays of before say nothing of it."""
        self.queue.rebase()

    @property
    def is_probing(self) -> bool:
        """Whether `padding_due` wants to be called every 20 ms; a few times a second is enough otherwise."""
        return self.probes.is_active or self.probes.wanted_bps > self._rate.estimate_bps

    def padding_due(self, now: float) -> int:
        """Call every 20 ms. Bytes of padding to send now; -n: n packets as small as can be."""
        if self._first_tick is None:
            self._first_tick = now
        if self.feedbacks and self.history.is_overdue(now, _SILENT_S):
            self._is_silent = True
            self._rate.on_silence(now)
        if self._is_silent:
            return self._knock(now)
        if now - self.queue.at > _EMPTY_S:
            self.queue.empty()
        if self.queue.is_standing:
            self.probes.hold(now)
            return 0
        if not self.feedbacks:
            return self._hail(now)
        if self.queue.queue_s > self.queue.threshold_s and not self.probes.is_active:
            return 0
        return self.probes.due_bytes(self.history, self._rate.estimate_bps, self.queue.noise_s, now)
