"""What the public writes: once per key, in the rows before it is answered, judged, and read back by its author."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from conference.model.comment import CommentState, Decision, Level
from conference.model.consultation import Moderation, Status
from conference.model.errors import ConferenceError
from conference.model.identity import Visitor
from conference.model.permissions import Role
from conference.services.comment_boards import CommentBoards
from conference.services.comments import PAGE, CommentDraft, Comments
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.text.reader import TextReader
from signaling.auth.sealer import AddressSealer
from tests.support.eventually import eventually
from tests.unit.services.comments_stage import ADDRESS, Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import FailingStorage

MODERATOR = World.bearer(Role.MODERATOR)
STAFF = World.bearer(Role.SECRETARIAT)


@pytest.fixture
def public(world: World) -> Audience:
    return Audience(world)


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def edit(world: World, **changes: object) -> None:
    revision = (await world.consultations.get("c")).revision
    await Editing(world.rooms, world.floors, world.waiting).edit("c", STAFF, revision, changes)


async def approve(public: Audience, *comment_ids: str) -> None:
    await public.desk.decide("c", MODERATOR, Decision.APPROVE, comment_ids)


async def test_it_is_stored_traced_and_invisible(public: Audience) -> None:
    made = await public.post("助餐点能不能接受现金？", region="南坪镇", program_time_ms=0)
    assert made.status is CommentState.PENDING
    (row,) = await public.stored()
    assert (row.id, row.number, row.text, row.region) == (made.id, 1, "助餐点能不能接受现金？", "南坪镇")
    assert ADDRESS not in row.address
    assert AddressSealer(b"k" * 32).open(row.address) == ADDRESS
    line = (await public.world.trace())[-1]
    assert (line.action, line.actor_kind, line.subject) == ("comment.posted", "viewer", made.id)
    for personal in ("助餐点", "老李", "南坪镇", "203.0.113.7"):
        assert personal not in line.content
    assert (await public.comments.page("c")).items == ()


async def test_the_same_key_is_the_same_comment(public: Audience) -> None:
    first = await public.post("一", key="k" * 8)
    assert await public.post("另外的话", key="k" * 8) == first
    at_once = await asyncio.gather(*(public.post("二", key="l" * 8) for _ in range(5)))
    assert len({each.id for each in at_once}) == 1
    assert (await public.post("一", device="d2", key="k" * 8)).id != first.id
    assert len(await public.stored()) == 3


async def test_many_at_once_are_few_commits(public: Audience) -> None:
    await public.board()
    before = len(await public.world.trace())
    made = await asyncio.gather(*(public.post(f"第{number}条", device=f"d{number}") for number in range(200)))
    rows = await public.stored()
    assert [each.number for each in rows] == list(range(1, 201))
    assert {each.id for each in rows} == {each.id for each in made}
    assert len(await public.world.trace()) == before + 200


async def test_a_commit_that_fails_is_told_to_each_and_tried_again(public: Audience) -> None:
    await public.post("一")
    storage = public.world.rooms.storage
    public.world.rooms.storage = FailingStorage(storage)
    failed = await asyncio.gather(
        *(public.post("二", device=f"d{n}", key=f"again {n}") for n in range(3)), return_exceptions=True
    )
    assert {each.code for each in failed if isinstance(each, ConferenceError)} == {"storage_unavailable"}
    assert len(await public.stored()) == 1
    again = [await public.post("二", device=f"d{n}", key=f"again {n}") for n in range(3)]
    assert [each.id for each in await public.stored()][1:] == [each.id for each in again]


async def test_another_node_that_was_faster(public: Audience) -> None:
    """Its rows are read, and the comment gets the next number."""
    await public.post("一")
    other = Audience(public.world)
    await other.post("二", device="d2", key="theirs")
    mine = await public.post("三", device="d3")
    assert [(each.number, each.text) for each in await public.stored()] == [(1, "一"), (2, "二"), (3, "三")]
    assert (await public.post("x", device="d2", key="theirs")).text == "二"
    assert mine.status is CommentState.PENDING


async def test_who_waits_for_a_board_gets_the_one_that_counts(public: Audience) -> None:
    made = await public.post("一", device="d1")
    async with public.boards.locked("c") as board:
        taken_back = asyncio.create_task(public.comments.withdraw("c", made.id, "d1"))
        await eventually(lambda: board.lock._waiters)
        board.is_stale = True  # another node wrote
    assert (await taken_back).status is CommentState.WITHDRAWN
    after = await public.board()
    assert after is not board
    assert after.get(made.id).state is CommentState.WITHDRAWN
    assert board.get(made.id).state is CommentState.PENDING, "nobody writes into what nobody reads"


async def test_who_is_gone_leaves_nothing_waiting(public: Audience) -> None:
    board = await public.board()
    async with board.lock:
        task = asyncio.create_task(public.post("一"))
        await eventually(lambda: board.unwritten)
        task.cancel()
        await asyncio.wait([task])
    assert board.unwritten == []
    await public.post("二")
    assert [each.text for each in await public.stored()] == ["二"]


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200b", "\u202e\n"])
async def test_nothing_said(public: Audience, text: str) -> None:
    assert await code_of(public.post(text)) == "bad_request"
    assert await public.stored() == []


async def test_the_filter_speaks_first(public: Audience) -> None:
    held = await public.post("加我微信 wxid12345678 有优惠")
    assert held.status is CommentState.PENDING, "how it waits is not its author's business"
    (row,) = await public.stored()
    assert (row.state, row.level) == (CommentState.HELD, Level.HOLD)
    assert row.reasons
    assert row.reasons[0].what in row.text
    blocked = json.loads((await public.world.trace())[-1].content)
    assert blocked["reasons"]
    assert blocked["state"] == "held"


async def test_repeats_and_floods_wait(public: Audience) -> None:
    await public.post("养老金什么时候涨？")
    await public.post("养老金什么时候涨？")
    for number in range(25):
        await public.post("每次都说同一句话，请大家支持", device=f"f{number}")
    rows = await public.stored()
    assert [each.code for each in rows[1].reasons] == ["repeat"]
    assert [bool(each.reasons) for each in rows[2:]] == [False] * 20 + [True] * 5
    assert {each.group_id for each in rows[2:]} == {rows[2].group_id}
    public.world.clock.forward(601)
    await public.post("养老金什么时候涨？")
    assert (await public.stored())[-1].reasons == ()


async def test_shown_at_once_where_the_session_is_calm(public: Audience) -> None:
    await edit(public.world, moderation=Moderation.POST)
    public.world.clock.forward(1)
    first = await public.post("第一句")
    assert [each.code for each in (await public.stored())[0].reasons] == ["new_nickname"]
    await approve(public, first.id)
    assert (await public.post("第二句")).status is CommentState.APPROVED
    assert (await public.post("第三句", nickname="县长")).status is CommentState.PENDING
    assert [each.text for each in (await public.comments.page("c")).items] == ["第二句", "第一句"]


async def test_what_its_author_was_watching(public: Audience) -> None:
    world = public.world
    await edit(world, public_delay_s=20)
    assert (await public.post("开会之前", program_time_ms=99)).status is CommentState.PENDING
    await world.life_cycle.start("c", World.bearer(Role.CHAIR))
    world.clock.forward(60)
    for said, text in ((10_000, "甲村有食堂"), (45_000, "乙村没有"), (10**13, "丙村在建")):
        await public.post(text, program_time_ms=said)
    rows = await public.stored()
    assert [each.program_time_ms for each in rows] == [None, 10_000, 40_000, 40_000]
    assert [[reason.code for reason in each.reasons] for each in rows[2:]] == [[], ["program_time"]]


async def test_when_the_public_may_not_write(public: Audience) -> None:
    world = public.world
    await world.consultations.create(ConsultationDraft(title="内部", id="i", is_public=False))
    draft = CommentDraft("老李", "一", "k" * 8)
    assert await code_of(public.comments.post("i", draft, Visitor("d", "a"))) == "consultation_not_found"
    await world.life_cycle.start("c", World.bearer(Role.CHAIR))
    world.clock.forward(1)
    first = await public.post("一")
    await public.broadcasts.cut("c", STAFF)
    assert await code_of(public.post("二")) == "comments_paused"
    await public.broadcasts.restore("c", STAFF)
    assert (await public.post("二")).status is CommentState.PENDING
    await world.life_cycle.end("c", World.bearer(Role.CHAIR))
    world.clock.forward(1)
    assert (await public.post("回看时写的")).status is CommentState.PENDING
    await edit(world, closing_at_ms=world.clock.wall_ms() + 1_000)
    world.clock.forward(2)
    assert await code_of(public.post("三")) == "comments_closed"
    assert [each.id for each in await public.comments.mine("c", [first.id], "d1")] == [first.id]


async def test_authors_see_their_own_only(public: Audience) -> None:
    mine, theirs = await public.post("一"), await public.post("二", device="d2")
    found = await public.comments.mine("c", [mine.id, theirs.id, mine.id, "m_none"], "d1")
    assert [(each.id, each.status, each.text) for each in found] == [(mine.id, "pending", "一")]
    await public.desk.decide("c", MODERATOR, Decision.REJECT, [mine.id], reason="与议题无关")
    assert (await public.comments.mine("c", [mine.id], "d1"))[0].status is CommentState.REJECTED
    await public.desk.decide("c", MODERATOR, Decision.APPROVE, [mine.id])
    await public.desk.decide("c", MODERATOR, Decision.HIDE, [mine.id])
    assert (await public.comments.mine("c", [mine.id], "d1"))[0].status is CommentState.REJECTED


async def test_likes_and_reports_count_once(public: Audience) -> None:
    made = await public.post("一")
    assert await code_of(public.comments.like("c", made.id, "d2", liked=True)) == "not_found"
    await approve(public, made.id)
    likes = await asyncio.gather(
        *(public.comments.like("c", made.id, f"d{number % 30}", liked=True) for number in range(90))
    )
    assert max(likes) == 30
    assert await public.comments.like("c", made.id, "d3", liked=False) == 29
    lines = len(await public.world.trace())
    assert await public.comments.like("c", made.id, "d3", liked=False) == 29
    assert len(await public.world.trace()) == lines, "nothing changed"
    for _ in range(2):
        await public.comments.report("c", made.id, "d9")
    (row,) = await public.stored()
    assert (row.likes, row.reports) == (29, 1)
    assert (await public.comments.page("c")).items[0].likes == 29
    assert sum(line.action == "comment.liked" for line in await public.world.trace()) < 40


async def test_its_author_takes_it_back(public: Audience) -> None:
    made = await public.post("一")
    await approve(public, made.id)
    await public.promotions.promote("c", MODERATOR, made.id)
    assert await code_of(public.comments.withdraw("c", made.id, "d2")) == "not_found"
    for _ in range(2):
        assert (await public.comments.withdraw("c", made.id, "d1")).status is CommentState.WITHDRAWN
    assert (await public.comments.page("c")).items == ()
    chair = World.bearer(Role.CHAIR)
    assert [each.phase for each in await public.promotions.every("c", chair)] == ["withdrawn"]
    assert await code_of(public.promotions.promote("c", chair, made.id)) == "comment_changed"
    assert sum(line.action == "comment.withdrawn" for line in await public.world.trace()) == 1


async def test_pages_of_what_is_shown(public: Audience) -> None:
    made = [await public.post(f"第{number}条", device=f"d{number}") for number in range(PAGE + 5)]
    await approve(public, *(each.id for each in made))
    page = await public.comments.page("c")
    assert await public.comments.page("c") is page, "made once for all"
    assert [each.id for each in page.items] == [each.id for each in made[:4:-1]]
    rest = await public.comments.page("c", page.next)
    assert [each.id for each in rest.items] == [each.id for each in made[4::-1]]
    assert (rest.next, page.total) == (None, PAGE + 5)
    await public.desk.decide("c", MODERATOR, Decision.HIDE, [made[-1].id])
    assert (await public.comments.page("c")).items[0].id == made[-2].id


async def test_the_rows_are_the_board_after_a_restart(public: Audience) -> None:
    first, second = await public.post("一样的话"), await public.post("一样的话", device="d2")
    other = await public.post("别的话", device="d3")
    await approve(public, first.id)
    await public.comments.like("c", first.id, "d9", liked=True)
    await public.desk.represent("c", MODERATOR, second.id)
    await public.promotions.promote("c", MODERATOR, other.id)
    before = await public.board()
    after = await Audience(public.world).board()
    assert list(after.comments.values()) == list(before.comments.values()) == await public.stored()
    assert after.promotions == before.promotions
    wall_ms = public.world.clock.wall_ms()
    for each in (first, other):
        group_id = before.get(each.id).group_id
        assert after.group_view(group_id, wall_ms) == before.group_view(group_id, wall_ms)
    assert after.group_view(before.get(first.id).group_id, wall_ms).representative.id == second.id
    assert (await Audience(public.world).comments.page("c")) == await public.comments.page("c")


async def test_what_says_the_same_meets_after_a_restart_too(public: Audience) -> None:
    lamp = await public.post("村口的路灯坏了三个月没有人修")
    bridge = await public.post("桥头的栏杆断了一截老人很怕", device="d2")
    later = Audience(public.world)
    await later.desk.merge("c", MODERATOR, [lamp.id, bridge.id])  # before anybody writes
    again = await later.post("桥头的栏杆断了一截，老人都很怕", device="d3")
    other = await later.post("学校食堂的菜太硬", device="d4")
    board = await later.board()
    assert board.get(again.id).group_id == board.get(lamp.id).group_id == board.get(bridge.id).group_id
    assert board.get(other.id).group_id == other.id


async def test_addresses_go_when_their_days_are_over(public: Audience) -> None:
    made = await public.post("一")
    await public.comments.erase_addresses()
    administrator = World.bearer(Role.ADMINISTRATOR)
    assert await public.desk.author("c", administrator, made.id) == ADDRESS
    assert (await public.world.trace())[-1].action == "comment.author_read"
    assert await code_of(public.desk.author("c", MODERATOR, made.id)) == "forbidden"
    public.world.clock.forward(181 * 86_400)
    for _ in range(2):
        await public.comments.erase_addresses()
    assert await public.desk.author("c", administrator, made.id) is None
    assert sum(line.action == "comment.addresses_erased" for line in await public.world.trace()) == 1
    kept = Comments(public.boards, public.broadcasts, AddressSealer(b"k" * 32), address_days=0)
    await kept.post("c", CommentDraft("x", "不留地址", "key none"), Visitor("d1", ADDRESS))
    assert (await public.stored())[-1].address == ""


async def test_one_consultation_is_not_another(public: Audience) -> None:
    await public.world.consultations.create(ConsultationDraft(title="另一场", id="o"))
    made = await public.post("一")
    assert await code_of(public.comments.like("o", made.id, "d1", liked=True)) == "not_found"
    assert await public.comments.mine("o", [made.id], "d1") == []
    over = replace(await public.world.consultations.get("o"), status=Status.DRAFT)
    async with public.world.database.transaction() as unit:
        await unit.consultations.delete("o")
        await unit.audit.append(public.boards.entry(over, MODERATOR.actor, "consultation.deleted", "o"))
    public.world.clock.forward(1)
    assert await code_of(public.comments.page("o")) == "consultation_not_found"


async def test_any_place_may_be_named_in_the_list(public: Audience) -> None:
    made = await public.post("一")
    await public.desk.decide("c", MODERATOR, Decision.APPROVE, [made.id])
    first = await public.comments.page("c")
    for after in (2, 2**53, 10**18):
        assert (await public.comments.page("c", after)).items == first.items
    for before in (1, 0, -(10**18)):
        assert (await public.comments.page("c", before)).items == ()


async def test_boards_of_many_consultations_are_not_all_kept(world: World) -> None:
    made = await Audience(world).post("一")
    boards = CommentBoards(world.rooms, TextReader(), most_held=1)
    board = await boards.get("c")
    boards.drop_idle()
    assert boards.all() == (board,)
    tight = CommentBoards(world.rooms, TextReader(), most_held=0)
    before = await tight.get("c")
    async with before.lock:
        tight.drop_idle()
        assert tight.all() == (before,), "somebody writes there"
    tight.drop_idle()
    assert tight.all() == ()
    assert list((await tight.get("c")).comments) == [made.id]
