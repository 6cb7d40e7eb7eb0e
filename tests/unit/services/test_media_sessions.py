"""Offers and answers, what the media process reports, and a media process that is new."""

import asyncio
import contextlib

import pytest

from conference.events import (
    AllocationNow,
    LayersNow,
    MediaOffered,
    MediaReset,
    ParticipantUpdated,
    SpeakersNow,
    SubscriptionNow,
)
from conference.model.errors import ConferenceError
from conference.model.media import (
    AllocatedTrack,
    AllocationChanged,
    AllocationReason,
    Kind,
    LayersNeeded,
    PublicationInfo,
    PublicationsChanged,
    QualityChanged,
    Source,
    Speaker,
    SpeakersChanged,
    SubscriptionChanged,
    TrackHint,
    TrackReport,
    TrackWish,
)
from conference.model.permissions import Role
from conference.services import media_sessions
from tests.support.eventually import eventually
from tests.unit.services.conftest import World

CAMERA = PublicationInfo("v1", Kind.VIDEO, Source.CAMERA)


def offered(world: World, session_id: str) -> list[int]:
    return [event.generation for event in world.publisher.of_kind(session_id, MediaOffered)]


async def test_publishing_needs_the_right_and_is_told_to_the_room(world: World) -> None:
    member = await world.join("a")
    await world.join("b")
    observer = await world.join("o", Role.OBSERVER)
    world.media.publications = (CAMERA,)
    assert await world.media_sessions.publish("c", member, "sdp", ()) == "answer to sdp"
    assert world.publisher.of_kind("b", ParticipantUpdated)[-1].participant.publications == (CAMERA,)
    with pytest.raises(ConferenceError) as caught:
        await world.media_sessions.publish("c", observer, "sdp", (TrackHint("0", Source.SCREEN),))
    assert caught.value.code == "forbidden"


async def test_who_came_in_while_media_was_away_is_joined_when_publishing(world: World) -> None:
    world.media.failures = {"join": "media_unavailable", "subscribe": "media_unavailable"}
    member = await world.join("a")
    world.media.failures = {}
    world.media.unknown.add(member)
    assert await world.media_sessions.publish("c", member, "sdp", ()) == "answer to sdp"
    assert world.media.gates == {member: True}
    assert ("subscribe", member, False) in world.media.calls[-2:]


async def test_reports_become_events(world: World) -> None:
    member = await world.join("a")
    media = world.media
    media.emit(PublicationsChanged("c", member, (CAMERA,)))
    media.emit(PublicationsChanged("c", member, (CAMERA,)))
    media.emit(QualityChanged("c", member, 2))
    media.emit(SpeakersChanged("c", (Speaker(member, -20), Speaker("gone", -5))))
    media.emit(SubscriptionChanged("c", member, "v1", "unsupported_codec"))
    media.emit(QualityChanged("other", member, 1))
    media.emit(QualityChanged("c", "nobody", 1))
    await world.media_sessions.tell_qualities()
    updates = world.publisher.of_kind("a", ParticipantUpdated)
    assert [event.participant.quality for event in updates] == [None, 2]
    assert world.publisher.of_kind("a", SpeakersNow)[-1].speakers == (Speaker(member, -20),)
    assert world.publisher.of_kind("a", SubscriptionNow) == [SubscriptionNow("v1", "unsupported_codec")]


async def test_of_many_whose_connections_change_at_once_a_few_are_told_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_sessions, "_QUALITY_MESSAGES", 8)
    members = [await world.join(f"m{number}") for number in range(4)]
    await world.media_sessions.tell_qualities()
    before = len(world.publisher.of_kind("m0", ParticipantUpdated))

    def told() -> list[tuple[str, int | None]]:
        events = world.publisher.of_kind("m0", ParticipantUpdated)[before:]
        return [(each.participant.id, each.participant.quality) for each in events]

    for member in members:
        world.media.emit(QualityChanged("c", member, 1))
    room = world.rooms.find("c")
    assert room is not None
    assert {each.quality for each in room.seats.values()} == {None}, "who asks for a snapshot is told no more"
    await world.media_sessions.tell_qualities()
    assert told() == [(members[0], 1), (members[1], 1)]
    world.media.emit(QualityChanged("c", members[2], 3))
    world.media.emit(QualityChanged("c", members[0], 1))
    await world.departures.leave("c", members[3])
    await world.media_sessions.tell_qualities()
    await world.media_sessions.tell_qualities()
    assert told() == [(members[0], 1), (members[1], 1), (members[2], 3)], "as it is by then"


async def test_layers_that_are_needed_while_a_client_is_away_are_told_when_it_is_back(world: World) -> None:
    member = await world.join("a")
    world.media.emit(LayersNeeded("c", member, "v1", ("q",)))
    await world.departures.disconnect("c", member, "a")
    world.media.emit(LayersNeeded("c", member, "v1", ("q", "h", "f")))
    await world.join("a2", resume=world.resume("a"))
    assert world.publisher.of_kind("a2", LayersNow) == [LayersNow("v1", ("q", "h", "f"))]
    await world.media_sessions.publish("c", member, "offer", ())
    await world.join("a3", resume=world.resume("a2"))
    assert not world.publisher.of_kind("a3", LayersNow), "its new connection sends all"


