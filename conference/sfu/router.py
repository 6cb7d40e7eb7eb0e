"""The fan-out of one packet: the hottest loop of the server. Plain calls, no logging, nothing awaited.

Receivers that want the same bytes (payload type, header extensions) and leave by the same socket form a group; the
packet is put together once for the group, then copied, numbered, protected and queued for each receiver. VP8 whose
receivers change layers goes through a loop of its own, because its pictures are numbered, too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from conference.rtc import srtp
from conference.rtc.bandwidth import MEDIA, RING
from conference.rtc.thinning import Late, Thinner

from .lane import Lane
from .path import Batch

if TYPE_CHECKING:
    from .subscription import Subscription

BATCH_CAPACITY = 192
# A large fan-out leaves at once: its receivers need not wait for the next packet of the wake-up to be protected.
FLUSH_AT = 20
_FIELDS = struct.Struct("!HII").pack_into
_PICTURE = struct.Struct("!H").pack_into
# The transport-wide number is always the first header extension: with what stands before it, it is written at once.
_NUMBERED_FIELDS = struct.Struct("!HII5sH").pack_into
NUMBER_AT = 17
# And most packets of VP8 have no other: then the descriptor's numbers follow at a known place, too.
_WHOLE_FIELDS = struct.Struct("!HII5sH3sHB").pack_into
_PLAIN_PAYLOAD_AT = 20
_MARKS = RING - 1
_memmove = srtp.memmove
_protect = srtp.protect_rtp
_length: Any = srtp.new_buffer("int *")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a group's packets differ from the publisher's. Extension ids are 0 where not negotiated."""

    payload_type: int
    audio_level_id: int = 0
    orientation_id: int = 0
    transport_cc_id: int = 0


class PictureOffsets(Protocol):
    """What is added to picture id and tl0picidx for one receiver."""

    @property
    def picture_offset(self) -> int: ...

    @property
    def tl0_offset(self) -> int: ...


class Group:
    """Subscriptions of one shape; `batch` is None for those that cannot be batched (TCP), `lane` for those that get
    every picture as its publisher numbers it."""

    __slots__ = ("batch", "lane", "members", "shape")

    def __init__(self, shape: Shape, batch: Batch | None, lane: Lane | None = None) -> None:
        self.shape = shape
        self.batch = batch
        self.lane = lane
        self.members: list[Subscription] = []


def render(
    packet: bytes, shape: Shape, payload_start: int, payload_end: int, level: int, orientation: int
) -> bytes:
    """The packet as the group's receivers get it, but for sequence number, time stamp, SSRC and transport-wide number.

    `level` and `orientation` are the raw extension bytes of the publisher, or -1. Padding is left out: a packet of
    padding alone becomes an empty one, so that the sequence has no hole.
    """
    second = (packet[1] & 0x80) | shape.payload_type
    if shape.transport_cc_id:
        extension = _numbered_extensions(shape, level, orientation)
    elif level >= 0 and shape.audio_level_id:
        extension = bytes((0xBE, 0xDE, 0, 1, shape.audio_level_id << 4, level, 0, 0))
    elif orientation >= 0 and shape.orientation_id:
        extension = bytes((0xBE, 0xDE, 0, 1, shape.orientation_id << 4, orientation, 0, 0))
    else:
        return bytes((0x80, second)) + packet[2:12] + packet[payload_start:payload_end]
    return bytes((0x90, second)) + packet[2:12] + extension + packet[payload_start:payload_end]


def _numbered_extensions(shape: Shape, level: int, orientation: int) -> bytes:
    """With room for the transport-wide number at NUMBER_AT."""
    number = shape.transport_cc_id << 4 | 1
    if level >= 0 and shape.audio_level_id:
        return bytes((0xBE, 0xDE, 0, 2, number, 0, 0, shape.audio_level_id << 4, level, 0, 0, 0))
    if orientation >= 0 and shape.orientation_id:
        return bytes((0xBE, 0xDE, 0, 2, number, 0, 0, shape.orientation_id << 4, orientation, 0, 0, 0))
    return bytes((0xBE, 0xDE, 0, 1, number, 0, 0, 0))


