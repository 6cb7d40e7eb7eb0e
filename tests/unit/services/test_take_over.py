"""Two operators of one venue: who takes over sends, and the other's page is shut and told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.events import VenueTakenOver
from conference.model.errors import ForbiddenError
from conference.model.permissions import Role
from tests.unit.services.conftest import World


async def operator(world: World, name: str, venue: str) -> str:
    entry = replace(world.entry(name, Role.VENUE_OPERATOR), venue=venue)
    return await world.arrivals.join(entry, name)


async def test_the_other_page_of_the_same_venue_is_shut_and_may_take_over_again(world: World) -> None:
    first = await operator(world, "马师傅", "青禾县分会场")
    elsewhere = await operator(world, "周师傅", "石桥村连线点")
    second = await operator(world, "李师傅", "青禾县分会场")
    assert await world.moderation.take_over("c", second) == 1
    assert [world.media.gates[each] for each in (first, second, elsewhere)] == [False, True, True]
    assert world.publisher.of_kind("马师傅", VenueTakenOver) == [VenueTakenOver("李师傅")]
    assert not world.publisher.of_kind("周师傅", VenueTakenOver)
    assert not world.publisher.of_kind("李师傅", VenueTakenOver)
    room = world.rooms.find("c")
    assert room is not None
    assert room.seats[first].participant.camera_on is False

    assert await world.moderation.take_over("c", first) == 1
    await world.moderation.choose("c", first, microphone=True)
    assert [world.media.gates[each] for each in (first, second)] == [True, False]


async def test_who_runs_no_venue_takes_nothing_over(world: World) -> None:
    member = await world.join("b")
    with pytest.raises(ForbiddenError):
        await world.moderation.take_over("c", member)
