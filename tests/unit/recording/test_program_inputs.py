"""Tracks of the tap: which picture is shown when, what is asked for, and that nothing sent can break anything."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conference.sfu import tap_frames
from recording.program.mixer import sample_at
from recording.program.sounds import Delay
from tests.support.encoded import pictures, sounds
from tests.support.inset import encode, inset, inset_clip, read_inset
from tests.support.media import opus_packets, speech_wav
from tests.unit.recording.written_tap import CAMERA, CLIP, START_US, Tap

SPEECH = opus_packets(speech_wav())


@pytest.fixture
def tap() -> Iterator[Tap]:
    made = Tap()
    yield made
    made.decoding.close()


def test_the_newest_picture_whose_time_has_come_is_shown(tap: Tap) -> None:
    tap.open()
    tap.want()
    for number in range(10):
        tap.send(CLIP[number], number / 25)
    tap.settle()
    assert tap.inputs.available() == {CAMERA}
    assert [tap.code(at_s) for at_s in (0.0, 0.05, 0.119, 0.121, 0.3)] == [0, 1, 2, 3, 7]
    one, two = tap.picture(0.3), tap.picture(0.31)
    assert one is two
    later = tap.picture(0.34)
    assert one is not None
    assert later is not None
    assert later.serial != one.serial


def test_what_nobody_wants_to_see_is_not_decoded_and_begins_with_a_question(tap: Tap) -> None:
    tap.open()
    for number in range(6):
        tap.send(CLIP[number], number / 25)
    tap.settle()
    assert tap.picture(0.3) is None
    assert tap.asked == []
    tap.want(at_us=START_US + 240_000)
    for number in range(6, 12):
        tap.send(CLIP[number], number / 25)
    tap.settle()
    assert tap.picture(0.5) is None
    assert tap.asked == [1]
    for number in range(12, 16):
        tap.send(CLIP[number], number / 25)
    tap.settle()
    assert tap.code(0.6) == 15


def test_behind_a_gap_the_picture_stands_until_a_keyframe(tap: Tap) -> None:
    tap.open()
    tap.want()
    for number in range(4):
        tap.send(CLIP[number], number / 25)
    tap.inputs.take(tap_frames.Gap(1, 30))
    for number in range(5, 12):
        tap.send(CLIP[number], number / 25)
    tap.settle()
    assert tap.code(0.5) == 3
    assert tap.asked == [1]
    tap.send(CLIP[12], 12 / 25)
    tap.settle()
    assert tap.code(0.5) == 12


def test_a_lost_packet_is_waited_for_and_then_given_up(tap: Tap) -> None:
    tap.open()
    tap.want()
    tap.send(CLIP[0], 0)
    tap.send(CLIP[1], 0.04, mangle=lambda packets: packets[:-1])
    tap.send(CLIP[2], 0.08)
    tap.inputs.tick(START_US + 300_000)
    tap.settle()
    assert (tap.code(0.1), tap.asked) == (0, [])
    tap.inputs.tick(START_US + 600_000)
    tap.send(CLIP[3], 0.62)
    tap.settle()
    assert tap.code(0.7) == 0
    assert tap.asked == [1]


def test_a_camera_that_stalls_is_gone_after_two_seconds_and_a_screen_is_not(tap: Tap) -> None:
    for track, source in ((1, "camera"), (2, "screen")):
        tap.open(track, source=source)
        tap.want(CAMERA, ("p1", "screen"))
        tap.send(CLIP[0], 0, track=track)
    tap.settle()
    for at_s in (0.1, 2.0):
        assert tap.picture(at_s) is not None
        assert tap.picture(at_s, ("p1", "screen")) is not None
    assert tap.picture(2.2) is None
    assert tap.picture(30, ("p1", "screen")) is not None


def test_a_track_that_is_closed_is_neither_there_nor_heard(tap: Tap) -> None:
    tap.open()
    tap.open(2, "opus")
    tap.want()
    tap.send(CLIP[0], 0)
    tap.settle()
    assert set(tap.mixer.levels()) == {"p1"}
    tap.inputs.close()
    assert tap.inputs.available() == set()
    assert tap.picture(0.1) is None
    assert tap.mixer.levels() == {}
    tap.send(CLIP[1], 0.04)
    tap.inputs.take(tap_frames.Gate(2, False))


def test_of_two_cameras_the_newer_is_shown_and_after_its_end_the_other(tap: Tap) -> None:
    tap.open(1)
    tap.open(2)
    tap.want()
    other = inset_clip(2, "vp8", 25, 50, gop=12)
    tap.send(CLIP[0], 0, track=1)
    tap.send(other[0], 0, track=2)
    tap.settle()
    picture = tap.picture(0.1)
    assert picture is not None
    read = read_inset(np.asarray(picture.frame.to_ndarray(format="gray"), np.uint8))
    assert read is not None
    assert read.participant == 2
    tap.inputs.take(tap_frames.Close(2))
    tap.send(CLIP[12], 0.48, track=1)
    tap.settle()
    assert tap.code(0.5) == 12


def test_the_programs_own_tracks_are_not_taken(tap: Tap) -> None:
    tap.open(who="program", source="program")
    assert tap.inputs.available() == set()


def test_a_phone_held_upright_says_so(tap: Tap) -> None:
    tap.open(parameters={tap_frames.ORIENTATION: "4"})
    tap.want()

    def turned(packets: list[bytes]) -> list[bytes]:
        extension = b"\xbe\xde\0\1" + bytes((4 << 4, 1, 0, 0))
        return [bytes((packet[0] | 0x10,)) + packet[1:12] + extension + packet[12:] for packet in packets]

    tap.send(CLIP[0], 0, mangle=turned)
    tap.settle()
    picture = tap.picture(0.1)
    assert picture is not None
    assert picture.rotation == 90


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(3840, 2160, (1280, 720)), (16, 16, (16, 16)), (720, 1280, (404, 720))]
)
def test_a_picture_of_any_size_is_no_larger_than_the_program(
    tap: Tap, width: int, height: int, shown: tuple[int, int]
) -> None:
    (coded,) = pictures("libvpx", 1, width, height, {"deadline": "realtime", "cpu-used": "8"})
    tap.open()
    tap.want()
    tap.send(coded.data, 0)
    tap.settle()
    picture = tap.picture(0.1)
    assert picture is not None
    frame = picture.frame
    assert frame.format.name == "yuv420p"
    assert frame.width <= max(shown[0], width if width <= 1280 else 0)
    assert max(frame.width / 1280, frame.height / 1280) <= 1
    assert frame.width / frame.height == pytest.approx(width / height, rel=0.02)


def test_the_size_may_change_at_any_keyframe(tap: Tap) -> None:
    tap.open()
    tap.want()
    number = 0
    for width, height in ((640, 360), (1280, 720), (320, 180)):
        for coded in pictures("libvpx", 3, width, height, {"deadline": "realtime", "cpu-used": "8"}):
            tap.send(coded.data, number / 25)
            number += 1
        tap.settle()
        picture = tap.picture(number / 25)
        assert picture is not None
        assert (picture.frame.width, picture.frame.height) == (width, height)


def test_b_frames_are_shown_in_their_order(tap: Tap) -> None:
    drawn = [inset(1, number) for number in range(30)]
    options = {"tune": "film", "bf": "3", "x264-params": "bframes=3:b-adapt=0:repeat-headers=1:scenecut=0"}
    coded = encode("h264", drawn, 25, gop=30, options=options)
    encoder_order = _display_numbers(coded)
    assert encoder_order != sorted(encoder_order)
    tap.open(codec="h264")
    tap.want()
    for sent, (data, number) in enumerate(zip(coded, encoder_order, strict=True)):
        tap.send(data, (sent + 4) / 25, timestamp=(number + 4) * 3_600)
    tap.settle()
    seen = [code for at in range(4, 34) if (code := tap.code(at / 25 + 0.01)) is not None]
    assert seen == sorted(seen)
    assert len(set(seen)) > 15


def _display_numbers(coded: list[bytes]) -> list[int]:
    """Which picture of the row each coded one is, by decoding them."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = []
    for number, data in enumerate(coded):
        packet = av.Packet(data)
        packet.pts = number
        frames += decoder.decode(packet)
    frames += decoder.decode(None)
    order = [0] * len(coded)
    for shown, frame in enumerate(frames):
        assert frame.pts is not None
        order[frame.pts] = shown
    return order


