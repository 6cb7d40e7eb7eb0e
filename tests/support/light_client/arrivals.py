"""When each packet of a transport came, told to its sender as Chromium tells it (transport-wide congestion control)."""

import struct

RTPFB, FORMAT = 205, 15
TICK_NS = 250_000
_REFERENCE_TICKS = 256
_LOST, _SMALL, _LARGE = 0, 1, 2
_MOST = 400  # packets that one report tells of


def number_of(packet: bytes, extension_id: int) -> int | None:
    """The transport-wide number in the clear header of an RTP packet."""
    if not packet[0] & 0x10:
        return None
    at = 12 + 4 * (packet[0] & 15)
    if packet[at] != 0xBE:
        return None
    end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    at += 4
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
            continue
        if head >> 4 == extension_id:
            return packet[at + 1] << 8 | packet[at + 2]
        at += 2 + (head & 15)
    return None


class Arrivals:
    """`note` each packet, `build` a report now and then; what came is told once."""

    def __init__(self) -> None:
        self._highest: int | None = None  # counted on over 16 bits
        self._next = 0  # the first number that no report has told of
        self._came: dict[int, int] = {}  # number → 250 µs since the epoch
        self._count = 0

    def note(self, number: int, arrival_ns: int) -> None:
        """A packet of that number of 16 bits came."""
        if self._highest is None:
            self._highest = self._next = number + 0x10000
        delta = (number - self._highest) & 0xFFFF
        extended = self._highest + (delta if delta < 0x8000 else delta - 0x10000)
        self._highest = max(self._highest, extended)
        self._next = min(self._next, extended)
        self._came[extended] = arrival_ns // TICK_NS

    def build(self, own: int, media_ssrc: int) -> bytes | None:
        """What came since the last report; None when nothing did."""
        if not self._came:
            return None
        numbers = sorted(self._came)[:_MOST]
        first, last = min(self._next, numbers[0]), numbers[-1]
        first = max(first, last - _MOST)
        reference = tick = self._came[numbers[0]] // _REFERENCE_TICKS * _REFERENCE_TICKS
        statuses: list[int] = []
        deltas = bytearray()
        for number in range(first, last + 1):
            arrived = self._came.pop(number, None)
            if arrived is None:
                statuses.append(_LOST)
                continue
            delta, tick = arrived - tick, arrived
            if 0 <= delta <= 255:
                statuses.append(_SMALL)
                deltas.append(delta)
            else:
                statuses.append(_LARGE)
                deltas += max(-0x8000, min(0x7FFF, delta)).to_bytes(2, "big", signed=True)
        self._came = {number: at for number, at in self._came.items() if number > last}
        self._next = last + 1
        body = _chunks(statuses) + bytes(deltas)
        body += bytes(-len(body) % 4)
        word = (reference // _REFERENCE_TICKS & 0xFFFFFF) << 8 | self._count
        self._count = self._count + 1 & 0xFF
        return (
            struct.pack("!BBHII", 0x80 | FORMAT, RTPFB, 4 + len(body) // 4, own, media_ssrc)
            + struct.pack("!HHI", first & 0xFFFF, len(statuses), word)
            + body
        )


def _chunks(statuses: list[int]) -> bytes:
    """One run where all are alike, else vectors of seven."""
    if len(set(statuses)) == 1:
        return struct.pack("!H", statuses[0] << 13 | len(statuses))
    out = bytearray()
    for at in range(0, len(statuses), 7):
        chunk = 0xC000
        for place, status in enumerate(statuses[at : at + 7]):
            chunk |= status << (12 - 2 * place)
        out += struct.pack("!H", chunk)
    return bytes(out)
