"""RTCP: compound packets walked one by one, and the packets that we send.

RFC 3550 (SR, RR, SDES, BYE), RFC 4585 (NACK, PLI), RFC 5104 (FIR), draft-alvestrand-rmcat-remb and
transport-wide feedback. A packet that is odd inside does not spoil its compound; reduced size (RFC 5506) is
taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conference.rtc.transport_cc import TransportCc, TransportCcError, parse_feedback

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
_FMT_NACK, _FMT_PLI, _FMT_FIR, _FMT_APPLICATION = 1, 1, 4, 15

_MAX_NACK_SEQS = 1024  # per packet; more is no honest receiver
_MAX_NACK_FIELDS = 250  # per packet that we send: 1,012 bytes
_MAX_BLOCKS = 31

_sender = struct.Struct("!IQIII")
_block = struct.Struct("!IIIIII")
_pair = struct.Struct("!II")
_field = struct.Struct("!HH")
_head = struct.Struct("!BBH")


class RtcpError(ValueError):
    """Where a compound cannot be walked further."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """Reception of one stream. `fraction_lost` in 1/256, `jitter` in RTP ticks, `lsr` and `dlsr` in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest_seq: int
    jitter: int
    lsr: int
    dlsr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`ntp` is the 64-bit NTP time that belongs to `rtp_ts`."""

    ssrc: int
    ntp: int
    rtp_ts: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """The CNAME of each source that has one here."""

    cnames: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Bye:
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    sender_ssrc: int
    media_ssrc: int
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pli:
    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class Fir:
    """Full intra requests: (media SSRC, request number)."""

    sender_ssrc: int
    entries: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """The receiver's estimate in bit/s for these streams together."""

    sender_ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A packet of another type, or `malformed` inside."""

    packet_type: int
    count: int
    malformed: bool


Packet = (
    SenderReport | ReceiverReport | SourceDescription | Bye | Nack | Pli | Fir | Remb | TransportCc | Unknown
)


class _OddError(ValueError):
    """Inside one packet."""


def walk(data: bytes | memoryview) -> Iterator[Packet]:
    """The packets of a compound in order. Raises `RtcpError` where a header leads nowhere."""
    at, size = 0, len(data)
    if size < 4:
        raise RtcpError("short")
    while at < size:
        if at + 4 > size:
            raise RtcpError("rest")
        first, packet_type, words = _head.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > size:
            raise RtcpError("header")
        body = data[at + 4 : end]
        count = first & 0x1F
        at = end
        try:
            if first & 0x20:
                padding = body[-1] if len(body) else 0
                if not 0 < padding <= len(body):
                    raise _OddError
                body = body[:-padding]
            packet = _parse(packet_type, count, body)
        except (_OddError, TransportCcError):
            packet = Unknown(packet_type, count, True)
        yield packet


def _parse(packet_type: int, count: int, body: bytes | memoryview) -> Packet:
    if packet_type in (RTPFB, PSFB):
        return _parse_feedback(packet_type, count, body)
    if packet_type == SR:
        _need(body, 24 + 24 * count)
        ssrc, ntp, rtp_ts, packets, octets = _sender.unpack_from(body)
        return SenderReport(ssrc, ntp, rtp_ts, packets, octets, _blocks(body, 24, count))
    if packet_type == RR:
        _need(body, 4 + 24 * count)
        return ReceiverReport(int.from_bytes(body[:4], "big"), _blocks(body, 4, count))
    if packet_type == SDES:
        return SourceDescription(_cnames(body, count))
    if packet_type == BYE:
        _need(body, 4 * count)
        return Bye(struct.unpack_from(f"!{count}I", body))
    return Unknown(packet_type, count, False)


def _need(body: bytes | memoryview, size: int) -> None:
    if len(body) < size:
        raise _OddError


def _blocks(body: bytes | memoryview, at: int, count: int) -> tuple[ReportBlock, ...]:
    found = []
    for index in range(count):
        ssrc, loss, highest, jitter, lsr, dlsr = _block.unpack_from(body, at + 24 * index)
        lost = loss & 0xFFFFFF
        if lost & 0x800000:
            lost -= 0x1000000
        found.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, lsr, dlsr))
    return tuple(found)


def _cnames(body: bytes | memoryview, count: int) -> tuple[tuple[int, str], ...]:
    """Chunks of items, each chunk ended by a zero and padded to 32 bits (RFC 3550, section 6.5)."""
    found: list[tuple[int, str]] = []
    at, size = 0, len(body)
    for _ in range(count):
        if at + 4 > size:
            raise _OddError
        ssrc = int.from_bytes(body[at : at + 4], "big")
        at += 4
        while at < size and body[at]:
            if at + 2 > size or at + 2 + body[at + 1] > size:
                raise _OddError
            end = at + 2 + body[at + 1]
            if body[at] == 1:
                found.append((ssrc, bytes(body[at + 2 : end]).decode("utf-8", "replace")))
            at = end
        at = (at + 4) & ~3
    return tuple(found)


def _parse_feedback(packet_type: int, count: int, body: bytes | memoryview) -> Packet:
    _need(body, 8)
    sender_ssrc, media_ssrc = _pair.unpack_from(body)
    if packet_type == RTPFB:
        if count == _FMT_NACK:
            return Nack(sender_ssrc, media_ssrc, _nack_seqs(body))
        if count == _FMT_APPLICATION:
            return parse_feedback(sender_ssrc, media_ssrc, body[8:])
    elif count == _FMT_PLI:
        return Pli(sender_ssrc, media_ssrc)
    elif count == _FMT_FIR:
        entries = [
            (int.from_bytes(body[at : at + 4], "big"), body[at + 4]) for at in range(8, len(body) - 7, 8)
        ]
        return Fir(sender_ssrc, tuple(entries))
    elif count == _FMT_APPLICATION and body[8:12] == b"REMB":
        _need(body, 16)
        exponent, mantissa = body[13] >> 2, (body[13] & 3) << 16 | body[14] << 8 | body[15]
        _need(body, 16 + 4 * body[12])
        ssrcs = struct.unpack_from(f"!{body[12]}I", body, 16)
        return Remb(sender_ssrc, min(mantissa << exponent, 2**63 - 1), ssrcs)
    return Unknown(packet_type, count, False)


def _nack_seqs(body: bytes | memoryview) -> tuple[int, ...]:
    seqs: list[int] = []
    for at in range(8, len(body) - 3, 4):
        seq, following = _field.unpack_from(body, at)
        seqs.append(seq)
        while following:
            lowest = following & -following
            seqs.append((seq + lowest.bit_length()) & 0xFFFF)
            following ^= lowest
        if len(seqs) > _MAX_NACK_SEQS:
            raise _OddError
    if not seqs:
        raise _OddError
    return tuple(seqs)


# ── Building ────────────────────────────────────────────────────────────────────────────────────


def build_sr(
    ssrc: int, ntp: int, rtp_ts: int, packets: int, octets: int, blocks: Sequence[ReportBlock] = ()
) -> bytes:
    """A sender report; report blocks beyond 31 follow in receiver reports. Counters wrap at 32 bit."""
    own, rest = blocks[:_MAX_BLOCKS], blocks[_MAX_BLOCKS:]
    sender = _sender.pack(ssrc, ntp, rtp_ts & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    packet = _packet(SR, len(own), sender + b"".join(map(_pack_block, own)))
    return packet + build_rr(ssrc, rest) if rest else packet


def build_rr(ssrc: int, blocks: Sequence[ReportBlock] = ()) -> bytes:
    """Receiver reports, 31 blocks each; an empty one without blocks."""
    packets = []
    for at in range(0, max(1, len(blocks)), _MAX_BLOCKS):
        own = blocks[at : at + _MAX_BLOCKS]
        packets.append(_packet(RR, len(own), ssrc.to_bytes(4, "big") + b"".join(map(_pack_block, own))))
    return b"".join(packets)


def build_sdes(ssrc: int, cname: str) -> bytes:
    """A source description with the CNAME, at most 255 bytes of it."""
    name = cname.encode()[:255]
    item = bytes((1, len(name))) + name
    return _packet(SDES, 1, ssrc.to_bytes(4, "big") + item + bytes(4 - len(item) % 4))


def build_bye(ssrcs: Sequence[int]) -> bytes:
    """BYE for at most 31 sources."""
    own = ssrcs[:_MAX_BLOCKS]
    return _packet(BYE, len(own), struct.pack(f"!{len(own)}I", *own))


def build_nack(sender_ssrc: int, media_ssrc: int, seqs: Iterable[int]) -> bytes:
    """Negative acknowledgements; packed best when `seqs` go upwards. Empty for no `seqs`."""
    fields: list[int] = []  # PID << 16 | BLP
    for seq in seqs:
        ahead = (seq - (fields[-1] >> 16)) & 0xFFFF if fields else 0
        if 1 <= ahead <= 16:
            fields[-1] |= 1 << (ahead - 1)
        elif not fields or ahead:
            fields.append(seq << 16)
    head = _pair.pack(sender_ssrc, media_ssrc)
    packets = []
    for at in range(0, len(fields), _MAX_NACK_FIELDS):
        own = fields[at : at + _MAX_NACK_FIELDS]
        packets.append(_packet(RTPFB, _FMT_NACK, head + struct.pack(f"!{len(own)}I", *own)))
    return b"".join(packets)


def build_pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Picture loss indication: a keyframe, please."""
    return _packet(PSFB, _FMT_PLI, _pair.pack(sender_ssrc, media_ssrc))


