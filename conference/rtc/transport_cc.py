"""Transport-wide congestion control feedback: when each packet arrived, told to its sender.

draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3. Arrival times go in steps of 250 µs from a
reference in steps of 64 ms. A packet that arrives after a report said it was lost is reported again, with
everything behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TICK_US = 250
_TICKS_PER_S = 4000
_TICKS_PER_REFERENCE = 256  # 64 ms

_MAX_STATUSES = 512  # per report that we send: under 1,200 bytes whatever they are
_MAX_PARSED = 8192  # statuses per report that we read
_MAX_KEPT = 4096  # arrivals not yet reported or recently reported
_MAX_GAP = 5000  # a larger jump ahead is another numbering
_MAX_LATE = 1000  # later packets are not reported again

_LOST, _SMALL, _LARGE = 0, 1, 2

_fixed = struct.Struct("!BBHIIHHI")
_info = struct.Struct("!HHI")


class TransportCcError(ValueError):
    """A malformed feedback packet."""


@dataclass(frozen=True, slots=True)
class TransportCc:
    """A feedback packet. `deltas` in steps of 250 µs, one for each status that is not 0 (lost)."""

    sender_ssrc: int
    media_ssrc: int
    base_seq: int
    reference_time: int  # 24 bit, in steps of 64 ms
    feedback_count: int
    statuses: tuple[int, ...]
    deltas: tuple[int, ...]

    def arrivals(self) -> Iterator[tuple[int, int | None]]:
        """(transport sequence number, arrival in µs on the receiver's clock; None: not received)."""
        tick = self.reference_time * _TICKS_PER_REFERENCE
        at = 0
        for offset, status in enumerate(self.statuses):
            seq = (self.base_seq + offset) & 0xFFFF
            if status == _LOST:
                yield seq, None
                continue
            tick += self.deltas[at]
            at += 1
            yield seq, tick * TICK_US


def parse_feedback(sender_ssrc: int, media_ssrc: int, body: bytes | memoryview) -> TransportCc:
    """Read what stands after the two SSRCs. Raises `TransportCcError`."""
    size = len(body)
    if size < 8:
        raise TransportCcError("short")
    base_seq, count, word = _info.unpack_from(body)
    if count > _MAX_PARSED:
        raise TransportCcError("too many statuses")
    statuses: list[int] = []
    at = 8
    while len(statuses) < count:
        if at + 2 > size:
            raise TransportCcError("chunks")
        chunk = body[at] << 8 | body[at + 1]
        at += 2
        if not chunk & 0x8000:
            statuses += [chunk >> 13] * min(chunk & 0x1FFF, count - len(statuses))
            if not chunk & 0x1FFF:
                raise TransportCcError("empty run")
        elif not chunk & 0x4000:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
        else:
            statuses += [chunk >> shift & 3 for shift in range(12, -1, -2)]
    del statuses[count:]
    deltas: list[int] = []
    came = count - statuses.count(_LOST)
    if statuses.count(_SMALL) == came and at + came <= size:
        deltas += body[at : at + came]  # the usual case, without a look at each
    else:
        _read_deltas(body, at, statuses, deltas)
    return TransportCc(
        sender_ssrc, media_ssrc, base_seq, word >> 8, word & 0xFF, tuple(statuses), tuple(deltas)
    )


def _read_deltas(body: bytes | memoryview, at: int, statuses: Sequence[int], deltas: list[int]) -> None:
    size = len(body)
    for status in statuses:
        if status == _LOST:
            continue
        if status == _SMALL and at < size:
            deltas.append(body[at])
            at += 1
        elif status == _LARGE and at + 2 <= size:
            deltas.append(int.from_bytes(body[at : at + 2], "big", signed=True))
            at += 2
        else:
            raise TransportCcError("deltas")


class TransportCcRecorder:
    """The arrivals on one transport. `record` for every packet, `build` every 100 ms."""

    __slots__ = ("_arrivals", "_last", "_next", "_reference", "feedback_count", "ignored")

    def __init__(self) -> None:
        self._arrivals: dict[int, float] = {}  # extended number -> seconds
        self._last = -1  # highest extended number; -1: none yet
        self._next = 0  # the next report begins here
        self._reference = 0
        self.feedback_count = 0
        self.ignored = 0  # packets too late to be reported

    def record(self, transport_seq: int, now: float) -> None:
        """A packet came. `now` in seconds; a number that came before keeps its first time."""
        extended = self._last
        ahead = (transport_seq - extended) & 0xFFFF
        if ahead < 0x8000 and extended >= 0:
            extended += ahead
            self._last = extended
            if ahead > _MAX_GAP:
                self._start(extended)
        elif extended < 0:
            extended = transport_seq + 0x10000  # room for packets that come before it
            self._last = extended
            self._start(extended)
        else:
            extended += ahead - 0x10000
            if extended < self._next:
                if extended <= self._last - _MAX_LATE or extended in self._arrivals:
                    self.ignored += 1
                    return
                self._next = extended
        arrivals = self._arrivals
        if extended not in arrivals:
            arrivals[extended] = now
            if len(arrivals) > _MAX_KEPT:
                self._forget()

    def build(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """Reports on everything since the last call; an empty list when nothing came."""
        first, last = self._next, self._last
        if last < first:
            return []
        packets = []
        while first <= last:
            packet, first = self._build_one(sender_ssrc, media_ssrc, first, last)
            packets.append(packet)
        self._next = last + 1
        horizon = last - _MAX_LATE
        if len(self._arrivals) > 2 * _MAX_LATE:
            self._arrivals = {seq: at for seq, at in self._arrivals.items() if seq > horizon}
        return packets

    def _start(self, first: int) -> None:
        self._arrivals.clear()
        self._next = first

    def _forget(self) -> None:
        """Nobody built reports: keep the newer half."""
        kept = sorted(self._arrivals)[_MAX_KEPT // 2 :]
        self._arrivals = {seq: self._arrivals[seq] for seq in kept}
        self._next = max(self._next, kept[0])

    def _build_one(self, sender_ssrc: int, media_ssrc: int, first: int, last: int) -> tuple[bytes, int]:
        """One report from `first` on, and where the next begins."""
        arrivals = self._arrivals
        statuses: list[int] = []
        deltas = bytearray()
        tick = reference = -1
        seq = first
        while seq <= last and len(statuses) < _MAX_STATUSES:
            arrival = arrivals.get(seq)
            if arrival is None:
                statuses.append(_LOST)
                seq += 1
                continue
            arrived = round(arrival * _TICKS_PER_S)
            if reference < 0:
                reference = arrived // _TICKS_PER_REFERENCE
                tick = reference * _TICKS_PER_REFERENCE
            delta = arrived - tick
            if 0 <= delta <= 0xFF:
                statuses.append(_SMALL)
                deltas.append(delta)
            elif -0x8000 <= delta <= 0x7FFF:
                statuses.append(_LARGE)
                deltas += delta.to_bytes(2, "big", signed=True)
            else:
                break  # too far in time: a new reference
            tick = arrived
            seq += 1
        if reference >= 0:
            self._reference = reference  # else nothing arrived in this stretch: the last one stands
        body = _encode_chunks(statuses) + bytes(deltas)
        padding = -len(body) & 3
        if padding:
            body += bytes(padding - 1) + bytes((padding,))
        count = self.feedback_count
        self.feedback_count = (count + 1) & 0xFF
        header = _fixed.pack(
            0xAF if padding else 0x8F,
            205,
            4 + len(body) // 4,
            sender_ssrc,
            media_ssrc,
            first & 0xFFFF,
            len(statuses),
            (self._reference & 0xFFFFFF) << 8 | count,
        )
        return header + body, seq


def _encode_chunks(statuses: Sequence[int]) -> bytes:
    """Run length where it covers more than a vector, else 14 one-bit or 7 two-bit statuses."""
    chunks = bytearray()
    at, size = 0, len(statuses)
    while at < size:
        symbol = statuses[at]
        run = 1
        while at + run < size and statuses[at + run] == symbol:
            run += 1
        if run > 14 or at + run == size or (symbol == _LARGE and run >= 7):
            chunks += (symbol << 13 | run).to_bytes(2, "big")
            at += run
            continue
        following = statuses[at : at + 14]
        if _LARGE not in following:
            chunk = 0x8000
            for index, status in enumerate(following):
                chunk |= status << (13 - index)
            at += 14
        else:
            chunk = 0xC000
            for index, status in enumerate(following[:7]):
                chunk |= status << (12 - 2 * index)
            at += 7
        chunks += chunk.to_bytes(2, "big")
    return bytes(chunks)
