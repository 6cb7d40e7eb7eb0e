"""Rewriting of sequence numbers and time stamps for one receiver of a changing source.

The receiver must see one continuous stream, whatever source packets come from: after a pause, another simulcast
layer or another publisher connection the offsets change so that sequence goes on by one and time never goes back.
"""

from __future__ import annotations

from collections import deque

_HISTORY = 16
_SETTLED_S = 5.0  # a packet asked for later than this is of no use to anyone


def _distance(later: int, earlier: int, bits: int) -> int:
    """later - earlier on a counter that wraps, as a signed number."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half


class Munger:
    """Offsets from source to receiver, and the ranges for which older offsets held.

    `sequence_offset` and `timestamp_offset` are added to the source's fields modulo 2^16 and 2^32.
    """

    __slots__ = ("_first", "_ranges", "sequence_offset", "timestamp_offset")

    def __init__(self, first_sequence: int, first_timestamp: int) -> None:
        """The values that the very first packet shall carry."""
        self.sequence_offset = 0
        self.timestamp_offset = 0
        self._first: tuple[int, int] | None = (first_sequence, first_timestamp)
        # (first sequence sent with it, offset, name of the source, since when), newest last
        self._ranges: deque[tuple[int, int, int, float]] = deque(maxlen=_HISTORY)

    def rebase(
        self,
        source: int,
        sequence: int,
        timestamp: int,
        now: float,
        last_sequence: int = 0,
        last_timestamp: int = 0,
        elapsed_ticks: int = 1,
    ) -> None:
        """Let (sequence, timestamp) of `source` follow what the receiver got last.

        `last_sequence` and `last_timestamp` are as sent; `elapsed_ticks` is the time since then in RTP ticks.
        """
        if self._first is not None:
            out_sequence, out_timestamp = self._first
            self._first = None
        else:
            out_sequence = (last_sequence + 1) & 0xFFFF
            out_timestamp = last_timestamp + max(1, elapsed_ticks)
        self.sequence_offset = (out_sequence - sequence) & 0xFFFF
        self.timestamp_offset = (out_timestamp - timestamp) & 0xFFFFFFFF
        self._ranges.append((out_sequence & 0xFFFF, self.sequence_offset, source, now))

    def resolve(self, sent_sequence: int, now: float) -> tuple[int, int] | None:
        """(source, its sequence number) of a sequence number that the receiver asks for.

        None when it was never sent. Ranges are taken newest first: the first whose start is not after it. Once the
        newest is settled it holds for all: comparing starts would fail when the counter has gone half round.
        """
        for first, offset, source, since in reversed(self._ranges):
            if now - since > _SETTLED_S or _distance(sent_sequence, first, 16) >= 0:
                return source, (sent_sequence - offset) & 0xFFFF
        return None
