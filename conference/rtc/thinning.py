"""A VP8 stream with its upper temporal layers left out, numbered so that nothing is missing (RFC 7741, section 4).

What is left out is seen packet by packet. A packet that did not come yet keeps its number, because it may belong to a
picture that stays; when it comes and does not, it is sent empty, so that its receivers do not wait for it.
"""

from __future__ import annotations

from enum import Enum

_SIZE = 1024  # packets that are remembered, as many as the cache keeps
_MASK = _SIZE - 1
_LEFT_OUT = -1


class Late(Enum):
    """What becomes of a packet that comes late, or once more."""

    NOTHING = 0
    EMPTY = 1
    WHOLE = 2


class Thinner:
    """Fed with the packets of one stream; `max_temporal` is the highest temporal layer that stays.

    After `take` and `recall` the attributes `number`, `picture_id` and `tl0picidx` tell how the packet is numbered and
    `picture_bits` how its own picture id is written: 7, 15, or 0 without one, when there is nothing to rewrite.
    `has_tl0picidx` likewise. The descriptor begins with two bytes, then comes the picture id.
    """

    __slots__ = (
        "_before",
        "_counts",
        "_dropped",
        "_dropped_pictures",
        "_is_kept",
        "_kept_free",
        "_last",
        "_last_picture",
        "_latest",
        "_near",
        "_numbers",
        "_pictures",
        "_sequences",
        "has_tl0picidx",
        "max_temporal",
        "number",
        "picture_bits",
        "picture_id",
        "tl0picidx",
    )

    def __init__(self, max_temporal: int) -> None:
        self.max_temporal = max_temporal
        self.number = 0
        self.picture_bits = 0
        self.picture_id = 0
        self.has_tl0picidx = False
        self.tl0picidx = 0
        self._last = -1  # the newest packet, kept or not; -1 before the first
        self._is_kept = True
        self._last_picture = -1  # its picture id, made to run on where it has 7 bits
        self._latest = self._before = (0, 0, 0)
        self._dropped = 0  # packets and pictures left out so far
        self._dropped_pictures = 0
        self._kept_free = 0  # numbers for missing packets since the last one that stayed
        # By sequence number: whose entry it is, how many were left out before it, and a picture id near its own.
        self._sequences = [-1] * _SIZE
        self._counts = [0] * _SIZE
        self._pictures = [0] * _SIZE
        self._near = [-1] * _SIZE
        self._numbers = [-1] * _SIZE  # by number: the sequence number

    @property
    def has_begun(self) -> bool:
        """Something was numbered."""
        return self._last >= 0

    def latest(self, before: int | None = None) -> tuple[int, int, int]:
        """The last number, picture id and tl0picidx that were given away, to what came or to what is missing before
        it; without packet `before`, if that is the newest."""
        return self._before if before is not None and before == self._last else self._latest

    def take(self, sequence: int, packet: bytes, start: int, end: int) -> bool:
        """Whether the newest packet stays; `start` and `end` are those of its payload. Repeating it is harmless."""
        if sequence == self._last:
            if self._is_kept:
                self._read(packet, start, end, self._last_picture, self._dropped_pictures)
                self.number = (sequence - self._dropped) & 0xFFFF
            return self._is_kept
        temporal = self._read(packet, start, end, self._last_picture, 0)
        picture = self.picture_id if self.picture_bits else self._last_picture
        kept = temporal <= self.max_temporal
        if self._last >= 0 and (sequence - self._last) & 0xFFFF != 1:
            self._pass_gap(sequence, picture, kept, packet[start] & 0x17 == 0x10 if start < end else False)
        self._before = self._latest
        at = sequence & _MASK
        self._sequences[at] = sequence
        self._near[at] = picture
        number = (sequence - self._dropped) & 0xFFFF
        if kept:
            self._counts[at] = self._dropped
            self._pictures[at] = self._dropped_pictures
            self._numbers[number & _MASK] = sequence
            self.number = number
            self._kept_free = 0
        else:
            self._counts[at] = _LEFT_OUT
            number = (number - 1) & 0xFFFF
            self._dropped = (self._dropped + 1) & 0xFFFF
            if picture != self._last_picture:
                self._dropped_pictures = (self._dropped_pictures + 1) & 0x7FFF
        if self.picture_bits:
            self.picture_id = (picture - self._dropped_pictures) & 0x7FFF
            self._latest = (number, self.picture_id, self.tl0picidx)
        else:
            self._latest = (number, *self._latest[1:])
        self._last = sequence
        self._last_picture = picture
        self._is_kept = kept
        return kept

    def recall(self, sequence: int, packet: bytes, start: int, end: int) -> Late:
        """What becomes of an older packet: one that comes late, or that is asked for again."""
        at = sequence & _MASK
        count = self._counts[at]
        if self._sequences[at] != sequence or count == _LEFT_OUT:
            return Late.NOTHING
        self.number = (sequence - count) & 0xFFFF
        temporal = self._read(packet, start, end, self._near[at], self._pictures[at])
        return Late.WHOLE if temporal <= self.max_temporal else Late.EMPTY

    def sequence_of(self, number: int) -> int | None:
        """The sequence number of what is numbered so; None when it is not remembered."""
        sequence = self._numbers[number & _MASK]
        at = sequence & _MASK
        if sequence < 0 or self._sequences[at] != sequence or self._counts[at] == _LEFT_OUT:
            return None
        return sequence if (sequence - self._counts[at]) & 0xFFFF == number else None

    def _pass_gap(self, sequence: int, picture: int, kept: bool, starts: bool) -> None:
        """Packets are missing before this one: number them, but for those that are left out for certain."""
        ahead = (picture - self._last_picture) & 0x7FFF
        if ahead == 0:
            left_out = not kept
        elif ahead == 1:  # the rest of the last picture and, where this is not its start, some of the next
            left_out = not self._is_kept and (starts or not kept)
        else:
            left_out = False
        missing = (sequence - self._last - 1) & 0xFFFF
        # Numbers that came round without a packet that was sent would be used again.
        left_out = left_out or self._kept_free + missing >= _SIZE
        for back in range(min(missing, _SIZE - 1), 0, -1):
            lost = (sequence - back) & 0xFFFF
            at = lost & _MASK
            self._sequences[at] = lost
            self._counts[at] = _LEFT_OUT if left_out else self._dropped
            self._pictures[at] = self._dropped_pictures
            self._near[at] = self._last_picture
            if not left_out:
                self._numbers[(lost - self._dropped) & _MASK] = lost
        if left_out:
            self._dropped = (self._dropped + missing) & 0xFFFF
        else:
            self._kept_free += missing

    def _read(self, packet: bytes, start: int, end: int, near: int, dropped_pictures: int) -> int:
        """The temporal layer, 0 where none is named; sets what the packet says of its picture.

        Picture ids of 7 bits are made to run on to 15, from one that is `near`.
        """
        self.picture_bits = 0
        self.has_tl0picidx = False
        if end - start < 3 or not packet[start] & 0x80:
            return 0
        flags = packet[start + 1]
        at = start + 2
        if flags & 0x80:
            picture = packet[at]
            at += 1
            if picture & 0x80:
                if at >= end:
                    return 0
                picture = (picture & 0x7F) << 8 | packet[at]
                at += 1
                self.picture_bits = 15
            else:
                if near >= 0:
                    picture = (near + ((picture - near + 64) & 0x7F) - 64) & 0x7FFF
                self.picture_bits = 7
            self.picture_id = (picture - dropped_pictures) & 0x7FFF
        if flags & 0x40:
            if at >= end:
                return 0
            self.has_tl0picidx = self.picture_bits > 0
            self.tl0picidx = packet[at]
            at += 1
        return packet[at] >> 6 if flags & 0x20 and at < end else 0
