"""WHIP encoders are participants; WHEP players are not listed; both go when their transport is gone."""

import pytest

from conference.model.errors import ConferenceError
from conference.model.media import (
    PROGRAM_TARGET,
    Direction,
    Kind,
    PublicationInfo,
    Source,
    TrackWish,
    TransportChanged,
    TransportState,
)
from conference.model.participant import ParticipantKind
from conference.model.permissions import Role
from conference.services.streams import named
from tests.unit.services.conftest import World

MICROPHONE = PublicationInfo("a1", Kind.AUDIO, Source.MICROPHONE)


def changed(participant_id: str, state: TransportState) -> TransportChanged:
    return TransportChanged("c", participant_id, Direction.PUBLISH, state)


def ids(world: World) -> list[str]:
    room = world.rooms.find("c")
    return [view.id for view in room.views()] if room else []


async def test_an_encoder_is_a_participant_under_its_label(world: World) -> None:
    world.media.publications = (MICROPHONE,)
    opened = await world.streams.publish(named(world.entry("摄像机"), "主席台"), "offer")
    room = world.rooms.find("c")
    assert room is not None
    view = room.views()[0]
    assert (view.id, view.name, view.kind) == (opened.id, "主席台", ParticipantKind.WHIP)
    assert view.publications == (MICROPHONE,)
    assert opened.sdp == "answer to offer"


async def test_a_refused_offer_leaves_no_trace(world: World) -> None:
    world.media.failures["publish"] = "sdp_invalid"
    with pytest.raises(ConferenceError) as caught:
        await world.streams.publish(world.entry("x"), "nonsense")
    assert caught.value.code == "sdp_invalid"
    assert world.rooms.find("c") is None
    assert world.media.gates == {}
    async with world.database.reading() as unit:
        assert await unit.participants.present() == []


async def test_an_encoder_without_a_transport_is_removed(world: World) -> None:
    opened = await world.streams.publish(world.entry("x"), "offer")
    world.media.emit(changed(opened.id, TransportState.CONNECTED))
    world.clock.forward(100)
    await world.departures.expire()
    world.media.emit(changed(opened.id, TransportState.DISCONNECTED))
    world.clock.forward(14)
    await world.departures.expire()
    world.media.emit(changed(opened.id, TransportState.CONNECTED))
    world.clock.forward(14)
    await world.departures.expire()
    assert ids(world) == [opened.id]
    world.media.emit(changed(opened.id, TransportState.CLOSED))
    world.clock.forward(15)
    await world.departures.expire()
    assert ids(world) == []


async def test_an_encoder_that_never_connects_is_removed(world: World) -> None:
    await world.streams.publish(world.entry("x"), "offer")
    world.clock.forward(30)
    await world.departures.expire()
    assert ids(world) == []


async def test_an_encoder_is_gone_after_a_restart(world: World) -> None:
    await world.streams.publish(world.entry("x"), "offer")
    assert ids(await world.restart()) == []


async def test_only_the_owner_or_the_chair_ends_it(world: World) -> None:
    opened = await world.streams.publish(world.entry("x"), "offer")
    client = await world.join("a")
    with pytest.raises(ConferenceError) as caught:
        await world.streams.unpublish("c", opened.id, world.bearer(Role.MEMBER, "other"))
    assert caught.value.code == "forbidden"
    with pytest.raises(ConferenceError) as caught:
        await world.streams.unpublish("c", client, world.bearer(Role.CHAIR, "chair"))
    assert caught.value.code == "not_found"
    await world.streams.unpublish("c", opened.id, world.bearer(Role.MEMBER, "x"))
    assert ids(world) == [client]


async def test_a_player_listens_to_one_participant_and_is_not_listed(world: World) -> None:
    target = await world.join("a")
    opened = await world.streams.play(world.entry("w", Role.OBSERVER), target, "offer")
    assert ids(world) == [target]
    assert ("pull", opened.id, target) in world.media.calls
    await world.streams.play(world.entry("w"), target, "offer")
    with pytest.raises(ConferenceError) as caught:
        await world.streams.play(world.entry("w"), target, "offer")
    assert caught.value.code == "room_full"
    with pytest.raises(ConferenceError) as caught:
        await world.streams.play(world.entry("w"), "p_nobody", "offer")
    assert caught.value.code == "not_found"
    await world.streams.stop("c", opened.id, Role.OBSERVER, "t_w")
    assert opened.id not in world.media.gates
    with pytest.raises(ConferenceError):
        await world.streams.stop("c", opened.id, Role.OBSERVER, "t_w")


async def test_players_go_with_their_target_or_their_transport(world: World) -> None:
    target = await world.join("a")
    first = await world.streams.play(world.entry("w"), target, "offer")
    world.media.emit(changed(first.id, TransportState.CONNECTED))
    world.media.emit(changed(first.id, TransportState.CLOSED))
    world.clock.forward(15)
    await world.streams.expire()
    assert first.id not in world.media.gates
    second = await world.streams.play(world.entry("w"), target, "offer")
    await world.departures.leave("c", target)
    assert second.id not in world.media.gates
    assert world.rooms.find("c") is None


async def test_a_small_player_says_how_small(world: World) -> None:
    target = await world.join("a")
    room = world.rooms.find("c")
    assert room is not None
    camera = PublicationInfo("v1", Kind.VIDEO, Source.CAMERA)
    room.seats[target].publications = (camera, PublicationInfo("a1", Kind.AUDIO, Source.MICROPHONE))
    opened = await world.streams.play(world.entry("w"), target, "offer", max_height=180)
    assert ("wish", opened.id, (TrackWish("v1", 320, 180),)) in world.media.calls
    await world.streams.play(world.entry("w"), PROGRAM_TARGET, "offer", max_height=180)
    assert sum(call[0] == "wish" for call in world.media.calls) == 1


async def test_the_tag_changes_with_each_ice_restart(world: World) -> None:
    opened = await world.streams.publish(world.entry("x"), "offer")
    assert await world.streams.trickle("c", opened.id, Role.MEMBER, "t_x", "candidate") is None
    assert world.streams.tag("c", opened.id) == '"1"'
    world.media.fragment = "restarted"
    assert await world.streams.trickle("c", opened.id, Role.MEMBER, "t_x", "restart") == "restarted"
    assert world.streams.tag("c", opened.id) == '"2"'


async def test_the_program_is_played_without_anybody_in_the_room(world: World) -> None:
    opened = await world.streams.play(world.entry("墙", Role.OBSERVER), PROGRAM_TARGET, "offer")
    assert opened.sdp == "answer to offer"
    assert ("pull", opened.id, "program") in world.media.calls
    client = await world.join("a")
    await world.departures.leave("c", client)
    room = world.rooms.find("c")
    assert room is not None
    assert list(room.listeners) == [opened.id], "it is nobody's to take away"
