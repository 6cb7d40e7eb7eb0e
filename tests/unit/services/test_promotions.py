"""上会: proposed, taken, before the meeting on its agenda, and over; what the public and the program then see."""

from __future__ import annotations

import json

import pytest

from conference.events import AgendaUpdated, CommentsUpdated
from conference.model.agenda import AgendaDraft, AgendaKind, ItemState
from conference.model.comment import CommentState, Decision
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.program import Direction
from conference.services.editing import Editing
from conference.services.program_scene import scene_of
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.test_public_views import Public

CHAIR, MODERATOR = World.bearer(Role.CHAIR, "主持人"), World.bearer(Role.MODERATOR, "陈")
STAFF = World.bearer(Role.SECRETARIAT)
WORDS = "村里老人不会用手机，助餐点能不能接受现金？" * 12
DRAFTS = [AgendaDraft("通报", AgendaKind.REPORT), AgendaDraft("讨论", AgendaKind.DISCUSSION)]


@pytest.fixture
async def public(world: World) -> Audience:
    await world.agendas.edit("c", STAFF, DRAFTS)
    await world.life_cycle.start("c", CHAIR)
    await world.agendas.advance("c", CHAIR)
    world.clock.forward(10)
    return Audience(world)


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def agenda(public: Audience) -> list[tuple[str, str]]:
    return [(each.title[:4], each.state.value) for each in await public.world.agendas.get("c")]


async def test_a_moderator_proposes_and_the_chair_takes(public: Audience) -> None:
    made, similar = await public.post(WORDS, region="柳塘街道"), await public.post(WORDS, device="d2")
    proposed = await public.promotions.promote("c", MODERATOR, made.id)
    assert (proposed.phase, proposed.authors, proposed.proposed_by) == ("proposed", 2, "陈")
    assert await public.promotions.promote("c", MODERATOR, similar.id) == proposed, "one of its group is"
    assert await agenda(public) == [("通报", "current"), ("讨论", "pending")]
    assert await code_of(public.promotions.end("c", MODERATOR)) == "forbidden"
    taken = await public.promotions.promote("c", CHAIR, made.id)
    assert (taken.id, taken.phase, taken.started_at_ms, taken.text) == (proposed.id, "current", 10_000, WORDS)
    assert await public.promotions.promote("c", CHAIR, made.id) == taken
    assert await agenda(public) == [("通报", "done"), ("村里老人", "current"), ("讨论", "pending")]
    item = (await public.world.agendas.get("c"))[1]
    assert (item.comment_id, item.words, item.nickname, item.place) == (made.id, WORDS, "老李", "柳塘街道")
    own = [
        await public.comments.mine("c", [each.id], device) for each, device in ((made, "d1"), (similar, "d2"))
    ]
    assert [each[0].status for each in own] == [CommentState.PROMOTED] * 2
    assert [each.status for each in (await public.comments.page("c")).items] == [CommentState.PROMOTED]

    public.world.clock.forward(5)
    ended = await public.promotions.end("c", CHAIR)
    assert (ended.phase, ended.ended_at_ms) == ("ended", 15_000)
    assert await public.promotions.end("c", CHAIR, ended.id) == ended
    assert await code_of(public.promotions.end("c", CHAIR)) == "not_found"
    assert await agenda(public) == [("通报", "current"), ("村里老人", "done"), ("讨论", "pending")]


async def test_words_are_in_no_line_of_the_trace(public: Audience) -> None:
    made = await public.post("助餐点能不能接受现金？")
    await public.promotions.promote("c", CHAIR, made.id)
    drafts = [
        AgendaDraft(each.title, each.kind, each.id, speaker="民政局")
        for each in await public.world.agendas.get("c")
    ]
    await public.world.agendas.edit("c", STAFF, drafts)
    await public.promotions.end("c", CHAIR)
    await public.world.agendas.start("c", CHAIR, drafts[1].id or "")
    lines = await public.world.trace()
    assert not [line.action for line in lines if "助餐点" in line.content]
    started = [line for line in lines if line.action == "promotion.started"]
    assert json.loads(started[0].content)["comment"] == made.id
    assert {"promotion.started", "promotion.ended", "agenda.edited"} <= {line.action for line in lines}


async def test_a_promotion_behind_a_promotion(public: Audience) -> None:
    """What goes on in the end is what was there before the first."""
    for number in range(3):
        made = await public.post(f"第{number}问", device=f"d{number}")
        await public.promotions.promote("c", CHAIR, made.id)
    assert [each[1] for each in await agenda(public)] == ["done", "done", "done", "current", "pending"]
    await public.promotions.end("c", CHAIR)
    assert (await agenda(public))[0] == ("通报", "current")


async def test_the_agenda_goes_on_without_it(public: Audience) -> None:
    made = await public.post("一")
    card = await public.promotions.promote("c", CHAIR, made.id)
    await public.world.agendas.advance("c", CHAIR)
    (over,) = await public.promotions.every("c", CHAIR)
    assert (over.id, over.phase) == (card.id, "ended")
    assert (await agenda(public))[2] == ("讨论", "current")
    again = await public.promotions.promote("c", CHAIR, made.id)
    assert (again.phase, again.id != card.id) == ("current", True)


