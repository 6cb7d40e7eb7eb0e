"""RTP header: fields, extensions in both forms, padding, retransmissions; any bytes give a value or RtpError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import rtp_header
from conference.rtc.rtp_header import RtpError


def packet(payload: bytes = b"payload", *, extension: bytes = b"", padding: int = 0) -> bytes:
    first = 0x80 | (0x10 if extension else 0) | (0x20 if padding else 0)
    body = bytes((first, 0x80 | 96)) + bytes.fromhex("1234 89abcdef 01020304") + extension + payload
    return body + (bytes(padding - 1) + bytes((padding,)) if padding else b"")


def test_fields() -> None:
    header = rtp_header.parse(packet(padding=5))
    assert (header.payload_type, header.marker, header.sequence) == (96, True, 0x1234)
    assert (header.timestamp, header.ssrc) == (0x89ABCDEF, 0x01020304)
    assert packet(padding=5)[header.payload_start : header.payload_end] == b"payload"


@pytest.mark.parametrize("cut", range(12))
def test_short_packets_are_refused(cut: int) -> None:
    with pytest.raises(RtpError):
        rtp_header.parse(packet()[:cut])


def test_padding_longer_than_the_payload_is_refused() -> None:
    with pytest.raises(RtpError):
        rtp_header.parse(packet(b"", padding=3)[:-1] + b"\xff")


@given(st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), max_size=6))
def test_extensions_are_read_as_they_were_written(elements: dict[int, bytes]) -> None:
    data = packet(extension=rtp_header.build_extensions(elements))
    header = rtp_header.parse(data)
    assert rtp_header.extensions(data, header) == elements
    assert data[header.payload_start :] == b"payload"


def test_two_byte_extensions() -> None:
    data = packet(extension=bytes.fromhex("1000 0002 0301aa 00 0402bbcc"))
    assert rtp_header.extensions(data, rtp_header.parse(data)) == {3: b"\xaa", 4: b"\xbb\xcc"}


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        header = rtp_header.parse(data)
    except RtpError:
        return
    assert 12 <= header.payload_start <= header.payload_end <= len(data)
    rtp_header.extensions(data, header)
    rtp_header.unwrap_rtx(data, header, 96, 1)


def test_a_retransmission_gives_back_the_original() -> None:
    original = packet()
    header = rtp_header.parse(original)
    rtx = bytearray(original[:12] + original[2:4] + original[12:])
    rtx[1] = (rtx[1] & 0x80) | 97
    rtx[2:4] = b"\x00\x07"
    rtx[8:12] = b"\x09\x09\x09\x09"
    again = rtp_header.unwrap_rtx(bytes(rtx), rtp_header.parse(bytes(rtx)), 96, header.ssrc)
    assert again == original


def test_a_probe_of_padding_holds_no_packet() -> None:
    probe = packet(b"", padding=200)
    assert rtp_header.unwrap_rtx(probe, rtp_header.parse(probe), 96, 1) is None
