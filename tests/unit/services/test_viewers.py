"""Counting viewers: signs of life become numbers on the page and rows by minutes, with a line in the trace."""

from __future__ import annotations

import json
import random

import pytest

from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.viewers import EVERY_S, ViewerMinute, ViewerTotals
from conference.services.broadcasts import Broadcasts
from conference.services.consultations import ConsultationDraft
from conference.services.viewers import Viewers
from tests.unit.services.conftest import World

CHAIR = World.bearer(Role.CHAIR)


class Door:
    """Pages that say they are there."""

    def __init__(self, world: World) -> None:
        self.world, self.random = world, random.Random(3)
        self.viewers = Viewers(world.rooms, Broadcasts(world.rooms))
        self.ids = [f"{self.random.getrandbits(128):032x}" for _ in range(20)]

    async def signs(self, count: int) -> None:
        for page_id in self.ids[:count]:
            await self.viewers.seen("c", page_id, "198.51.100.7")

    async def shown(self) -> int | None:
        return (await self.viewers.told(await self.world.consultations.get("c")))[1]

    async def minute(self) -> None:
        self.world.clock.forward(60)
        await self.viewers.tick()

    async def lines(self) -> list[dict[str, int]]:
        return [
            json.loads(each.content) for each in await self.world.trace() if each.action == "viewers.counted"
        ]


@pytest.fixture
def door(world: World) -> Door:
    return Door(world)


async def totals(door: Door) -> ViewerTotals:
    return await door.viewers.totals("c")


async def test_from_signs_to_the_page_and_the_rows(door: Door) -> None:
    await door.world.life_cycle.start("c", CHAIR)
    assert await door.shown() is None
    await door.signs(12)
    await door.signs(12)
    assert await door.shown() == 12
    assert await totals(door) == ViewerTotals(12, 12), "also what is not written yet"
    assert await door.lines() == []
    for expected in (12, 5):
        door.world.clock.forward(30)
        await door.signs(expected)
        await door.viewers.tick()
        door.world.clock.forward(30)
        await door.signs(expected)
        await door.viewers.tick()
    found = await door.lines()
    assert [(each["minutes"], each["most"], each["arrived"]) for each in found] == [(1, 12, 12), (1, 5, 0)]
    assert await totals(door) == ViewerTotals(12, 12)
    async with door.world.database.reading() as unit:
        last = await unit.viewers.last("c")
    assert last is not None
    assert last == ViewerMinute("c", last.minute_wall_ms, 5, 0)


async def test_before_and_after_the_meeting_lines_are_rare(door: Door) -> None:
    for _ in range(19):
        await door.signs(3)
        await door.minute()
    assert len(await door.lines()) == 1
    await door.signs(3)
    await door.viewers.write_all()
    found = await door.lines()
    assert len(found) == 2
    assert sum(each["arrived"] for each in found) == 3
    assert (await totals(door)).total == 3


async def test_a_server_started_anew_counts_nobody_again(door: Door) -> None:
    await door.world.life_cycle.start("c", CHAIR)
    await door.signs(20)
    await door.viewers.write_all()
    again = Door(door.world)
    assert await again.shown() is None, "not all have been heard yet"
    await again.signs(20)
    again.world.clock.forward(EVERY_S)
    await again.signs(20)
    assert await again.shown() == 20
    assert await totals(again) == ViewerTotals(20, 20)


async def test_only_what_is_public_and_goes_on(door: Door) -> None:
    world = door.world
    await world.consultations.create(ConsultationDraft(title="内部", id="i", is_public=False))
    with pytest.raises(ConferenceError) as caught:
        await door.viewers.seen("i", door.ids[0], "a")
    assert caught.value.code == "consultation_not_found"
    consultation = await world.consultations.get("i")
    assert await door.viewers.told(consultation) == (None, None)
    await world.consultations.create(ConsultationDraft(title="推迟", id="p", status=Status.POSTPONED))
    assert await door.viewers.told(await world.consultations.get("p")) == (None, None)
    beacon, _ = await door.viewers.told(await world.consultations.get("c"))
    assert beacon is not None
    assert (beacon.every_s, beacon.share) == (EVERY_S, 1.0)


async def test_what_cannot_be_written_waits(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await door.world.life_cycle.start("c", CHAIR)
    await door.signs(4)
    real = door.world.database.transaction

    def broken() -> object:
        raise ConferenceError("storage_unavailable")

    monkeypatch.setattr(door.world.database, "transaction", broken)
    await door.minute()
    assert await totals(door) == ViewerTotals(4, 0), "the minute ended a while after they were seen"
    monkeypatch.setattr(door.world.database, "transaction", real)
    await door.minute()
    assert [each["arrived"] for each in await door.lines()] == [4]


async def test_who_is_idle_is_forgotten(door: Door) -> None:
    await door.signs(2)
    for _ in range(45):
        await door.minute()
    assert door.viewers._counted == {}
    assert (await totals(door)).total == 2
