"""What administrators see of server, nodes and rooms, and of whose."""

from __future__ import annotations

import pytest

from conference.model.claim import Elsewhere, NodeState
from conference.model.consultation import Status
from conference.model.errors import ForbiddenError
from conference.model.keyset import OLD_MS
from conference.model.organization import Level
from conference.model.permissions import Role
from conference.model.recording import RecordingState
from conference.services.consultations import ConsultationDraft
from conference.services.disk_watch import DiskWatch
from conference.services.logins import Logins, StaffMember
from conference.services.overview import AcceptedKeyView, NodeView, Overview, ServerFacts, keys_view, nodes_of
from conference.services.passwords import Passwords
from conference.services.staff import Staff, UserDraft
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedDisk
from tests.unit.services.hand_keys import DAY_MS, FIRST, SECOND, HandKeys
from tests.unit.services.shared_registry import SharedRegistry

PASSWORD = "一只纸船漂过澄川河面"


async def account(world: World, login: str, role: Role, organization_id: str) -> StaffMember:
    passwords = Passwords()
    staff = Staff(world.database, passwords, world.clock)
    await staff.add_user(None, UserDraft(login, login, role, PASSWORD, organization_id))
    return (await Logins(world.database, passwords, world.clock).login(login, PASSWORD))[1]


async def test_an_administrator_sees_the_own_body_and_those_below(world: World) -> None:
    staff = Staff(world.database, Passwords(), world.clock)
    city = await staff.add_organization(None, "澄川市政协", Level.CITY)
    county = await staff.add_organization(None, "临江县政协", Level.COUNTY, city.id)
    other = await staff.add_organization(None, "青石县政协", Level.COUNTY, city.id)
    for cid, body in (("near", county), ("far", other), ("calm", county)):
        await world.consultations.create(ConsultationDraft(title=cid, id=cid, organization_id=body.id))
    for cid in ("near", "far"):
        await world.life_cycle.start(cid, World.bearer(Role.CHAIR))
    await world.join("甲")
    await world.departures.disconnect("c", await world.join("乙"), "乙")

    disk = DiskWatch(world.rooms, ScriptedDisk(), 1)
    overview = Overview(world.rooms, staff, disk, HandKeys(world.clock), ServerFacts("1.2", "sqlite", 5))
    above = await account(world, "above", Role.ADMINISTRATOR, city.id)
    below = await account(world, "below", Role.ADMINISTRATOR, county.id)
    seen = await overview.look(above)
    assert (seen.server, seen.redis, seen.disk) == (ServerFacts("1.2", "sqlite", 5), None, None)
    assert seen.nodes == (NodeView("node", True, 1),)
    assert {each.id for each in seen.ongoing} == {"near", "far", "c"}, "nobody is in the calm one"
    assert [each.id for each in (await overview.look(below)).ongoing] == ["near", "c"], "what runs is first"
    room = next(each for each in seen.ongoing if each.id == "c")
    assert (room.status, room.present, room.node) == (Status.SCHEDULED, 1, "node")
    assert room.recording is RecordingState.OFF
    near = next(each for each in seen.ongoing if each.id == "near")
    assert (near.organization, near.present, near.node, near.recording) == ("临江县政协", 0, None, None)
    await disk.tick()
    assert (await overview.look(above)).disk == disk.seen

    clerk = await account(world, "clerk", Role.SECRETARIAT, city.id)
    with pytest.raises(ForbiddenError):
        await overview.look(clerk)


async def test_what_other_nodes_hold_is_seen_with_their_names(world: World) -> None:
    registry = world.rooms.registry = SharedRegistry("node")
    registry.others = {"c": Elsewhere("b", 7), "gone": Elsewhere("a", 1), "more": Elsewhere("b", 0)}
    registry.living = (
        NodeState("a", None, rooms=1, present=1, is_draining=True),
        NodeState("b", None, rooms=2, present=7, is_draining=False),
    )
    assert nodes_of(world.rooms, ("b",)) == (
        NodeView("node", True, 0),
        NodeView("a", False, 1, is_draining=True),
        NodeView("b", False, 2, keys_differ=True),
    )
    staff = Staff(world.database, Passwords(), world.clock)
    city = await staff.add_organization(None, "澄川市政协", Level.CITY)
    admin = await account(world, "admin", Role.ADMINISTRATOR, city.id)
    disk = DiskWatch(world.rooms, ScriptedDisk(), 1)
    (only,) = (
        await Overview(world.rooms, staff, disk, HandKeys(world.clock), ServerFacts("1", "sqlite", 0)).look(
            admin
        )
    ).ongoing
    assert (only.id, only.node, only.present, only.recording) == ("c", "b", 7, None)


async def test_keys_are_shown_with_their_age_and_how_long_they_are_accepted(world: World) -> None:
    keys = HandKeys(world.clock)
    now_ms = world.clock.wall_ms()
    assert keys_view(keys.key_set, FIRST.made_ms + OLD_MS).is_old is False
    assert keys_view(keys.key_set, FIRST.made_ms + OLD_MS + 1).is_old is True
    keys.rotate(days=30)
    until_ms = now_ms + 30 * DAY_MS
    seen = keys_view(keys.key_set, now_ms)
    assert (seen.id, seen.signs_since_ms, seen.accepted) == (
        SECOND.id,
        SECOND.made_ms,
        (AcceptedKeyView(FIRST.id, until_ms),),
    )
    assert keys_view(keys.key_set, until_ms).accepted == (), "its time is over"
    assert keys_view(keys.key_set.retired(FIRST.id, now_ms), now_ms).accepted == ()