def forward(
    groups: list[Group],
    packet: bytes,
    sequence: int,
    timestamp: int,
    payload_start: int,
    payload_end: int,
    level: int,
    orientation: int,
    now: float,
) -> None:
    """Queue the packet for every receiver of every group."""
    length = _length
    for group in groups:
        if group.lane is not None:
            _forward_numbered(
                group,
                group.lane,
                packet,
                sequence,
                timestamp,
                payload_start,
                payload_end,
                level,
                orientation,
                now,
            )
            continue
        out = render(packet, group.shape, payload_start, payload_end, level, orientation)
        batch = group.batch
        if batch is None:
            for subscription in group.members:
                subscription.send_alone(out, sequence, timestamp, now)
            continue
        size = len(out)
        mark = (now, size, MEDIA) if group.shape.transport_cc_id else None
        extension = out[12:17]
        view, offsets, pointers = batch.view, batch.offsets, batch.pointers
        lengths, names = batch.lengths, batch.names
        i = batch.count
        for subscription in group.members:
            if i == BATCH_CAPACITY:
                batch.count = i
                batch.flush()
                i = 0
            pointer = pointers[i]
            _memmove(pointer, out, size)
            if mark is None:
                _FIELDS(
                    view,
                    offsets[i] + 2,
                    (sequence + subscription.sequence_offset) & 0xFFFF,
                    (timestamp + subscription.timestamp_offset) & 0xFFFFFFFF,
                    subscription.ssrc,
                )
            else:
                history = subscription.history
                wide = history.next
                history.next = wide + 1
                history.marks[wide & _MARKS] = mark
                _NUMBERED_FIELDS(
                    view,
                    offsets[i] + 2,
                    (sequence + subscription.sequence_offset) & 0xFFFF,
                    (timestamp + subscription.timestamp_offset) & 0xFFFFFFFF,
                    subscription.ssrc,
                    extension,
                    wide & 0xFFFF,
                )
            length[0] = size
            if _protect(subscription.handle, pointer, length):
                subscription.protect_errors += 1
                continue
            lengths[2 * i + 1] = length[0]
            names[8 * i] = subscription.name
            i += 1
        batch.count = i
        batch.sent_bytes += len(group.members) * length[0]
        if i >= FLUSH_AT:
            batch.flush()


def _forward_numbered(
    group: Group,
    lane: Lane,
    packet: bytes,
    sequence: int,
    timestamp: int,
    payload_start: int,
    payload_end: int,
    level: int,
    orientation: int,
    now: float,
) -> None:
    """The same for one group whose pictures are numbered for each receiver, or left out."""
    thinner = lane.thinner
    if not thinner.take(sequence, packet, payload_start, payload_end):
        return
    number = thinner.number
    batch = group.batch
    out, at = render_numbered(packet, group.shape, payload_start, payload_end, level, orientation, thinner)
    size = len(out)
    if lane.numbered != sequence:
        lane.numbered = sequence
        lane.forwarded += 1
        lane.forwarded_bytes += size - at
    if batch is None:
        for subscription in group.members:
            subscription.send_alone(
                bytes(number_pictures(out, at, thinner, subscription)), number, timestamp, now
            )
        return
    length = _length
    mark = (now, size, MEDIA) if group.shape.transport_cc_id else None
    extension = out[12:17]
    picture_id, tl0picidx = thinner.picture_id, thinner.tl0picidx
    picture_at = at + 2 if thinner.picture_bits else 0
    tl0_at = at + 4 if thinner.has_tl0picidx else 0
    between: bytes | None = None
    if mark is not None and tl0_at == _PLAIN_PAYLOAD_AT + 4:
        between = out[19:22]
        picture_at = 0  # written at once with the rest
    view, offsets, pointers = batch.view, batch.offsets, batch.pointers
    lengths, names = batch.lengths, batch.names
    i = batch.count
    for subscription in group.members:
        if i == BATCH_CAPACITY:
            batch.count = i
            batch.flush()
            i = 0
        pointer = pointers[i]
        offset = offsets[i]
        _memmove(pointer, out, size)
        if mark is None:
            _FIELDS(
                view,
                offset + 2,
                (number + subscription.sequence_offset) & 0xFFFF,
                (timestamp + subscription.timestamp_offset) & 0xFFFFFFFF,
                subscription.ssrc,
            )
        else:
            history = subscription.history
            wide = history.next
            history.next = wide + 1
            history.marks[wide & _MARKS] = mark
            if between is not None:
                _WHOLE_FIELDS(
                    view,
                    offset + 2,
                    (number + subscription.sequence_offset) & 0xFFFF,
                    (timestamp + subscription.timestamp_offset) & 0xFFFFFFFF,
                    subscription.ssrc,
                    extension,
                    wide & 0xFFFF,
                    between,
                    0x8000 | (picture_id + subscription.picture_offset) & 0x7FFF,
                    (tl0picidx + subscription.tl0_offset) & 0xFF,
                )
            else:
                _NUMBERED_FIELDS(
                    view,
                    offset + 2,
                    (number + subscription.sequence_offset) & 0xFFFF,
                    (timestamp + subscription.timestamp_offset) & 0xFFFFFFFF,
                    subscription.ssrc,
                    extension,
                    wide & 0xFFFF,
                )
        if picture_at:
            _PICTURE(view, offset + picture_at, 0x8000 | (picture_id + subscription.picture_offset) & 0x7FFF)
            if tl0_at:
                view[offset + tl0_at] = (tl0picidx + subscription.tl0_offset) & 0xFF
        length[0] = size
        if _protect(subscription.handle, pointer, length):
            subscription.protect_errors += 1
            continue
        lengths[2 * i + 1] = length[0]
        names[8 * i] = subscription.name
        i += 1
    batch.count = i
    batch.sent_bytes += len(group.members) * length[0]
    if i >= FLUSH_AT:
        batch.flush()


