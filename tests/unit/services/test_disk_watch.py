"""Desks are warned of a disk that fills up."""

from __future__ import annotations

from conference.desk_views import DiskView
from conference.events import DeskSnapshot, DiskUpdated
from conference.model.permissions import Role
from conference.services.disk_watch import DiskWatch
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedDisk

GB = 1 << 30


async def test_desks_are_warned_in_time_and_told_when_it_is_over(world: World) -> None:
    disk = ScriptedDisk()
    watch = DiskWatch(world.rooms, disk, 10 * GB)
    await world.join("张三")
    await world.desks.open("c", world.bearer(Role.CHAIR), "台")
    told: list[tuple[int, bool]] = []
    for free in (12 * GB, 12 * GB - 1000, 11 * GB, 10 * GB - 1, 10 * GB + 1, 9 * GB, 11 * GB):
        disk.free = free
        await watch.tick()
        now = [each.disk for each in world.publisher.of_kind("台", DiskUpdated)]
        told = [(each.free_bytes >> 30, each.warn) for each in now]
    assert told == [(12, False), (11, False), (11, False), (9, True), (10, True), (9, True), (11, False)]
    assert world.publisher.of_kind("张三", DiskUpdated) == []


async def test_a_disk_that_does_not_answer_and_a_desk_that_comes_later(world: World) -> None:
    disk = ScriptedDisk()
    watch = DiskWatch(world.rooms, disk, 0)
    disk.free = -1
    await watch.tick()
    assert watch.seen is None
    disk.free = 0
    await world.desks.open("c", world.bearer(Role.CHAIR), "台")
    await watch.tick()
    assert watch.seen == DiskView(0, False)
    await world.desks.open("c", world.bearer(Role.CHAIR), "台二")
    (snapshot,) = world.publisher.of_kind("台二", DeskSnapshot)
    assert snapshot.disk == DiskView(0, False)
