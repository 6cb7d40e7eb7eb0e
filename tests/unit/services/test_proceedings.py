"""Agenda, desks and attendance."""

import pytest

from conference.events import AgendaUpdated, DeskSnapshot, FloorGiven, ParticipantJoined
from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.errors import ConferenceError
from conference.model.participant import ParticipantKind
from conference.model.permissions import Role
from tests.unit.services.conftest import World

DRAFTS = [AgendaDraft("通报", AgendaKind.REPORT, planned_minutes=10), AgendaDraft("发言", AgendaKind.SPEECH)]


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def test_the_agenda_on_program_time(world: World) -> None:
    await world.agendas.edit("c", world.bearer(Role.ORGANIZER), DRAFTS)
    chair = await world.join("主持人", Role.CHAIR)
    member = await world.join("b")
    await world.agendas.advance("c", chair)
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    world.clock.forward(60)
    items = await world.agendas.advance("c", chair)
    assert [(each.state, each.started_at_ms, each.ended_at_ms) for each in items] == [
        ("done", 0, 60_000),
        ("current", 60_000, None),
    ]
    assert world.publisher.of_kind("b", AgendaUpdated)[-1].agenda == items
    await world.floors.grant("c", chair, member)
    _, spoken = await world.floors.speaking("c")
    assert spoken[0].item_id == items[1].id
    assert await code_of(world.agendas.advance("c", member)) == "forbidden"
    assert await code_of(world.agendas.start("c", chair, "a_none")) == "not_found"
    assert await code_of(world.agendas.edit("c", chair, [])) == "agenda_item_begun"
    assert await code_of(world.agendas.edit("c", world.bearer(Role.MODERATOR), DRAFTS)) == "forbidden"
    again = await world.restart()
    assert await again.agendas.get("c") == items
    await again.life_cycle.end("c", world.bearer(Role.CHAIR))
    assert [each.state for each in await again.agendas.get("c")] == ["done", "done"]
    assert await code_of(again.agendas.edit("c", world.bearer(Role.ORGANIZER), DRAFTS)) == "invalid_state"


async def test_a_desk_follows_and_leads_without_a_seat(world: World) -> None:
    desk = await world.desks.open("c", world.bearer(Role.CHAIR, "主持人"), "台")
    member = await world.join("b")
    assert [type(each) for each in world.publisher.sent["台"]] == [DeskSnapshot, ParticipantJoined]
    await world.floors.grant("c", desk, member)
    assert world.publisher.of_kind("b", FloorGiven)
    assert await world.moderation.mute("c", desk, member, muted=True, hard=False) == 1
    await world.floors.withdraw("c", desk, member)
    await world.departures.remove("c", desk, member)
    assert (await world.desks.snapshot("c", desk)).participants == ()
    assert await code_of(world.statements.add("c", desk, "x", key="k" * 8)) == "not_found"
    assert await code_of(world.desks.open("c", world.bearer(Role.MEMBER), "台2")) == "forbidden"
    room = world.rooms.find("c")
    assert room is not None
    await world.desks.close("c", desk)
    assert world.rooms.find("c") is None


async def test_attendance_of_somebody_who_comes_late_drops_out_and_returns(world: World) -> None:
    early = await world.join("a")
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    world.clock.forward(420)
    late = await world.join("b")
    world.clock.forward(60)
    await world.departures.disconnect("c", late, "b")
    world.clock.forward(30)
    assert await world.join("b2", resume=world.resume("b")) == late
    world.clock.forward(10)
    await world.departures.leave("c", late)
    world.clock.forward(10)
    first, second = await world.attendance.list("c", Role.SECRETARIAT)
    assert (first.id, first.marks.present_ms, first.marks.late) == (early, 530_000, False)
    assert (first.stays[0].from_ms, first.stays[0].to_wall_ms) == (None, None)
    assert [(each.from_ms, each.to_ms, each.reason) for each in second.stays] == [
        (420_000, 480_000, "disconnected"),
        (510_000, 520_000, "left"),
    ]
    marks = second.marks
    assert (marks.present_ms, marks.late, marks.left, marks.returned) == (70_000, True, True, True)
    assert second.stays[0].means is ParticipantKind.CLIENT
    assert await code_of(world.attendance.list("c", Role.MEMBER)) == "forbidden"


async def test_attendance_ends_with_an_outage(world: World) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    await world.join("a")
    world.clock.forward(50)
    await world.rooms.heartbeat()
    world.clock.forward(30)
    again = await world.restart()
    await again.join("a2", resume=world.resume("a"))
    (person,) = await again.attendance.list("c", Role.CHAIR)
    assert [(each.from_ms, each.to_ms, each.reason) for each in person.stays] == [
        (0, 50_000, "outage"),
        (80_000, None, None),
    ]
