"""One numbering of a VP8 stream, for those of its receivers that get the same of its temporal layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conference.rtc import rtp_header
from conference.rtc.thinning import Late, Thinner

if TYPE_CHECKING:
    from .stream import IncomingStream


class Lane:
    """Lives as long as it has receivers; the router gives it every packet in turn."""

    __slots__ = ("forwarded", "forwarded_bytes", "numbered", "stream", "thinner")

    def __init__(self, stream: IncomingStream, max_temporal: int) -> None:
        self.stream = stream
        self.thinner = Thinner(max_temporal)
        self.numbered = -1  # the packet that was counted last
        self.forwarded = 0  # packets and payload bytes that stayed
        self.forwarded_bytes = 0

    @property
    def max_temporal(self) -> int:
        """The highest temporal layer that its receivers get."""
        return self.thinner.max_temporal

    def may_begin(self, sequence: int, packet: bytes, start: int, end: int) -> bool:
        """Whether a receiver can be served from this late packet on: it has a number that nothing else got."""
        thinner = self.thinner
        return not thinner.has_begun or thinner.recall(sequence, packet, start, end) is Late.WHOLE

    def begin(self, sequence: int) -> None:
        """Number what the stream has had since a packet that came late, so that it can be sent with what followed.

        A lane that has receivers has done so: to it the packet was missing.
        """
        if self.thinner.has_begun:
            return
        cache = self.stream.cache
        for number in range(sequence, sequence + ((self.stream.last_sequence - sequence) & 0xFFFF) + 1):
            packet = cache.find(number & 0xFFFF)
            if packet is not None:
                header = rtp_header.parse(packet)
                self.thinner.take(header.sequence, packet, header.payload_start, header.payload_end)

    def find(self, number: int) -> bytes | None:
        """The packet of that number as it came, if it is still there."""
        sequence = self.thinner.sequence_of(number)
        return None if sequence is None else self.stream.cache.find(sequence)
