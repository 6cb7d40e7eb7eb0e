"""The feed: a worker's frames become streams of the program's publications, and nothing of it can hurt."""

from __future__ import annotations

import struct

import pytest

from conference.sfu.counters import Counters
from conference.sfu.feed import MAX_PACKET, Feed, FeedError, program_publications
from conference.sfu.stream import IncomingStream
from conference.sfu.tap_frames import (
    Clock,
    Close,
    Frame,
    Gap,
    Gate,
    Keyframe,
    Open,
    Packet,
    Report,
    TapFrameError,
)

KEY, DELTA = b"\x65\x88" + bytes(20), b"\x41\x9a" + bytes(20)


def opened(track: int = 1, kind: str = "video", codec: str = "h264", clock_rate: int = 90000) -> Open:
    parameters = {"profile-level-id": "42e01f", "packetization-mode": "1"}
    return Open(track, "x", "whoever", kind, "whatever", codec, clock_rate, 7, "clock", parameters)


class Fed:
    """A feed and its publications."""

    def __init__(self) -> None:
        self.publications = program_publications()
        self.asked: list[int] = []
        self.counters = Counters()
        self.feed = Feed(lambda opened, _: self.publications[opened.kind], self.counters, self.asked.append)
        self.sequence = 100

    def take(self, *frames: Frame, now: float = 1.0) -> None:
        for frame in frames:
            self.feed.take(frame, now)

    def packet(self, payload: bytes = KEY, *, track: int = 1, payload_type: int = 96) -> Packet:
        self.sequence += 1
        return Packet(track, 0, struct.pack("!BBHII", 0x80, payload_type, self.sequence, 5, 7) + payload)

    def stream(self, kind: str = "video") -> IncomingStream:
        stream = self.publications[kind].stream
        assert stream is not None
        return stream


def test_a_track_becomes_a_stream_with_its_first_packet() -> None:
    fed = Fed()
    fed.take(opened(), opened(2, "audio", "opus", 48000))
    assert [each.stream for each in fed.publications.values()] == [None, None]
    fed.take(fed.packet(), fed.packet(b"\xfcx", track=2, payload_type=111))
    assert (fed.publications["video"].codec, fed.publications["audio"].codec) == ("H264", "opus")
    assert {each.participant_id for each in fed.publications.values()} == {"program"}
    assert {each.source for each in fed.publications.values()} == {"program"}
    assert [fed.stream(kind).forwarded for kind in ("video", "audio")] == [1, 1]


def test_packets_of_another_payload_type_and_broken_ones_are_counted_and_passed_over() -> None:
    fed = Fed()
    fed.take(opened(), fed.packet(), fed.packet(payload_type=97), Packet(1, 0, b"\x00"), Packet(1, 0, b""))
    fed.take(fed.packet(DELTA))
    assert fed.stream().forwarded == 2
    assert fed.counters.drops == {"payload_type": 1, "rtp_malformed": 2}


@pytest.mark.parametrize(
    "frame",
    [
        opened(1, "video", "vp8"),
        opened(1, "video", "opus", 48000),
        opened(1, "audio", "opus", 90000),
        opened(1, "subtitles", "h264"),
        Packet(9, 0, bytes(20)),
        Packet(1, 0, bytes(11)),
        Packet(1, 0, bytes(MAX_PACKET + 1)),
        Report(9, 0, 1, 1),
        Gap(9, 1),
        Close(9),
        Gate(1, False),
        Keyframe(1),
    ],
)
def test_what_has_no_place_in_a_feed_ends_it(frame: Frame) -> None:
    fed = Fed()
    fed.take(opened())
    with pytest.raises(FeedError) as refusal:
        fed.take(frame)
    assert isinstance(refusal.value, TapFrameError)


def test_nothing_is_asked_for_again_but_keyframes_at_most_twice_a_second() -> None:
    fed = Fed()
    fed.take(opened(3), fed.packet(track=3))
    fed.sequence += 50
    fed.take(fed.packet(DELTA, track=3))
    for number in range(100):
        fed.feed.tick(2.0 + number / 50)
    assert fed.asked == [], "a hole in the numbers is the worker's wish"
    for number in range(100):
        fed.stream().request_keyframe(4.0 + number / 50)
        fed.feed.tick(4.0 + number / 50)
    assert fed.asked == [3, 3, 3, 3]


def test_a_gap_asks_for_a_keyframe_and_sound_needs_none() -> None:
    fed = Fed()
    fed.take(opened(), opened(2, "audio", "opus", 48000))
    fed.take(Gap(1, 5), now=1.0)
    fed.take(fed.packet(), fed.packet(b"\xfcx", track=2, payload_type=111))
    fed.take(Gap(1, 5), Gap(2, 5))
    assert fed.asked == [1]


def test_a_new_stream_behind_a_track_is_told_from_the_old_one_even_with_its_ssrc() -> None:
    fed = Fed()
    fed.take(opened(), fed.packet())
    first = fed.stream()
    fed.take(opened())
    assert fed.publications["video"].stream is None
    fed.take(fed.packet())
    assert fed.stream().ssrc != first.ssrc


def test_there_is_one_track_of_each_kind() -> None:
    fed = Fed()
    fed.take(opened(1), fed.packet())
    fed.take(opened(2))
    with pytest.raises(FeedError):
        fed.take(fed.packet())
    fed.take(fed.packet(track=2))
    assert fed.stream().forwarded == 1


def test_reports_carry_the_clock_of_the_worker_also_when_they_come_first() -> None:
    fed = Fed()
    fed.take(opened(), Report(1, 0, 11, 22))
    fed.take(fed.packet(), now=2.0)
    assert fed.stream().sender_report == (11, 22, 2.0)
    fed.take(Report(1, 0, 33, 44), Clock(1, 1), now=3.0)
    assert fed.stream().sender_report == (33, 44, 3.0)


def test_closing_leaves_the_publications_without_a_stream_and_only_its_own() -> None:
    fed = Fed()
    fed.take(opened(), opened(2, "audio", "opus", 48000), fed.packet())
    fed.take(fed.packet(b"\xfcx", track=2, payload_type=111), Close(1))
    assert [each.stream is None for each in fed.publications.values()] == [False, True]
    next_one = Feed(lambda opened, _: fed.publications[opened.kind], fed.counters, fed.asked.append)
    next_one.take(opened(), 4.0)
    next_one.take(fed.packet(), 4.0)
    fed.feed.close()
    fed.feed.close()
    assert fed.publications["audio"].stream is None
    assert fed.stream().forwarded == 1, "the next feed's"
