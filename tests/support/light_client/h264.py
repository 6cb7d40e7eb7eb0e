"""The sending end for real H264: RTP payloads out of access units (RFC 6184, packetization-mode 1)."""

import re

_START = re.compile(b"\x00\x00\x00?\x01")
_FU_A = 28


def nal_units(unit: bytes) -> list[bytes]:
    """What stands between the start codes of an access unit."""
    return [each.rstrip(b"\x00") for each in _START.split(unit) if each]


def payloads(unit: bytes, size: int = 1100) -> list[bytes]:
    """The payloads of one access unit in order; the last one bears the marker."""
    found: list[bytes] = []
    for nal in nal_units(unit):
        if len(nal) <= size:
            found.append(nal)
            continue
        indicator, kind, body = nal[0] & 0x60 | _FU_A, nal[0] & 0x1F, nal[1:]
        chunks = [body[at : at + size - 2] for at in range(0, len(body), size - 2)]
        for number, chunk in enumerate(chunks):
            edge = 0x80 * (number == 0) | 0x40 * (number == len(chunks) - 1)
            found.append(bytes((indicator, edge | kind)) + chunk)
    return found
