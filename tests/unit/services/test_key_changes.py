"""Rotating and retiring keys: the set, the lines of the trace, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from conference.model.audit import STAFF_CHAIN
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.keyset import Key, KeySet, KeyState
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from conference.services.departments import DepartmentDraft, Departments
from conference.services.invitees import InviteeDraft
from conference.services.key_changes import KeyChanges, Standing
from conference.services.ledger import Ledgers
from signaling.data_dir import DataDirectoryError
from signaling.key_file import new_key
from tests.unit.services.conftest import World
from tests.unit.services.hand_keys import DAY_MS, FIRST, SECOND, HandKeys

STAFF = World.bearer(Role.SECRETARIAT)


def changing(world: World, make: Callable[[int], Key] = new_key) -> tuple[KeyChanges, HandKeys]:
    keys = HandKeys(world.clock)
    return KeyChanges(world.database, world.clock, keys, make), keys


async def said(world: World) -> list[tuple[str, str | None, dict[str, object]]]:
    lines = await world.trace(STAFF_CHAIN)
    return [(each.action, each.subject, json.loads(each.content)) for each in lines]


async def test_a_rotation_leaves_one_line_of_the_command_line(world: World) -> None:
    changes, keys = changing(world)
    found = await changes.rotate(30)
    assert found == keys.key_set
    until_ms = world.clock.wall_ms() + 30 * DAY_MS
    assert [each.until_ms for each in found.keys] == [until_ms, None]
    assert found.signing.made_ms == world.clock.wall_ms()
    assert await said(world) == [
        ("key.rotated", found.signing.id, {"before": FIRST.id, "until_ms": until_ms})
    ]
    (line,) = await world.trace(STAFF_CHAIN)
    assert line.actor_kind == "cli"


async def test_a_file_that_cannot_be_written_leaves_no_line(world: World) -> None:
    class Full(HandKeys):
        def change(self, how: Callable[[KeySet], KeySet]) -> KeySet:
            raise DataDirectoryError("disk full")

    changes = KeyChanges(world.database, world.clock, Full(world.clock), new_key)
    with pytest.raises(DataDirectoryError, match="full"):
        await changes.rotate(30)
    assert await said(world) == []


async def test_who_is_slower_than_another_rotation_changes_nothing(world: World) -> None:
    class Overtaken(HandKeys):
        def change(self, how: Callable[[KeySet], KeySet]) -> KeySet:
            self.rotate()
            return super().change(how)

    keys = Overtaken(world.clock)
    with pytest.raises(ConferenceError, match="another command"):
        await KeyChanges(world.database, world.clock, keys, new_key).rotate(30)
    assert keys.key_set.signing == SECOND
    assert await said(world) == []


async def test_the_overlap_lasts_until_nobody_needs_a_link_that_was_sent(world: World) -> None:
    changes, _ = changing(world)
    now_ms = world.clock.wall_ms()
    assert await changes.overlap_days() == 30
    far = ConsultationDraft(title="远", id="far", scheduled_at_ms=now_ms + 60 * DAY_MS)
    await world.consultations.create(far)
    assert await changes.overlap_days() == 67, "a week after the last meeting that is planned"
    departments = Departments(world.database, world.clock, world.links, Ledgers(world.database, world.clock))
    await departments.add("c", STAFF, DepartmentDraft("交通局"))
    assert await changes.overlap_days() == 97, "its link is good for 90 days"


async def test_retiring_the_key_that_signs_makes_another(world: World) -> None:
    changes, keys = changing(world)
    found = await changes.retire(FIRST.id, is_urgent=False)
    assert [each.state(world.clock.wall_ms()) for each in found.keys] == [KeyState.RETIRED, KeyState.SIGNS]
    assert found == keys.key_set
    assert [each[:2] for each in await said(world)] == [
        ("key.rotated", found.signing.id),
        ("key.retired", FIRST.id),
    ]
    assert await changes.retire(FIRST.id, is_urgent=False) == found
    assert len(await said(world)) == 2, "repeating it changes nothing"


async def test_retiring_waits_for_the_end_of_a_meeting_unless_it_is_urgent(world: World) -> None:
    changes, keys = changing(world)
    await world.life_cycle.start("c", World.bearer(Role.CHAIR))
    before = keys.key_set
    with pytest.raises(ConferenceError) as refused:
        await changes.retire(FIRST.id, is_urgent=False)
    assert refused.value.code == "invalid_state"
    assert (keys.key_set, await said(world)) == (before, [])
    found = await changes.retire(FIRST.id, is_urgent=True)
    assert found.keys[0].retired_ms == world.clock.wall_ms()
    assert (await said(world))[1] == ("key.retired", FIRST.id, {"urgent": True})


async def test_an_unknown_key_leaves_no_line(world: World) -> None:
    changes, _ = changing(world)
    with pytest.raises(NotFoundError):
        await changes.retire("deadbeef", is_urgent=True)
    assert await said(world) == []


async def test_what_stands_on_a_key_is_counted_before_it_is_retired(world: World) -> None:
    changes, keys = changing(world)
    for name in ("甲", "乙"):
        await world.invitees.add("c", STAFF, InviteeDraft(name, role=Role.MEMBER))
    keys.rotate()
    assert await changes.standing_on(FIRST) == Standing(2, 1, ())
    assert await changes.standing_on(SECOND) == Standing(0, 0, ())
