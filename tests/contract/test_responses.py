"""Rows of departments, cases, ratings and notices, on each storage, and two servers that write them at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conference.model.audit import CLI, AuditEntry, Personal
from conference.model.comment import CommentState
from conference.model.department import Department
from conference.model.errors import ConferenceError
from conference.model.notice import Channel, Notice, NoticeKind, NoticeState
from conference.model.response import (
    Answer,
    Extension,
    FollowUp,
    Rating,
    Response,
    ResponseRating,
    ResponseState,
    Visibility,
)
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.contract.test_comments import comment, fill
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.responses_stage import STAFF, Office

ANSWER = Answer("可以用现金，也可以刷社保卡。", Visibility.PUBLIC, "李科员", 9, 10)
DEPARTMENT = Department(
    "dp1", "c", "市民政局", "王科", "w@example.org", "13800000000", 1, "h" * 64, 1 << 40, 5
)
CASE = Response("rs1", "c", 0, "m_c1", "m_c1", None, 58, ResponseState.UNASSIGNED, 100)
NOTICE = Notice(
    "n1", "c", "rs1", "dp1", NoticeKind.DUE, "due:2026-12-04", Channel.EMAIL, NoticeState.QUEUED, 0, 50, 40
)


@pytest.fixture
async def opened(database: Database) -> Response:
    await fill(database, comment(1), comment(2, group_id="m_c1"), comment(1, "d"))
    async with database.transaction() as unit:
        return await unit.responses.open(CASE)


async def test_departments_have_a_name_of_their_own_in_each_consultation(database: Database) -> None:
    await fill(database, comment(1, "d"))
    renewed = replace(DEPARTMENT, link_revision=2, link_hash="g" * 64, email="")
    async with database.transaction() as unit:
        await unit.departments.save(DEPARTMENT)
        await unit.departments.save(renewed)
        await unit.departments.save(replace(DEPARTMENT, id="dp9", consultation_id="d", link_hash="x"))
    async with database.reading() as unit:
        assert await unit.departments.of("c") == [renewed]
        assert await unit.departments.get("dp1") == renewed
        assert await unit.departments.by_link("g" * 64) == renewed
        assert await unit.departments.by_link("h" * 64) is None
    with pytest.raises(ConferenceError) as refused:
        async with database.transaction() as unit:
            await unit.departments.save(replace(DEPARTMENT, id="dp2", link_hash="y"))
    assert refused.value.code == "department_in_use"


async def test_a_case_is_kept_with_all_that_became_of_it(database: Database, opened: Response) -> None:
    assert opened.number == 1
    whole = replace(
        opened,
        state=ResponseState.SUBMITTED,
        department_id="dp1",
        suggested_department_id="dp2",
        assigned_wall_ms=101,
        due_wall_ms=1 << 41,
        reminded=2,
        extended=1,
        extension=Extension(1 << 42, "要问财政", 120),
        answer=replace(ANSWER, visibility=Visibility.PRIVATE, approved_wall_ms=None),
        earlier=ANSWER,
        answered_wall_ms=10,
        returned_reason="请写清时间",
        closed_wall_ms=130,
    )
    async with database.transaction() as unit:
        await unit.responses.save(whole)
        second = await unit.responses.open(replace(CASE, id="rs2"))
        other = await unit.responses.open(
            replace(CASE, id="rs3", consultation_id="d", comment_id="m_d1", group_id="m_d1")
        )
    assert (second.number, other.number) == (2, 1)
    async with database.reading() as unit:
        assert await unit.responses.of("c") == [whole, second]
        assert await unit.responses.get("rs1") == whole
        assert await unit.responses.get("rs9") is None
        assert await unit.responses.in_state(ResponseState.SUBMITTED) == [whole]
        assert {each.id for each in await unit.responses.in_state(ResponseState.UNASSIGNED)} == {"rs2", "rs3"}


async def test_two_servers_open_cases_with_different_numbers(database: Database, opened: Response) -> None:
    async def open_one(number: int) -> int:
        while True:
            try:
                async with database.transaction() as unit:
                    return (await unit.responses.open(replace(CASE, id=f"rs_{number}"))).number
            except ConferenceError as error:
                if error.code != "stale":
                    raise

    assert sorted(await asyncio.gather(*map(open_one, range(6)))) == [2, 3, 4, 5, 6, 7]


async def test_a_case_opened_since_one_looked_is_not_overlooked(database: Database, opened: Response) -> None:
    with pytest.raises(ConferenceError) as refused:
        async with database.transaction() as unit:
            await unit.responses.open(replace(CASE, id="rs2"), highest=0)
    assert refused.value.code == "stale"
    async with database.transaction() as unit:
        assert (await unit.responses.open(replace(CASE, id="rs2"), highest=1)).number == 2


async def test_who_changes_a_case_waits_for_whoever_does(database: Database, opened: Response) -> None:
    async def remind() -> None:
        async with database.transaction() as unit:
            there = await unit.responses.locked("rs1")
            assert there is not None
            await asyncio.sleep(0)
            await unit.responses.save(replace(there, reminded=there.reminded + 1))

    await asyncio.gather(*(remind() for _ in range(8)))
    async with database.reading() as unit:
        there = await unit.responses.get("rs1")
    assert there is not None
    assert there.reminded == 8


async def test_the_last_word_of_a_device_counts(database: Database, opened: Response) -> None:
    follow_up = FollowUp("f1", "rs1", "d1", "什么时候开始？", 200)
    async with database.transaction() as unit:
        await unit.responses.rate(ResponseRating("rs1", "d1", Rating.UNSATISFIED, 150))
        await unit.responses.rate(ResponseRating("rs1", "d2", Rating.FAIRLY, 151))
        await unit.responses.rate(ResponseRating("rs1", "d1", Rating.SATISFIED, 152))
        await unit.responses.add_follow_up(follow_up)
    async with database.reading() as unit:
        assert await unit.responses.ratings("c") == [
            ResponseRating("rs1", "d1", Rating.SATISFIED, 152),
            ResponseRating("rs1", "d2", Rating.FAIRLY, 151),
        ]
        assert await unit.responses.follow_ups("c") == [follow_up]
        assert await unit.responses.ratings("d") == []
        assert await unit.responses.follow_ups("d") == []


async def test_a_notice_is_noted_once_and_tried_by_one(database: Database, opened: Response) -> None:
    again = replace(NOTICE, id="n2", created_wall_ms=41)
    webhook = replace(NOTICE, id="n3", channel=Channel.WEBHOOK, next_wall_ms=60)
    async with database.transaction() as unit:
        assert await unit.notices.add([NOTICE, again, webhook]) == [NOTICE, webhook]
    async with database.transaction() as unit:
        assert await unit.notices.add([again]) == []
        assert await unit.notices.keys(["rs1", "rs9"]) == {("rs1", NOTICE.key)}
        assert await unit.notices.waiting(50, tuple(Channel), 10) == [NOTICE]
        assert await unit.notices.waiting(60, tuple(Channel), 1) == [NOTICE]
        assert await unit.notices.waiting(999, [webhook.channel], 1) == [webhook], (
            "no other one is in its way"
        )
        assert await unit.notices.lease(NOTICE, 170)
        assert not await unit.notices.lease(NOTICE, 171), "somebody has it"
        assert [each.id for each in await unit.notices.waiting(169, tuple(Channel), 10)] == ["n3"]
        sent = NOTICE.done(NoticeState.SENT, 80)
        await unit.notices.save(sent)
        assert await unit.notices.of("rs1") == [replace(sent, next_wall_ms=50), webhook]
        assert not await unit.notices.lease(sent, 200)
        assert [each.id for each in await unit.notices.waiting(999, tuple(Channel), 10)] == ["n3"]


async def test_comments_of_a_case_are_found_by_group_and_device(database: Database) -> None:
    rows = [comment(number, group_id="g1") for number in range(1, 5)]
    rows[2] = replace(rows[2], state=CommentState.WITHDRAWN, group_id="g2")
    rows[3] = replace(
        rows[3], state=CommentState.APPROVED, group_id="g3", device_hash=rows[2].device_hash, key="again"
    )
    await fill(database, *rows)
    async with database.reading() as unit:
        assert await unit.comments.in_group("c", "g1", 1) == rows[:1]
        assert await unit.comments.in_group("c", "g1", 9) == rows[:2]
        assert await unit.comments.in_group("d", "g1", 9) == []
        named = await unit.comments.named([rows[3].id, rows[0].id, rows[0].id, "m_?"])
        assert sorted(named, key=lambda each: each.number) == [rows[0], rows[3]]
        assert await unit.comments.groups_of("c", rows[2].device_hash) == {"g3"}, "taken back does not count"


async def test_lines_and_texts_about_a_case_are_found(database: Database, opened: Response) -> None:
    async with database.transaction() as unit:
        for number in range(6):
            subject = "rs1" if number % 2 else "m_c1"
            await unit.audit.append(
                AuditEntry("c", number, None, CLI, "a.b", subject, {"reason": Personal(f"理由{number}")})
            )
    async with database.reading() as unit:
        lines = await unit.audit.lines("c", subject="rs1", newest=True)
        texts = await unit.audit.texts_of("c", [each.number for each in lines])
    assert [each.at_ms for each in lines] == [5, 3, 1]
    assert [each.text for each in texts] == ["理由1", "理由3", "理由5"]


async def test_an_archive_has_neither_addresses_nor_devices(database: Database, opened: Response) -> None:
    async with database.transaction() as unit:
        await unit.departments.save(DEPARTMENT)
        await unit.responses.rate(ResponseRating("rs1", "d1", Rating.SATISFIED, 152))
        await unit.notices.add([NOTICE])
    async with database.reading() as unit:
        rows = {
            table: [row async for row in unit.archive_rows.rows(table, "c")]
            for table in ("departments", "responses", "response_ratings", "follow_ups", "notices")
        }
    assert [len(each) for each in rows.values()] == [1, 1, 1, 0, 1]
    assert not {"email", "phone", "link_hash"} & rows["departments"][0].keys()
    assert "device_hash" not in rows["response_ratings"][0]
    assert rows["response_ratings"][0]["rating"] == "satisfied"


async def test_two_servers_keep_one_ledger(database: Database) -> None:
    """A department comes to one, the secretariat to the other, and both send letters."""
    text = "公交车班次太少，能不能加两班？"
    await fill(database, comment(1, state=CommentState.APPROVED, shown_number=1, text=text, device_hash="d1"))
    clock = ManualClock()
    clock.forward(10 * 3_600 - clock.wall_ms() / 1000 % 86_400 + 86_400)  # six in the evening in China
    one, two = [Office(Audience(World(database, clock, RoomLimits()))) for _ in range(2)]
    two.mail.letters = one.mail.letters
    department = await one.department()
    opened = await asyncio.gather(
        *(each.responses.open("c", STAFF, "m_c1") for each in (one, two)), return_exceptions=True
    )
    cases = [each for each in opened if not isinstance(each, BaseException)]
    assert {each.code for each in opened if isinstance(each, ConferenceError)} <= {"stale"}
    rid = cases[0].id
    await two.responses.assign("c", STAFF, rid, department.id)
    await asyncio.gather(one.reminders.tick(), two.reminders.tick())
    clock.forward(11 * 86_400)
    await asyncio.gather(*(each.reminders.tick() for each in (one, two, one, two)))
    assert [each.kind for each in one.mail.letters] == [NoticeKind.ASSIGNED, NoticeKind.BEFORE]
    assert (await one.stored(rid)).reminded == 1

    sent = await asyncio.gather(
        one.submit(department, rid, "加两班。"), two.submit(department, rid, "不加。"), return_exceptions=True
    )
    refused = [each for each in sent if isinstance(each, ConferenceError)]
    assert [each.code for each in refused] == ["response_changed"]
    decided = await asyncio.gather(
        one.responses.give_back("c", STAFF, rid, "请补充"),
        two.responses.approve("c", STAFF, rid),
        return_exceptions=True,
    )
    refused = [each for each in decided if isinstance(each, ConferenceError)]
    assert [each.code for each in refused] == ["response_changed"]
    if (await one.stored(rid)).state is ResponseState.ASSIGNED:
        await two.submit(department, rid, "加两班，从一月起。")
        await two.responses.approve("c", STAFF, rid)
    clock.forward(2)
    answer = (await one.stored(rid)).answer
    assert answer is not None
    (item,) = (await one.answers.page("c")).items
    assert item.answer is not None
    assert (item.answer.text, item.state) == (answer.text, "answered")
    await asyncio.gather(
        one.answers.rate("c", rid, "d1", Rating.SATISFIED), two.answers.rate("c", rid, "d1", Rating.SATISFIED)
    )
    assert (await two.stored(rid)).state is ResponseState.CLOSED
    actions = [each.action for each in await one.world.trace()]
    assert (actions.count("response.rated"), actions.count("response.closed")) == (2, 1)
