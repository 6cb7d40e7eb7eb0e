"""Moderating: queue, decisions, groups, claims and word lists, with what desks are told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from conference.events import CommentsUpdated
from conference.model.comment import CommentState, Decision, Level, Word
from conference.model.comment_group import CLAIM_MS
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.services.comment_decisions import Batch
from conference.services.comment_desk import Order, Wanted
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World

CHEN, LIU = World.bearer(Role.MODERATOR, "陈"), World.bearer(Role.MODERATOR, "刘")
CONTACT = "联系电话 13912345678"


@pytest.fixture
def public(world: World) -> Audience:
    return Audience(world)


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def same(public: Audience, count: int, text: str = "护理员工资太低") -> list[str]:
    return [(await public.post(text, device=f"s{number}")).id for number in range(count)]


async def states(public: Audience) -> list[str]:
    return [each.state.value for each in await public.stored()]


async def test_only_those_who_moderate(public: Audience) -> None:
    made = await public.post("一")
    member = World.bearer(Role.MEMBER)
    for call in (
        public.desk.groups("c", member, Wanted()),
        public.desk.every("c", member, [CommentState.PENDING], None, 10),
        public.desk.decide("c", member, Decision.APPROVE, [made.id]),
        public.desk.claim("c", member, made.id),
        public.desk.merge("c", member, [made.id]),
        public.desk.split("c", member, [made.id]),
        public.desk.set_words("c", member, []),
        public.promotions.promote("c", member, made.id),
        public.promotions.decline("c", member, "pr"),
        public.promotions.end("c", member),
        public.promotions.every("c", member),
    ):
        assert await code_of(call) == "forbidden"
    assert await states(public) == ["pending"]


async def test_a_group_is_decided_with_one_request(public: Audience) -> None:
    ids = await same(public, 4)
    other = await public.post("别的话", device="x")
    page = await public.desk.groups("c", CHEN, Wanted())
    assert [(each.authors, each.representative.id) for each in page.items] == [(4, ids[0]), (1, other.id)]
    decided = await public.desk.decide("c", CHEN, Decision.APPROVE, [ids[1]], group=True)
    assert (decided.changed, decided.groups[0].states) == (4, {CommentState.APPROVED: 4})
    assert sorted(decided.ids) == sorted(ids), "so that it can be undone"
    assert await states(public) == ["approved"] * 4 + ["pending"]
    lines = [line for line in await public.world.trace() if line.action == "comment.approved"]
    assert [line.subject for line in lines] == [ids[1], ids[0], ids[2], ids[3]]
    assert json.loads(lines[0].content)["from"] == "pending"
    again = await public.desk.decide("c", LIU, Decision.APPROVE, [ids[1]], group=True)
    assert again.changed == 0
    assert len(await public.world.trace()) == len(lines) + 1 + 5, "nothing more was noted"


async def test_what_waits_for_another_reason_is_not_swept_along(public: Audience) -> None:
    """A held one in a group of harmless ones needs a look of its own; rejecting takes it along."""
    ids = await same(public, 2)
    held = await public.post(CONTACT, device="x")
    await public.desk.merge("c", CHEN, [ids[0], held.id])
    await public.desk.decide("c", CHEN, Decision.APPROVE, [ids[0]], group=True)
    assert await states(public) == ["approved", "approved", "held"]
    await public.desk.decide("c", CHEN, Decision.APPROVE, [held.id])
    assert await states(public) == ["approved"] * 3, "overruled by a person"
    await public.desk.decide("c", CHEN, Decision.REOPEN, [*ids, held.id])
    await public.desk.decide("c", CHEN, Decision.HOLD, [held.id])
    rejected = await public.desk.decide("c", CHEN, Decision.REJECT, [ids[0]], group=True, reason="广告")
    assert rejected.changed == 3
    (row, *_) = await public.stored()
    assert (row.state, row.decided_by, row.reject_reason) == (CommentState.REJECTED, "陈", "广告")
    assert "广告" not in (await public.world.trace())[-1].content


async def test_all_of_the_named_or_none(public: Audience) -> None:
    first, second = await same(public, 1), await public.post("二", device="x")
    await public.comments.withdraw("c", second.id, "x")
    call = public.desk.decide("c", CHEN, Decision.APPROVE, [*first, second.id])
    assert await code_of(call) == "comment_changed"
    assert await states(public) == ["pending", "withdrawn"]
    assert await code_of(public.desk.decide("c", CHEN, Decision.APPROVE, ["m_none"])) == "not_found"
    for decision in (Decision.WITHDRAW, Decision.PROMOTE, Decision.ANSWER):
        assert await code_of(public.desk.decide("c", CHEN, decision, first)) == "bad_request"


async def test_two_moderators_on_one_item(public: Audience) -> None:
    ids = await same(public, 2)
    claimed = await public.desk.claim("c", CHEN, ids[0])
    assert claimed.claimed_by == "陈"
    with pytest.raises(ConferenceError) as caught:
        await public.desk.decide("c", LIU, Decision.APPROVE, [ids[1]])
    assert (caught.value.code, "陈" in caught.value.text) == ("comment_claimed", True)
    for call in (
        public.desk.claim("c", LIU, ids[1]),
        public.desk.release("c", LIU, ids[1]),
        public.desk.split("c", LIU, [ids[1]]),
        public.desk.merge("c", LIU, ids),
    ):
        assert await code_of(call) == "comment_claimed"
    await public.desk.decide("c", CHEN, Decision.APPROVE, [ids[1]])
    assert (await public.desk.claim("c", LIU, ids[0], take_over=True)).claimed_by == "刘"
    assert await code_of(public.desk.decide("c", CHEN, Decision.HOLD, [ids[0]])) == "comment_claimed"
    public.world.clock.forward(CLAIM_MS / 1000)
    await public.desk.decide("c", CHEN, Decision.HOLD, [ids[0]])
    await public.desk.claim("c", LIU, ids[0])
    for _ in range(2):
        assert (await public.desk.release("c", LIU, ids[0])).claimed_by is None


async def test_groups_are_merged_and_split(public: Audience) -> None:
    ids = await same(public, 3)
    other = await public.post("工资太低留不住人", device="x")
    merged = await public.desk.merge("c", CHEN, [ids[0], other.id])
    assert [(each.authors, each.states) for each in merged.groups] == [(4, {CommentState.PENDING: 4})]
    follower = await public.post("工资太低留不住人", device="y")
    board = await public.board()
    assert board.get(follower.id).group_id == board.get(ids[0]).group_id, "what is like it follows"
    assert (await public.desk.represent("c", CHEN, other.id)).representative.id == other.id
    split = await public.desk.split("c", CHEN, [ids[2], follower.id])
    assert sorted(each.authors for each in split.groups) == [2, 3]
    assert (await public.desk.merge("c", CHEN, ids[:2])).changed == 0
    alone = await public.desk.split("c", CHEN, [other.id])
    assert {each.representative.id for each in alone.groups} == {other.id, ids[0]}
    page = await public.desk.group("c", CHEN, board.get(ids[0]).group_id, None, 1)
    assert ([each.id for each in page.items], page.next) == ([ids[0]], ids[0])
    rest = await public.desk.group("c", CHEN, board.get(ids[0]).group_id, page.next, 10)
    assert ([each.id for each in rest.items], rest.next) == ([ids[1]], None)


async def test_the_queue_is_searched_ordered_and_paged(public: Audience) -> None:
    few, many = (await public.post("少数人说的", device="x")).id, await same(public, 3)
    last = (await public.post("最后一句 养老金", device="z", nickname="王大妈")).id
    held = (await public.post(CONTACT, device="w")).id

    async def found(**wanted: object) -> list[str]:
        page = await public.desk.groups("c", CHEN, Wanted(**wanted))  # type: ignore[arg-type]
        return [each.representative.id for each in page.items]

    assert await found() == [many[0], few, last]
    assert await found(order=Order.OLDEST) == [few, many[0], last]
    assert await found(order=Order.NEWEST) == [last, many[0], few]
    assert await found(search="养老金") == await found(search="王大妈") == [last]
    assert await found(states=(CommentState.HELD,)) == [held]
    assert await found(states=tuple(CommentState), reason="contact_phone") == [held]
    assert await found(states=tuple(CommentState), reason="contact") == [held]
    assert await found(states=tuple(CommentState), reason="con") == []
    page = await public.desk.groups("c", CHEN, Wanted(limit=2))
    assert (page.total, len(page.items)) == (3, 2)
    assert await found(after=page.next) == [last]
    assert (page.counts.states[CommentState.PENDING], page.counts.waiting_groups) == (5, 4)
    assert page.counts.per_second == 0.6
    every = await public.desk.every("c", CHEN, [CommentState.HELD, CommentState.PENDING], many[0], 10)
    assert [each.id for each in every.items] == [many[1], many[2], last, held]


async def test_others_have_their_turn_while_one_large_group_is_searched(public: Audience) -> None:
    await asyncio.gather(*(public.post("护理员工资太低", device=f"s{number}") for number in range(250)))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    board = await public.board()
    found, total = await public.desk._found(board, Wanted(search="没有这样的话"))
    task.cancel()
    assert (found, total) == ([], 0)
    assert turns >= 2
    assert (await public.desk._found(board, Wanted(search="护理员")))[1] == 1


async def test_the_word_list_is_edited_live(public: Audience) -> None:
    words = [Word("互助会", Level.HOLD, "fraud"), Word("举手", Level.BLOCK, "自定")]
    assert len(await public.desk.set_words("c", CHEN, [*words, words[0]])) == 2
    lines = len(await public.world.trace())
    await public.desk.set_words("c", CHEN, words)
    assert len(await public.world.trace()) == lines
    assert (await public.post("参加互.助.会")).status is CommentState.PENDING
    blocked = await public.post("举手表决", device="d2")
    assert blocked.status is CommentState.REJECTED
    assert await states(public) == ["held", "rejected"]
    await public.desk.decide("c", CHEN, Decision.APPROVE, [blocked.id])
    assert await Audience(public.world).desk.words("c", CHEN) == await public.desk.words("c", CHEN)
    await public.desk.set_words("c", CHEN, [])
    await public.post("举手表决吧", device="d3")
    assert (await states(public))[-1] == "pending"


async def test_desks_are_told_in_batches(public: Audience) -> None:
    world = public.world
    desk = await world.desks.open("c", CHEN, "台")
    await world.desks.open("c", World.bearer(Role.ORGANIZER, "会务"), "会务台")
    ids = await same(public, 3)
    await public.desk.tell()
    await public.desk.tell()
    (told,) = world.publisher.of_kind("台", CommentsUpdated)
    assert world.publisher.of_kind("会务台", CommentsUpdated) == []
    assert [(each.authors, each.representative.id) for each in told.groups] == [(3, ids[0])]
    assert (told.complete, told.moderators, told.counts.waiting_groups) == (True, ("陈",), 1)
    other = await public.post("另一句", device="x")
    await public.desk.merge("c", desk, [ids[0], other.id])
    for number in range(120):
        await public.post(f"第{number}句", device=f"n{number}")
    await public.desk.tell()
    told = world.publisher.of_kind("台", CommentsUpdated)[-1]
    assert (len(told.groups), told.complete) == (100, False)
    assert told.gone == (other.id,)


async def test_desks_are_told_who_comes_and_goes(public: Audience) -> None:
    world = public.world
    await world.desks.open("c", CHEN, "台一")
    await public.post("一句")
    await public.desk.tell()
    second = await world.desks.open("c", LIU, "台二")
    await public.desk.tell()
    told = world.publisher.of_kind("台一", CommentsUpdated)
    assert [(each.moderators, len(each.groups)) for each in told] == [(("陈",), 1), (("陈", "刘"), 0)]
    await world.desks.close("c", second)
    await public.desk.tell()
    await public.desk.tell()
    told = world.publisher.of_kind("台一", CommentsUpdated)
    assert [each.moderators for each in told[2:]] == [("陈",)]


async def topics_of(public: Audience) -> dict[str, tuple[int, int, int]]:
    found = await public.desk.topics("c", CHEN)
    return {each.name: (each.groups, each.comments, each.waiting) for each in found.topics}


LAMPS = ("村口的路灯坏了", "路灯晚上不亮", "我们巷子没有路灯")
BUSES = ("公交车一天只有两班", "能不能多开几班公交车", "公交车太少了等一个小时")


async def flooded(public: Audience) -> dict[str, str]:
    """Ids of groups by text: two topics, the first lamp said thrice, one held beside them, and one alone."""
    for number, text in enumerate((*LAMPS, *BUSES, LAMPS[0], LAMPS[0], "我奶奶今年九十二岁了")):
        await public.post(text, device=f"f{number}")
    board = await public.board()
    return {each.text: each.group_id for each in board.comments.values()}


async def test_comments_are_put_into_topics(public: Audience) -> None:
    groups = await flooded(public)
    found = await public.desk.topics("c", CHEN)
    lamps, buses = found.topics
    assert ("路灯" in lamps.name, "公交" in buses.name) == (True, True)
    assert (lamps.groups, lamps.comments, lamps.waiting) == (3, 5, 5)
    assert (buses.groups, buses.comments, buses.waiting) == (3, 3, 3)
    assert (found.last_number, found.at_wall_ms) == (9, public.clock.wall_ms())
    listed = await public.desk.groups("c", CHEN, Wanted(topic=lamps.id))
    assert {each.id for each in listed.items} == {groups[text] for text in LAMPS}
    assert listed.counts.last_number == 9
    assert await code_of(public.desk.groups("c", CHEN, Wanted(topic="t_none"))) == "not_found"
    assert await code_of(public.desk.topics("c", World.bearer(Role.MEMBER))) == "forbidden"

    await public.post("路灯该修了，天黑看不见路", device="late")
    assert (await public.desk.topics("c", LIU)).at_wall_ms == found.at_wall_ms, "found a moment ago"
    public.world.clock.forward(60)
    again = await public.desk.topics("c", LIU)
    assert (again.topics[0].id, again.topics[0].groups, again.topics[0].waiting) == (lamps.id, 4, 6)
    assert again.at_wall_ms > found.at_wall_ms


async def test_a_topic_is_decided_as_far_as_it_was_shown(public: Audience) -> None:
    groups = await flooded(public)
    found = await public.desk.topics("c", CHEN)
    lamps = found.topics[0]
    held = await public.post(f"{LAMPS[0]}", device="f99", nickname="加微信 abc12345678")
    assert (await public.board()).get(held.id).state is CommentState.HELD
    shown = Batch(lamps.waiting, topic_id=lamps.id)
    assert await code_of(public.desk.decide_batch("c", CHEN, Decision.APPROVE, shown)) == "comment_changed"
    assert set(await states(public)) == {"pending", "held"}, "nothing happened"
    await public.desk.claim("c", LIU, (await public.board()).members(groups[LAMPS[1]])[0].id)
    shown = replace(shown, up_to=found.last_number)
    assert await code_of(public.desk.decide_batch("c", CHEN, Decision.APPROVE, shown)) == "comment_claimed"
    decided = await public.desk.decide_batch("c", LIU, Decision.APPROVE, shown)
    assert (decided.changed, len(decided.ids), len(decided.groups)) == (5, 5, 3)
    stands = {name: waiting for name, (_, _, waiting) in (await topics_of(public)).items()}
    assert sorted(stands.values()) == [1, 3], "what came later waits"
    gone = Batch(9, topic_id="t_none")
    assert await code_of(public.desk.decide_batch("c", CHEN, Decision.REJECT, gone)) == "not_found"
    assert await code_of(public.desk.decide_batch("c", CHEN, Decision.REOPEN, shown)) == "bad_request"
    member = World.bearer(Role.MEMBER)
    assert await code_of(public.desk.decide_batch("c", member, Decision.REJECT, shown)) == "forbidden"


async def test_groups_are_decided_together_and_undone(public: Audience) -> None:
    groups = await flooded(public)
    chosen = (groups[LAMPS[0]], groups[BUSES[0]])
    assert (
        await code_of(public.desk.decide_batch("c", CHEN, Decision.REJECT, Batch(3, chosen)))
        == "comment_changed"
    )
    rejected = await public.desk.decide_batch("c", CHEN, Decision.REJECT, Batch(4, chosen), reason="离题")
    assert [each.states for each in rejected.groups] == [
        {CommentState.REJECTED: 3},
        {CommentState.REJECTED: 1},
    ]
    other = await public.desk.decide("c", CHEN, Decision.APPROVE, [rejected.ids[1]])
    assert rejected.undo is not None
    undone = await public.desk.undo("c", LIU, rejected.undo)
    assert (undone.changed, undone.undo) == (3, None)
    board = await public.board()
    assert [board.get(each).state.value for each in rejected.ids] == [
        *("pending", "approved", "pending", "pending")
    ], "what somebody decided otherwise meanwhile stays"
    assert (board.get(rejected.ids[0]).decided_by, board.get(rejected.ids[0]).reject_reason) == (None, None)
    stored_now = {each.id: each for each in await public.stored()}
    assert stored_now == {each: board.get(each) for each in stored_now}
    lines = [line for line in await public.world.trace() if line.action == "comment.undone"]
    noted = [json.loads(line.content) for line in lines]
    assert [(each["from"], each["to"]) for each in noted] == [("rejected", "pending")] * 3
    assert await code_of(public.desk.undo("c", LIU, rejected.undo)) == "not_found"
    assert (await public.desk.undo("c", CHEN, other.undo or "")).changed == 1
    assert board.get(rejected.ids[1]).state is CommentState.REJECTED, "as it was before"
    await public.desk.merge("c", CHEN, [rejected.ids[0], rejected.ids[3]])
    call = public.desk.decide_batch("c", CHEN, Decision.REJECT, Batch(9, chosen))
    assert await code_of(call) == "comment_changed", "a group that is no more"


async def test_hiding_a_group_is_undone_as_it_was(public: Audience) -> None:
    ids = await same(public, 2)
    held = await public.post(CONTACT, device="x")
    await public.desk.merge("c", CHEN, [ids[0], held.id])
    await public.desk.decide("c", CHEN, Decision.APPROVE, [ids[0]], group=True)
    group_id = (await public.board()).get(held.id).group_id
    assert (
        await code_of(public.desk.decide_batch("c", CHEN, Decision.HIDE, Batch(1, (group_id,))))
        == "comment_changed"
    )
    hidden = await public.desk.decide_batch("c", CHEN, Decision.HIDE, Batch(2, (group_id,)))
    assert await states(public) == ["hidden", "hidden", "held"]
    await public.desk.undo("c", CHEN, hidden.undo or "")
    assert await states(public) == ["approved", "approved", "held"]
    rejected = await public.desk.decide("c", CHEN, Decision.REJECT, [held.id])
    await public.desk.undo("c", CHEN, rejected.undo or "")
    assert await states(public) == ["approved", "approved", "held"]


async def test_the_oldest_decisions_cannot_be_undone(public: Audience) -> None:
    made = await public.post("一")
    undos = []
    for decision in (Decision.HOLD, Decision.APPROVE, Decision.HIDE, Decision.REOPEN) * 51:
        undos.append((await public.desk.decide("c", CHEN, decision, [made.id])).undo)
    assert len((await public.board()).undoable) == 200
    assert await code_of(public.desk.undo("c", CHEN, undos[0] or "")) == "not_found"
    assert (await public.desk.undo("c", CHEN, undos[-1] or "")).groups[0].states == {CommentState.HIDDEN: 1}


async def test_a_decision_on_many_lets_others_write_in_between(public: Audience) -> None:
    made = await asyncio.gather(
        *(public.post(f"第{number}件事情", device=f"n{number}") for number in range(450))
    )
    ids = [each.id for each in made]
    await public.desk.merge("c", CHEN, ids)
    group_id = (await public.board()).get(ids[0]).group_id
    batch = public.desk.decide_batch("c", CHEN, Decision.APPROVE, Batch(450, (group_id,)))
    decided, held, posted = await asyncio.gather(
        batch, public.desk.decide("c", LIU, Decision.HOLD, [ids[-1]]), public.post("另一句", device="late")
    )
    assert (held.changed, decided.changed) == (1, 449), "what somebody decided meanwhile stays"
    stored = {each.id: each for each in await public.stored()}
    assert stored[ids[-1]].state is CommentState.HELD
    assert stored[posted.id].state is CommentState.PENDING
    assert sorted(each.shown_number or 0 for each in stored.values() if each.is_shown) == list(range(1, 450))
    undone = await public.desk.undo("c", CHEN, decided.undo or "")
    assert undone.changed == 449
    after = {each.id: each.state for each in await public.stored()}  # writers come in any order
    assert after.pop(ids[-1]) is CommentState.HELD
    assert set(after.values()) == {CommentState.PENDING}
