"""The RTP fixed header and header extensions (RFC 3550 section 5.1, RFC 8285)."""

from __future__ import annotations

from dataclasses import dataclass

ONE_BYTE = 0xBEDE
MIN_SIZE = 12


class RtpError(ValueError):
    """Not an RTP packet."""


@dataclass(frozen=True, slots=True)
class RtpHeader:
    """The parts of one packet. `payload_start` and `payload_end` are offsets in bytes, padding left out."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    extension_profile: int
    extension_start: int
    extension_end: int
    payload_start: int
    payload_end: int


def parse(packet: bytes) -> RtpHeader:
    """Read the header; raises RtpError where lengths do not fit."""
    size = len(packet)
    if size < MIN_SIZE or packet[0] >> 6 != 2:
        raise RtpError("no RTP version 2 header")
    first = packet[0]
    at = MIN_SIZE + 4 * (first & 0x0F)
    profile = start = end = 0
    if first & 0x10:
        if at + 4 > size:
            raise RtpError("header extension is cut")
        profile = packet[at] << 8 | packet[at + 1]
        start = at + 4
        at = end = start + 4 * (packet[at + 2] << 8 | packet[at + 3])
    payload_end = size
    if first & 0x20:
        padding = packet[-1]
        if padding == 0:
            raise RtpError("padding of zero bytes")
        payload_end -= padding
    if at > payload_end:
        raise RtpError("header is longer than the packet")
    return RtpHeader(
        payload_type=packet[1] & 0x7F,
        marker=packet[1] > 0x7F,
        sequence=packet[2] << 8 | packet[3],
        timestamp=int.from_bytes(packet[4:8], "big"),
        ssrc=int.from_bytes(packet[8:12], "big"),
        extension_profile=profile,
        extension_start=start,
        extension_end=end,
        payload_start=at,
        payload_end=payload_end,
    )


def extensions(packet: bytes, header: RtpHeader) -> dict[int, bytes]:
    """All header extensions by id, one-byte and two-byte form; a cut element ends the list."""
    out: dict[int, bytes] = {}
    at, end = header.extension_start, header.extension_end
    if header.extension_profile == ONE_BYTE:
        while at < end:
            number, length = packet[at] >> 4, (packet[at] & 0x0F) + 1
            if packet[at] == 0:
                at += 1
                continue
            if number == 15 or at + 1 + length > end:
                break
            out[number] = packet[at + 1 : at + 1 + length]
            at += 1 + length
    elif header.extension_profile & 0xFFF0 == 0x1000:
        while at + 1 < end:
            if packet[at] == 0:
                at += 1
                continue
            number, length = packet[at], packet[at + 1]
            if at + 2 + length > end:
                break
            out[number] = packet[at + 2 : at + 2 + length]
            at += 2 + length
    return out


def build_extensions(elements: dict[int, bytes]) -> bytes:
    """The extension block in one-byte form: ids 1 to 14, 1 to 16 bytes each; empty for no elements."""
    if not elements:
        return b""
    body = b"".join(bytes((number << 4 | len(value) - 1,)) + value for number, value in elements.items())
    body += bytes(-len(body) % 4)
    return ONE_BYTE.to_bytes(2, "big") + (len(body) // 4).to_bytes(2, "big") + body


def unwrap_rtx(packet: bytes, header: RtpHeader, payload_type: int, ssrc: int) -> bytes | None:
    """The original packet out of a retransmission (RFC 4588), or None for a probe without payload."""
    start, end = header.payload_start, header.payload_end
    if end - start < 2:
        return None
    first = packet[0] & 0xDF  # the padding goes
    second = (packet[1] & 0x80) | payload_type
    original = packet[start : start + 2]
    return (
        bytes((first, second))
        + original
        + packet[4:8]
        + ssrc.to_bytes(4, "big")
        + packet[12:start]
        + packet[start + 2 : end]
    )