async def test_a_policy_lets_moderators_do_it(public: Audience) -> None:
    world = public.world
    revision = (await world.consultations.get("c")).revision
    changes = {"moderator_promotes": True}
    await Editing(world.rooms, world.floors, world.waiting).edit("c", STAFF, revision, changes)
    made = await public.post("一")
    assert (await public.promotions.promote("c", MODERATOR, made.id)).phase == "current"
    assert (await public.promotions.end("c", MODERATOR)).phase == "ended"


async def test_proposals_are_turned_down_and_withdrawn(public: Audience) -> None:
    first, second = await public.post("一"), await public.post("二", device="d2")
    one = await public.promotions.promote("c", MODERATOR, first.id)
    two = await public.promotions.promote("c", MODERATOR, second.id)
    assert (await public.promotions.decline("c", CHAIR, one.id)).phase == "declined"
    assert (await public.promotions.decline("c", CHAIR, one.id)).phase == "declined"
    assert (await public.promotions.decline("c", MODERATOR, two.id)).phase == "withdrawn"
    assert await code_of(public.promotions.decline("c", CHAIR, two.id)) == "comment_changed"
    assert await code_of(public.promotions.decline("c", CHAIR, "pr_none")) == "not_found"
    assert await code_of(public.promotions.end("c", CHAIR, one.id)) == "comment_changed"
    anew = await public.promotions.promote("c", MODERATOR, first.id)
    assert (anew.phase, anew.id != one.id) == ("proposed", True)
    await public.desk.decide("c", MODERATOR, Decision.REJECT, [first.id])
    assert (await public.promotions.every("c", CHAIR))[0].phase == "withdrawn"
    assert await code_of(public.promotions.promote("c", CHAIR, first.id)) == "comment_changed"


async def test_what_is_hidden_leaves_the_meeting(public: Audience) -> None:
    made = await public.post("一")
    await public.promotions.promote("c", CHAIR, made.id)
    await public.desk.decide("c", MODERATOR, Decision.HIDE, [made.id])
    assert (await public.comments.page("c")).items == ()
    assert await agenda(public) == [("通报", "current"), ("一", "done"), ("讨论", "pending")]
    assert (await public.promotions.every("c", CHAIR))[0].phase == "ended"


async def test_after_the_end_nothing_is_put_to_the_session(public: Audience) -> None:
    made = await public.post("一")
    await public.promotions.promote("c", CHAIR, made.id)
    await public.world.life_cycle.end("c", CHAIR)
    assert (await public.promotions.every("c", CHAIR))[0].phase == "ended"
    assert await code_of(public.promotions.promote("c", CHAIR, made.id)) == "consultation_ended"


async def test_everybody_is_shown_the_card(public: Audience) -> None:
    world = public.world
    chair, member = await world.join("主持人", Role.CHAIR), await world.join("赵局长", Role.DEPARTMENT)
    await world.desks.open("c", MODERATOR, "台")
    made = await public.post(WORDS, region="柳塘街道", nickname="杏林")
    await public.promotions.promote("c", chair, made.id)
    (told,) = world.publisher.of_kind("赵局长", AgendaUpdated)
    assert told.agenda[1].words == WORDS
    await world.floors.grant("c", chair, member)
    room = world.rooms.find("c")
    assert room is not None
    scene = scene_of(room.consultation, room.agenda.current, room.seats.values(), room.turn, (), Direction())
    shown = scene.promotion
    assert shown is not None
    assert (shown.text, shown.nickname, shown.place, shown.answering) == (
        WORDS,
        "杏林",
        "柳塘街道",
        "赵局长",
    )
    await public.desk.tell()
    (card,) = world.publisher.of_kind("台", CommentsUpdated)[-1].promotions
    assert (card.phase, card.answering) == ("current", "赵局长")
    page = await Public(world).page()
    assert page.promotion is not None
    assert (page.promotion.text, page.promotion.nickname, page.promotion.place) == (WORDS, "杏林", "柳塘街道")
    await public.promotions.end("c", chair)
    world.clock.forward(1)
    text = await Public(world).text()
    assert [each.text for each in text.items if each.kind == "promotion"] == [WORDS]


async def test_the_public_learns_of_it_with_its_picture(public: Audience) -> None:
    """Before the delay is over its item is not on the public's agenda."""
    made = await public.post("助餐点")
    seen = Public(public.world)
    seen.air.on_air = type(seen.air.on_air)(delay_ms=20_000, is_cut=False, withdrawn=())
    await public.promotions.promote("c", CHAIR, made.id)
    assert [each.title for each in (await seen.page()).agenda] == ["通报", "讨论"]
    public.world.clock.forward(20)
    page = await seen.page()
    assert [(each.title, each.state) for each in page.agenda] == [
        ("通报", ItemState.DONE),
        ("助餐点", ItemState.CURRENT),
        ("讨论", ItemState.PENDING),
    ]
    assert page.promotion is not None