def render_numbered(
    packet: bytes,
    shape: Shape,
    payload_start: int,
    payload_end: int,
    level: int,
    orientation: int,
    thinner: Thinner,
) -> tuple[bytes, int]:
    """The same as `render`, with room for a picture id of 15 bits, and where the payload begins."""
    if thinner.picture_bits == 7:
        at = payload_start + 2
        packet = packet[:at] + b"\x80\x00" + packet[at + 1 :]
        payload_end += 1
    out = render(packet, shape, payload_start, payload_end, level, orientation)
    return out, len(out) - (payload_end - payload_start)


def number_pictures(out: bytes, at: int, thinner: Thinner, offsets: PictureOffsets) -> bytearray:
    """A packet of `render_numbered` with the picture's numbers as one receiver knows them."""
    numbered = bytearray(out)
    if thinner.picture_bits:
        _PICTURE(numbered, at + 2, 0x8000 | (thinner.picture_id + offsets.picture_offset) & 0x7FFF)
        if thinner.has_tl0picidx:
            numbered[at + 4] = (thinner.tl0picidx + offsets.tl0_offset) & 0xFF
    return numbered


def forward_late(
    groups: list[Group],
    packet: bytes,
    sequence: int,
    timestamp: int,
    payload_start: int,
    payload_end: int,
    level: int,
    orientation: int,
    now: float,
) -> None:
    """Send on a packet that comes after later ones, to those who were there when its turn was.

    Under the offsets of those who came since, it would bear a number that was used for something else.
    """
    for group in groups:
        lane = group.lane
        if lane is None:
            out = render(packet, group.shape, payload_start, payload_end, level, orientation)
            for subscription in group.members:
                if subscription.was_there(sequence, now):
                    subscription.send_alone(out, sequence, timestamp, now)
            continue
        thinner = lane.thinner
        late = thinner.recall(sequence, packet, payload_start, payload_end)
        if late is Late.NOTHING:
            continue
        if late is Late.EMPTY:
            out = render(packet, group.shape, payload_end, payload_end, level, orientation)
            for subscription in group.members:
                if subscription.was_there(thinner.number, now):
                    subscription.send_alone(out, thinner.number, timestamp, now)
            continue
        out, at = render_numbered(
            packet, group.shape, payload_start, payload_end, level, orientation, thinner
        )
        for subscription in group.members:
            if subscription.was_there(thinner.number, now):
                numbered = bytes(number_pictures(out, at, thinner, subscription))
                subscription.send_alone(numbered, thinner.number, timestamp, now)
