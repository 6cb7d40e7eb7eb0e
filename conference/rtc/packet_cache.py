"""The last packets of one incoming stream, for answering NACKs."""

from __future__ import annotations


class PacketCache:
    """A ring by sequence number; a slot is overwritten when the sequence comes round again.

    `size` is a power of two: 1024 packets are four seconds of a 2.5 Mbit/s stream.
    """

    __slots__ = ("_mask", "slots")

    def __init__(self, size: int = 1024) -> None:
        self._mask = size - 1
        self.slots: list[bytes | None] = [None] * size

    def store(self, sequence: int, packet: bytes) -> None:
        """Keep a plain RTP packet."""
        self.slots[sequence & self._mask] = packet

    def find(self, sequence: int) -> bytes | None:
        """The packet with exactly this sequence number, if it is still there."""
        packet = self.slots[sequence & self._mask]
        if packet is None or packet[2] << 8 | packet[3] != sequence:
            return None
        return packet

    def clear(self) -> None:
        self.slots = [None] * (self._mask + 1)
