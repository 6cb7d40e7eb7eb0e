"""RTCP of the light client: a walker over compound packets, and the few packets it writes itself."""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
NTP_OFFSET_S = 2208988800


class SenderReport(NamedTuple):
    """What a sender says of its clock and counts."""

    ntp: int
    rtp_ts: int
    packets: int
    octets: int


class RtcpPacket(NamedTuple):
    """One packet of a compound."""

    type: int
    format: int
    body: bytes

    @property
    def name(self) -> str:
        """The usual name of its kind."""
        if self.type == RTPFB:
            return {1: "nack", 15: "transport-cc"}.get(self.format, f"rtpfb-{self.format}")
        if self.type == PSFB:
            if self.format == 15:
                return "remb" if self.body[8:12] == b"REMB" else "afb"
            return {1: "pli", 4: "fir"}.get(self.format, f"psfb-{self.format}")
        return {SR: "sr", RR: "rr", SDES: "sdes", BYE: "bye"}.get(self.type, str(self.type))


def walk(compound: bytes) -> Iterator[RtcpPacket]:
    """The packets of a compound; a truncated rest is left out."""
    position = 0
    while position + 4 <= len(compound):
        first, kind, words = struct.unpack_from("!BBH", compound, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or end > len(compound):
            return
        yield RtcpPacket(kind, first & 31, compound[position + 4 : end])
        position = end


def nacked(body: bytes) -> list[int]:
    """Sequence numbers that a NACK asks for."""
    numbers: list[int] = []
    for position in range(8, len(body) - 3, 4):
        base, mask = struct.unpack_from("!HH", body, position)
        numbers += [base, *((base + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1)]
    return numbers


def sender_report(ssrc: int, report: SenderReport, cname: str) -> bytes:
    """SR with SDES."""
    head = struct.pack("!BBHIQIII", 0x80, SR, 6, ssrc, report.ntp, report.rtp_ts & 0xFFFFFFFF, *report[2:])
    item = bytes([1, len(cname)]) + cname.encode()
    item += bytes(4 - len(item) % 4)
    return head + struct.pack("!BBHI", 0x81, SDES, 1 + len(item) // 4, ssrc) + item


def receiver_report(own: int, blocks: Sequence[tuple[int, int, int, int, int]]) -> bytes:
    """RR from (ssrc, fraction, lost, highest, last SR); no delay since the last SR is told."""
    out = struct.pack("!BBHI", 0x80 | len(blocks), RR, 1 + 6 * len(blocks), own)
    for ssrc, fraction, lost, highest, last_sr in blocks:
        out += struct.pack("!IIIIII", ssrc, fraction << 24 | lost & 0xFFFFFF, highest, 0, last_sr, 0)
    return out


def picture_loss(own: int, ssrc: int) -> bytes:
    """PLI behind an empty RR."""
    return receiver_report(own, []) + struct.pack("!BBHII", 0x81, PSFB, 2, own, ssrc)


def nack(own: int, ssrc: int, numbers: Sequence[int]) -> bytes:
    """Generic NACK behind an empty RR."""
    pairs: list[list[int]] = []
    for number in sorted(numbers):
        offset = (number - pairs[-1][0] - 1) & 0xFFFF if pairs else 0xFFFF
        if offset < 16:
            pairs[-1][1] |= 1 << offset
        else:
            pairs.append([number, 0])
    body = b"".join(struct.pack("!HH", *pair) for pair in pairs)
    return receiver_report(own, []) + struct.pack("!BBHII", 0x81, RTPFB, 2 + len(pairs), own, ssrc) + body


def remb(own: int, ssrcs: Sequence[int], bitrate_bps: int) -> bytes:
    """Receiver-estimated maximum bitrate."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    word = len(ssrcs) << 24 | exponent << 18 | bitrate_bps >> exponent
    head = struct.pack("!BBHII4sI", 0x8F, PSFB, 4 + len(ssrcs), own, 0, b"REMB", word)
    return head + struct.pack(f"!{len(ssrcs)}I", *ssrcs)
