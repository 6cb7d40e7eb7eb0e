"""Mutes with their undo, and the queue of hands."""

import pytest

from conference.events import MutedBy, ParticipantUpdated
from conference.model.errors import ConferenceError
from conference.model.participant import Participant
from conference.model.permissions import Role
from tests.unit.services.conftest import World


async def people(world: World) -> tuple[str, str, str]:
    return await world.join("主持人", Role.CHAIR), await world.join("b"), await world.join("d")


def gates(world: World, *ids: str) -> list[bool]:
    return [world.media.gates[each] for each in ids]


async def test_a_soft_mute_closes_the_gate_and_tells_the_one_concerned(world: World) -> None:
    chair, member, other = await people(world)
    assert await world.moderation.mute("c", chair, member, muted=True, hard=False) == 1
    assert gates(world, chair, member, other) == [True, False, True]
    assert world.publisher.of_kind("b", MutedBy) == [MutedBy("主持人", hard=False, muted=True)]
    assert not world.publisher.of_kind("d", MutedBy)
    view = world.publisher.of_kind("d", ParticipantUpdated)[-1].participant
    assert (view.id, view.microphone, view.muted_by) == (member, False, "主持人")
    await world.moderation.choose("c", member, microphone=True)
    assert gates(world, member) == [True]


async def test_a_hard_mute_is_lifted_by_the_chair_alone(world: World) -> None:
    chair, member, _ = await people(world)
    await world.moderation.mute("c", chair, member, muted=True, hard=True)
    with pytest.raises(ConferenceError) as caught:
        await world.moderation.choose("c", member, microphone=True)
    assert caught.value.code == "hard_muted"
    with pytest.raises(ConferenceError) as caught:
        await world.moderation.mute("c", member, member, muted=False, hard=False)
    assert caught.value.code == "forbidden"
    assert await world.moderation.mute("c", chair, member, muted=False, hard=False) == 1
    assert gates(world, member) == [True]
    assert world.publisher.of_kind("b", MutedBy)[-1] == MutedBy("主持人", hard=True, muted=False)


async def test_mute_all_spares_the_caller_and_undo_reopens_exactly_those(world: World) -> None:
    chair, member, quiet = await people(world)
    await world.moderation.choose("c", quiet, microphone=False)
    assert await world.moderation.mute_all("c", chair, muted=True, hard=False) == 1
    assert gates(world, chair, member, quiet) == [True, False, False]
    assert await world.moderation.mute_all("c", chair, muted=True, hard=False) == 0  # a second press
    assert await world.moderation.mute_all("c", chair, muted=False, hard=False) == 1
    assert gates(world, chair, member, quiet) == [True, True, False]


async def test_undo_leaves_an_earlier_mute_alone(world: World) -> None:
    chair, member, other = await people(world)
    await world.moderation.mute("c", chair, member, muted=True, hard=False)
    assert await world.moderation.mute_all("c", chair, muted=True, hard=True) == 2
    assert await world.moderation.mute_all("c", chair, muted=False, hard=False) == 2
    assert gates(world, member, other) == [False, True]
    await world.moderation.choose("c", member, microphone=True)
    assert gates(world, member) == [True]


async def test_only_the_last_mute_all_is_undone(world: World) -> None:
    chair, member, other = await people(world)
    await world.moderation.mute_all("c", chair, muted=True, hard=False)
    await world.moderation.choose("c", member, microphone=True)
    assert await world.moderation.mute_all("c", chair, muted=True, hard=False) == 1
    assert await world.moderation.mute_all("c", chair, muted=False, hard=False) == 1
    assert gates(world, member, other) == [True, False]


async def test_the_gate_is_closed_even_while_media_is_away(world: World) -> None:
    chair, member, _ = await people(world)
    world.media.failures["set_sound"] = "media_unavailable"
    assert await world.moderation.mute("c", chair, member, muted=True, hard=True) == 1
    room = world.rooms.find("c")
    assert room is not None
    assert not room.seat(member).participant.sound_open


async def test_an_observer_has_no_microphone_to_open(world: World) -> None:
    observer = await world.join("o", Role.OBSERVER)
    assert world.media.gates[observer] is False
    with pytest.raises(ConferenceError) as caught:
        await world.moderation.choose("c", observer, microphone=True)
    assert caught.value.code == "forbidden"


async def test_hands_queue_up_and_move_up(world: World) -> None:
    chair, member, other = await people(world)
    assert await world.floors.request("c", member) == 1
    assert await world.floors.request("c", other) == 2
    assert await world.floors.request("c", member) == 1
    await world.floors.withdraw("c", chair, member)
    updates = {event.participant.id: event for event in world.publisher.of_kind("b", ParticipantUpdated)}
    assert updates[member].participant.hand is None
    assert updates[other].participant.hand == 1
    with pytest.raises(ConferenceError):
        await world.floors.withdraw("c", member, other)
    await world.floors.request("c", member)
    await world.departures.leave("c", other)
    last = world.publisher.of_kind("b", ParticipantUpdated)[-1].participant
    assert (last.id, last.hand) == (member, 1)


async def test_a_failing_commit_changes_nothing(world: World) -> None:
    chair, member, _ = await people(world)
    version = world.publisher.snapshot("d").version
    await world.database.close()

    async def broken(*_: Participant, **__: object) -> None:
        raise OSError("disk full")

    world.rooms.save = broken  # type: ignore[method-assign]
    with pytest.raises(OSError, match="disk full"):
        await world.moderation.mute("c", chair, member, muted=True, hard=True)
    assert world.media.gates[member] is True
    room = world.rooms.find("c")
    assert room is not None
    assert room.version == version
