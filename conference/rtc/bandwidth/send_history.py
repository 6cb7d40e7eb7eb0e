"""What was sent to one receiver, by transport-wide number, and what its feedback says of it.

draft-holmer-rmcat-transport-wide-cc-extensions-01. The forwarding loop writes `marks` and `next` itself: one mark is
shared by all receivers of a packet, and a slot is overwritten when the numbers come round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from typing import cast

from conference.rtc.transport_cc import TransportCc

RING = 4096  # a second and a half at 20 Mbit/s; a power of two
_MASK = RING - 1
_TICK_S = 0.000_25
_REFERENCE_TICKS = 256
_REFERENCES = 1 << 24

MEDIA, RETRANSMISSION, PROBE = 0, 1, 2
_MISSED = 8  # added when a feedback packet says that it has not come

# (sent at in s, size of the plain RTP packet in bytes, MEDIA | RETRANSMISSION | PROBE)
Mark = tuple[float, int, int]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One packet that came: its number counted on from the first, and its delay, both clocks' offset included."""

    number: int
    sent_at: float
    size_bytes: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one feedback packet told for the first time.

    `last_arrival_s` is on the receiver's clock; `lowest_delay_s` is the least of (arrival - sending), which has the
    offset of both clocks in it; without `received` neither has a meaning. `sent_at` is when the last of them left.
    `lost` counts packets that are missing, less those that were counted before and came after all. `arrivals` is empty
    unless they were asked for.
    """

    received: int
    received_bytes: int
    lost: int
    lowest_delay_s: float
    last_arrival_s: float
    sent_at: float
    arrivals: tuple[Arrival, ...]


class SendHistory:
    """Numbers given to packets, and the time and size of each until it is acknowledged."""

    __slots__ = ("_reference", "acknowledged", "marks", "next")

    def __init__(self) -> None:
        self.next = 0  # counted on from the first packet; 16 bits of it go out
        self.acknowledged = 0  # one above the highest number that came
        self.marks: list[Mark | None] = [None] * RING
        self._reference: int | None = None  # of the newest feedback, counted on

    def add(self, mark: Mark) -> int:
        """Remember one packet; returns its number of 16 bits."""
        number = self.next
        self.next = number + 1
        self.marks[number & _MASK] = mark
        return number & 0xFFFF

    def bytes_since(self, number: int) -> int:
        """Bytes sent from this number on, acknowledged ones left out."""
        marks = self.marks
        found = (marks[one & _MASK] for one in range(max(number, self.next - RING), self.next))
        return sum(mark[1] for mark in found if mark is not None)

    def is_overdue(self, now: float, limit_s: float) -> bool:
        """Whether something was sent `limit_s` ago, and nothing sent since then is acknowledged."""
        number = self.acknowledged
        if number >= self.next:
            return False
        if number < self.next - RING:
            return True
        mark = self.marks[number & _MASK]
        return mark is not None and now - mark[0] > limit_s

    def take(self, feedback: TransportCc, *, with_arrivals: bool = False) -> Delivery | None:
        """What is new in a feedback packet; None when nothing is. Never raises, whatever it says.

        What no feedback speaks of is not lost: its feedback was.
        """
        tick = self._unwrap(feedback.reference_time) * _REFERENCE_TICKS
        number = self.next - ((self.next - feedback.base_seq) & 0xFFFF)
        oldest, end = max(0, self.next - RING), self.next
        marks, deltas = self.marks, feedback.deltas
        if not with_arrivals and len(deltas) == len(feedback.statuses) and oldest <= number:
            delivery = self._take_whole(number, deltas, tick)
            if delivery is not None:
                return delivery
        received = received_bytes = lost = at = 0
        lowest, last, newest = float("inf"), float("-inf"), 0.0
        arrivals: list[Arrival] = []
        for status in feedback.statuses:
            if status:
                tick += deltas[at]
                at += 1
            if oldest <= number < end and (mark := marks[number & _MASK]) is not None:
                if status:
                    marks[number & _MASK] = None
                    arrived = tick * _TICK_S
                    delay = arrived - mark[0]
                    received += 1
                    received_bytes += mark[1]
                    newest = mark[0]
                    if delay < lowest:
                        lowest = delay
                    if arrived > last:
                        last = arrived
                    if mark[2] & _MISSED:
                        lost -= 1
                    if number >= self.acknowledged:
                        self.acknowledged = number + 1
                    if with_arrivals:
                        arrivals.append(Arrival(number, mark[0], mark[1], delay))
                elif not mark[2] & _MISSED:
                    marks[number & _MASK] = (mark[0], mark[1], mark[2] | _MISSED)
                    lost += 1
            number += 1
        if not received and not lost:
            return None
        return Delivery(received, received_bytes, lost, lowest, last, newest, tuple(arrivals))

    def _take_whole(self, first: int, deltas: Sequence[int], tick: int) -> Delivery | None:
        """The usual feedback, without a look at each packet: all came, none was spoken of before. Else None."""
        count = len(deltas)
        slot = first & _MASK
        if not count or first + count > self.next or slot + count > RING:
            return None
        marks = self.marks[slot : slot + count]
        if None in marks:
            return None
        sent_at, sizes, kinds = zip(*cast("list[Mark]", marks), strict=True)
        if max(kinds) >= _MISSED:
            return None
        arrived = [one * _TICK_S for one in accumulate(deltas[1:], initial=tick + deltas[0])]
        self.marks[slot : slot + count] = [None] * count
        self.acknowledged = max(self.acknowledged, first + count)
        lowest = min(map(sub, arrived, sent_at))
        return Delivery(count, sum(sizes), 0, lowest, max(arrived), sent_at[-1], ())

    def _unwrap(self, reference: int) -> int:
        """The reference time counted on over its 24 bits: they come round after twelve days."""
        last = self._reference
        if last is None:
            counted = reference + _REFERENCES  # room for feedback from before the first
        else:
            counted = last + ((reference - last + _REFERENCES // 2) % _REFERENCES) - _REFERENCES // 2
        if last is None or counted > last:
            self._reference = counted
        return counted
