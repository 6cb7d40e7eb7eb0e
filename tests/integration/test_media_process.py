"""The media process alone, as the web process drives it: real sockets, real DTLS-SRTP, real RTP."""

from __future__ import annotations

import os
import signal

import pytest

from conference.media.client import MediaClient
from conference.model.media import (
    MediaRestarted,
    PublicationsChanged,
    SpeakersChanged,
    SubscriptionChanged,
    TrackHint,
)
from conference.model.media import Source as Origin
from conference.services.ports import MediaError
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, Peer, SessionDescription, VideoSource
from tests.support.light_client.sdp import OfferedTrack
from tests.support.light_client.source import Source, attach
from tests.support.media_meeting import ROOM, Meeting


async def test_everybody_receives_what_the_others_publish(meeting: Meeting) -> None:
    await meeting.publish("chair")
    await meeting.publish("member")
    await meeting.receive("chair")
    await meeting.receive("member")
    for receiver, publisher in (("chair", "member"), ("member", "chair")):
        for source in ("microphone", "camera"):
            stream = await meeting.flows(receiver, publisher, source, packets=60)
            assert stream.gaps == 0
    assert meeting.stream("chair", "chair", "camera") is None, "nobody receives oneself"


async def test_sound_behind_a_closed_gate_reaches_nobody(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("member")
    await meeting.receive("chair")
    sound = await meeting.flows("chair", "member", "microphone")
    await media.set_sound(ROOM, "member", is_open=False)
    await meeting.flows("chair", "member", "camera", packets=5)  # what was on the way has come
    heard = sound.packets
    await meeting.flows("chair", "member", "camera", packets=60)
    assert sound.packets == heard
    await media.set_sound(ROOM, "member", is_open=True)
    await meeting.flows("chair", "member", "microphone")
    assert sound.gaps == 0, "the receiver sees no hole where the gate was closed"


async def test_a_gate_closed_before_joining_stays_closed(meeting: Meeting, media: MediaClient) -> None:
    await media.join(ROOM, "member", sound_open=False)
    await meeting.receive("chair")
    peer = Peer()
    sources: list[Source] = [AudioSource(), VideoSource()]
    text, _ = await media.publish(ROOM, "member", peer.offer([one.offered for one in sources]))
    answer = SessionDescription(text)
    peer.set_remote(answer)
    await peer.connect()
    attach(peer, sources)
    for source, section in zip(sources, answer.media, strict=True):
        source.start(peer, section)
    await meeting.flows("chair", "member", "camera", packets=60)
    assert meeting.stream("chair", "member", "microphone") is None
    for source in sources:
        source.stop()
    await peer.close()


async def test_a_publisher_that_reconnects_goes_on_in_the_same_slot(meeting: Meeting) -> None:
    await meeting.publish("member")
    await meeting.receive("chair")
    before = await meeting.flows("chair", "member", "camera")
    offers = len(meeting.offers["chair"])
    await meeting.publish("member")
    after = await meeting.flows("chair", "member", "camera", packets=60)
    assert after is before
    assert after.gaps == 0
    assert len(meeting.offers["chair"]) == offers, "no new negotiation for the others"


async def test_a_slot_is_used_again_when_its_track_has_gone(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("one")
    await meeting.receive("chair")
    await meeting.flows("chair", "one", "camera")
    await media.leave(ROOM, "one")
    await meeting.publish("two")
    await meeting.flows("chair", "two", "camera")
    await meeting.flows("chair", "two", "microphone")
    last = SessionDescription(meeting.offers["chair"][-1].sdp)
    assert len(last.media) == 2


async def test_who_does_not_hear_is_offered_no_sound(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("early")
    await meeting.receive("hall", hears=False)
    await meeting.flows("hall", "early", "camera")
    await meeting.publish("late")
    await meeting.flows("hall", "late", "camera")
    for offer in meeting.offers["hall"]:
        assert "m=audio" not in offer.sdp
        assert {track.source for track in offer.tracks} == {"camera"}
    await meeting.receive("member")
    await meeting.flows("member", "late", "microphone")
    # Elsewhere, by another door, the same participant hears again.
    await media.leave(ROOM, "hall")
    await meeting.receive("hall")
    await meeting.flows("hall", "early", "microphone")


async def test_sound_and_picture_over_tcp(meeting: Meeting) -> None:
    await meeting.publish("member", tcp=True)
    await meeting.receive("chair")
    assert (await meeting.flows("chair", "member", "camera", packets=60)).gaps == 0


async def test_an_address_change_of_the_publisher_is_followed(meeting: Meeting) -> None:
    peer = Peer()
    await meeting.publish("member", peer=peer)
    await meeting.receive("chair")
    await meeting.flows("chair", "member", "camera")
    peer.rebind()
    await meeting.flows("chair", "member", "camera", packets=60)


async def test_a_player_waits_for_a_track_and_then_gets_it(meeting: Meeting, media: MediaClient) -> None:
    await media.join(ROOM, "camera", sound_open=True)
    await media.join(ROOM, "screen", sound_open=True)
    player = Peer()
    offer = player.offer([OfferedTrack("audio"), OfferedTrack("video", codecs=("VP8", "H264"), rtx=True)])
    player.set_remote(SessionDescription(await media.pull(ROOM, "screen", "camera", offer)))
    await player.connect()
    await meeting.publish("camera")
    await eventually(lambda: len([s for s in player.streams.values() if s.packets > 20]) == 2)
    await player.close()


async def test_a_receiver_without_the_codec_is_told(meeting: Meeting) -> None:
    await meeting.receive("old", codecs=("opus", "H264", "rtx"))
    await meeting.publish("member")
    await meeting.flows("old", "member", "microphone")
    states = await eventually(lambda: [e for e in meeting.events if isinstance(e, SubscriptionChanged)])
    assert {(e.participant_id, e.state) for e in states} == {("old", "unsupported_codec")}


async def test_who_speaks_is_reported(meeting: Meeting) -> None:
    await meeting.publish("loud", [AudioSource(level_db=20)])
    await meeting.publish("quiet", [AudioSource(level_db=100)])
    event = await eventually(
        lambda: next((e for e in meeting.events if isinstance(e, SpeakersChanged) and e.speakers), None)
    )
    assert event is not None
    assert [speaker.participant_id for speaker in event.speakers] == ["loud"]


async def test_a_media_process_that_dies_is_replaced(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("member")
    first = media.epoch(ROOM)
    assert media.pid is not None
    os.kill(media.pid, signal.SIGKILL)
    event = await eventually(lambda: next((e for e in meeting.events if isinstance(e, MediaRestarted)), None))
    assert event is not None
    assert event.epoch == media.epoch(ROOM) != first
    await meeting.publish("member")
    await meeting.receive("chair")
    await meeting.flows("chair", "member", "camera")


async def test_leaving_gives_everything_back(meeting: Meeting, media: MediaClient) -> None:
    for _ in range(3):
        await meeting.publish("member")
        await meeting.receive("chair")
        await meeting.flows("chair", "member", "camera", packets=5)
        await media.leave(ROOM, "member")
        await media.leave(ROOM, "chair")
        await media.leave(ROOM, "chair")
    statistics = await media.statistics()
    for name in ("rooms", "participants", "publications", "subscriptions", "transports"):
        assert statistics[f"yuanshang_media_{name}"] == 0


async def test_refusals_are_typed_and_change_nothing(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("member")
    await meeting.receive("chair")
    await meeting.flows("chair", "member", "camera")
    many = [OfferedTrack("audio", ssrc=100 + i) for i in range(20)]
    for sdp, code in (
        ("", "sdp_invalid"),
        ("v=0\r\n" * 1000, "sdp_invalid"),
        (Peer().offer(many), "too_many_tracks"),
    ):
        with pytest.raises(MediaError) as refusal:
            await media.publish(ROOM, "member", sdp)
        assert refusal.value.code == code
    with pytest.raises(MediaError) as refusal:
        await media.publish(ROOM, "nobody", "v=0")
    assert refusal.value.code == "not_found"
    with pytest.raises(MediaError) as refusal:
        await media.answer(ROOM, "chair", 999, "v=0")
    assert refusal.value.code == "stale"
    for i in range(8):
        await media.join(ROOM, f"guest{i}", sound_open=True)
    with pytest.raises(MediaError) as refusal:
        await media.join(ROOM, "one too many", sound_open=True)
    assert refusal.value.code == "room_full"
    await meeting.flows("chair", "member", "camera")


async def test_nobody_has_two_microphones(meeting: Meeting, media: MediaClient) -> None:
    """What was heard of somebody, and what is missing, is kept by who it is: one would hide behind the other."""
    await media.join(ROOM, "hall", sound_open=True)
    sounds = [OfferedTrack("audio", ssrc=100 + number) for number in range(3)]
    table, lectern = (TrackHint(mid, Origin.MICROPHONE, mid) for mid in ("0", "1"))
    with pytest.raises(MediaError) as refusal:
        await media.publish(ROOM, "hall", Peer().offer(sounds), (table, lectern))
    assert refusal.value.code == "too_many_tracks"
    _, publications = await media.publish(ROOM, "hall", Peer().offer(sounds), (lectern,))
    assert [each.source for each in publications] == ["screen_sound", "microphone", "screen_sound"]


async def test_a_taken_port_is_said_plainly(media: MediaClient) -> None:
    statistics = await media.statistics()
    assert statistics["yuanshang_media_rooms"] == 0
    second = MediaClient(media.settings)
    with pytest.raises(MediaError) as refusal:
        await second.start()
    assert refusal.value.code == "port_in_use"
    await second.close()


async def test_publications_tell_source_and_codec(meeting: Meeting) -> None:
    await meeting.publish("member")

    def described() -> set[tuple[str, str]]:
        events = [e for e in meeting.events if isinstance(e, PublicationsChanged)]
        return {(p.source, p.codec) for p in events[-1].publications} if events else set()

    await eventually(described, lambda found: found == {("microphone", "opus"), ("camera", "VP8")})
