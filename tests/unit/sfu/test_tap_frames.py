"""Frames of a tap: what is encoded comes back, cut anywhere; what is no frame is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.sfu.tap_frames import (
    MAX_LENGTH,
    MAX_PACKET,
    Clock,
    Close,
    Decoder,
    Frame,
    Gap,
    Gate,
    Keyframe,
    MalformedFrameError,
    Open,
    OversizedFrameError,
    Packet,
    Report,
    TapFrameError,
    UnknownFrameError,
    encode,
    encode_packet,
)

_u32 = st.integers(0, 2**32 - 1)
_u64 = st.integers(0, 2**64 - 1)
_text = st.text(st.characters(codec="utf-8"), max_size=40)
_frames = st.one_of(
    st.builds(
        Open, track=_u32, publication_id=_text, participant_id=_text, kind=st.sampled_from(("audio", "video")),
        source=_text, codec=st.sampled_from(("opus", "vp8", "h264")), clock_rate=_u32, ssrc=_u32, cname=_text,
        parameters=st.dictionaries(_text, _text, max_size=5),
    ),
    st.builds(Packet, track=_u32, arrival_us=_u64, packet=st.binary(max_size=1500)),
    st.builds(Report, track=_u32, arrival_us=_u64, ntp=_u64, rtp_timestamp=_u32),
    st.builds(Gap, track=_u32, packets=_u32),
    st.builds(Gate, track=_u32, is_open=st.booleans()),
    st.builds(Close, track=_u32),
    st.builds(Keyframe, track=_u32),
    st.builds(Clock, monotonic_us=_u64, program_time_ms=st.integers(-(2**63), 2**63 - 1)),
)  # fmt: skip

OPEN = Open(1, "p", "人", "video", "camera", "vp8", 90000, 7, "c", {"apt": "96"})


@given(st.lists(_frames, max_size=8), st.lists(st.integers(1, 400), max_size=20))
def test_what_is_encoded_comes_back_however_it_is_cut(frames: list[Frame], cuts: list[int]) -> None:
    data = b"".join(encode(frame) for frame in frames)
    decoder = Decoder()
    got: list[Frame] = []
    at = 0
    for cut in cuts:
        got += decoder.feed(data[at : at + cut])
        at += cut
    got += decoder.feed(data[at:])
    assert got == frames
    assert decoder.is_between_frames


@given(st.binary(max_size=200))
def test_rubbish_gives_frames_or_the_typed_error(data: bytes) -> None:
    decoder = Decoder()
    try:
        decoder.feed(data)
        decoder.feed(b"")
    except TapFrameError:
        with pytest.raises(TapFrameError):
            decoder.feed(encode(Close(1)))


@given(_frames, st.data())
def test_a_changed_byte_never_escapes_as_another_error(frame: Frame, data: st.DataObject) -> None:
    broken = bytearray(encode(frame))
    broken[data.draw(st.integers(4, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        Decoder().feed(broken)
    except TapFrameError:
        return


def test_the_layout_is_the_one_agreed_on() -> None:
    assert encode_packet(2, 3, b"abc") == struct.pack("!IBIQ", 16, 2, 2, 3) + b"abc"
    assert encode(Report(1, 2, 3, 4)) == struct.pack("!IBIQQI", 25, 3, 1, 2, 3, 4)
    assert encode(Gate(5, False)) == struct.pack("!IBIB", 6, 5, 5, 0)
    assert encode(Clock(5, -1)) == struct.pack("!IBQq", 17, 7, 5, -1)
    assert encode(OPEN)[4] == 1


def test_the_largest_packet_fits_and_no_larger_one() -> None:
    packet = bytes(MAX_PACKET)
    assert Decoder().feed(encode_packet(1, 1, packet)) == [Packet(1, 1, packet)]
    with pytest.raises(OversizedFrameError):
        encode_packet(1, 1, packet + b"x")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (struct.pack("!I", MAX_LENGTH + 1), OversizedFrameError),
        (struct.pack("!I", 0), OversizedFrameError),
        (struct.pack("!IB", 1, 99), UnknownFrameError),
        (struct.pack("!IBI", 5, 2, 1), MalformedFrameError),
        (struct.pack("!IBI", 5, 3, 1), MalformedFrameError),
        (struct.pack("!IBII", 9, 6, 1, 1), MalformedFrameError),
        (struct.pack("!IB", 4, 1) + b"\xc1\xc1\xc1", MalformedFrameError),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes, error: type[TapFrameError]) -> None:
    with pytest.raises(error):
        Decoder().feed(data)


def test_frames_before_a_broken_one_are_handed_out_first() -> None:
    decoder = Decoder()
    assert decoder.feed(encode(Close(1)) + struct.pack("!IB", 1, 99)) == [Close(1)]
    assert not decoder.is_between_frames
    with pytest.raises(UnknownFrameError):
        decoder.feed(b"")


def test_texts_and_numbers_are_bounded_at_both_ends() -> None:
    with pytest.raises(TapFrameError):
        encode(Open(1, "p" * 300, "", "video", "camera", "vp8", 90000, 7, "c", {}))
    with pytest.raises(TapFrameError):
        encode(Open(1, "p", "", "video", "camera", "vp8", 90000, 7, "c", {str(i): "" for i in range(65)}))
    with pytest.raises(TapFrameError):
        encode(Close(2**32))
    with pytest.raises(TapFrameError):
        encode(Packet(-1, 0, b""))
