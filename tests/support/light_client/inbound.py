"""What arrives of one SSRC: counts, gaps and what to ask for again."""

from dataclasses import dataclass

MAX_TRIES = 8
RETRY_S = 0.06
MAX_MISSING = 2000


@dataclass(slots=True)
class Missing:
    """One packet that did not come yet."""

    tries: int
    next_s: float


class InboundStream:
    """Counters of one stream; `max_seq` runs on beyond 16 bits."""

    __slots__ = (
        "arrivals_ns",
        "bytes",
        "duplicates",
        "first_seq",
        "last_arrival_ns",
        "markers",
        "max_seq",
        "missing",
        "packets",
        "payload_type",
        "recovered",
        "report_expected",
        "report_packets",
        "ssrc",
        "timestamp",
    )

    def __init__(self, ssrc: int, seq: int, payload_type: int) -> None:
        self.ssrc, self.payload_type = ssrc, payload_type
        self.first_seq = self.max_seq = seq
        self.packets = self.bytes = self.markers = self.recovered = self.duplicates = 0
        self.timestamp = 0
        self.last_arrival_ns = 0
        self.missing: dict[int, Missing] = {}
        self.report_packets = self.report_expected = 0
        self.arrivals_ns: list[int] | None = None  # a list records the arrival of each packet

    @property
    def expected(self) -> int:
        """Packets that the sequence numbers speak of."""
        return self.max_seq - self.first_seq + 1

    @property
    def gaps(self) -> int:
        """Sequence numbers that never came, not even as a retransmission."""
        return max(0, self.expected - self.packets)

    def extend(self, seq: int) -> int:
        """The running number that this 16-bit one stands for."""
        delta = (seq - self.max_seq) & 0xFFFF
        return self.max_seq + (delta if delta < 0x8000 else delta - 0x10000)

    def arrived(self, seq: int, now_s: float) -> bool:
        """Count one packet; True when it is the first of that number."""
        number = self.extend(seq)
        if self.packets == 0:
            self.packets = 1
            return True
        if number > self.max_seq:
            if number - self.max_seq <= MAX_MISSING:
                for lost in range(self.max_seq + 1, number):
                    self.missing[lost] = Missing(0, now_s + 0.005)
            self.max_seq = number
        elif number in self.missing:
            del self.missing[number]
            self.recovered += 1
        else:
            self.duplicates += 1
            return False
        self.packets += 1
        return True

    def due(self, now_s: float) -> list[int]:
        """Numbers to ask for now; those that were asked for too often are given up."""
        asked: list[int] = []
        for number, entry in list(self.missing.items()):
            if entry.tries >= MAX_TRIES:
                del self.missing[number]
            elif entry.next_s <= now_s:
                entry.tries += 1
                entry.next_s = now_s + RETRY_S * entry.tries
                asked.append(number & 0xFFFF)
        return asked

    def report(self) -> tuple[int, int, int]:
        """(fraction lost of 256 since the last report, lost in all, highest number) for a receiver report."""
        expected, packets = self.expected, self.packets
        more = expected - self.report_expected
        lost = more - (packets - self.report_packets)
        self.report_expected, self.report_packets = expected, packets
        fraction = max(0, min(255, 256 * lost // more)) if more > 0 else 0
        return fraction, max(0, expected - packets), self.max_seq & 0xFFFFFFFF
