"""H264 as files and FFmpeg have it: NAL units of a picture, their parameter sets, and whether pictures go backwards.

Pure, and never raises for what a camera sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conference.rtc.codecs import h264

SLICE: Final = 1
IDR: Final = 5
SPS: Final = 7
PPS: Final = 8
_PASSED: Final = (66, 77, 100)  # baseline, main, high
_START_CODE: Final = b"\0\0\1"
_B: Final = 1
_I: Final = 2
_MOST_UNITS: Final = 512  # in one picture; more is nonsense


def units_of(data: bytes, length_size: int = 0) -> list[bytes]:
    """The NAL units of a picture: between start codes, or behind lengths of so many bytes (ISO 14496-15)."""
    if length_size:
        return _behind_lengths(data, length_size)
    units: list[bytes] = []
    at = data.find(_START_CODE)
    while at >= 0 and len(units) < _MOST_UNITS:
        begin = at + 3
        at = data.find(_START_CODE, begin)
        unit = data[begin : at if at >= 0 else len(data)].rstrip(b"\0")
        if unit:
            units.append(unit)
    return units


def _behind_lengths(data: bytes, length_size: int) -> list[bytes]:
    units: list[bytes] = []
    at = 0
    while at + length_size < len(data) and len(units) < _MOST_UNITS:
        size = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if not 0 < size <= len(data) - at:
            break
        units.append(data[at : at + size])
        at += size
    return units


def read_extradata(extradata: bytes) -> tuple[int, list[bytes]]:
    """What a container says beside the pictures: the size of the lengths in them, 0 for start codes, and the parameter
    sets."""
    if not extradata or extradata[0] != 1:  # not an avcC box
        return 0, [unit for unit in units_of(extradata) if kind_of(unit) in (SPS, PPS)]
    if len(extradata) < 7:
        return 4, []
    sets: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        if at >= len(extradata):
            break
        count = extradata[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            unit = extradata[at + 2 : at + 2 + size]
            if len(unit) == size > 0:
                sets.append(unit)
            at += 2 + size
    return (extradata[4] & 3) + 1, sets


def kind_of(unit: bytes) -> int:
    return unit[0] & 0x1F


class Picture:
    """The NAL units of one picture that browsers need, sorted."""

    __slots__ = ("has_b", "is_idr", "is_intra", "sets", "slices")

    def __init__(self, units: Sequence[bytes]) -> None:
        self.sets = [unit for unit in units if kind_of(unit) in (SPS, PPS)]
        self.slices = [unit for unit in units if kind_of(unit) in (SLICE, IDR)]
        self.is_idr = any(kind_of(unit) == IDR for unit in self.slices)
        types = [slice_type(unit) for unit in self.slices]
        self.has_b = any(kind == _B for kind in types)
        # Some cameras begin with parameter sets and an intra picture that is no IDR: as good as one to start with.
        self.is_intra = bool(types) and all(kind == _I for kind in types)

    @property
    def is_key(self) -> bool:
        """Whether a receiver can begin here."""
        return self.is_idr or (self.is_intra and any(kind_of(unit) == SPS for unit in self.sets))


def slice_type(unit: bytes) -> int:
    """0 P, 1 B, 2 I, 3 SP, 4 SI; -1 where the slice's header cannot be read (ITU-T H.264, 7.3.3)."""
    head = unit[1:24].replace(b"\0\0\3", b"\0\0")
    value, left = int.from_bytes(head, "big"), len(head) * 8
    numbers: list[int] = []
    for _ in range(2):  # first_mb_in_slice, slice_type
        zeros = 0
        while left > 0 and not value >> (left - 1) & 1:
            zeros += 1
            left -= 1
        if left < zeros + 1 or zeros > 32:
            return -1
        left -= zeros + 1
        numbers.append((value >> left & ((1 << zeros + 1) - 1)) - 1)
    kind = numbers[1]
    return kind % 5 if 0 <= kind <= 9 else -1


def is_for_browsers(sps: bytes) -> bool:
    """Whether browsers show the pictures that these parameters are of: 8 bits, 4:2:0, not interlaced."""
    try:
        return sps[1] in _PASSED and not h264.parse_sps(sps).is_interlaced
    except (h264.H264Error, IndexError):
        return False


def first_set(units: Sequence[bytes], kind: int) -> bytes | None:
    """The first unit of that kind."""
    return next((unit for unit in units if kind_of(unit) == kind), None)