def test_a_stream_without_any_keyframe_shows_nothing_and_is_asked_for_one_again_and_again(tap: Tap) -> None:
    tap.open()
    tap.want()
    for number in range(1, 100):
        tap.want(at_us=START_US + number * 40_000)
        tap.send(CLIP[1 + number % 11], number / 25)
    tap.settle()
    assert tap.picture(4) is None
    assert 3 <= len(tap.asked) <= 9


def test_one_picture_a_second_stays_on_the_screen(tap: Tap) -> None:
    slow = inset_clip(3, "vp8", 1, 8, gop=4)
    tap.open()
    for number, data in enumerate(slow):
        tap.want(at_us=START_US + number * 1_000_000)
        tap.send(data, number)
        tap.settle()
        assert all(tap.picture(number + part / 10) is not None for part in range(10))


def test_a_clock_that_jumps_is_shown_on(tap: Tap) -> None:
    tap.open()
    for number in range(120):
        jump = 0 if number < 40 else 90_000 * 3_600 if number < 80 else 0x80000000
        tap.want(at_us=START_US + number * 40_000)
        tap.send(CLIP[number], number / 25, timestamp=(number * 3_600 + jump) & 0xFFFFFFFF)
        if number % 20 == 19:
            tap.settle()
            shown = tap.code(number / 25 + 0.02)
            assert shown is not None
            assert number - shown <= 14


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_sound_is_heard_at_its_time(tap: Tap, layout: str) -> None:
    packets = SPEECH if layout == "mono" else sounds(50)
    tap.open(1, "opus")
    heard = []
    for number in range(48):
        tap.send(packets[number], number / 50)
        if number % 2:
            at = sample_at(START_US + (number - 9) * 20_000)
            heard.append(tap.mixer.mix(at, 1_920))
    sound = np.concatenate(heard)
    assert np.abs(sound).max() > 0.01
    np.testing.assert_array_equal(sound[:, 0], sound[:, 1])


