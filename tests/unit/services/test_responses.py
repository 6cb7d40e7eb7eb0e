"""The ledger of answers: who may do what, two at once, groups, promotions, what the public is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.comment import CommentState, Decision
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.permissions import Role
from conference.model.response import Rating, ResponseState, Visibility
from conference.services.case_queries import WantedCases
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.responses_stage import ANSWER, MODERATOR, STAFF, TEXT, Office

DAY_S = 86_400
CHAIR = World.bearer(Role.CHAIR, "刘主持人")


@pytest.fixture
async def office(world: World) -> Office:
    await world.agendas.edit("c", STAFF, [AgendaDraft("讨论", AgendaKind.DISCUSSION)])
    await world.life_cycle.start("c", CHAIR)
    await world.agendas.advance("c", CHAIR)
    return Office(Audience(world))


async def code_of(work: Awaitable[object]) -> str:
    with pytest.raises(ConferenceError) as refused:
        await work
    return refused.value.code


async def states(office: Office) -> dict[str, CommentState]:
    return {each.id: each.state for each in await office.public.stored()}


async def test_only_those_who_may_keep_the_ledger(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    desk, cid = office.responses, "c"
    manage: list[Callable[[Role], Awaitable[object]]] = [
        lambda role: desk.assign(cid, World.bearer(role), case.id, department.id),
        lambda role: desk.extend(cid, World.bearer(role), case.id, 1 << 50),
        lambda role: desk.deny_extension(cid, World.bearer(role), case.id, "x"),
        lambda role: desk.remind(cid, World.bearer(role), case.id),
        lambda role: desk.give_back(cid, World.bearer(role), case.id, "x"),
        lambda role: desk.approve(cid, World.bearer(role), case.id),
        lambda role: desk.unapprove(cid, World.bearer(role), case.id),
        lambda role: desk.reopen(cid, World.bearer(role), case.id, "x"),
        lambda role: desk.close(cid, World.bearer(role), case.id),
        lambda role: office.departments.link(cid, World.bearer(role), department.id),
        lambda role: office.departments.renew(cid, World.bearer(role), department.id),
        lambda role: office.departments.edit(cid, World.bearer(role), department.id, {"name": "x"}),
    ]
    before = await office.stored(case.id)
    for role in (Role.CHAIR, Role.MODERATOR, Role.MEMBER, Role.DEPARTMENT, Role.OBSERVER):
        for work in manage:
            with pytest.raises(ForbiddenError):
                await work(role)
    for role in (Role.MEMBER, Role.DEPARTMENT, Role.ORGANIZER, Role.ADMINISTRATOR):
        with pytest.raises(ForbiddenError):
            await desk.open(cid, World.bearer(role), case.comment_id)
    for role in (Role.MEMBER, Role.DEPARTMENT, Role.OBSERVER):
        with pytest.raises(ForbiddenError):
            await office.cases.page(cid, World.bearer(role), WantedCases())
    assert await office.stored(case.id) == before
    (told,) = await office.departments.list(cid, MODERATOR)
    assert (told.name, told.email, told.contact, told.phone) == ("市民政局", "", "", "")


async def test_a_group_has_one_open_case(office: Office) -> None:
    first = await office.public.post(TEXT, device="d1")
    second = await office.public.post(TEXT, device="d2")
    await office.public.desk.decide("c", MODERATOR, Decision.APPROVE, [first.id], group=True)
    cases = await asyncio.gather(
        *(office.responses.open("c", by, each.id) for by in (STAFF, CHAIR) for each in (first, second))
    )
    assert len({each.id for each in cases}) == 1
    assert (cases[0].authors, cases[0].number) == (2, 1)
    await office.responses.close("c", STAFF, cases[0].id)
    again = await office.responses.open("c", STAFF, second.id)
    assert (again.number, again.comment_id) == (2, second.id)


async def test_what_was_turned_down_is_no_case(office: Office) -> None:
    comment = await office.public.post(TEXT)
    await office.public.desk.decide("c", MODERATOR, Decision.REJECT, [comment.id])
    assert await code_of(office.responses.open("c", STAFF, comment.id)) == "comment_changed"
    assert await code_of(office.responses.open("c", STAFF, "m_none")) == "not_found"


async def test_a_moderator_names_a_department_and_the_secretariat_asks_it(office: Office) -> None:
    department = await office.department("县水务局")
    comment = await office.public.post("自来水总是停")
    opened = await office.responses.open("c", MODERATOR, comment.id, department.id)
    assert (opened.state, opened.department) == (ResponseState.UNASSIGNED, None)
    assert opened.suggested_department is not None
    assert opened.suggested_department.name == "县水务局"
    asked = await office.responses.open("c", STAFF, comment.id, department.id)
    assert (asked.id, asked.state) == (opened.id, ResponseState.ASSIGNED)
    assert asked.suggested_department is None


async def test_who_is_named_or_was_asked_before_is_suggested(office: Office) -> None:
    await office.department("市民政局")
    finance = await office.department("市财政局")
    named = await office.case("请民政部门看看高龄津贴")
    assert named.suggested_department is not None
    assert named.suggested_department.name == "市民政局"
    before = await office.case("护理员一个月两千出头，留不住人，待遇怎么解决？")
    assert before.suggested_department is None
    await office.responses.assign("c", STAFF, before.id, finance.id)
    alike = await office.case("护理员一个月才两千，待遇能不能解决，留不住人")
    assert alike.id != before.id, "near, but not a duplicate"
    assert alike.suggested_department is not None
    assert alike.suggested_department.name == "市财政局"


async def test_a_promotion_opens_a_case_with_it(office: Office) -> None:
    comment = await office.public.post(TEXT, device="d1")
    await office.public.post(TEXT, device="d2")
    card = await office.public.promotions.promote("c", CHAIR, comment.id)
    (case,) = (await office.cases.page("c", STAFF, WantedCases())).items
    assert (case.promotion_id, case.authors, case.state) == (card.id, 2, ResponseState.UNASSIGNED)
    assert (case.program_from_ms, case.program_to_ms) == (card.started_at_ms, None)
    office.world.clock.forward(60)
    await office.public.promotions.end("c", CHAIR)
    (case,) = (await office.cases.page("c", STAFF, WantedCases())).items
    assert case.program_to_ms is not None
    lines = await office.world.trace()
    assert {"promotion.started", "response.opened"} <= {each.action for each in lines}


async def test_a_case_that_was_there_is_told_of_the_promotion(office: Office) -> None:
    case = await office.case()
    card = await office.public.promotions.promote("c", CHAIR, case.comment_id)
    (linked,) = (await office.cases.page("c", STAFF, WantedCases())).items
    assert (linked.id, linked.promotion_id) == (case.id, card.id)
    await office.public.promotions.end("c", CHAIR)
    await office.public.promotions.promote("c", CHAIR, case.comment_id)
    assert len((await office.cases.page("c", STAFF, WantedCases())).items) == 1


async def test_a_proposal_is_no_case(office: Office) -> None:
    comment = await office.public.post(TEXT)
    await office.public.promotions.promote("c", MODERATOR, comment.id)
    assert (await office.cases.page("c", STAFF, WantedCases())).items == ()


async def test_approving_marks_what_is_shown_of_the_group(office: Office) -> None:
    department = await office.department()
    shown = [await office.public.post(TEXT, device=f"d{number}") for number in range(3)]
    await office.public.desk.decide("c", MODERATOR, Decision.APPROVE, [shown[0].id], group=True)
    await office.public.desk.decide("c", MODERATOR, Decision.HIDE, [shown[2].id])
    waiting = await office.public.post(TEXT, device="d9")
    await office.public.promotions.promote("c", CHAIR, shown[0].id)
    await office.public.promotions.end("c", CHAIR)
    (case,) = (await office.cases.page("c", STAFF, WantedCases())).items
    await office.responses.assign("c", STAFF, case.id, department.id)
    await office.submit(department, case.id)
    await office.responses.approve("c", STAFF, case.id)
    assert await states(office) == {
        shown[0].id: CommentState.ANSWERED,
        shown[1].id: CommentState.ANSWERED,
        shown[2].id: CommentState.HIDDEN,
        waiting.id: CommentState.PENDING,
    }
    (told,) = await office.public.comments.mine("c", [waiting.id], "d9")
    assert told.status is CommentState.ANSWERED, "it was for the whole group"
    undone = await office.responses.unapprove("c", STAFF, case.id)
    assert undone.state is ResponseState.SUBMITTED
    after = await states(office)
    assert (after[shown[0].id], after[shown[1].id]) == (CommentState.PROMOTED, CommentState.APPROVED)
    board = await office.public.board()
    assert {each.id: each.state for each in board.comments.values()} == after, "memory says what rows say"


async def test_undo_of_a_better_answer_leaves_the_earlier_one(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    await office.submit(department, case.id)
    await office.responses.approve("c", STAFF, case.id)
    await office.responses.reopen("c", STAFF, case.id, "网友追问")
    await office.submit(department, case.id, "更好的答复。")
    (item,) = (await office.answers.page("c")).items
    assert item.answer is not None
    assert (item.answer.text, item.state) == (ANSWER, "answered")
    await office.responses.approve("c", STAFF, case.id)
    await office.responses.unapprove("c", STAFF, case.id)
    assert (await states(office))[case.comment_id] is CommentState.ANSWERED
    office.world.clock.forward(2)
    (item,) = (await office.answers.page("c")).items
    assert item.answer is not None
    assert item.answer.text == ANSWER


async def test_two_who_decide_at_once(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    await office.submit(department, case.id)
    outcomes = await asyncio.gather(
        office.responses.approve("c", STAFF, case.id),
        office.responses.give_back("c", STAFF, case.id, "请补充"),
        office.responses.approve("c", STAFF, case.id),
        return_exceptions=True,
    )
    refused = [each for each in outcomes if isinstance(each, ConferenceError)]
    assert [each.code for each in refused] == ["response_changed"] * 2
    lines = [each.action for each in await office.world.trace()]
    assert lines.count("response.approved") + lines.count("response.returned") == 1


async def test_another_department_wants_a_reason(office: Office) -> None:
    first, second = await office.department(), await office.department("市财政局")
    case = await office.assigned(first)
    assert await code_of(office.responses.assign("c", STAFF, case.id, second.id)) == "bad_request"
    moved = await office.responses.assign("c", STAFF, case.id, second.id, reason="补贴由财政承担")
    assert moved.department is not None
    assert moved.department.name == "市财政局"
    assert (await office.door.look(office.code(first))).cases == ()
    answering = office.submit(first, case.id)
    assert await code_of(answering) == "not_found"
    history = (await office.cases.get("c", STAFF, case.id)).history
    assert history[0].detail["reason"] == "补贴由财政承担"
    assert (history[0].by, history[0].detail["before"]) == ("刘秘书", first.id)


async def test_a_department_of_another_consultation_is_none(office: Office) -> None:
    case = await office.case()
    other = replace(await office.department(), id="dp_other", consultation_id="other", link_hash="x")
    async with office.world.database.transaction() as unit:
        await unit.consultations.add(replace(await consultation(office), id="other"))
        await unit.departments.save(other)
        await unit.audit.append(
            office.public.boards.entry(await consultation(office), STAFF.actor, "a.b", None)
        )
    assert await code_of(office.responses.assign("c", STAFF, case.id, other.id)) == "not_found"
    assert await code_of(office.responses.close("other", STAFF, case.id)) == "not_found"


async def consultation(office: Office) -> Consultation:
    async with office.world.database.reading() as unit:
        found = await unit.consultations.get("c")
    assert found is not None
    return found


async def test_links_are_renewed_and_run_out(office: Office) -> None:
    department = await office.department()
    code = office.code(department)
    await office.assigned(department)
    assert len((await office.door.look(code)).cases) == 1
    url = await office.departments.renew("c", STAFF, department.id)
    assert await code_of(office.door.look(code)) == "link_not_found"
    fresh = url.rpartition("/")[2]
    page = await office.door.look(fresh)
    left_s = (page.department.valid_until_wall_ms - office.world.clock.wall_ms()) / 1000
    assert left_s == pytest.approx(90 * DAY_S, abs=1)
    office.world.clock.forward(90 * DAY_S + 1)
    assert await code_of(office.door.look(fresh)) == "link_not_found"


async def test_a_link_lasts_as_long_as_there_is_something_to_answer(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    late_ms = office.world.clock.wall_ms() + 200 * DAY_S * 1000
    await office.responses.extend("c", STAFF, case.id, late_ms)
    office.world.clock.forward(201 * DAY_S)
    assert (await office.submit(department, case.id)).state is ResponseState.SUBMITTED


async def test_a_sealed_consultation_is_read_alone(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    sealed = replace(await consultation(office), status=Status.ARCHIVED)
    async with office.world.database.transaction() as unit:
        await unit.consultations.save(sealed)
        await unit.audit.append(office.public.boards.entry(sealed, STAFF.actor, "a.b", None))
    assert len((await office.door.look(office.code(department))).cases) == 1
    for work in (
        office.submit(department, case.id),
        office.responses.close("c", STAFF, case.id),
        office.departments.edit("c", STAFF, department.id, {"name": "x"}),
    ):
        assert await code_of(work) == "invalid_state"


async def test_the_ledger_is_in_the_order_of_need(office: Office) -> None:
    department = await office.department()
    texts = ("路灯坏了没人修", "医保报销太慢", "公交车班次太少", "学校门口堵车", "河边垃圾没有清理")
    late, soon, waits, answered, new = [await office.case(each, f"d{each}") for each in texts]
    now_ms = office.world.clock.wall_ms()
    for case, days in ((late, 1), (soon, 20), (waits, 20), (answered, 20)):
        due_ms = now_ms + days * DAY_S * 1000
        await office.responses.assign("c", STAFF, case.id, department.id, due_ms)
    for case in (waits, answered):
        await office.submit(department, case.id)
    await office.responses.approve("c", STAFF, answered.id)
    office.world.clock.forward(18 * DAY_S)
    page = await office.cases.page("c", STAFF, WantedCases())
    assert [each.id for each in page.items] == [each.id for each in (waits, new, late, soon, answered)]
    assert page.counts == {
        "unassigned": 1,
        "assigned": 2,
        "submitted": 1,
        "answered": 1,
        "closed": 0,
        "due_soon": 1,
        "overdue": 1,
        "all": 5,
    }
    for state, found in (("overdue", late), ("due_soon", soon), ("submitted", waits)):
        (only,) = (await office.cases.page("c", STAFF, WantedCases((state,)))).items
        assert only.id == found.id
    (only,) = (await office.cases.page("c", STAFF, WantedCases(text="公交"))).items
    assert only.id == waits.id
    first = await office.cases.page("c", STAFF, WantedCases(limit=2))
    second = await office.cases.page("c", STAFF, WantedCases(limit=9, after=first.next))
    assert [each.id for each in (*first.items, *second.items)] == [each.id for each in page.items]
    assert second.next is None
    (told,) = await office.departments.list("c", STAFF)
    assert (told.open, told.total) == (3, 4)


async def test_those_who_asked_rate_and_ask_further(office: Office) -> None:
    department = await office.department()
    case = await office.assigned(department)
    rid = case.id
    beside = await office.public.post(TEXT, device="d2")
    await office.public.desk.decide("c", MODERATOR, Decision.APPROVE, [beside.id])
    early = office.answers.rate("c", rid, "d1", Rating.SATISFIED)
    assert await code_of(early) == "response_changed"
    await office.submit(department, rid)
    await office.responses.approve("c", STAFF, rid, Visibility.PRIVATE)
    assert await code_of(office.answers.rate("c", rid, "d3", Rating.FAIRLY)) == "not_found"
    assert await code_of(office.answers.follow_up("c", rid, "d3", "?")) == "not_found"
    await office.answers.rate("c", rid, "d2", Rating.SATISFIED)
    assert (await office.stored(rid)).state is ResponseState.ANSWERED, "another one's word does not close it"
    await office.answers.rate("c", rid, "d2", Rating.UNSATISFIED)
    for number in range(3):
        await office.answers.follow_up("c", rid, "d2", f"那么镇上呢？{number}")
    await office.answers.follow_up("c", rid, "d2", "那么镇上呢？1")
    assert await code_of(office.answers.follow_up("c", rid, "d2", "又一个")) == "too_many_follow_ups"
    assert await code_of(office.answers.follow_up("c", rid, "d1", " \u200b ")) == "bad_request"
    await office.answers.rate("c", rid, "d1", Rating.SATISFIED)
    assert (await office.stored(rid)).state is ResponseState.CLOSED
    detail = await office.cases.get("c", STAFF, rid)
    assert detail.response.ratings == {"satisfied": 1, "fairly": 0, "unsatisfied": 1}
    assert len(detail.response.follow_ups) == 3
    assert detail.similar == ()
    (mine,) = (await office.answers.mine("c", [beside.id, case.comment_id], "d2")).values()
    assert (mine.state, mine.rating, mine.follow_ups) == ("closed", Rating.UNSATISFIED, 3)
    assert mine.answer is not None
    assert (mine.answer.text, mine.answer.visibility) == (ANSWER, Visibility.PRIVATE)
    (item,) = (await office.answers.page("c")).items
    assert (item.answer, item.is_private, item.state) == (None, True, "closed")
    assert item.ratings == detail.response.ratings


async def test_the_public_sees_what_is_shown(office: Office) -> None:
    department = await office.department()
    for number, text in enumerate(("路灯坏了没人修", "医保报销太慢", "公交车班次太少")):
        await office.assigned(department, text)
        office.world.clock.forward(DAY_S)
        assert number < 3
    page = await office.answers.page("c")
    assert [each.text for each in page.items] == ["公交车班次太少", "医保报销太慢", "路灯坏了没人修"]
    assert (page.total, page.answered, page.pending, page.median_days) == (3, 0, 3, None)
    ledger = await office.ledgers.get("c")
    first, second, third = ledger.responses.values()
    await office.public.desk.decide("c", MODERATOR, Decision.HIDE, [second.comment_id])
    await office.submit(department, first.id)
    await office.responses.approve("c", STAFF, first.id)
    await office.responses.close("c", STAFF, third.id)
    office.world.clock.forward(15 * DAY_S)
    page = await office.answers.page("c")
    assert [(each.id, each.state) for each in page.items] == [(third.id, "closed"), (first.id, "answered")]
    assert (page.total, page.answered, page.pending, page.overdue) == (2, 1, 0, 0)
    assert page.median_days == 3.0


async def test_nothing_is_public_ahead_of_the_picture(office: Office) -> None:
    delayed = replace(await consultation(office), public_delay_s=30)
    async with office.world.rooms.locked("c") as room:
        room.consultation = delayed
        comment = await office.public.post(TEXT)
    async with office.world.database.transaction() as unit:
        await unit.consultations.save(delayed)
        await unit.audit.append(office.public.boards.entry(delayed, STAFF.actor, "a.b", None))
    await office.public.promotions.promote("c", CHAIR, comment.id)
    assert (await office.answers.page("c")).items == ()
    office.world.clock.forward(31)
    (item,) = (await office.answers.page("c")).items
    assert item.promoted
    assert item.program_from_ms is not None


async def test_no_line_holds_what_people_wrote(office: Office) -> None:
    department = await office.department(phone="13800000000")
    case = await office.assigned(department)
    await office.submit(department, case.id)
    await office.responses.give_back("c", STAFF, case.id, "请写清时间")
    await office.submit(department, case.id, "一月起。")
    await office.responses.approve("c", STAFF, case.id)
    await office.answers.follow_up("c", case.id, "d1", "镇上也可以吗")
    said = "".join(each.content for each in await office.world.trace())
    for words in (
        TEXT,
        ANSWER,
        "请写清时间",
        "一月起。",
        "镇上也可以吗",
        "李科员",
        "王科",
        "13800000000",
        "w@example.cn",
    ):
        assert words not in said
