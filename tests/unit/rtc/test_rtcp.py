"""RTCP: packets there and back, compounds with odd parts, and any bytes."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import rtcp
from conference.rtc.rtcp import ReportBlock, RtcpError, Unknown
from conference.rtc.transport_cc import TransportCc

BLOCK = ReportBlock(0x11223344, 12, -5, 0x0001FFFE, 300, 0xAABBCCDD, 65536)
u32 = st.integers(0, 2**32 - 1)
u16 = st.integers(0, 2**16 - 1)


def only(data: bytes) -> rtcp.Packet:
    (packet,) = rtcp.walk(data)
    return packet


def test_sender_report() -> None:
    data = rtcp.build_sr(1, 0x0102030405060708, 2**32 + 5, 2**32 + 6, 7, [BLOCK])
    assert only(data) == rtcp.SenderReport(1, 0x0102030405060708, 5, 6, 7, (BLOCK,))
    assert len(data) == 28 + 24


def test_receiver_report_and_split_at_31_blocks() -> None:
    assert only(rtcp.build_rr(9)) == rtcp.ReceiverReport(9, ())
    blocks = [ReportBlock(n, 0, 0, 0, 0, 0, 0) for n in range(70)]
    reports = list(rtcp.walk(rtcp.build_rr(9, blocks)))
    assert [len(one.blocks) for one in reports if isinstance(one, rtcp.ReceiverReport)] == [31, 31, 8]
    first, second, third = rtcp.walk(rtcp.build_sr(9, 0, 0, 0, 0, blocks))
    assert isinstance(first, rtcp.SenderReport)
    assert isinstance(second, rtcp.ReceiverReport)
    assert isinstance(third, rtcp.ReceiverReport)
    assert first.blocks + second.blocks + third.blocks == tuple(blocks)


@pytest.mark.parametrize("cname", ["", "a", "ab", "abc", "abcd", "{firefox-like}", "x" * 255])
def test_source_description(cname: str) -> None:
    data = rtcp.build_sdes(77, cname)
    assert len(data) % 4 == 0
    assert only(data) == rtcp.SourceDescription(((77, cname),))


def test_source_description_of_two_sources_with_other_items() -> None:
    first = struct.pack("!I", 1) + b"\x01\x02ab\x02\x01n\0"  # CNAME, NAME, end, 32 bits full
    second = struct.pack("!I", 2) + b"\x01\x03xyz\0\0\0"
    data = struct.pack("!BBH", 0x82, 202, (len(first) + len(second)) // 4) + first + second
    assert only(data) == rtcp.SourceDescription(((1, "ab"), (2, "xyz")))


def test_bye() -> None:
    assert only(rtcp.build_bye([1, 2, 3])) == rtcp.Bye((1, 2, 3))


@given(st.lists(u16, min_size=1, max_size=300, unique=True))
def test_nack_tells_exactly_what_was_asked(seqs: list[int]) -> None:
    found = [seq for packet in rtcp.walk(rtcp.build_nack(1, 2, seqs)) for seq in packet.seqs]  # type: ignore[union-attr]
    assert sorted(found) == sorted(seqs)


def test_nack_is_packed_across_the_wrap() -> None:
    data = rtcp.build_nack(1, 2, [65534, 65535, 0, 14, 15])
    assert len(data) == 12 + 8
    packet = only(data)
    assert packet == rtcp.Nack(1, 2, (65534, 65535, 0, 14, 15))
    assert rtcp.build_nack(1, 2, []) == b""
    assert rtcp.build_nack(1, 2, [7, 7, 8]) == rtcp.build_nack(1, 2, [7, 8])


def test_nack_is_bounded() -> None:
    greedy = struct.pack("!BBHII", 0x81, 205, 2 + 300, 1, 2) + struct.pack("!HH", 5, 0xFFFF) * 300
    assert only(greedy) == Unknown(205, 1, True)
    assert all(len(part.seqs) <= 1024 for part in rtcp.walk(rtcp.build_nack(1, 2, range(0, 65536, 20))))  # type: ignore[union-attr]


def test_pli_fir_and_remb() -> None:
    assert only(rtcp.build_pli(1, 2)) == rtcp.Pli(1, 2)
    assert rtcp.build_pli(1, 2) == bytes.fromhex("81ce0002 00000001 00000002")
    assert only(rtcp.build_fir(1, [(2, 3), (4, 255)])) == rtcp.Fir(1, ((2, 3), (4, 255)))
    assert only(rtcp.build_remb(1, 250_000, [5, 6])) == rtcp.Remb(1, 250_000, (5, 6))


@given(st.integers(0, 2**63 - 1))
def test_remb_rounds_down_to_18_bits(bitrate: int) -> None:
    packet = only(rtcp.build_remb(1, bitrate, []))
    assert isinstance(packet, rtcp.Remb)
    assert packet.bitrate_bps <= bitrate
    assert bitrate - packet.bitrate_bps <= bitrate >> 17


@pytest.mark.parametrize(
    ("data", "base", "reference", "count", "statuses", "deltas"),
    [
        (
            "afcd0005fa17fa1743032fa0009900013de8021720019401",
            153,
            4057090,
            23,
            (1,),
            (148,),
        ),
        (
            "afcd0006fa17fa17193dd8bb0174000245b15a40d800f0ffd0000003",
            372,
            4567386,
            64,
            (1, 2),
            (240, -48),
        ),
    ],
)
def test_transport_cc_as_others_write_it(
    data: str, base: int, reference: int, count: int, statuses: tuple[int, ...], deltas: tuple[int, ...]
) -> None:
    packet = only(bytes.fromhex(data))
    assert isinstance(packet, TransportCc)
    assert packet.sender_ssrc == 0xFA17FA17
    assert (packet.base_seq, packet.reference_time, packet.feedback_count) == (base, reference, count)
    assert (packet.statuses, packet.deltas) == (statuses, deltas)


def test_one_odd_packet_does_not_spoil_the_compound() -> None:
    odd = struct.pack("!BBHI", 0x9F, 200, 1, 1)  # an SR that claims 31 blocks
    compound = rtcp.build_rr(1, [BLOCK]) + odd + rtcp.build_pli(1, 2)
    assert list(rtcp.walk(compound)) == [
        rtcp.ReceiverReport(1, (BLOCK,)),
        Unknown(200, 31, True),
        rtcp.Pli(1, 2),
    ]


def test_unknown_packets_are_passed_over() -> None:
    extended_report = struct.pack("!BBHI", 0x80, 207, 1, 1)
    assert list(rtcp.walk(extended_report + rtcp.build_bye([4]))) == [
        Unknown(207, 0, False),
        rtcp.Bye((4,)),
    ]


def test_padding_is_taken_off() -> None:
    data = bytearray(rtcp.build_nack(1, 2, [9]) + b"\0\0\0\4")
    data[0] |= 0x20
    data[3] += 1
    assert only(bytes(data)) == rtcp.Nack(1, 2, (9,))
    data[-1] = 0
    assert only(bytes(data)) == Unknown(205, 1, True)
    data[-1] = 200
    assert only(bytes(data)) == Unknown(205, 1, True)


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x80\xc9\x00\x01", b"\x40\xc9\x00\x00", b"\x80\xc9\x00\x00\x80"]
)
def test_where_a_header_leads_nowhere(data: bytes) -> None:
    with pytest.raises(RtcpError):
        list(rtcp.walk(data))


def test_what_came_before_a_bad_header_counts() -> None:
    walker = rtcp.walk(rtcp.build_pli(1, 2) + b"\x00\x00\x00\x00")
    assert next(walker) == rtcp.Pli(1, 2)
    with pytest.raises(RtcpError):
        next(walker)


@given(st.binary(max_size=120))
def test_any_bytes_give_packets_or_one_error(data: bytes) -> None:
    for form in (data, memoryview(data), b"\x80" + data, b"\x8f\xcd" + len(data).to_bytes(2, "big") + data):
        with contextlib.suppress(RtcpError):
            for packet in rtcp.walk(form):
                if isinstance(packet, TransportCc):
                    list(packet.arrivals())


VALID = b"".join(
    (
        rtcp.build_sr(1, 2, 3, 4, 5, [BLOCK]),
        rtcp.build_sdes(1, "cname"),
        rtcp.build_nack(1, 2, [1, 5, 40]),
        rtcp.build_fir(1, [(2, 3)]),
        rtcp.build_remb(1, 10**6, [2]),
        bytes.fromhex("afcd0006fa17fa17193dd8bb0174000245b15a40d800f0ffd0000003"),
        rtcp.build_bye([1]),
    )
)


@given(
    st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=5),
    st.integers(0, len(VALID)),
)
def test_mutated_compounds_are_survived(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    with contextlib.suppress(RtcpError):
        list(rtcp.walk(bytes(data)[:cut]))


def test_other_peoples_rtcp_agrees() -> None:
    other = pytest.importorskip("aiortc.rtp")
    ours = (
        rtcp.build_sr(1, 2, 3, 4, 5, [BLOCK]) + rtcp.build_sdes(1, "abc") + rtcp.build_nack(1, 2, [3, 4, 90])
    )
    report, description, nack = other.RtcpPacket.parse(ours + rtcp.build_pli(1, 2))[:3]
    assert (report.sender_info.ntp_timestamp, report.reports[0].packets_lost) == (2, -5)
    assert description.chunks[0].items == [(1, b"abc")]
    assert nack.lost == [3, 4, 90]
