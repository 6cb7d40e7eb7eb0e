"""H264 in RTP: where keyframes begin, and what the sequence parameter set says (RFC 6184, ITU-T H.264)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_IDR, _SPS = 5, 7
_STAP_A, _FU_A = 24, 28
_MAX_SPS = 512  # bytes looked at
_MAX_PIXELS = 16384  # each way

# Profiles whose SPS carries the chroma format (ITU-T H.264, 7.3.2.1.1).
_HIGH_PROFILES = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244))


class H264Error(ValueError):
    """A sequence parameter set that cannot be read."""


@dataclass(frozen=True, slots=True)
class Sps:
    """Profile, constraints and level as the three bytes of `profile-level-id`, and the picture in pixels."""

    profile_idc: int
    constraints: int
    level_idc: int
    width: int
    height: int
    is_interlaced: bool = False

    @property
    def profile_level_id(self) -> str:
        return f"{self.profile_idc:02x}{self.constraints:02x}{self.level_idc:02x}"


def is_keyframe(payload: bytes | memoryview) -> bool:
    """Whether a keyframe begins in this packet: an IDR slice or the parameter sets before it. Never raises."""
    size = len(payload)
    if size < 2:
        return False
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        # Only the first fragment begins anything.
        return payload[1] & 0x80 != 0 and payload[1] & 0x1F in (_IDR, _SPS)
    if kind != _STAP_A:
        return kind in (_IDR, _SPS)
    at = 1
    while at + 2 < size:
        if payload[at + 2] & 0x1F in (_IDR, _SPS):
            return True
        at += 2 + (payload[at] << 8 | payload[at + 1])
    return False


def is_start_of_frame(payload: bytes | memoryview) -> bool:
    """Whether a NAL unit begins here. Where a picture begins is told by the time stamp."""
    if len(payload) < 2:
        return False
    return payload[0] & 0x1F != _FU_A or payload[1] & 0x80 != 0


def nal_units(payload: bytes | memoryview) -> Iterator[bytes]:
    """The whole NAL units of a packet; none in fragments or where an aggregate is cut."""
    size = len(payload)
    if not size:
        return
    kind = payload[0] & 0x1F
    if 1 <= kind <= 23:
        yield bytes(payload)
    elif kind == _STAP_A:
        at = 1
        while at + 2 < size:
            end = at + 2 + (payload[at] << 8 | payload[at + 1])
            if end > size or end == at + 2:
                return
            yield bytes(payload[at + 2 : end])
            at = end


def find_sps(payload: bytes | memoryview) -> Sps | None:
    """The first readable sequence parameter set in a packet."""
    for unit in nal_units(payload):
        if unit[0] & 0x1F == _SPS:
            try:
                return parse_sps(unit)
            except H264Error:
                return None
    return None


def parse_sps(unit: bytes) -> Sps:
    """Read a sequence parameter set with its NAL header. Raises `H264Error`."""
    if len(unit) < 5 or unit[0] & 0x1F != _SPS:
        raise H264Error("not a sequence parameter set")
    profile_idc, constraints, level_idc = unit[1], unit[2], unit[3]
    bits = _Bits(unit[4:_MAX_SPS].replace(b"\x00\x00\x03", b"\x00\x00"))
    bits.unsigned()  # seq_parameter_set_id
    chroma_format = 1
    separate_planes = 0
    if profile_idc in _HIGH_PROFILES:
        chroma_format = bits.unsigned()
        if chroma_format > 3:
            raise H264Error("chroma format")
        if chroma_format == 3:
            separate_planes = bits.take(1)
        bits.unsigned()  # bit depths
        bits.unsigned()
        bits.take(1)
        if bits.take(1):
            _skip_scaling_matrices(bits, 12 if chroma_format == 3 else 8)
    bits.unsigned()  # log2_max_frame_num_minus4
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        cycle = bits.unsigned()
        if cycle > 255:
            raise H264Error("picture order cycle")
        for _ in range(cycle):
            bits.signed()
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)
    width = (bits.unsigned() + 1) * 16
    map_units = bits.unsigned() + 1
    frames_only = bits.take(1)
    height = (2 - frames_only) * map_units * 16
    if not frames_only:
        bits.take(1)
    bits.take(1)  # direct_8x8_inference_flag
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        sampled = chroma_format in (1, 2) and not separate_planes
        step_x = 2 if sampled else 1
        step_y = (2 if chroma_format == 1 and not separate_planes else 1) * (2 - frames_only)
        width -= (left + right) * step_x
        height -= (top + bottom) * step_y
    if not 0 < width <= _MAX_PIXELS or not 0 < height <= _MAX_PIXELS:
        raise H264Error("picture size")
    return Sps(profile_idc, constraints, level_idc, width, height, is_interlaced=not frames_only)


def _skip_scaling_matrices(bits: _Bits, count: int) -> None:
    for index in range(count):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.signed()) & 0xFF
            last = following or last


class _Bits:
    """Bits from the front; running out is an `H264Error`."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise H264Error("truncated")
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """Exp-Golomb, at most 32 bits."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise H264Error("number too large")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)