async def test_a_wish_goes_to_media_and_what_comes_of_it_to_its_session(world: World) -> None:
    member = await world.join("a")
    await world.join("b")
    wishes = (TrackWish("v1", 640, 360, 1),)
    await world.media_sessions.wish("c", member, wishes)
    assert world.media.calls[-1] == ("wish", member, wishes)
    tracks = (AllocatedTrack("v1", None, 0, AllocationReason.BANDWIDTH),)
    world.media.emit(AllocationChanged("c", member, tracks, True, 90_000))
    world.media.emit(LayersNeeded("c", member, "v2", ("q", "h")))
    assert world.publisher.of_kind("a", AllocationNow) == [AllocationNow(tracks, True, 90_000)]
    assert world.publisher.of_kind("a", LayersNow) == [LayersNow("v2", ("q", "h"))]
    assert not world.publisher.of_kind("b", AllocationNow) + world.publisher.of_kind("b", LayersNow)
    with pytest.raises(ConferenceError) as caught:
        await world.media_sessions.wish("c", "nobody", wishes)
    assert caught.value.code == "not_found"


async def test_the_last_report_of_how_tracks_were_played_is_kept(world: World) -> None:
    member = await world.join("a")
    world.media_sessions.report(
        "c", member, (TrackReport("v1", 800, 0, 12.5), TrackReport("a1", 0, 40, 0)), 5000
    )
    world.media_sessions.report("c", member, (TrackReport("v1", 0, 0, 25.0),), 5000)
    room = world.rooms.find("c")
    assert room is not None
    playback = room.seats[member].playback
    assert playback is not None
    assert playback.tracks == {"v1": TrackReport("v1", 0, 0, 25.0)}


async def test_an_offer_is_answered_once(world: World) -> None:
    member = await world.join("a")
    generation = world.media.offer("c", member).generation
    assert offered(world, "a") == [generation]
    await world.offers.answered("c", member, generation, "sdp")
    assert world.media.answers == [(member, generation, "sdp")]
    with pytest.raises(ConferenceError) as caught:
        await world.offers.answered("c", member, generation, "sdp")
    assert caught.value.code == "stale"


async def test_a_newer_offer_voids_the_older(world: World) -> None:
    member = await world.join("a")
    first = world.media.offer("c", member).generation
    second = world.media.offer("c", member).generation
    with pytest.raises(ConferenceError, match="generation"):
        await world.offers.answered("c", member, first, "sdp")
    await world.offers.answered("c", member, second, "sdp")


async def test_an_unanswered_offer_is_made_again_with_more_patience(world: World) -> None:
    member = await world.join("a")
    world.media.offer("c", member)
    world.media.offers_on_subscribe = True
    for wait_s, expected in ((14, 1), (1, 2), (29, 2), (1, 3), (60, 4)):
        world.clock.forward(wait_s)
        await world.offers.repeat_overdue()
        assert len(offered(world, "a")) == expected
    assert ("subscribe", member, True) in world.media.calls


async def test_an_answer_that_is_refused_leads_to_a_new_offer(world: World) -> None:
    member = await world.join("a")
    generation = world.media.offer("c", member).generation
    world.media.failures["answer"] = "sdp_invalid"
    with pytest.raises(ConferenceError):
        await world.offers.answered("c", member, generation, "nonsense")
    world.media.offers_on_subscribe = True
    world.clock.forward(15)
    await world.offers.repeat_overdue()
    assert len(offered(world, "a")) == 2


async def test_an_offer_under_way_is_sent_again_to_who_comes_back(world: World) -> None:
    member = await world.join("a")
    await world.departures.disconnect("c", member, "a")
    generation = world.media.offer("c", member).generation
    world.clock.forward(30)
    await world.offers.repeat_overdue()
    await world.join("a2", resume=world.resume("a"))
    assert offered(world, "a2") == [generation]


async def test_a_client_may_ask_for_a_fresh_connection(world: World) -> None:
    member = await world.join("a")
    await world.media_sessions.restart("c", member)
    assert world.media.calls[-1] == ("subscribe", member, True)


async def test_a_new_media_process_gets_everybody_with_the_right_gates(world: World) -> None:
    chair = await world.join("a", Role.CHAIR)
    muted = await world.join("b")
    away = await world.join("away")
    world.media.emit(PublicationsChanged("c", muted, (CAMERA,)))
    await world.moderation.mute("c", chair, muted, muted=True, hard=True)
    await world.departures.disconnect("c", away, "away")
    world.media.offer("c", chair)
    running = asyncio.create_task(world.media_sessions.run())
    world.media.restart("e9")
    await eventually(lambda: world.publisher.of_kind("b", MediaReset))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert world.media.gates == {chair: True, muted: False}
    assert world.publisher.of_kind("b", MediaReset) == [MediaReset("e9")]
    snapshot = await world.arrivals.snapshot("c", chair)
    assert snapshot.media.epoch == "e9"
    assert all(not view.publications for view in snapshot.participants)
    with pytest.raises(ConferenceError, match="generation"):
        await world.offers.answered("c", chair, 1, "sdp")