def test_a_muted_microphone_is_not_heard(tap: Tap) -> None:
    tap.open(1, "opus")
    tap.inputs.take(tap_frames.Gate(1, False))
    for number in range(20):
        tap.send(SPEECH[number + 10], number / 50)
    assert not tap.mixer.mix(sample_at(START_US), 19_200).any()
    tap.inputs.take(tap_frames.Gate(1, True))
    for number in range(20, 60):
        tap.send(SPEECH[number + 10], number / 50)
    assert tap.mixer.mix(sample_at(START_US + 400_000), 19_200).any()


def test_a_slow_way_is_waited_for_with_sound_and_picture_alike() -> None:
    delay = Delay()
    for _ in range(9):
        delay.on_sound(-100_000)
    assert delay.us == 0
    delay.on_sound(-100_000)
    assert delay.us == 160_000
    for _ in range(1_600):
        delay.on_sound(600_000)
    assert delay.us == 0


def test_broken_packets_of_every_kind_raise_nothing(tap: Tap) -> None:
    tap.open(1)
    tap.open(2, "h264")
    tap.open(3, "opus")
    tap.open(4, "av1")
    tap.open(5, "vp8", source="screen")
    tap.want(CAMERA, ("p1", "screen"))
    random = np.random.default_rng(5)
    h264 = encode("h264", [inset(1, number) for number in range(8)], 25, gop=8)
    for number in range(120):
        for track, clip in ((1, CLIP), (2, h264), (3, SPEECH), (5, CLIP)):
            data = bytearray(clip[number % len(clip)])
            for _ in range(number % 5):
                data[int(random.integers(len(data)))] = int(random.integers(256))
            tap.send(bytes(data), number / 25, track=track)
    tap.settle()
    tap.picture(4.8)
    tap.mixer.mix(sample_at(START_US), 1_920)


