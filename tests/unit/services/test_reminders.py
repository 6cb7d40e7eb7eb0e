"""Departments are told: once for each occasion, tried again, by several servers, and never of what is over."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from conference.model.errors import ConferenceError
from conference.model.notice import RETRY_MS, Channel, NoticeKind, NoticeState
from conference.model.response import ResponseState
from conference.services.notices import Notices
from conference.services.reminders import Reminders
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.responses_stage import STAFF, TEXT, ZONE, Office

DAY_S = 86_400


@pytest.fixture
async def office(world: World) -> Office:
    """At ten in the morning."""
    now = datetime.fromtimestamp(world.clock.wall_ms() / 1000, ZONE)
    ten = now.replace(hour=10, minute=0, second=0)
    world.clock.forward((ten - now).total_seconds() % DAY_S)
    return Office(Audience(world))


def kinds(office: Office) -> list[str]:
    return [each.kind.value for each in office.mail.letters]


async def actions(office: Office) -> list[str]:
    return [each.action for each in await office.world.trace()]


async def test_from_assignment_to_long_overdue(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    for _ in range(14 + 7):
        for _ in range(3):
            await office.reminders.tick()
        office.world.clock.forward(DAY_S)
    assert kinds(office) == ["assigned", "before", "due", "overdue", "overdue"]
    assert (await office.stored(case.id)).reminded == 4
    said = [each.text for each in office.mail.letters]
    link = f"https://huiyi.example.cn/d/{office.code(department)}"
    assert all(link in each and case.label in each and TEXT not in each for each in said)
    assert "逾期" not in said[2]
    assert "已逾期 3 个工作日" in said[3] or "已逾期 1 个工作日" in said[3] or "已逾期 2 个工作日" in said[3]
    assert {each.state for each in await office.noted(case.id)} == {NoticeState.SENT}
    assert (await actions(office)).count("notice.sent") == 5


async def test_nobody_is_reminded_at_night(office: Office) -> None:
    await office.assigned(await office.department())
    office.world.clock.forward(11 * DAY_S - 3_600 * 2)  # eight in the morning, three days before
    await office.reminders.tick()
    assert kinds(office) == ["assigned"]
    office.world.clock.forward(3_600)
    await office.reminders.tick()
    assert kinds(office) == ["assigned", "before"]


async def test_a_server_that_was_down_says_the_latest_alone(office: Office) -> None:
    await office.assigned(await office.department())
    await office.reminders.tick()
    office.world.clock.forward(30 * DAY_S)
    await office.reminders.tick()
    await office.reminders.tick()
    assert kinds(office) == ["assigned", "overdue"]


async def test_more_time_is_reminded_of_anew(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    office.world.clock.forward(11 * DAY_S)
    await office.reminders.tick()
    due_ms = case.due_wall_ms
    assert due_ms is not None
    await office.responses.extend("c", STAFF, case.id, due_ms + 7 * DAY_S * 1000)
    office.world.clock.forward(7 * DAY_S)
    await office.reminders.tick()
    assert kinds(office) == ["assigned", "before", "before"]


async def test_what_fails_is_tried_again_and_then_given_up(office: Office) -> None:
    case = await office.assigned(await office.department())
    office.mail.faults = [False, False]
    await office.reminders.tick()
    await office.reminders.tick()
    assert office.mail.faults == [False], "not before its time"
    office.world.clock.forward(RETRY_MS[0] / 1000)
    await office.reminders.tick()
    assert (office.mail.faults, office.mail.letters) == ([], [])
    office.world.clock.forward(RETRY_MS[1] / 1000)
    await office.reminders.tick()
    assert kinds(office) == ["assigned"]
    assert [each for each in await actions(office) if each.startswith("notice.")] == [
        "notice.delayed",
        "notice.delayed",
        "notice.sent",
    ]

    other = await office.department("市财政局")
    office.mail.faults = [False] * 9
    await office.responses.assign("c", STAFF, case.id, other.id, reason="归财政")
    for wait_ms in (0, *RETRY_MS, 0, 0):
        office.world.clock.forward(wait_ms / 1000)
        await office.reminders.tick()
    assert len(office.mail.faults) == 9 - len(RETRY_MS) - 1
    assert (await office.noted(case.id))[-1].state is NoticeState.FAILED
    assert (await actions(office))[-1] == "notice.failed"


async def test_a_final_fault_is_not_tried_again(office: Office) -> None:
    case = await office.assigned(await office.department(phone="13800000000"))
    office.mail.faults = [True]
    for _ in range(3):
        await office.reminders.tick()
        office.world.clock.forward(RETRY_MS[-1] / 1000)
    states = {each.channel: each.state for each in await office.noted(case.id)}
    assert states == {Channel.EMAIL: NoticeState.FAILED, Channel.WEBHOOK: NoticeState.SENT}
    assert [each.to.phone for each in office.sms.letters] == ["13800000000"]


async def test_what_was_answered_meanwhile_is_not_sent(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    await office.responses.remind("c", STAFF, case.id)
    await office.submit(department, case.id)
    await office.reminders.tick()
    assert office.mail.letters == []
    assert {each.state for each in await office.noted(case.id)} == {NoticeState.DROPPED}
    assert (await actions(office)).count("notice.dropped") == 2


async def test_the_link_in_a_letter_is_the_one_that_is_good(office: Office) -> None:
    department = await office.department()
    await office.assigned(department)
    url = await office.departments.renew("c", STAFF, department.id)
    await office.reminders.tick()
    (letter,) = office.mail.letters
    assert letter.link == url
    assert url in letter.text


async def test_several_servers_send_it_once(office: Office) -> None:
    case = await office.assigned(await office.department())
    office.world.clock.forward(11 * DAY_S)
    await asyncio.gather(*(_another(office).tick() for _ in range(5)))
    assert sorted(kinds(office)) == ["assigned", "before"]
    assert (await office.stored(case.id)).reminded == 1


def _another(office: Office) -> Reminders:
    """Another server, with the same channels."""
    world = office.world
    return Reminders(world.database, world.programs, world.clock, office.notices, office.links, ZONE)


async def test_by_hand_needs_a_way_to_reach_them(office: Office) -> None:
    case = await office.assigned(await office.department(email=""))
    with pytest.raises(ConferenceError) as refused:
        await office.responses.remind("c", STAFF, case.id)
    assert refused.value.code == "no_channel"
    assert (await office.stored(case.id)).reminded == 0


async def test_by_hand_is_once_a_minute(office: Office) -> None:
    case = await office.assigned(await office.department())
    for _ in range(3):
        await office.responses.remind("c", STAFF, case.id)
    assert (await office.stored(case.id)).reminded == 1
    office.world.clock.forward(61)
    await office.responses.remind("c", STAFF, case.id)
    assert (await office.stored(case.id)).reminded == 2
    await office.reminders.tick()
    assert sorted(kinds(office)) == ["assigned", "by_hand", "by_hand"]


async def test_who_is_sent_back_is_told(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    await office.submit(department, case.id)
    await office.responses.give_back("c", STAFF, case.id, "请写清时间")
    await office.reminders.tick()
    assert sorted(kinds(office)) == ["assigned", "returned"]
    told = "".join(each.text for each in office.mail.letters)
    assert "退回补充" in told
    assert "请写清时间" not in told, "the reason is read behind the link"


async def test_without_a_channel_nothing_is_noted(office: Office) -> None:
    quiet = Office(office.public)
    quiet.notices.notifiers.clear()
    department = await quiet.department()
    case = await quiet.assigned(department)
    office.world.clock.forward(30 * DAY_S)
    await quiet.reminders.tick()
    assert await quiet.noted(case.id) == []
    stored = await quiet.stored(case.id)
    assert (stored.state, stored.reminded) == (ResponseState.ASSIGNED, 0)


async def test_a_kind_is_named_by_its_occasion() -> None:
    assert NoticeKind("overdue:2026-11-27:1".partition(":")[0]) is NoticeKind.OVERDUE
    assert not Notices([]).notifiers
