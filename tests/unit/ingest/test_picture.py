"""The picture of a source: as it is where that will do, encoded anew from the picture on where it will not."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from conference.ingest import nal
from conference.ingest.output import VIDEO_TRACK
from conference.ingest.picture import PicturePath, UnreadableError
from conference.ingest.stream_clock import StreamClock
from conference.ingest.transcoder import LAG_S, Transcoder, UndecodableError, fitted
from conference.rtc.codecs import h264

RATE = 25
PLAIN = {"profile": "baseline", "g": "10", "bf": "0", "sc_threshold": "0", "tune": "zerolatency"}
WITH_B = {"profile": "high", "g": "30", "bf": "2", "b_strategy": "0"}


class Room:
    """Keeps what it is sent. In the place of Output."""

    def __init__(self) -> None:
        self.has_reader = True
        self.profiles: list[tuple[str, bool]] = []
        self.pictures: list[tuple[list[bytes], int, bool]] = []
        self.reports: list[tuple[int, float, int]] = []
        self.is_new = self.is_asked = False

    def open_video(self, profile_level_id: str, *, is_asked: bool) -> None:
        if (profile_level_id, is_asked) not in self.profiles[-1:]:
            self.profiles.append((profile_level_id, is_asked))

    def picture(self, units: Sequence[bytes], stamp: int, *, is_key: bool) -> None:
        self.pictures.append((list(units), stamp, is_key))

    def take_new(self) -> bool:
        is_new, self.is_new = self.is_new, False
        return is_new

    def take_asked(self) -> bool:
        is_asked, self.is_asked = self.is_asked, False
        return is_asked

    def report(self, track: int, our_s: float, stamp: int) -> None:
        self.reports.append((track, our_s, stamp))

    @property
    def keys(self) -> list[int]:
        return [number for number, (_, _, is_key) in enumerate(self.pictures) if is_key]

    def decoded(self) -> list[tuple[int, int, int]]:
        """Width, height and grey of each picture, as a browser would see them."""
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        frames = []
        for units, _, _ in self.pictures:
            frames += decoder.decode(av.Packet(b"".join(b"\0\0\0\1" + unit for unit in units)))
        frames += decoder.decode(None)
        return [(f.width, f.height, round(float(f.to_ndarray()[: f.height].mean()))) for f in frames]


class Camera:
    """A file in place of a camera: its stream and packets."""

    def __init__(
        self,
        codec: str,
        count: int,
        options: Mapping[str, str] | None = None,
        *,
        size: tuple[int, int] = (320, 240),
    ) -> None:
        self.file = io.BytesIO()
        with av.open(self.file, "w", format="matroska") as out:
            stream = out.add_stream(codec, rate=RATE)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.options = dict(options or {})
            for number in range(count):
                plane = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
                plane[: size[1]] = 40 + 2 * number
                frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        self.file.seek(0)
        self.container = av.open(self.file, "r")
        self.stream: VideoStream = self.container.streams.video[0]

    def packets(self) -> list[av.Packet[Any]]:
        return [packet for packet in self.container.demux(self.stream) if packet.size]


class Way:
    """A picture path with its room and its own time."""

    def __init__(self) -> None:
        self.room = Room()
        self.clock = StreamClock()
        room: Any = self.room
        self.path = PicturePath(room, self.clock)
        self.now_s = 1000.0

    def push(self, packet: av.Packet[Any], *, late_s: float = 0.0) -> None:
        assert packet.pts is not None
        assert packet.time_base is not None
        stream_s = float(packet.pts * packet.time_base)
        self.clock.on_packet(stream_s, self.now_s)
        self.path.push(packet, stream_s, self.now_s + late_s)
        self.now_s += 1 / RATE

    def show(self, camera: Camera) -> None:
        self.path.begin(camera.stream)
        for packet in camera.packets():
            self.push(packet)


def test_a_picture_that_browsers_show_passes_as_it_is() -> None:
    way = Way()
    way.show(Camera("libx264", 35, PLAIN))
    assert not way.path.is_transcoding
    assert len(way.room.pictures) == 35
    assert way.room.keys == [0, 10, 20, 30]
    assert all(nal.kind_of(way.room.pictures[number][0][0]) == nal.SPS for number in way.room.keys)
    assert way.room.profiles == [(way.room.profiles[0][0], False)]
    assert [grey for _, _, grey in way.room.decoded()] == pytest.approx(
        [40 + 2 * n for n in range(35)], abs=3
    )
    assert way.path.size == (320, 240)
    assert way.path.fps(way.now_s) == pytest.approx(RATE, abs=1)


def test_pictures_with_b_frames_are_encoded_anew_and_none_is_missing() -> None:
    way = Way()
    way.show(Camera("libx264", 60, WITH_B))
    assert way.path.is_transcoding
    assert way.room.profiles[-1][1], "an encoder of ours makes keyframes when it is asked"
    profile = bytes.fromhex(way.room.profiles[-1][0])
    assert profile[0] == 66
    assert profile[1] & 0x40, "constrained"
    shades = [grey for _, _, grey in way.room.decoded()]
    assert shades == sorted(shades), "in the order in which they are shown"
    assert len(shades) >= 55
    stamps = [stamp for _, stamp, _ in way.room.pictures]
    assert all(0 < later - earlier < 90_000 for earlier, later in itertools.pairwise(stamps))


def test_a_camera_with_b_frames_that_comes_back_is_encoded_from_its_first_picture_on() -> None:
    way = Way()
    for camera, is_flipped in (
        (Camera("libx264", 40, WITH_B), True),
        (Camera("libx264", 40, WITH_B), False),
        (Camera("libx264", 20, PLAIN), False),
        (Camera("libx264", 20, PLAIN), True),
    ):
        profiles = len(way.room.profiles)
        way.show(camera)
        way.path.end()
        assert (len(way.room.profiles) > profiles) is is_flipped
    assert not way.room.profiles[-1][1], "without them it passes again"


@pytest.mark.parametrize("codec", ["libx265", "mpeg4", "libvpx"])
def test_other_codecs_are_encoded_anew(codec: str) -> None:
    way = Way()
    options = {"x265-params": "log-level=none:bframes=0"} if codec == "libx265" else {}
    way.show(Camera(codec, 30, options))
    assert way.path.is_transcoding
    assert way.room.keys[:1] == [0]
    assert len(way.room.decoded()) >= 24
    assert not any(nal.Picture(units).has_b for units, _, _ in way.room.pictures)


def test_large_pictures_are_made_smaller_and_keep_their_shape() -> None:
    assert fitted(1920, 1080) == (1280, 720)
    assert fitted(1080, 1920) == (404, 720)
    assert fitted(640, 360) == (640, 360)
    assert fitted(7, 5) == (16, 16)
    way = Way()
    way.show(Camera("mpeg4", 3, size=(1600, 1200)))
    assert way.path.size == (960, 720)
    assert h264.parse_sps(way.room.pictures[0][0][0]).width == 960


def test_another_size_goes_on_in_the_same_track() -> None:
    way = Way()
    way.show(Camera("libx264", 20, PLAIN))
    way.path.end()
    way.show(Camera("libx264", 20, PLAIN, size=(640, 480)))
    assert way.path.size == (640, 480)
    assert {(width, height) for width, height, _ in way.room.decoded()} == {(320, 240), (640, 480)}
    stamps = [stamp for _, stamp, _ in way.room.pictures]
    assert stamps == sorted(stamps)


def test_rubbish_between_pictures_is_left_out() -> None:
    way = Way()
    camera = Camera("libx264", 30, PLAIN)
    way.path.begin(camera.stream)
    for number, packet in enumerate(camera.packets()):
        way.push(packet)
        if number % 3 == 0:
            rubbish = av.Packet(bytes(range(1, 200)))
            rubbish.pts, rubbish.time_base = packet.pts, packet.time_base
            way.push(rubbish)
    assert len(way.room.pictures) == 30
    assert len(way.room.decoded()) == 30


def test_a_source_without_anything_to_begin_with_is_no_picture() -> None:
    way = Way()
    camera = Camera("libx264", 30, {**PLAIN, "g": "300"})
    way.path.begin(camera.stream)
    first, *rest = camera.packets()
    way.push(rest[0])
    assert not way.room.pictures
    with pytest.raises(UnreadableError):
        way.push(rest[1], late_s=1e6)
    assert first.is_keyframe


def test_a_new_reader_gets_the_pictures_since_the_last_keyframe_at_once() -> None:
    way = Way()
    camera = Camera("libx264", 28, PLAIN)
    way.path.begin(camera.stream)
    *packets, last = camera.packets()
    for packet in packets:
        way.push(packet)
    before = way.room.pictures[-1][1]
    way.room.pictures.clear()
    way.room.is_new = True
    way.push(last)
    stamps = [stamp for _, stamp, _ in way.room.pictures]
    assert way.room.keys == [0]
    assert len(stamps) == 8
    assert stamps[-2] == before
    assert stamps == sorted(stamps)
    assert stamps[-2] - stamps[0] < 900, "close together"


def test_who_comes_while_nothing_moves_gets_the_picture_and_its_time() -> None:
    way = Way()
    way.show(Camera("libx264", 5, PLAIN))
    way.path.stand(way.now_s)
    assert len(way.room.pictures) == 5, "nobody came"
    way.room.is_new = True
    way.path.stand(way.now_s)
    assert way.room.keys == [0, 5]
    assert [len(units) for units, _, _ in way.room.pictures[5:]] == [
        len(units) for units, _, _ in way.room.pictures[:5]
    ]
    ((track, our_s, stamp),) = way.room.reports
    assert (track, stamp) == (VIDEO_TRACK, way.room.pictures[-1][1])
    assert our_s == pytest.approx(way.now_s, abs=2 / RATE)
    way.path.stand(way.now_s)
    assert len(way.room.reports) == 1


def test_a_keyframe_is_encoded_when_the_room_asks_but_not_twice_at_once() -> None:
    way = Way()
    camera = Camera("mpeg4", 40)
    way.path.begin(camera.stream)
    for number, packet in enumerate(camera.packets()):
        way.room.is_asked = number > 20
        way.push(packet)
    assert way.room.keys[0] == 0
    assert len(way.room.keys) <= 2, "all of them within half a second of ours"


def test_what_nobody_receives_is_encoded_once_to_see_whether_it_can_be() -> None:
    way = Way()
    way.room.has_reader = False
    way.show(Camera("mpeg4", 30))
    assert len(way.room.pictures) == 1
    assert way.path.is_shown


def test_what_comes_too_late_is_left_out_and_that_is_told_when_it_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = Camera("mpeg4", 60)
    now_s = 0.0
    monkeypatch.setattr("conference.ingest.transcoder.time.monotonic", lambda: now_s)
    transcoder = Transcoder(camera.stream.codec_context)
    coded = 0
    for packet in camera.packets():
        now_s += 0.3
        coded += len(list(transcoder.push(packet, Fraction(1, 1000), LAG_S + 0.1, is_wanted=True)))
    assert coded == 1, "one picture is better than none"
    assert transcoder.is_overloaded


def test_what_cannot_be_decoded_is_given_up() -> None:
    decoder = av.CodecContext.create("mpeg4", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    transcoder = Transcoder(decoder)

    def push_rubbish() -> None:
        for number in range(2000):
            packet = av.Packet(bytes((number * 7 + at) % 255 for at in range(300)))
            packet.pts = number
            list(transcoder.push(packet, Fraction(1, RATE), 0.0, is_wanted=True))

    with pytest.raises(UndecodableError):
        push_rubbish()