frames = st.one_of(
    st.builds(tap_frames.Packet, st.integers(0, 3), st.integers(0, 1 << 40), st.binary(max_size=64)),
    st.builds(
        tap_frames.Packet,
        st.integers(0, 3),
        st.integers(START_US, START_US + 10_000_000),
        st.builds(
            lambda sequence, stamp, body: struct.pack("!BBHII", 0x80, 96, sequence, stamp, 1) + body,
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFFFFFF),
            st.binary(max_size=40),
        ),
    ),
    st.builds(
        tap_frames.Report, st.integers(0, 3), st.integers(0, 1 << 40), st.integers(0, (1 << 64) - 1),
        st.integers(0, 0xFFFFFFFF),
    ),
    st.builds(tap_frames.Gap, st.integers(0, 3), st.integers(0, 100)),
    st.builds(tap_frames.Gate, st.integers(0, 3), st.booleans()),
    st.builds(tap_frames.Close, st.integers(0, 3)),
    st.builds(tap_frames.Clock, st.integers(0, 1 << 40), st.integers(0, 1 << 40)),
    st.builds(
        tap_frames.Open, st.integers(0, 3), st.text(max_size=3), st.text(max_size=3),
        st.sampled_from(["audio", "video", "x"]), st.sampled_from(["camera", "microphone", "screen", ""]),
        st.sampled_from(["vp8", "h264", "opus", "av1"]), st.sampled_from([0, 1, 8_000, 48_000, 90_000]),
        st.integers(0, 0xFFFFFFFF), st.text(max_size=2),
        st.dictionaries(
            st.sampled_from([tap_frames.ORIENTATION, "sprop-parameter-sets"]), st.text(max_size=5), max_size=2
        ),
    ),
)  # fmt: skip


@given(st.lists(frames, max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_no_row_of_frames_raises_anything(sent: list[tap_frames.Frame]) -> None:
    tap = Tap()
    try:
        tap.want(CAMERA, ("", "camera"), ("", "screen"))
        for number, frame in enumerate(sent):
            tap.inputs.take(frame)
            tap.inputs.tick(START_US + number * 50_000)
        tap.settle()
        tap.inputs.pictures(tap.inputs.available(), START_US + 5_000_000)
        tap.mixer.mix(sample_at(START_US), 1_920)
        tap.inputs.close()
    finally:
        tap.decoding.close()


def test_of_two_cameras_the_main_one_is_shown_and_the_other_costs_nothing(tap: Tap) -> None:
    tap.open(1)
    tap.open(2)
    tap.inputs.prefer(frozenset({"pub_1"}))
    tap.want()
    for number in range(6):
        tap.send(CLIP[number], number / 25, track=1)
        tap.send(CLIP[number], number / 25, track=2)
    tap.settle()
    assert tap.code(0.3) == 5
    assert tap.inputs.pictures([CAMERA], START_US)[CAMERA] is not None
    assert tap.asked == [], "the other is not decoded, so nothing of it is asked for"


def test_another_main_camera_takes_over_at_its_keyframe_without_an_empty_picture(tap: Tap) -> None:
    tap.open(1)
    tap.open(2)
    tap.inputs.prefer(frozenset({"pub_1"}))
    tap.want()
    for number in range(6):
        tap.send(CLIP[number], number / 25, track=1)
    tap.settle()
    assert tap.code(0.3) == 5
    tap.inputs.prefer(frozenset({"pub_2"}))
    for number in range(6, 12):
        tap.send(CLIP[number], number / 25, track=2)
    tap.settle()
    assert tap.code(0.5) == 5, "the picture of the camera before stands until the new one has its own"
    assert tap.asked == [2]
    tap.send(CLIP[12], 12 / 25, track=2)
    tap.settle()
    assert tap.code(0.6) == 12
