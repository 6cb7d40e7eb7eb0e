"""The tap of the media process: a real socket, real RTP from light clients, readers that hang or die."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest

from conference.media.client import MediaClient
from conference.model.media import RECORDING_TAP, TapLost
from conference.model.media import Source as MediaSource
from conference.rtc.codecs import vp8
from conference.rtc.rtp_header import parse
from conference.services.ports import MediaError
from conference.sfu.tap_frames import Clock, Close, Gap, Gate, Keyframe, Open, Packet, Report
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, Peer, VideoSource
from tests.support.light_client.source import Source
from tests.support.media_meeting import ROOM, Meeting
from tests.support.tap_reader import TapReader


class _Nowhere:
    def send(self, data: bytes) -> None:
        """Lost on the way."""


class KeepingPeer(Peer):
    """Remembers what it sent; with `lose_every` one video packet in so many is lost and can be asked for."""

    lose_every = 0

    def __init__(self) -> None:
        super().__init__()
        self.sent_packets: list[bytes] = []

    def send_rtp(self, packet: bytes, *, keep: bool = False) -> None:
        self.sent_packets.append(packet)
        if keep and self.lose_every and len(self.sent_packets) % self.lose_every == 0:
            path = self._path
            self._path = _Nowhere()  # type: ignore[assignment]
            super().send_rtp(packet, keep=keep)
            self._path = path
        else:
            super().send_rtp(packet, keep=keep)

    def of(self, source: Source) -> list[bytes]:
        return [packet for packet in self.sent_packets if parse(packet).ssrc == source.ssrc]


@pytest.fixture
async def reader() -> AsyncIterator[TapReader]:
    reader = TapReader()
    yield reader
    reader.close()


async def tap(
    media: MediaClient, reader: TapReader, program_time_ms: int = 0, name: str = RECORDING_TAP
) -> None:
    at_s = time.monotonic()
    await media.tap(ROOM, reader.path, program_time_ms=program_time_ms, at_monotonic_s=at_s, name=name)


async def test_a_tap_of_microphones_carries_nothing_else(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await meeting.publish("here")
    at_s = time.monotonic()
    await media.tap(
        ROOM, reader.path, program_time_ms=0, at_monotonic_s=at_s, sources=(MediaSource.MICROPHONE,)
    )
    await meeting.publish("later")
    await eventually(
        lambda: {one.participant_id for one in reader.of(Open)} == {"here", "later"}, what="both in the tap"
    )
    await tapped(reader, "microphone", 100)
    assert {one.source for one in reader.of(Open)} == {"microphone"}


async def tapped(reader: TapReader, source: str, packets: int) -> None:
    """Wait for that many more packets of the track."""
    seen = len(reader.packets(source))
    await eventually(lambda: len(reader.packets(source)) >= seen + packets, what=f"{source} in the tap")


def lost(meeting: Meeting) -> list[TapLost]:
    return [event for event in meeting.events if isinstance(event, TapLost)]


def sequences(packets: list[bytes]) -> Iterator[int]:
    """Steps between the sequence numbers of packets that follow each other."""
    numbers = [parse(packet).sequence for packet in packets]
    for before, after in pairwise(numbers):
        yield (after - before) & 0xFFFF


async def test_everything_published_reaches_the_tap_as_it_was_sent(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await tap(media, reader, 60_000)
    peer = KeepingPeer()
    sound, picture = await meeting.publish("member", peer=peer)
    await tapped(reader, "camera", 300)
    await tapped(reader, "microphone", 50)
    await eventually(lambda: len(reader.of(Report)) >= 2)
    sound.stop()
    picture.stop()
    sent = {"microphone": peer.of(sound), "camera": peer.of(picture)}
    await eventually(lambda: all(len(reader.packets(name)) == len(sent[name]) for name in sent))
    await media.untap(ROOM)
    await eventually(lambda: reader.ended_cleanly)

    assert isinstance(reader.frames[0], Clock)
    for source, packets in sent.items():
        assert reader.packets(source) == packets
    opened = {one.source: one for one in reader.of(Open)}
    assert {(one.kind, one.codec, one.clock_rate) for one in opened.values()} == {
        ("audio", "opus", 48000),
        ("video", "vp8", 90000),
    }
    assert {one.participant_id for one in opened.values()} == {"member"}
    assert {one.ssrc for one in opened.values()} == {sound.ssrc, picture.ssrc}
    assert len({one.cname for one in opened.values()}) == 1
    assert {one.track for one in reader.of(Close)} == {one.track for one in opened.values()}
    assert {one.track for one in reader.of(Report)} == {one.track for one in opened.values()}
    assert reader.of(Gap) == []
    clock = reader.of(Clock)[0]
    assert 60_000 <= clock.program_time_ms < 65_000
    arrivals = [one.arrival_us for one in reader.of(Packet)]
    assert arrivals == sorted(arrivals)
    assert clock.monotonic_us <= arrivals[0] < arrivals[-1] <= time.monotonic() * 1e6


async def test_a_tap_of_a_running_meeting_begins_with_a_keyframe_soon(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    _, picture = await meeting.publish("member")
    await meeting.receive("chair")
    await meeting.flows("chair", "member", "camera")
    assert isinstance(picture, VideoSource)
    asked = picture.keyframes_asked
    await tap(media, reader)
    await tapped(reader, "camera", 20)
    await tapped(reader, "microphone", 5)
    await eventually(lambda: picture.keyframes_asked > asked)
    statistics = await media.statistics()
    assert statistics["yuanshang_media_taps"] == 1
    assert statistics["yuanshang_media_tap_dropped_total"] == 0


async def test_what_was_sent_again_comes_unwrapped_and_once(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await tap(media, reader)
    peer = KeepingPeer()
    peer.lose_every = 25
    picture = VideoSource(rtx=True)
    await meeting.publish("member", [picture], peer=peer)
    await tapped(reader, "camera", 400)
    picture.stop()
    sent = peer.of(picture)
    # Nobody can know that the very last one is missing.
    await eventually(lambda: set(sent[:-1]) <= set(reader.packets("camera")), what="all that was lost")
    got = reader.packets("camera")
    assert len(set(got)) == len(got)
    assert set(got) <= set(sent)
    assert peer.sent["retransmission"] >= 10


async def test_muted_sound_does_not_enter_the_tap(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await tap(media, reader)
    await meeting.publish("member")
    await tapped(reader, "microphone", 10)
    await media.set_sound(ROOM, "member", is_open=False)
    await eventually(lambda: [one.is_open for one in reader.of(Gate)] == [False])
    heard = len(reader.packets("microphone"))
    await tapped(reader, "camera", 100)
    assert len(reader.packets("microphone")) == heard
    await media.set_sound(ROOM, "member", is_open=True)
    await tapped(reader, "microphone", 10)
    gates = reader.of(Gate)
    assert [(one.track, one.is_open) for one in gates] == [
        (reader.track("microphone"), False),
        (reader.track("microphone"), True),
    ]


async def test_who_joins_muted_is_opened_with_the_gate_closed(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await tap(media, reader)
    await meeting.publish("member")
    await media.set_sound(ROOM, "member", is_open=False)
    await media.untap(ROOM)
    await eventually(lambda: reader.ended)
    second = TapReader()
    await tap(media, second)
    await tapped(second, "camera", 60)
    assert second.packets("microphone") == []
    assert [(one.track, one.is_open) for one in second.of(Gate)] == [(second.track("microphone"), False)]
    second.close()


async def test_a_publisher_that_reconnects_opens_the_same_track_again_and_leaving_closes_it(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await tap(media, reader)
    await meeting.publish("member", [VideoSource()])
    await tapped(reader, "camera", 20)
    await meeting.publish("member", [VideoSource()])
    await eventually(lambda: len(reader.of(Open)) == 2)
    await tapped(reader, "camera", 20)
    first, second = reader.of(Open)
    assert (first.track, first.publication_id) == (second.track, second.publication_id)
    assert first.ssrc != second.ssrc
    assert reader.of(Close) == []
    await media.leave(ROOM, "member")
    await eventually(lambda: reader.of(Close) == [Close(first.track)])
    await meeting.publish("member", [VideoSource()])
    await tapped(reader, "camera", 20)
    assert reader.track("camera") != first.track
    assert not reader.ended, "an empty room keeps its tap"


async def test_the_reader_may_ask_for_a_keyframe(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await tap(media, reader)
    _, picture = await meeting.publish("member")
    assert isinstance(picture, VideoSource)
    await tapped(reader, "camera", 20)
    await tapped(reader, "microphone", 1)
    asked = picture.keyframes_asked
    for name in ("camera", "microphone"):
        number = reader.track(name)
        assert number is not None
        reader.send(Keyframe(number))
    reader.send(Keyframe(999))
    await eventually(lambda: picture.keyframes_asked > asked)
    await tapped(reader, "microphone", 10)


async def test_a_reader_that_hangs_loses_pictures_to_the_next_keyframe_and_the_meeting_nothing(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await meeting.receive("chair")
    await tap(media, reader)
    await meeting.publish("member", [AudioSource(), VideoSource(bitrate_bps=8_000_000, packet_size=1150)])
    await tapped(reader, "camera", 20)
    await tapped(reader, "microphone", 5)
    reader.pause()

    async def dropped() -> float:
        return (await media.statistics())["yuanshang_media_tap_dropped_total"]

    await eventually(dropped, lambda count: count > 100, timeout_s=30)
    reader.resume()
    await eventually(lambda: reader.gaps("camera"), what="the gap")
    await tapped(reader, "camera", 100)
    await tapped(reader, "microphone", 20)

    assert set(sequences(reader.packets("microphone"))) == {1}, "sound is left out last"
    assert reader.gaps("microphone") == []
    (gap,) = reader.gaps("camera")
    at = reader.frames.index(gap)
    number = reader.track("camera")
    before = [one for one in reader.frames[:at] if isinstance(one, Packet) and one.track == number]
    after = [one for one in reader.frames[at:] if isinstance(one, Packet) and one.track == number]
    assert next(sequences([before[-1].packet, after[0].packet])) == gap.packets + 1
    header = parse(after[0].packet)
    assert vp8.is_keyframe(after[0].packet[header.payload_start : header.payload_end])
    assert set(sequences([one.packet for one in after])) == {1}
    for source in ("camera", "microphone"):
        stream = await meeting.flows("chair", "member", source)
        assert stream.gaps == 0, "the receivers notice nothing"
    assert lost(meeting) == []


async def test_a_reader_that_dies_is_reported_once_and_the_meeting_goes_on(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await meeting.publish("member")
    await meeting.receive("chair")
    await tap(media, reader)
    await tapped(reader, "camera", 20)
    reader.close()
    await eventually(lambda: lost(meeting))
    for source in ("camera", "microphone"):
        assert (await meeting.flows("chair", "member", source, packets=60)).gaps == 0
    assert lost(meeting) == [TapLost(ROOM)]
    assert (await media.statistics())["yuanshang_media_taps"] == 0
    second = TapReader()
    await tap(media, second)
    await tapped(second, "camera", 20)
    second.close()


async def test_a_reader_that_sends_rubbish_is_let_go(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await meeting.publish("member")
    await tap(media, reader)
    await tapped(reader, "camera", 5)
    reader.send(b"\xff" * 100)
    await eventually(lambda: lost(meeting))


async def test_another_tap_takes_the_place_of_the_first(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    await meeting.publish("member")
    await tap(media, reader)
    await tapped(reader, "camera", 5)
    second = TapReader()
    await tap(media, second)
    await eventually(lambda: reader.ended_cleanly)
    await tapped(second, "camera", 20)
    assert lost(meeting) == []
    second.close()


async def test_taps_of_other_names_live_and_end_apart(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    second = TapReader()
    await tap(media, reader)
    await tap(media, second, name="program")
    await meeting.publish("member")
    for each in (reader, second):
        await tapped(each, "camera", 20)
        await tapped(each, "microphone", 5)
    assert (await media.statistics())["yuanshang_media_taps"] == 2
    second.close()
    await eventually(lambda: lost(meeting) == [TapLost(ROOM, "program")])
    await tapped(reader, "camera", 60)
    third = TapReader()
    await tap(media, third, name="program")
    await tapped(third, "camera", 20)
    reader.close()
    await eventually(lambda: lost(meeting) == [TapLost(ROOM, "program"), TapLost(ROOM, "recording")])
    await tapped(third, "camera", 60)
    await media.untap(ROOM)
    await tapped(third, "camera", 20)
    await media.untap(ROOM, "program")
    await eventually(lambda: third.ended_cleanly)
    assert len(lost(meeting)) == 2
    third.close()


async def test_a_tap_that_hangs_costs_another_one_nothing(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    slow = TapReader()
    await tap(media, reader)
    await tap(media, slow, name="program")
    await meeting.publish("member", [AudioSource(), VideoSource(bitrate_bps=8_000_000, packet_size=1150)])
    await tapped(reader, "camera", 20)
    await tapped(slow, "camera", 20)
    slow.pause()

    async def dropped() -> float:
        return (await media.statistics())["yuanshang_media_tap_dropped_total"]

    await eventually(dropped, lambda count: count > 100, timeout_s=30)
    await tapped(reader, "camera", 100)
    await tapped(reader, "microphone", 10)
    assert reader.of(Gap) == []
    for source in ("camera", "microphone"):
        assert set(sequences(reader.packets(source))) == {1}
    slow.resume()
    await eventually(lambda: slow.gaps("camera"), what="the gap of the slow one")
    assert lost(meeting) == []
    slow.close()


async def test_a_path_where_nobody_listens_is_refused_and_a_room_needs_nobody_in_it(
    media: MediaClient, reader: TapReader
) -> None:
    for path in ("/nowhere/at/all", "x" * 200, "with\0zero", ""):
        with pytest.raises(MediaError) as refusal:
            await media.tap(ROOM, path, program_time_ms=0, at_monotonic_s=0.0)
        assert refusal.value.code == "tap_unreachable"
    await media.untap(ROOM)
    assert (await media.statistics())["yuanshang_media_rooms"] == 0
    await tap(media, reader)
    await eventually(lambda: reader.of(Clock))
    assert (await media.statistics())["yuanshang_media_rooms"] == 1
    await media.untap(ROOM)
    await eventually(lambda: reader.ended_cleanly)
    assert (await media.statistics())["yuanshang_media_rooms"] == 0
