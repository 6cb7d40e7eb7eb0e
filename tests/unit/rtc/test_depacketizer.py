"""Frames out of packets: what real encoders made comes back byte for byte, and never a broken frame."""

from __future__ import annotations

import base64
import random
import struct
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.codecs import opus
from conference.rtc.depacketizer import (
    Depacketizer,
    Frame,
    H264Depacketizer,
    OpusDepacketizer,
    Vp8Depacketizer,
    depacketizer_for,
)
from conference.rtc.jitter_buffer import JitterBuffer, Missing, Ordered
from conference.rtc.rtp_header import parse

START = b"\x00\x00\x00\x01"
STEP = 3000  # ticks between pictures


@cache
def encoded(codec: str) -> tuple[bytes, ...]:
    """24 pictures of 320x192 with a keyframe every 8, as the encoder gives them."""
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt, context.framerate = 320, 192, "yuv420p", Fraction(30)
    context.time_base, context.gop_size, context.bit_rate = Fraction(1, 30), 8, 800_000
    if codec == "libx264":
        context.options = {"tune": "zerolatency", "preset": "ultrafast", "slices": "2", "sc_threshold": "0"}
    else:
        context.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    noise = np.random.default_rng(3)
    out: list[bytes] = []
    for i in range(24):
        picture = av.VideoFrame.from_ndarray(noise.integers(0, 255, (288, 320), np.uint8), format="yuv420p")
        picture.pts = i
        out += [bytes(packet) for packet in context.encode(picture)]
    return (*out, *(bytes(packet) for packet in context.encode(None)))


def vp8_payloads(frame: bytes, number: int, size: int) -> Iterator[bytes]:
    for at in range(0, len(frame), size):
        head = struct.pack("!BBH", 0x90 if at == 0 else 0x80, 0x80, 0x8000 | number)
        yield head + frame[at : at + size]


def units_of(frame: bytes) -> list[bytes]:
    """The NAL units of an access unit in Annex B."""
    return [unit for unit in frame.replace(START, b"\x00\x00\x01").split(b"\x00\x00\x01") if unit]


def h264_payloads(units: list[bytes], size: int) -> Iterator[bytes]:
    """Small units together, as Chromium sends parameter sets; large ones in fragments."""
    small = [unit for unit in units if unit[0] & 0x1F > 5]
    if len(small) > 1:
        yield b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in small)
        units = [unit for unit in units if unit[0] & 0x1F <= 5]
    for unit in units:
        if len(unit) <= size:
            yield unit
            continue
        body = unit[1:]
        for at in range(0, len(body), size):
            flags = (0x80 if at == 0 else 0) | (0x40 if at + size >= len(body) else 0)
            yield bytes((unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F)) + body[at : at + size]


def rtp(sequence: int, timestamp: int, payload: bytes, *, marker: bool = False) -> bytes:
    return struct.pack("!BBHII", 0x80, 96 | marker << 7, sequence & 0xFFFF, timestamp, 1) + payload


def packets_of(codec: str, size: int, *, markers: bool = True) -> list[bytes]:
    out: list[bytes] = []
    for i, frame in enumerate(encoded("libvpx" if codec == "vp8" else "libx264")):
        made = vp8_payloads(frame, i, size) if codec == "vp8" else h264_payloads(units_of(frame), size)
        payloads = list(made)
        for j, payload in enumerate(payloads):
            last = markers and j == len(payloads) - 1
            out.append(rtp(65_500 + len(out), i * STEP, payload, marker=last))
    return out


def expected(codec: str) -> list[bytes]:
    if codec == "vp8":
        return list(encoded("libvpx"))
    return [b"".join(START + unit for unit in units_of(frame)) for frame in encoded("libx264")]


def through(depacketizer: Depacketizer, packets: list[bytes]) -> list[Frame]:
    buffer = JitterBuffer()
    out: list[Frame] = []
    items: list[Ordered | Missing] = []
    for packet in packets:
        buffer.push(packet, 1.0)
        items += buffer.pop(1.0)
    for item in [*items, *buffer.flush()]:
        out += depacketizer.push(item)
    return out


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@pytest.mark.parametrize("size", [200, 1100])
def test_real_frames_come_back_byte_for_byte(codec: str, size: int) -> None:
    depacketizer = depacketizer_for(codec, {})
    packets = packets_of(codec, size)
    assert len(packets) > 36, "the numbers wrap"
    frames = through(depacketizer, packets)
    assert [frame.data for frame in frames] == expected(codec)
    assert [frame.timestamp for frame in frames] == [i * STEP for i in range(24)]
    assert [i for i, frame in enumerate(frames) if frame.is_keyframe] == [0, 8, 16]
    assert {(frame.width, frame.height) for frame in frames if frame.is_keyframe} == {(320, 192)}
    assert not any(frame.follows_loss for frame in frames)
    assert depacketizer.broken == 0


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_without_markers_the_next_picture_ends_the_last(codec: str) -> None:
    frames = through(depacketizer_for(codec, {}), packets_of(codec, 500, markers=False))
    assert [frame.data for frame in frames] == expected(codec)[:-1]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@given(lost=st.sets(st.integers(0, 200), min_size=1, max_size=30))
