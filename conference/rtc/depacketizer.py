"""Frames out of ordered RTP packets: VP8 (RFC 7741), H264 (RFC 6184, mode 1), Opus (RFC 7587).

Fed with what JitterBuffer gives. A frame that misses a part is never handed out, only counted, and the next whole one
says so.
"""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .codecs import h264, opus, vp8
from .jitter_buffer import Missing, Ordered

MAX_FRAME = 8 << 20  # bytes; a keyframe of 4K has about one
_START_CODE = b"\x00\x00\x00\x01"
_SLICE, _IDR, _SEI, _SPS, _PPS, _AUD = 1, 5, 6, 7, 8, 9
_STAP_A, _FU_A = 24, 28
_BEFORE_PICTURE = frozenset((_SEI, _SPS, _PPS, _AUD))


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole picture or piece of sound.

    `timestamp` is RTP time, 32 bits; `arrival_s` that of its first packet. `data` is a VP8 frame, an H264 access unit
    with start codes (keyframes always with their parameter sets), or an Opus packet. `width` and `height` in pixels
    stand at keyframes, `duration` in RTP ticks at sound. `follows_loss`: something between the last frame and this one
    is missing.
    """

    timestamp: int
    arrival_s: float
    data: bytes
    is_keyframe: bool
    follows_loss: bool
    width: int = 0
    height: int = 0
    duration: int = 0


class Depacketizer(Protocol):
    """One per stream; a codec switch needs another one."""

    broken: int  # frames of which a part was there, but not the whole

    def push(self, item: Ordered | Missing) -> list[Frame]:
        """The frames that are whole now. Never raises for what is inside packets."""


def depacketizer_for(codec: str, parameters: Mapping[str, str]) -> Depacketizer:
    """By the names of tap_frames.Open. Raises ValueError for another codec."""
    match codec:
        case "vp8":
            return Vp8Depacketizer()
        case "h264":
            return H264Depacketizer(parameters.get("sprop-parameter-sets", ""))
        case "opus":
            return OpusDepacketizer()
    raise ValueError(f"no such codec: {codec}")


class OpusDepacketizer:
    """Every packet is a frame."""

    def __init__(self) -> None:
        self.broken = 0
        self._lost = False

    def push(self, item: Ordered | Missing) -> list[Frame]:
        if isinstance(item, Missing):
            self._lost = True
            return []
        payload = item.payload
        if not payload:
            return []
        try:
            duration = opus.duration(payload)
        except opus.OpusError:
            self.broken += 1
            self._lost = True
            return []
        lost, self._lost = self._lost, False
        return [Frame(item.header.timestamp, item.arrival_s, payload, True, lost, duration=duration)]


class _Pictures(ABC):
    """What VP8 and H264 share: packets of one time stamp are a picture, ended by the marker or the next one."""

    def __init__(self) -> None:
        self.broken = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._timestamp = -1  # of the picture that is being put together; -1 between pictures
        self._arrival_s = 0.0
        self._spoilt = False  # the rest of this picture is thrown away
        self._lost = False
        self._hole = True  # just before this packet something may be missing

    def push(self, item: Ordered | Missing) -> list[Frame]:
        if isinstance(item, Missing):
            if self._timestamp >= 0:
                self._spoil()
            self._hole = self._lost = True
            return []
        payload = item.payload
        if not payload:
            return []
        frames: list[Frame] = []
        timestamp = item.header.timestamp
        if timestamp != self._timestamp:
            if self._timestamp >= 0:  # ended without a marker
                if not self._may_begin(payload):
                    self._spoil()
                self._finish(frames)
            self._timestamp = timestamp
            self._arrival_s = item.arrival_s
            if self._hole and not self._may_begin(payload):
                self._spoil()
        self._hole = False
        if not self._spoilt and not (self._size + len(payload) <= MAX_FRAME and self._add(payload)):
            self._spoil()
        if item.header.marker:
            self._finish(frames)
        return frames

    def _append(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)

    def _spoil(self) -> None:
        self._spoilt = self._lost = True
        self._clear()

    def _finish(self, frames: list[Frame]) -> None:
        frame = None
        if not self._spoilt:
            frame = self._assemble()
            if frame is not None:
                frames.append(frame)
                self._lost = False
        if self._spoilt:
            self.broken += 1
        self._clear()
        self._timestamp = -1
        self._spoilt = False

    def _clear(self) -> None:
        self._parts = []
        self._size = 0

    @abstractmethod
    def _may_begin(self, payload: bytes) -> bool:
        """Whether a picture can begin with this payload."""

    @abstractmethod
    def _add(self, payload: bytes) -> bool:
        """Take the payload; False when it does not fit what was before."""

    @abstractmethod
    def _assemble(self) -> Frame | None:
        """The picture; None when there is none in these packets. Calls `_spoil` for a broken one."""


class Vp8Depacketizer(_Pictures):
    """VP8 frames without payload descriptor."""

    def _may_begin(self, payload: bytes) -> bool:
        return vp8.is_start_of_frame(payload)

    def _add(self, payload: bytes) -> bool:
        try:
            size = vp8.parse(payload).size
        except vp8.Vp8Error:
            return False
        if not self._parts and not vp8.is_start_of_frame(payload):
            return False
        self._append(payload[size:])
        return True

    def _assemble(self) -> Frame | None:
        data = b"".join(self._parts)
        if not data:
            return None
        width = height = 0
        is_keyframe = not data[0] & 1
        if is_keyframe:
            size = vp8.picture_size(data)
            if size is None or 0 in size:
                self._spoil()
                return None
            width, height = size
        return Frame(self._timestamp, self._arrival_s, data, is_keyframe, self._lost, width, height)


class H264Depacketizer(_Pictures):
    """H264 access units in Annex B. Senders that give parameter sets once only, or in SDP, get them at keyframes."""

    def __init__(self, sprop_parameter_sets: str = "") -> None:
        super().__init__()
        self._sps = b""
        self._pps: dict[int, bytes] = {}
        self._fragments: list[bytes] = []
        for text in sprop_parameter_sets.split(",")[:16]:
            try:
                self._remember(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue

    def _remember(self, unit: bytes) -> None:
        kind = unit[0] & 0x1F if unit else 0
        if kind == _SPS:
            self._sps = unit
        elif kind == _PPS and len(unit) > 1 and (len(self._pps) < 16 or _pps_key(unit) in self._pps):
            self._pps[_pps_key(unit)] = unit

    def _may_begin(self, payload: bytes) -> bool:
        kind = payload[0] & 0x1F
        at = 0
        if kind == _STAP_A:
            at = 3
        elif kind == _FU_A:
            if len(payload) < 3 or not payload[1] & 0x80:
                return False
            return _begins_picture(payload[1] & 0x1F, payload[2])
        if len(payload) <= at:
            return False
        return _begins_picture(payload[at] & 0x1F, payload[at + 1] if len(payload) > at + 1 else 0)

    def _add(self, payload: bytes) -> bool:
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            return self._add_fragment(payload)
        if self._fragments:
            return False
        if kind == _STAP_A:
            units = list(h264.nal_units(payload))
            if sum(2 + len(unit) for unit in units) + 1 != len(payload):
                return False
        elif 1 <= kind <= 23:
            units = [payload]
        else:
            return False
        for unit in units:
            self._append(unit)
        return True

    def _add_fragment(self, payload: bytes) -> bool:
        if len(payload) < 3:
            return False
        begins, ends = bool(payload[1] & 0x80), bool(payload[1] & 0x40)
        if begins == bool(self._fragments) or (begins and ends):
            return False
        if begins:
            self._fragments.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
        self._fragments.append(payload[2:])
        self._size += len(payload)
        if ends:
            unit = b"".join(self._fragments)
            self._fragments = []
            self._size -= len(unit)
            self._append(unit)
        return True

    def _clear(self) -> None:
        super()._clear()
        self._fragments = []

    def _assemble(self) -> Frame | None:
        if self._fragments:
            self._spoil()
            return None
        units = self._parts
        kinds = {unit[0] & 0x1F for unit in units}
        for unit in units:
            self._remember(unit)
        if not kinds & {_SLICE, 2, 3, 4, _IDR}:
            return None  # parameter sets with a time stamp of their own: kept for the next keyframe
        is_keyframe = _IDR in kinds
        width = height = 0
        if is_keyframe:
            units = self._with_parameter_sets(units, kinds)
            try:
                sps = h264.parse_sps(self._sps)
            except h264.H264Error:
                self._spoil()
                return None
            width, height = sps.width, sps.height
        data = b"".join(_START_CODE + unit for unit in units)
        return Frame(self._timestamp, self._arrival_s, data, is_keyframe, self._lost, width, height)

    def _with_parameter_sets(self, units: list[bytes], kinds: set[int]) -> list[bytes]:
        added: list[bytes] = []
        if _SPS not in kinds and self._sps:
            added.append(self._sps)
        if _PPS not in kinds:
            added += self._pps.values()
        if not added:
            return units
        delimiters = [unit for unit in units if unit[0] & 0x1F == _AUD]
        return [*delimiters, *added, *(unit for unit in units if unit[0] & 0x1F != _AUD)]


def _begins_picture(kind: int, following: int) -> bool:
    """Whether an access unit begins with this NAL unit: `following` is its first byte after the header.

    A slice does when its first macroblock is number 0 (Exp-Golomb: a single 1).
    """
    if kind in (_SLICE, 2, _IDR):
        return following & 0x80 != 0
    return kind in _BEFORE_PICTURE


def _pps_key(unit: bytes) -> int:
    """Stands for pic_parameter_set_id: the leading bits of its Exp-Golomb number, enough to tell sets apart."""
    value = int.from_bytes(unit[1:4].ljust(3, b"\0"), "big")
    zeros = 24 - value.bit_length()
    return value >> max(0, 23 - 2 * zeros)
