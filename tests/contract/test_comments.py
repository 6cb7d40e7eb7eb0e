"""Rows of what the public says, on each storage, and two servers that write them at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conference.model.agenda import Agenda, promotion_item
from conference.model.comment import Comment, CommentState, Decision, Level, Mark, MarkKind, Reason, Word
from conference.model.comment_group import CommentGroup
from conference.model.consultation import Consultation, Mode, Moderation, Status
from conference.model.errors import ConferenceError
from conference.model.promotion import Promotion, PromotionState
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock

REASONS = (Reason("contact", "138…", 2, 9), Reason("word", "卖药"))


def comment(number: int, consultation_id: str = "c", **values: object) -> Comment:
    made = Comment(
        f"m_{consultation_id}{number}",
        consultation_id,
        number,
        "南坪老李",
        "南坪镇",
        "助餐点能不能接受现金？🙂",
        4 << 32,
        100 + number,
        CommentState.HELD,
        Level.HOLD,
        REASONS,
        f"m_{consultation_id}1",
        f"device{number}",
        "k" * 8,
        "sealed",
    )
    return replace(made, **values)  # type: ignore[arg-type]


async def fill(database: Database, *rows: Comment) -> None:
    async with database.transaction() as unit:
        for cid in sorted({"c", *(each.consultation_id for each in rows)}):
            consultation = Consultation(cid, "x", Status.LIVE, Mode.FREE, True, False, True, 1)
            if cid == "d":
                consultation = replace(consultation, moderation=Moderation.POST, moderator_promotes=True)
            await unit.consultations.add(consultation)
        await unit.comments.add(rows)


async def of(database: Database, consultation_id: str = "c") -> list[Comment]:
    async with database.reading() as unit:
        return [each async for page in unit.comments.pages(consultation_id, 100) for each in page]


async def test_comments_come_in_the_order_of_arrival(database: Database) -> None:
    rows = [comment(2), comment(1), comment(1, "d", region=None, program_time_ms=None)]
    await fill(database, *rows)
    assert await of(database) == [rows[1], rows[0]]
    assert await of(database, "d") == [rows[2]]
    async with database.reading() as unit:
        found = await unit.consultations.get("d")
    assert found is not None
    assert (found.moderation, found.moderator_promotes) == (Moderation.POST, True)


@pytest.mark.parametrize(
    "again", [comment(1, id="m_other", key="other key"), comment(9, device_hash="device1"), comment(1)]
)
async def test_a_number_or_a_key_that_is_taken(database: Database, again: Comment) -> None:
    await fill(database, comment(1))
    with pytest.raises(ConferenceError) as caught:
        async with database.transaction() as unit:
            await unit.comments.add([comment(2), again])
    assert caught.value.code == "stale"
    assert await of(database) == [comment(1)], "all of them or none"


async def test_what_changes_is_written_and_nothing_else(database: Database) -> None:
    await fill(database, comment(1), comment(2))
    after = replace(
        comment(1).decided(Decision.APPROVE, "王审核", 7, "理由"),
        group_id="other",
        shown_number=3,
        likes=4,
        reports=5,
    )
    async with database.transaction() as unit:
        await unit.comments.save([replace(after, text="another", address="another"), comment(2)])
        await unit.comments.save([])
    assert await of(database) == [after, comment(2)]


async def test_each_device_counts_once(database: Database) -> None:
    await fill(database, comment(1), comment(2))
    likes = [Mark("m_c1", MarkKind.LIKE, f"d{number}") for number in range(450)]
    report = Mark("m_c1", MarkKind.REPORT, "d0")
    async with database.transaction() as unit:
        assert len(await unit.comments.mark([*likes, likes[0]])) == 450
    async with database.transaction() as unit:
        assert await unit.comments.mark([likes[7], report]) == [report]
        assert await unit.comments.mark([]) == []
        assert await unit.comments.unmark(likes[7])
        assert not await unit.comments.unmark(likes[7])
        assert await unit.comments.mark([likes[7], likes[8]]) == [likes[7]]


async def test_groups_and_words(database: Database) -> None:
    await fill(database, comment(1))
    group = CommentGroup("g", "c", "m_c1", "t_1", "陈", 5)
    words = [Word("卖药", Level.BLOCK, "广告"), Word("涨", Level.MARK)]
    async with database.transaction() as unit:
        await unit.comments.save_groups([CommentGroup("g", "c"), CommentGroup("h", "c")])
        await unit.comments.save_groups([group])
        await unit.comments.save_words("c", words)
    async with database.transaction() as unit:
        found = await unit.comments.groups("c")
        assert sorted(found, key=lambda each: each.id) == [group, CommentGroup("h", "c")]
        assert sorted(await unit.comments.words("c"), key=lambda each: each.category) == words[::-1]
        await unit.comments.save_words("c", [])
        assert await unit.comments.words("c") == []


async def test_addresses_are_erased_when_their_days_are_over(database: Database) -> None:
    await fill(database, comment(1), comment(2), comment(3, address=""), comment(1, "d"))
    async with database.transaction() as unit:
        assert await unit.comments.with_addresses(102) == ["c", "d"]
        assert await unit.comments.erase_addresses("c", 102) == 1
        assert await unit.comments.with_addresses(102) == ["d"]
    assert [each.address for each in await of(database)] == ["", "sealed", ""]


async def test_promotions_and_their_items(database: Database) -> None:
    await fill(database, comment(1))
    item = promotion_item("m_c1", "助餐点" * 100, "老李", "南坪镇")
    proposed = Promotion("pr", "c", "m_c1", "g", PromotionState.PROPOSED, 3, "王审核", 7)
    taken = replace(proposed.taken(item.id, "a_0", "主持人", 9), authors=4)
    async with database.transaction() as unit:
        await unit.promotions.save([proposed])
        await unit.promotions.save([replace(taken, proposed_by="x")])
        await unit.promotions.save([])
        await unit.agenda.save("c", Agenda((item,)))
    async with database.transaction() as unit:
        assert await unit.promotions.of("c") == [taken]
        assert await unit.agenda.get("c") == Agenda((item,))
        await unit.consultations.delete("c")
        assert await unit.promotions.of("c") == []
    assert await of(database) == []


async def test_servers_that_write_at_once_lose_nothing(database: Database) -> None:
    """They should not: a room is on one of them. When it moves, both may for a moment."""
    await fill(database)
    nodes = [Audience(World(database, ManualClock(), RoomLimits())) for _ in range(2)]
    posts = [
        node.post(f"第{turn}轮第{number}人", device=f"d{index}{number}", key=f"key {turn} {number}")
        for turn in range(3)
        for number in range(10)
        for index, node in enumerate(nodes)
    ]
    answers = await asyncio.gather(*posts, return_exceptions=True)
    made = [each for each in answers if not isinstance(each, BaseException)]
    assert {each.code for each in answers if isinstance(each, ConferenceError)} <= {"stale"}
    rows = await of(database)
    assert [each.number for each in rows] == list(range(1, len(rows) + 1))
    assert {each.id for each in rows} == {each.id for each in made}
    assert len(made) > 30
    lines = await nodes[0].world.trace()
    assert [each.subject for each in lines if each.action == "comment.posted"] == [each.id for each in rows]
    for node in nodes:
        assert (await node.post("再说一句", device="late", key="late key")).id
    assert len(await of(database)) == len(rows) + 1
