"""What the way to one receiver carries: its feedback, and the padding that finds out whether there is more.

Only padding is spread over time. Media and retransmissions leave at once: whoever holds them back adds to the delay
that the queue of a thin link makes anyway, and what would be too much is not sent at all, by the allocator's choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from conference.rtc import rtcp
from conference.rtc.bandwidth import Estimator, ToldRate
from conference.rtc.transport_cc import TransportCc

from .allowance import Allowance

if TYPE_CHECKING:
    from .subscription import Subscription

_TOLD_S = 20_000  # packets of which feedback is read, several times those that anybody is sent
_LOOK_S = 0.2  # while nobody wants more
MOST_PADDING = 255  # bytes, one of them says how many (RFC 3550, section 5.1)
_HEADERS = 20  # of a packet of padding alone, in bytes


class Downlink:
    """Owned by the Subscriber. `is_numbered`: transport-wide numbers are agreed on for some m-line; `sent_bps`: what
    left in the last second."""

    def __init__(self) -> None:
        self.estimator = Estimator()
        self.is_numbered = False
        self.padding_bytes = 0
        self.sent_bps = 0.0
        self._next_look = 0.0
        self._told = ToldRate()
        self._allowance = Allowance(_TOLD_S)

    def take(self, packet: TransportCc | rtcp.Remb, now: float) -> None:
        """The receiver's feedback on the whole transport."""
        if isinstance(packet, rtcp.Remb):
            self._told.take(packet.bitrate_bps, self.sent_bps, now)
        elif self._allowance.take(len(packet.statuses), now):
            self.estimator.on_feedback(packet, now)

    def available_bps(self, now: float) -> int | None:
        """What may be sent in bit/s, counted in plain RTP packets; None while nothing is known.

        A receiver that numbers nothing may tell a rate of its own.
        """
        if self.is_numbered and not self.estimator.is_mute(now):
            return self.estimator.estimate_bps
        return self._told.limit_bps(now)

    def probe_for(self, bps: int) -> None:
        """So much could be used, were it there; 0: what is there is enough."""
        self.estimator.probe_for(bps)

    def pace(self, subscriptions: Iterable[Subscription], now: float) -> None:
        """Call every 20 ms: sends the padding that is due."""
        if not self.is_numbered or (now < self._next_look and not self.estimator.is_probing):
            return
        self._next_look = now + _LOOK_S
        due = self.estimator.padding_due(now)
        if not due:
            return
        subscription = next((one for one in subscriptions if one.may_pad), None)
        if subscription is None:
            if self.estimator.feedbacks:
                self.estimator.probes.hold(now)
            return
        for _ in range(-due):
            self.padding_bytes += subscription.pad(1, now)
        while due > 0:
            size = subscription.pad(min(MOST_PADDING, max(1, due - _HEADERS)), now)
            self.padding_bytes += size
            due -= size
