"""Rewriting of sequence numbers and time stamps for one receiver of a changing source.

The receiver must see one continuous stream, whatever source packets come from: after a pause, another simulcast
layer or another publisher connection the offsets change so that sequence goes on by one and time never goes back.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

_HISTORY = 16
_ASKED_FOR = 2048  # twice as many packets as any source keeps
_SETTLED = 1 << 14  # packets after which no receiver asks for what was before them

Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Last:
    """What the receiver got last, in its own numbers; the picture's are 0 where there are none."""

    sequence: int
    timestamp: int
    at_s: float
    picture_id: int = 0
    tl0picidx: int = 0


@dataclass(frozen=True, slots=True)
class Stretch(Generic[Source]):
    """A run of packets of one source, from the number `first` as sent. Offsets are added to the source's fields."""

    first: int
    source: Source
    sequence_offset: int
    timestamp_offset: int
    picture_offset: int
    tl0_offset: int


def distance(later: int, earlier: int, bits: int) -> int:
    """later - earlier on a counter that wraps, as a signed number."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half


class Munger(Generic[Source]):
    """The stretch that holds now, and older ones, in which a number that is asked for may lie.

    Sequence numbers are modulo 2^16, time stamps 2^32, picture ids 2^15, tl0picidx 2^8.
    """

    __slots__ = ("_first", "_is_oldest_open", "_stretches")

    def __init__(self, first_sequence: int, first_timestamp: int) -> None:
        """The values that the very first packet shall carry."""
        self._first = (first_sequence, first_timestamp)
        self._stretches: deque[Stretch[Source]] = deque()  # newest last
        self._is_oldest_open = False  # it began so long ago that its beginning says nothing any more

    def rebase(
        self,
        source: Source,
        sequence: int,
        timestamp: int,
        last: Last | None = None,
        elapsed_ticks: int = 1,
        pictures: tuple[int, int] | None = None,
    ) -> Stretch[Source]:
        """Let (sequence, timestamp) of `source` follow what the receiver got last; None: nothing yet.

        `elapsed_ticks` is the time since then in RTP ticks; `pictures` are picture id and tl0picidx of the packet
        where the receiver's are rewritten.
        """
        picture_offset = tl0_offset = 0
        if last is None:
            out_sequence, out_timestamp = self._first
        else:
            out_sequence = last.sequence + 1
            out_timestamp = last.timestamp + max(1, elapsed_ticks)
            if pictures is not None:
                picture_offset = (last.picture_id + 1 - pictures[0]) & 0x7FFF
                tl0_offset = (last.tl0picidx + 1 - pictures[1]) & 0xFF
        stretch = Stretch(
            out_sequence & 0xFFFF,
            source,
            (out_sequence - sequence) & 0xFFFF,
            (out_timestamp - timestamp) & 0xFFFFFFFF,
            picture_offset,
            tl0_offset,
        )
        self._stretches.append(stretch)
        if len(self._stretches) > _HISTORY:
            self._stretches.popleft()
            self._is_oldest_open = False
        return stretch

    def stretches(self) -> tuple[Stretch[Source], ...]:
        """Those that are remembered, the newest last."""
        return tuple(self._stretches)

    def settle(self, last_sequence: int) -> None:
        """Call every second or so with the number sent last: stretches that nobody asks for any more are forgotten,
        and beginnings that lie far back.

        Comparing with these would fail when the counter has gone half round.
        """
        stretches = self._stretches
        if stretches and distance(last_sequence, stretches[-1].first, 16) > _SETTLED:
            while len(stretches) > 1:
                stretches.popleft()
            self._is_oldest_open = True
        while len(stretches) > 1 and distance(last_sequence, stretches[1].first, 16) > _ASKED_FOR:
            stretches.popleft()  # a source that is gone is kept by nothing else
            self._is_oldest_open = False

    def resolve(self, sent_sequence: int, last_sequence: int) -> tuple[Stretch[Source], int] | None:
        """The stretch of a sequence number that the receiver asks for, and what the source called the packet.

        `last_sequence` is the number sent last. None when the one asked for was never sent, or long ago.
        """
        age = distance(last_sequence, sent_sequence, 16)
        if not 0 <= age < _SETTLED:
            return None
        for stretch in reversed(self._stretches):
            if age <= (last_sequence - stretch.first) & 0xFFFF or (
                self._is_oldest_open and stretch is self._stretches[0]
            ):
                return stretch, (sent_sequence - stretch.sequence_offset) & 0xFFFF
        return None