def build_fir(sender_ssrc: int, entries: Sequence[tuple[int, int]]) -> bytes:
    """Full intra requests: (media SSRC, request number that goes up by one for each new request)."""
    body = b"".join(_pair.pack(ssrc, (number & 0xFF) << 24) for ssrc, number in entries)
    return _packet(PSFB, _FMT_FIR, _pair.pack(sender_ssrc, 0) + body)


def build_remb(sender_ssrc: int, bitrate_bps: int, ssrcs: Sequence[int]) -> bytes:
    """Receiver estimated maximum bitrate, rounded down to 18 significant bits."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    head = bytes((len(ssrcs),)) + (exponent << 18 | bitrate_bps >> exponent).to_bytes(3, "big")
    body = _pair.pack(sender_ssrc, 0) + b"REMB" + head + struct.pack(f"!{len(ssrcs)}I", *ssrcs)
    return _packet(PSFB, _FMT_APPLICATION, body)


def _pack_block(block: ReportBlock) -> bytes:
    loss = (block.fraction_lost & 0xFF) << 24 | (block.lost & 0xFFFFFF)
    return _block.pack(block.ssrc, loss, block.highest_seq, block.jitter, block.lsr, block.dlsr)


def _packet(packet_type: int, count: int, body: bytes) -> bytes:
    return _head.pack(0x80 | count, packet_type, len(body) // 4) + body
