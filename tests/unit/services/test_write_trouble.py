"""Rows first, then memory: what a write that comes to nothing leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from conference.events import ParticipantLeft, SessionRemoved
from conference.model.attendance import Stay
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.services.floor_clock import FloorClock
from conference.services.program import ProgramTimes
from conference.services.warrants import Warrant
from tests.unit.services.conftest import World
from tests.unit.services.fakes import FailingStorage


async def fails(world: World, call: Awaitable[object]) -> None:
    """The call meets a storage that fails once."""
    storage = FailingStorage(world.database)
    world.rooms.storage = storage
    with pytest.raises(ConferenceError, match="storage_unavailable"):
        await call
    assert storage.has_failed


async def stays(world: World, participant_id: str) -> list[Stay]:
    async with world.database.reading() as unit:
        return [each for each in await unit.stays.of("c") if each.participant_id == participant_id]


async def live(world: World) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))


async def test_a_lost_connection_is_noted_by_the_next_sweep(world: World) -> None:
    await live(world)
    member = await world.join("b")
    world.clock.forward(5)
    await fails(world, world.departures.disconnect("c", member, "b"))
    assert (await stays(world, member))[0].to_wall_ms is None
    world.clock.forward(2)
    await world.departures.expire()
    (stay,) = await stays(world, member)
    assert (stay.to_ms, stay.reason) == (5000, "disconnected"), "it ended when the socket was gone"
    lines = [line.action for line in await world.trace()]
    await world.departures.expire()
    assert [line.action for line in await world.trace()] == lines
    assert lines.count("participant.disconnected") == 1


async def test_or_by_coming_back(world: World) -> None:
    await live(world)
    member = await world.join("b")
    world.clock.forward(5)
    await fails(world, world.departures.disconnect("c", member, "b"))
    world.clock.forward(2)
    assert await world.join("b2", resume=world.resume("b")) == member
    first, second = await stays(world, member)
    assert (first.to_ms, second.from_ms, second.to_ms) == (5000, 7000, None)


async def test_whose_time_is_up_goes_when_it_can_be_written(world: World) -> None:
    await world.join("a")
    member = await world.join("b")
    await world.departures.disconnect("c", member, "b")
    world.clock.forward(60)
    await fails(world, world.departures.expire())
    assert not world.publisher.of_kind("a", ParticipantLeft)
    assert ("leave", member) not in world.media.calls
    await world.departures.expire()
    assert [each.participant_id for each in world.publisher.of_kind("a", ParticipantLeft)] == [member]


async def test_of_several_revoked_each_that_is_out_is_told(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    void = set()
    room = world.rooms.find("c")
    assert room is not None
    for name in ("b", "d"):
        warrant = Warrant(f"t_{name}", Role.MEMBER)
        room.seat(await world.join(name)).warrant = warrant
        void.add(warrant)
    storage = FailingStorage(world.database, after=1)
    world.rooms.storage = storage
    with pytest.raises(ConferenceError, match="storage_unavailable"):
        await world.departures.revoke("c", void, "会务组")
    assert (world.publisher.closed, len(room.seats)) == ({"b"}, 2)
    await world.departures.revoke("c", void, "会务组")
    assert world.publisher.closed == {"b", "d"}
    assert world.publisher.of_kind("d", SessionRemoved)
    assert list(room.seats) == [chair]


async def test_program_time_does_not_run_on_before_its_gap_is_written(world: World) -> None:
    await live(world)
    world.clock.forward(10)
    await world.rooms.heartbeat()
    world.clock.forward(50)
    programs = ProgramTimes(FailingStorage(world.database), world.clock)
    with pytest.raises(ConferenceError, match="storage_unavailable"):
        await programs.restore()
    assert programs.marks() == {}
    await programs.restore()
    assert programs.marks() == {"c": 60_000}
    assert "program.gap" in [line.action for line in await world.trace()]


async def test_a_turn_that_a_restart_ends_is_over_for_the_room_with_its_row(world: World) -> None:
    await live(world)
    chair, member = await world.join("主持人", Role.CHAIR), await world.join("b")
    await world.floors.grant("c", chair, member)
    room = world.rooms.find("c")
    assert room is not None
    del room.seats[member]
    floor_clock = FloorClock(world.rooms, world.floors)
    await fails(world, floor_clock.restore())
    assert room.turn is not None
    await floor_clock.restore()
    assert room.turn is None