def test_lost_packets_cost_their_frames_and_no_others(codec: str, lost: set[int]) -> None:
    packets = packets_of(codec, 400)
    lost = {i % len(packets) for i in lost}
    hurt = {parse(packets[i]).timestamp // STEP for i in lost}
    frames = through(depacketizer_for(codec, {}), [p for i, p in enumerate(packets) if i not in lost])
    got = {frame.timestamp // STEP: frame for frame in frames}
    sent = expected(codec)
    for number, frame in got.items():
        if frame.data != sent[number]:
            # Parameter sets that were lost are put in from an earlier keyframe.
            assert codec == "h264"
            assert frame.is_keyframe
            assert frame.data.endswith(sent[number][-200:])
    whole = {i for i in range(24) if i not in hurt}
    assert whole - set(got) == set()
    for number in whole:
        before = number - 1
        if before >= 0:
            assert got[number].follows_loss == (before not in got)


@given(st.lists(st.binary(max_size=40), max_size=30), st.sampled_from(["vp8", "h264", "opus"]))
def test_rubbish_never_raises(payloads: list[bytes], codec: str) -> None:
    depacketizer = depacketizer_for(codec, {"sprop-parameter-sets": "!!,AAAA"})
    packets = [rtp(i, i // 3, payload, marker=i % 3 == 2) for i, payload in enumerate(payloads)]
    for frame in through(depacketizer, packets):
        assert frame.data


def test_padding_leaves_no_trace() -> None:
    packets = packets_of("vp8", 500)
    first = parse(packets[0]).sequence
    with_padding: list[bytes] = []
    for packet in packets:
        with_padding.append(struct.pack("!BBH", packet[0], packet[1], first & 0xFFFF) + packet[4:])
        with_padding.append(
            struct.pack("!BBH", 0xA0, 96, first + 1 & 0xFFFF) + packet[4:12] + bytes(9) + b"\x0a"
        )
        first += 2
    assert [frame.data for frame in through(Vp8Depacketizer(), with_padding)] == expected("vp8")


@pytest.mark.parametrize("by_description", [True, False])
def test_parameter_sets_given_once_stand_before_every_keyframe(by_description: bool) -> None:
    sets = [unit for unit in units_of(encoded("libx264")[0]) if unit[0] & 0x1F in (7, 8)]
    sprop = ",".join(base64.b64encode(unit).decode() for unit in sets) if by_description else ""
    packets = [] if by_description else [rtp(i, 1, unit) for i, unit in enumerate(sets)]
    for i in (0, 8):
        for unit in units_of(encoded("libx264")[i]):
            if unit[0] & 0x1F == 5:
                packets += [rtp(len(packets) + j, 9 + i, p) for j, p in enumerate(h264_payloads([unit], 900))]
    frames = through(H264Depacketizer(sprop), [*packets, rtp(len(packets), 99, b"\x09\x10")])
    assert len(frames) == 2
    for frame in frames:
        assert [unit[0] & 0x1F for unit in units_of(frame.data)][:3] == [7, 8, 5]
        assert (frame.width, frame.height) == (320, 192)
        context = av.CodecContext.create("h264", "r")
        assert isinstance(context, VideoCodecContext)
        assert len([*context.decode(av.Packet(frame.data)), *context.decode(None)]) == 1


def test_a_keyframe_without_any_parameter_sets_is_broken() -> None:
    idr = next(unit for unit in units_of(encoded("libx264")[0]) if unit[0] & 0x1F == 5)
    depacketizer = H264Depacketizer()
    payloads = list(h264_payloads([idr], 900))
    packets = [rtp(i, 5, p, marker=i == len(payloads) - 1) for i, p in enumerate(payloads)]
    assert through(depacketizer, packets) == []
    assert depacketizer.broken == 1


def test_every_opus_packet_is_a_frame_with_its_duration() -> None:
    sound = [random.Random(i).randbytes(1) for i in range(3)]
    packets = [b"\xfc" + sound[0], b"\x78", b"\x03\x02" + sound[1], b"\xff\x06"]
    depacketizer = OpusDepacketizer()
    frames = through(depacketizer, [rtp(i, i * 960, p) for i, p in enumerate(packets)])
    assert [frame.duration for frame in frames] == [960, 960, 960, 5760]
    assert all(frame.is_keyframe for frame in frames)
    lost = through(depacketizer, [rtp(0, 0, b"\xfc"), rtp(2, 1920, b"\xfc"), rtp(3, 2880, b"\xff\x07")])
    assert [frame.follows_loss for frame in lost] == [False, True]
    assert depacketizer.broken == 1


@pytest.mark.parametrize("packet", [b"", b"\x03", b"\x03\x00", b"\x1b\x03"])
def test_what_is_no_opus_is_refused(packet: bytes) -> None:
    with pytest.raises(opus.OpusError):
        opus.duration(packet)


def test_another_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="av1"):
        depacketizer_for("av1", {})
