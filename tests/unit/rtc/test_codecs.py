"""Keyframes in VP8 and H264 payloads: vectors of the RFCs, streams of real encoders, any bytes."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.codecs import h264, vp8

KEY = bytes.fromhex("10020 09d012a8002e001".replace(" ", ""))  # 640x480


def test_vp8_without_extension() -> None:
    descriptor = vp8.parse(b"\x10" + KEY)
    assert (descriptor.size, descriptor.starts_frame, descriptor.picture_id) == (1, True, None)
    assert vp8.is_keyframe(b"\x10" + KEY)
    assert vp8.keyframe_size(b"\x10" + KEY) == (640, 480)
    assert not vp8.is_keyframe(b"\x10\x01" + KEY[1:])  # an inter frame
    assert not vp8.is_keyframe(b"\x00" + KEY)  # not its first packet
    assert not vp8.is_keyframe(b"\x11" + KEY)  # another partition
    assert vp8.keyframe_size(b"\x10\x01" + KEY[1:]) is None
    assert vp8.keyframe_size(b"\x10" + KEY[:8]) is None


def test_vp8_with_everything() -> None:
    # X; I L T K; 15-bit picture id 0x1234; TL0PICIDX 0x56; TID 2, Y, KEYIDX 17
    head = bytes.fromhex("b0f09234 56 b1".replace(" ", ""))
    descriptor = vp8.parse(head + KEY)
    assert descriptor == vp8.Descriptor(
        size=6,
        starts_frame=True,
        non_reference=True,
        picture_id=0x1234,
        picture_id_at=2,
        picture_id_bits=15,
        tl0picidx=0x56,
        tl0picidx_at=4,
        temporal_id=2,
        layer_sync=True,
        key_index=17,
    )
    assert vp8.is_keyframe(head + KEY)
    assert vp8.keyframe_size(memoryview(head + KEY)) == (640, 480)


def test_vp8_short_picture_id() -> None:
    descriptor = vp8.parse(bytes.fromhex("90805500"))
    assert (descriptor.picture_id, descriptor.picture_id_bits, descriptor.size) == (0x55, 7, 3)
    assert vp8.is_start_of_frame(b"\x90")
    assert not vp8.is_start_of_frame(b"")
    assert not vp8.is_start_of_frame(b"\x80")


@pytest.mark.parametrize("data", [b"", b"\x90", b"\x90\x80", b"\x90\x80\x80", b"\x90\xf0\x01\x02"])
def test_vp8_truncated(data: bytes) -> None:
    assert not vp8.is_keyframe(data)
    with pytest.raises(vp8.Vp8Error):
        vp8.parse(data)


@given(st.binary(max_size=20))
def test_vp8_any_bytes(data: bytes) -> None:
    keyframe = vp8.is_keyframe(data)
    vp8.keyframe_size(data)
    try:
        descriptor = vp8.parse(data)
    except vp8.Vp8Error:
        assert not keyframe
        return
    assert descriptor.starts_frame == vp8.is_start_of_frame(data)
    expected = descriptor.starts_frame and len(data) > descriptor.size and not data[descriptor.size] & 1
    assert keyframe == expected


BASELINE = bytes.fromhex("6742c01fd900500 5bb016a02020280000003008000001e478c1924".replace(" ", ""))


def aggregate(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def test_h264_keyframes() -> None:
    assert h264.is_keyframe(b"\x65\x88")
    assert h264.is_keyframe(b"\x67\x42")
    assert not h264.is_keyframe(b"\x41\x9a")
    assert not h264.is_keyframe(b"\x68\xce")  # picture parameters alone
    assert h264.is_keyframe(aggregate(b"\x09\xf0", b"\x67\x42", b"\x68\xce"))
    assert h264.is_keyframe(memoryview(aggregate(b"\x06\x05", b"\x65\x88")))
    assert not h264.is_keyframe(aggregate(b"\x06\x05", b"\x41\x9a"))
    assert h264.is_keyframe(b"\x7c\x85\x00")  # FU-A, first of an IDR
    assert not h264.is_keyframe(b"\x7c\x05\x00")  # a later one
    assert not h264.is_keyframe(b"\x7c\x81\x00")
    assert not h264.is_keyframe(b"")
    assert not h264.is_keyframe(b"\x65")


def test_h264_start_of_frame() -> None:
    assert h264.is_start_of_frame(b"\x41\x9a")
    assert h264.is_start_of_frame(b"\x7c\x81")
    assert not h264.is_start_of_frame(b"\x7c\x01")
    assert not h264.is_start_of_frame(b"")


def test_h264_sps() -> None:
    sps = h264.find_sps(aggregate(b"\x09\xf0", BASELINE, b"\x68\xce"))
    assert sps is not None
    assert (sps.profile_level_id, sps.width, sps.height) == ("42c01f", 1280, 720)
    assert h264.find_sps(b"\x41\x9a") is None
    assert h264.find_sps(BASELINE[:6]) is None
    assert h264.find_sps(b"") is None
    assert h264.find_sps(b"\x7c\x87" + BASELINE[1:]) is None


@pytest.mark.parametrize(
    ("profile", "size", "interlaced", "expected"),
    [
        ("baseline", (640, 360), False, "42"),
        ("main", (1920, 1080), False, "4d"),
        ("main", (1920, 1080), True, "4d"),
        ("high", (854, 480), False, "64"),
        ("high", (854, 480), True, "64"),
        ("high", (320, 242), False, "64"),
    ],
)
def test_h264_sps_of_a_real_encoder(
    profile: str, size: tuple[int, int], interlaced: bool, expected: str
) -> None:
    av = pytest.importorskip("av")
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = size
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, 30)
    codec.options = {"profile": profile, "preset": "veryfast"}
    if interlaced:
        codec.options = {**codec.options, "x264-params": "interlaced=1"}
    stream = b"".join(_encode(av, codec, size))
    units = [unit for part in stream.split(b"\0\0\1") if (unit := part.rstrip(b"\0"))]
    found = [h264.parse_sps(unit) for unit in units if unit[0] & 0x1F == 7]
    assert found
    assert (found[0].width, found[0].height) == size
    assert found[0].profile_level_id.startswith(expected)


def _encode(av: object, codec: object, size: tuple[int, int]) -> list[bytes]:
    frame = av.VideoFrame(*size, "yuv420p")  # type: ignore[attr-defined]
    return [bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)]]  # type: ignore[attr-defined]


def test_vp8_size_of_a_real_encoder() -> None:
    av = pytest.importorskip("av")
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height = 362, 202
    codec.pix_fmt = "yuv420p"
    codec.time_base = Fraction(1, 30)
    packets = _encode(av, codec, (362, 202))
    assert vp8.keyframe_size(b"\x90\x80\x01" + packets[0]) == (362, 202)


@given(st.binary(max_size=60))
def test_h264_any_bytes(data: bytes) -> None:
    for form in (data, b"\x78" + data, b"\x67" + data, b"\x67\x64\x00\x1f" + data):
        h264.is_keyframe(form)
        h264.is_start_of_frame(form)
        list(h264.nal_units(form))
        h264.find_sps(form)
        with contextlib.suppress(h264.H264Error):
            h264.parse_sps(form)


@given(st.integers(4, len(BASELINE) - 1), st.integers(0, 255), st.integers(0, len(BASELINE)))
def test_h264_mutated_parameters(at: int, value: int, cut: int) -> None:
    data = bytearray(BASELINE)
    data[at] = value
    with contextlib.suppress(h264.H264Error):
        sps = h264.parse_sps(bytes(data[:cut]))
        assert 0 < sps.width <= 16384
        assert 0 < sps.height <= 16384
