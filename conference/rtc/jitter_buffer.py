"""Packets of one RTP stream put in order again: a late one is waited for, a missing one is named.

For readers that write down or decode; the forwarding path never waits. Time is the arrival's: the caller passes `now`.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import rtp_header
from .rtp_header import RtpHeader

_MAX_AHEAD = 3000  # further ahead is another numbering, once a second packet confirms it
_MAX_BEHIND = 1000  # as far behind as a retransmission may come


@dataclass(frozen=True, slots=True)
class Ordered:
    """A packet in its turn. `sequence` is extended: it goes on over 65535 and never back."""

    sequence: int
    arrival_s: float
    header: RtpHeader
    packet: bytes

    @property
    def payload(self) -> bytes:
        """Without header and padding; empty for a packet of padding alone."""
        return self.packet[self.header.payload_start : self.header.payload_end]


@dataclass(frozen=True, slots=True)
class Missing:
    """`count` packets from `first` on did not come; 0 when the numbering began anew and nobody knows how many."""

    first: int
    count: int


class JitterBuffer:
    """Feed `push` with what arrives, take `pop` from it; `flush` at the end of the stream or at a known gap."""

    def __init__(self, *, wait_s: float = 1.0, max_packets: int = 4096) -> None:
        """A hole is given up when the packet behind it has waited `wait_s`, or with more than `max_packets` held.

        The default outlasts four retransmissions; sound that is not retransmitted needs 0.2 s.
        """
        self.late = 0  # came after their turn
        self.duplicates = 0
        self.malformed = 0
        self.missing = 0  # as said by Missing
        self._wait_s = wait_s
        self._max_packets = max_packets
        self._held: dict[int, Ordered] = {}
        self._next = -1  # extended number whose turn it is; -1: the next packet's
        self._highest = -1
        self._restart_at = -1  # number that would confirm that the numbering began anew
        self._ready: list[Ordered | Missing] = []  # what was held before the numbering began anew

    def push(self, packet: bytes, now: float) -> None:
        """A packet came. What is no RTP, late or there already is counted and dropped."""
        try:
            header = rtp_header.parse(packet)
        except rtp_header.RtpError:
            self.malformed += 1
            return
        sequence = self._extend(header.sequence)
        if sequence is None:
            return
        if sequence in self._held:
            self.duplicates += 1
            return
        if self._next < 0 and sequence > self._highest:
            self._next = sequence
        elif sequence < self._next or self._next < 0:
            self.late += 1
            return
        self._highest = max(self._highest, sequence)
        self._held[sequence] = Ordered(sequence, now, header, packet)

    def pop(self, now: float) -> list[Ordered | Missing]:
        """What is in turn now."""
        out, self._ready = self._ready, []
        held = self._held
        while held:
            ready = held.pop(self._next, None)
            if ready is not None:
                out.append(ready)
                self._next += 1
                continue
            behind = min(held)
            waited = now - min(one.arrival_s for one in held.values())
            if waited < self._wait_s and len(held) <= self._max_packets:
                break
            self._skip_to(behind, out)
        return out

    def flush(self) -> list[Ordered | Missing]:
        """Everything held, holes named; the next packet's number is then taken as it is."""
        out, self._ready = self._ready, []
        for sequence in sorted(self._held):
            if sequence > self._next:
                self._skip_to(sequence, out)
            out.append(self._held[sequence])
            self._next = sequence + 1
        self._held.clear()
        self._next = -1
        self._restart_at = -1
        return out

    def next_deadline(self) -> float | None:
        """When `pop` gives up a hole; None while it waits for nothing."""
        if not self._held or self._next in self._held:
            return None
        return min(one.arrival_s for one in self._held.values()) + self._wait_s

    def _skip_to(self, sequence: int, out: list[Ordered | Missing]) -> None:
        count = sequence - self._next
        self.missing += count
        out.append(Missing(self._next, count))
        self._next = sequence

    def _extend(self, number: int) -> int | None:
        """The extended number; None for a stray. Two strays in a row are a numbering that began anew."""
        highest = self._highest
        if highest < 0:
            return 0x10000 | number  # room below for what comes late
        ahead = (number - highest) & 0xFFFF
        if ahead >= 0x10000 - _MAX_BEHIND:
            return highest + ahead - 0x10000
        if self._next < 0 or ahead <= _MAX_AHEAD:
            self._restart_at = -1
            return highest + ahead
        if number != self._restart_at:
            self._restart_at = (number + 1) & 0xFFFF
            self.late += 1
            return None
        self._ready = self.flush()
        self._next = highest + ahead
        self._ready.append(Missing(self._next, 0))
        return self._next
