"""VP8 in RTP: the payload descriptor and where keyframes begin (RFC 7741, section 4)."""

from __future__ import annotations

from dataclasses import dataclass


class Vp8Error(ValueError):
    """A payload too short for its own descriptor."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The payload descriptor. `*_at` are offsets in the payload, for rewriting in place; None: not there."""

    size: int  # bytes before the VP8 data
    starts_frame: bool
    non_reference: bool
    picture_id: int | None
    picture_id_at: int | None
    picture_id_bits: int  # 7 or 15; 0 without picture id
    tl0picidx: int | None
    tl0picidx_at: int | None
    temporal_id: int | None
    layer_sync: bool
    key_index: int | None


def parse(payload: bytes | memoryview) -> Descriptor:
    """Read the descriptor. Raises `Vp8Error`."""
    try:
        return _parse(payload)
    except IndexError as error:
        raise Vp8Error("truncated payload descriptor") from error


def _parse(payload: bytes | memoryview) -> Descriptor:
    first = payload[0]
    at = 1
    picture_id = picture_id_at = tl0picidx = tl0picidx_at = temporal_id = key_index = None
    picture_id_bits = 0
    layer_sync = False
    if first & 0x80:  # X
        flags = payload[1]
        at = 2
        if flags & 0x80:  # I
            picture_id_at = at
            picture_id = payload[at]
            picture_id_bits = 7
            at += 1
            if picture_id & 0x80:  # M
                picture_id = (picture_id & 0x7F) << 8 | payload[at]
                picture_id_bits = 15
                at += 1
        if flags & 0x40:  # L
            tl0picidx_at = at
            tl0picidx = payload[at]
            at += 1
        if flags & 0x30:  # T or K share a byte
            shared = payload[at]
            at += 1
            if flags & 0x20:
                temporal_id = shared >> 6
                layer_sync = bool(shared & 0x20)
            if flags & 0x10:
                key_index = shared & 0x1F
    return Descriptor(
        size=at,
        starts_frame=first & 0x17 == 0x10,  # S set and partition 0
        non_reference=bool(first & 0x20),
        picture_id=picture_id,
        picture_id_at=picture_id_at,
        picture_id_bits=picture_id_bits,
        tl0picidx=tl0picidx,
        tl0picidx_at=tl0picidx_at,
        temporal_id=temporal_id,
        layer_sync=layer_sync,
        key_index=key_index,
    )


def is_start_of_frame(payload: bytes | memoryview) -> bool:
    """Whether this is the first packet of a picture."""
    return len(payload) > 0 and payload[0] & 0x17 == 0x10


def is_keyframe(payload: bytes | memoryview) -> bool:
    """Whether this is the first packet of a keyframe. Never raises."""
    size = len(payload)
    if size < 2:
        return False
    first = payload[0]
    if first & 0x17 != 0x10:
        return False
    at = 1
    if first & 0x80:
        flags = payload[1]
        at = 2
        if flags & 0x80:
            if size < 3:
                return False
            at = 4 if payload[2] & 0x80 else 3
        if flags & 0x40:
            at += 1
        if flags & 0x30:
            at += 1
    return at < size and not payload[at] & 1  # P bit of the frame header, section 4.3


def keyframe_size(payload: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height in pixels from the first packet of a keyframe (RFC 6386, section 9.1)."""
    if not is_keyframe(payload):
        return None
    return picture_size(payload[parse(payload).size :])


def picture_size(frame: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height in pixels from a keyframe without descriptor; None where it is no keyframe's header."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    width = (frame[7] << 8 | frame[6]) & 0x3FFF
    height = (frame[9] << 8 | frame[8]) & 0x3FFF
    return width, height
