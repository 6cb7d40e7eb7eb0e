"""Participants that are fed: their tracks are like anybody's, wait for the next feed, and go with the last."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from conference.rtc.dtls import DtlsCertificate
from conference.rtc.sdp import AUDIO_LEVEL_URI
from conference.sfu.counters import Counters
from conference.sfu.feed import PROGRAM, Feed, FeedError
from conference.sfu.publication import Publication
from conference.sfu.room import Room
from conference.sfu.room_error import RoomError
from conference.sfu.surroundings import Surroundings
from conference.sfu.tap_frames import Close, Frame, Open, Packet

LEVEL = {AUDIO_LEVEL_URI: "1"}


class Ear:
    """What a room tells of publications and speakers."""

    def __init__(self) -> None:
        self.told: list[list[tuple[str, str]]] = []
        self.speakers: list[Sequence[tuple[str, int]]] = []

    def publications_changed(self, _room: str, _participant: str, published: Sequence[Publication]) -> None:
        self.told.append([(each.source, each.label) for each in published])

    def speakers_changed(self, _room: str, speakers: Sequence[tuple[str, int]]) -> None:
        self.speakers.append(speakers)


class Hall:
    """A room with a camera in it that is fed."""

    def __init__(self, *, max_tracks: int = 8) -> None:
        self.ear = Ear()
        around: Any = Surroundings(DtlsCertificate(), None, Counters(), (), self.ear, 50, max_tracks)  # type: ignore[arg-type]
        self.room = Room("room", around)
        self.room.join("camera", sound_open=True)
        self.asked: list[int] = []
        self.feed = self.begin(1.0)
        self.sequence = 0

    def begin(self, now: float) -> Feed:
        return self.room.begin_feed("camera", self.asked.append, now)

    def take(self, *frames: Frame, now: float = 1.0) -> None:
        for frame in frames:
            self.feed.take(frame, now)

    def sound(self, level: int, *, track: int = 2) -> Packet:
        self.sequence += 1
        head = struct.pack("!BBHII", 0x90, 111, self.sequence, 960 * self.sequence, 7)
        return Packet(track, 0, head + bytes((0xBE, 0xDE, 0, 1, 0x10, level, 0, 0)) + b"\xfcx")

    @property
    def published(self) -> list[Publication]:
        return list(self.room.participants["camera"].publications.values())


def picture(track: int = 1, source: str = "camera", label: str = "left") -> Open:
    parameters = {"profile-level-id": "42e01f", "packetization-mode": "1"}
    return Open(track, "x", "x", "video", source, "h264", 90000, 7, "clock", parameters, label)


def microphone(track: int = 2, label: str = "left") -> Open:
    return Open(track, "x", "x", "audio", "microphone", "opus", 48000, 8, "clock", LEVEL, label)


def test_what_is_fed_is_published_and_told() -> None:
    hall = Hall()
    hall.take(picture(), microphone(), picture(3, "screen", "slides"))
    sources = [("camera", "left"), ("microphone", "left"), ("screen", "slides")]
    assert hall.ear.told[-1] == sources
    assert [(each.source, each.label) for each in hall.published] == sources
    assert {each.participant_id for each in hall.published} == {"camera"}
    assert hall.room.fed == ("camera",)


def test_who_has_not_joined_is_not_fed() -> None:
    with pytest.raises(RoomError) as refused:
        Hall().room.begin_feed("nobody", print, 1.0)
    assert refused.value.code == "not_found"


@pytest.mark.parametrize(
    "opened", [picture(source="microphone"), picture(source="program"), picture(source="")]
)
def test_a_picture_comes_from_a_camera_or_a_screen(opened: Open) -> None:
    with pytest.raises(FeedError):
        Hall().take(opened)


def test_there_is_one_microphone_and_no_more_tracks_than_anybody_may_have() -> None:
    hall = Hall(max_tracks=2)
    hall.take(microphone(2), microphone(5, "other name"))
    assert [(each.kind, each.label) for each in hall.published] == [("audio", "left")]
    hall.take(picture())
    with pytest.raises(FeedError):
        hall.take(picture(3, label="right"))


def test_its_gate_and_its_level_are_those_of_its_participant() -> None:
    hall = Hall()
    hall.take(microphone(), *(hall.sound(20) for _ in range(50)), now=5.0)
    hall.room.tick(5.1)
    assert [who for who, _ in hall.ear.speakers[-1]] == ["camera"]
    stream = hall.published[0].stream
    assert stream is not None
    heard = stream.forwarded
    hall.room.set_sound("camera", is_open=False)
    hall.take(hall.sound(20))
    assert stream.forwarded == heard
    hall.room.join("shut", sound_open=False)
    shut = hall.room.begin_feed("shut", hall.asked.append, 1.0)
    shut.take(microphone(), 1.0)
    shut.take(hall.sound(10), 1.0)
    quiet = next(iter(hall.room.participants["shut"].publications.values())).stream
    assert quiet is not None
    assert quiet.forwarded == 0


@pytest.mark.parametrize("number", ["0", "15", "-1", "x", ""])
def test_a_header_extension_has_a_number_that_fits(number: str) -> None:
    hall = Hall()
    opened = msgspec.structs.replace(microphone(), parameters={AUDIO_LEVEL_URI: number})
    hall.take(opened)
    with pytest.raises(FeedError):
        hall.take(hall.sound(20))


def test_tracks_wait_for_the_next_feed_and_are_gone_when_it_does_not_come() -> None:
    hall = Hall()
    hall.take(picture(), microphone())
    before = hall.published
    assert hall.room.lose_feed("camera", hall.feed, 10.0)
    assert not hall.room.lose_feed("camera", hall.feed, 10.0)
    hall.room.tick(20.0)
    assert hall.published == before
    hall.feed = hall.begin(20.0)
    hall.take(picture(7), now=20.0)
    assert hall.published == before
    hall.room.tick(34.0)
    assert hall.published == before
    hall.room.tick(36.0)
    assert hall.published == before[:1], "the sound never came again"
    assert hall.ear.told[-1] == [("camera", "left")]


def test_what_the_worker_ends_goes_at_once_and_so_does_all_at_the_end_of_the_feed() -> None:
    hall = Hall()
    hall.take(picture(), microphone(), Close(2))
    assert hall.ear.told[-1] == [("camera", "left")]
    hall.room.drop_feed("camera")
    hall.room.drop_feed("camera")
    assert hall.ear.told[-1] == []
    assert hall.room.fed == ()


def test_leaving_ends_the_feed_and_a_fed_participant_alone_keeps_no_room_for_itself() -> None:
    hall = Hall()
    hall.take(picture())
    hall.room.leave("camera")
    assert (hall.room.fed, hall.room.is_needed) == ((), False)
    hall.room.begin_feed(PROGRAM, print, 2.0)
    assert hall.room.is_needed
