"""Desks learn of the end of the relay while they are open."""

from __future__ import annotations

from conference.events import DeskSnapshot, RelayUpdated
from conference.model.permissions import Role
from conference.services.ports import NoRelay
from conference.services.relay_watch import RelayWatch
from tests.unit.services.conftest import World


async def test_desks_are_told_of_each_change_and_nobody_else(world: World) -> None:
    relay = world.rooms.relay = NoRelay()
    watch = RelayWatch(world.rooms)
    relay.health = "ok"
    await world.join("张三")
    await world.desks.open("c", world.bearer(Role.CHAIR), "台")
    for health in ("ok", "failed", "failed", "ok"):
        relay.health = health
        await watch.tick()
    assert [each.relay for each in world.publisher.of_kind("台", RelayUpdated)] == ["failed", "ok"]
    assert world.publisher.of_kind("张三", RelayUpdated) == []
    snapshots = [each.relay for each in world.publisher.of_kind("台", DeskSnapshot)]
    relay.health = "absent"
    await watch.tick()
    await world.desks.open("c", world.bearer(Role.CHAIR), "台二")
    assert [*snapshots, *(each.relay for each in world.publisher.of_kind("台二", DeskSnapshot))] == [
        "ok",
        "absent",
    ]
