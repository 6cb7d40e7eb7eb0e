"""RTP packets of what we encode or pull ourselves: H264 (RFC 6184, mode 1) and Opus (RFC 7587). Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

MTU: Final = 1200  # bytes of a whole packet
AUDIO_LEVEL: Final = 1  # the number of its header extension
_HEAD: Final = struct.Struct("!BBHII")
_STAP_A: Final = 24
_FU_A: Final = 28


class Packetizer:
    """Numbers the packets of one stream."""

    def __init__(self, payload_type: int, ssrc: int, *, sequence: int = 0) -> None:
        self.ssrc = ssrc
        self._payload_type = payload_type
        self._sequence = sequence

    def packet(self, payload: bytes, timestamp: int, *, marker: bool, level: int | None = None) -> bytes:
        """One packet with its header; `level` as its extension: 0 is the loudest, 127 silence (RFC 6464)."""
        head = _HEAD.pack(
            0x80 if level is None else 0x90,
            marker << 7 | self._payload_type,
            self._sequence,
            timestamp & 0xFFFFFFFF,
            self.ssrc,
        )
        self._sequence = self._sequence + 1 & 0xFFFF
        if level is not None:
            head += bytes((0xBE, 0xDE, 0, 1, AUDIO_LEVEL << 4, level, 0, 0))
        return head + payload

    def picture(self, units: Sequence[bytes], timestamp: int) -> list[bytes]:
        """The NAL units of one picture: small ones that follow each other together, large ones in pieces."""
        payloads = h264_payloads(units, MTU - _HEAD.size)
        last = len(payloads) - 1
        return [self.packet(each, timestamp, marker=number == last) for number, each in enumerate(payloads)]


def h264_payloads(units: Sequence[bytes], most: int) -> list[bytes]:
    """Payloads of at most `most` bytes."""
    payloads: list[bytes] = []
    small: list[bytes] = []
    size = 1

    def flush() -> None:
        nonlocal size
        if len(small) == 1:
            payloads.append(small[0])
        elif small:
            importance = max(unit[0] & 0x60 for unit in small)
            payloads.append(
                bytes((importance | _STAP_A,)) + b"".join(len(u).to_bytes(2, "big") + u for u in small)
            )
        small.clear()
        size = 1

    for unit in units:
        if size + 2 + len(unit) > most:
            flush()
        if len(unit) > most:
            payloads += _fragments(unit, most)
            continue
        small.append(unit)
        size += 2 + len(unit)
    flush()
    return payloads


def _fragments(unit: bytes, most: int) -> list[bytes]:
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F
    body = unit[1:]
    pieces = [body[at : at + most - 2] for at in range(0, len(body), most - 2)]
    last = len(pieces) - 1
    return [
        bytes((indicator, (number == 0) << 7 | (number == last) << 6 | kind)) + piece
        for number, piece in enumerate(pieces)
    ]
