"""Rooms of several nodes: what the next one does with what the last one left, and what it leaves alone."""

from __future__ import annotations

import pytest

from conference.model.claim import Elsewhere, NodeState
from conference.model.errors import ConferenceError, OtherNodeError
from conference.model.participant import LeaveReason
from conference.model.permissions import Role
from conference.services.recovery import Recovery
from tests.unit.services.conftest import World
from tests.unit.services.shared_registry import SharedRegistry


def another_node(world: World) -> tuple[World, SharedRegistry, Recovery]:
    other = World(world.database, world.clock, world.limits)
    registry = other.rooms.registry = SharedRegistry("other")
    return other, registry, Recovery(other.rooms, other.programs, other.floor_clock, other.attendance)


async def test_fresh_rows_stand_above_a_registry_that_forgot(world: World) -> None:
    me = await world.join("s")
    claim = world.resume("s")
    other, registry, _ = another_node(world)
    with pytest.raises(ConferenceError) as caught:
        await other.join("s2", resume=claim)
    assert caught.value.code == "other_node"
    assert not (await registry.claim("c", only_ours=True)).is_ours, (
        "the room was not claimed for a moment either"
    )
    world.clock.forward(8)
    assert await other.join("s2", resume=claim) == me
    assert other.publisher.snapshot("s2").self.resumed


async def test_a_room_taken_over_goes_on_where_it_was(world: World) -> None:
    chair = await world.join("chair", Role.CHAIR)
    member = await world.join("s")
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    await world.floors.grant("c", chair, member, duration_ms=60_000)
    await world.rooms.heartbeat()
    claim = world.resume("s")
    world.clock.forward(20)
    other, _, _ = another_node(world)
    await other.join("s2", resume=claim)
    room = other.rooms.find("c")
    assert room is not None
    assert list(room.seats) == [chair, member]
    assert room.turn is not None
    assert room.turn.participant_id == member
    async with world.database.reading() as unit:
        assert [gap.to_ms - gap.from_ms for gap in await unit.consultations.gaps("c")] == [20_000]
        stays = await unit.stays.of("c")
    assert [each.reason for each in stays] == ["outage", "outage", None]


async def test_what_a_node_left_for_good_is_ended(world: World) -> None:
    me = await world.join("s")
    other, registry, recovery = another_node(world)
    world.clock.forward(50)
    await recovery.adopt()
    async with world.database.reading() as unit:
        assert [each.id for each in await unit.participants.present()] == [me], "its people may still come"
    world.clock.forward(11)
    registry.others["c"] = Elsewhere("node", 1)
    await recovery.adopt()
    async with world.database.reading() as unit:
        assert [each.id for each in await unit.participants.present()] == [me], "another node has them"
    registry.others.clear()
    await recovery.adopt()
    async with world.database.reading() as unit:
        left = await unit.participants.get(me)
        stays = await unit.stays.of("c")
    assert left is not None
    assert left.leave_reason is LeaveReason.LOST
    assert [each.reason for each in stays] == ["outage"]
    assert other.rooms.all() == ()


async def test_a_start_leaves_alone_what_others_hold(world: World) -> None:
    me = await world.join("s")
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    other, registry, recovery = another_node(world)
    registry.others["c"] = Elsewhere("node", 1)
    world.clock.forward(30)
    await recovery.start()
    assert other.rooms.all() == ()
    await other.rooms.heartbeat()
    async with world.database.reading() as unit:
        assert [each.id for each in await unit.participants.present()] == [me]
        assert await unit.consultations.gaps("c") == []
        assert [each.reason for each in await unit.stays.of("c")] == [None]
        stored = await unit.consultations.get("c")
    assert stored is not None
    assert stored.program_high_water_ms == 0
    with pytest.raises(ConferenceError):
        other.rooms.require_here("c")


async def test_an_ended_consultation_stays_at_its_end(world: World) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    other, _, recovery = another_node(world)
    await recovery.start()
    world.clock.forward(10)
    ended = await world.life_cycle.end("c", world.bearer(Role.CHAIR))
    world.clock.forward(10)
    await other.rooms.heartbeat()
    async with world.database.reading() as unit:
        stored = await unit.consultations.get("c")
    assert stored is not None
    assert stored.program_high_water_ms == ended.program_high_water_ms == 10_000


async def test_a_node_that_is_drained_names_the_least_busy_of_those_that_open_rooms(world: World) -> None:
    other, registry, _ = another_node(world)
    other.rooms.is_draining = True
    with pytest.raises(ConferenceError) as alone:
        async with other.rooms.locked("c"):
            pass
    assert alone.value.code == "node_draining"
    registry.living = (
        NodeState("drained", "http://a", rooms=0, present=0, is_draining=True),
        NodeState("mute", None, rooms=0, present=0, is_draining=False),
        NodeState("busy", "http://b", rooms=1, present=90, is_draining=False),
        NodeState("idle", "http://c", rooms=5, present=3, is_draining=False),
    )
    with pytest.raises(OtherNodeError) as sent:
        async with other.rooms.locked("c"):
            pass
    assert (sent.value.consultation_id, sent.value.detail, sent.value.url) == ("c", "idle", "http://c")
    registry.others["c"] = Elsewhere("node", 1, "http://d")
    with pytest.raises(OtherNodeError) as held:
        async with other.rooms.locked("c"):
            pass
    assert held.value.url == "http://d", "who has it stands above who is idle"
