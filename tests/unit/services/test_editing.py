"""Preparing a consultation: drafts, edits, and the steps of its life."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import pytest

from conference.events import ConsultationUpdated
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.organization import Level, Organization, User
from conference.model.permissions import Role
from conference.model.readiness import Lack, Missing, Part, Prepared, missing
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.services.logins import StaffMember
from conference.services.trace import Bearer
from tests.unit.services.conftest import World

ORGANIZER = Bearer(Role.ORGANIZER, "u_1", "周", "u_1")
SECRETARIAT = Bearer(Role.SECRETARIAT, "u_2", "李", "u_2")
COUNTY = Organization("o_1", "临江县政协", Level.COUNTY, None, 1)


def member(role: Role) -> StaffMember:
    return StaffMember(User("u_1", "zhou", "周", role, "o_1", "", 1), COUNTY)


async def code(attempt: Awaitable[Any]) -> str:
    with pytest.raises(ConferenceError) as caught:
        await attempt
    return caught.value.code


@pytest.fixture
def editing(world: World) -> Editing:
    return Editing(world.rooms, world.floors, world.waiting)


async def test_a_draft_belongs_to_the_organization_of_its_maker(world: World) -> None:
    draft = ConsultationDraft(title="水环境治理", is_public=False, scheduled_at_ms=2_000_000_000_000)
    made = await world.consultations.draft(member(Role.ORGANIZER), draft)
    assert (made.status, made.organization_id, made.organization) == (Status.DRAFT, "o_1", "临江县政协")
    assert not made.is_public
    line = (await world.trace(made.id))[0]
    assert (line.actor_kind, line.actor_id, line.action) == ("staff", "u_1", "consultation.created")
    assert await code(world.consultations.draft(member(Role.MODERATOR), draft)) == "forbidden"
    page, more = await world.consultations.page(["o_1"], None, None, 1)
    assert ([each.id for each in page], more) == ([made.id], True)


async def test_an_edit_notes_old_and_new_values_and_tells_the_room(world: World, editing: Editing) -> None:
    await world.join("a")
    changes = {"title": "新题目", "briefing": "背景", "is_public": True}
    edited = await editing.edit("c", ORGANIZER, 1, changes)
    assert (edited.revision, edited.title, edited.briefing) == (2, "新题目", "背景")
    assert await world.consultations.get("c") == edited
    line = (await world.trace())[-1]
    content = json.loads(line.content)
    assert (line.action, content["revision"]) == ("consultation.edited", 2)
    assert content["changes"] == {
        "title": {"from": "协商会", "to": "新题目"},
        "briefing": {"from": "", "to": "背景"},
    }
    assert world.publisher.of_kind("a", ConsultationUpdated)[-1].consultation.title == "新题目"


async def test_the_later_of_two_editors_is_told(world: World, editing: Editing) -> None:
    await editing.edit("c", ORGANIZER, 1, {"title": "甲"})
    assert await code(editing.edit("c", SECRETARIAT, 1, {"title": "乙"})) == "edit_conflict"
    assert (await world.consultations.get("c")).title == "甲"
    lines = len(await world.trace())
    assert (await editing.edit("c", SECRETARIAT, 2, {"title": "甲"})).revision == 2
    assert len(await world.trace()) == lines


async def test_refused_edits(world: World, editing: Editing) -> None:
    assert await code(editing.edit("c", world.bearer(Role.CHAIR), 1, {"title": "x"})) == "forbidden"
    assert await code(editing.edit("nowhere", ORGANIZER, 1, {})) == "consultation_not_found"
    late = {"scheduled_at_ms": 2_000, "ends_at_ms": 1_000}
    assert await code(editing.edit("c", ORGANIZER, 1, late)) == "bad_request"
    await world.life_cycle.cancel("c", ORGANIZER, "天气")
    assert await code(editing.edit("c", ORGANIZER, 1, {"title": "x"})) == "invalid_state"


async def test_another_mode_closes_the_gates_of_those_in_the_room(world: World, editing: Editing) -> None:
    participant_id = await world.join("a")
    await editing.edit("c", ORGANIZER, 1, {"mode": Mode.CHAIR})
    assert world.media.gates[participant_id] is False
    await world.life_cycle.start("c", SECRETARIAT)
    assert await code(editing.edit("c", ORGANIZER, 2, {"mode": Mode.FREE})) == "forbidden"
    await editing.edit("c", SECRETARIAT, 2, {"mode": Mode.FREE})
    assert world.media.gates[participant_id] is True


async def test_an_edit_survives_what_the_room_saves_later(world: World, editing: Editing) -> None:
    await world.join("a")
    await editing.edit("c", ORGANIZER, 1, {"briefing": "背景"})
    await world.life_cycle.start("c", SECRETARIAT)
    assert (await world.consultations.get("c")).briefing == "背景"


def test_what_is_missing() -> None:
    plain = Consultation("c", "协商会", Status.DRAFT, Mode.FREE, False, False, True, 1)
    assert missing(plain, Prepared(0, 0, 2)) == (
        Missing(Lack.NO_TIME, Part.BASICS),
        Missing(Lack.NO_CHAIR, Part.INVITEES),
        Missing(Lack.IMPORT_OPEN, Part.INVITEES, 2),
        Missing(Lack.NO_AGENDA, Part.AGENDA),
    )
    assert missing(replace(plain, scheduled_at_ms=1), Prepared(1, 1, 0)) == ()


async def test_nothing_is_published_before_it_is_ready(world: World) -> None:
    await world.life_cycle.unpublish("c", ORGANIZER)
    with pytest.raises(ConferenceError) as caught:
        await world.life_cycle.publish("c", ORGANIZER)
    assert caught.value.code == "not_ready"
    assert [each["code"] for each in caught.value.members["missing"]] == ["no_time", "no_chair", "no_agenda"]
    assert (await world.consultations.get("c")).status is Status.DRAFT


async def test_the_steps_of_a_life(world: World) -> None:
    cycle = world.life_cycle
    for step in (cycle.seal("c", ORGANIZER), cycle.publish("c", ORGANIZER)):
        assert await code(step) == "invalid_state"
    for step in (
        cycle.unpublish("c", world.bearer(Role.CHAIR)),
        cycle.seal("c", world.bearer(Role.MEMBER)),
        cycle.cancel("c", world.bearer(Role.CHAIR), "x"),
        cycle.postpone("c", world.bearer(Role.CHAIR), "x"),
        cycle.publish("c", world.bearer(Role.CHAIR)),
    ):
        assert await code(step) == "forbidden"
    await cycle.start("c", SECRETARIAT)
    assert await code(cycle.cancel("c", ORGANIZER, "x")) == "invalid_state"
    await cycle.end("c", SECRETARIAT)
    assert (await cycle.seal("c", ORGANIZER)).status is Status.ARCHIVED
    assert [line.action for line in await world.trace()] == [
        "consultation.created",
        "consultation.started",
        "consultation.ended",
        "consultation.sealed",
    ]


async def test_a_reason_stands_in_the_trace(world: World) -> None:
    assert (await world.life_cycle.postpone("c", ORGANIZER, "台风")).status is Status.POSTPONED
    assert json.loads((await world.trace())[-1].content)["reason"] == "台风"


async def test_of_many_editors_at_once_one_is_right(world: World, editing: Editing) -> None:
    attempts = (editing.edit("c", ORGANIZER, 1, {"title": f"题目{n}"}) for n in range(10))
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    winners = [each for each in answers if isinstance(each, Consultation)]
    assert [each.revision for each in winners] == [2]
    assert [each.code for each in answers if isinstance(each, ConferenceError)] == ["edit_conflict"] * 9
    assert (await world.consultations.get("c")).title == winners[0].title
