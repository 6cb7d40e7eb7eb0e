"""Several who correct one transcript at once, on two servers with one database: nobody writes over anybody."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from itertools import pairwise

import pytest

from conference.model.audit import CLI, AuditEntry
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.second_pass import BetterText, SecondPass
from conference.model.transcript import RevisionKind, TranscriptSegment, Word
from conference.model.transcript_place import Place
from conference.services.consultations import ConsultationDraft
from conference.services.proposals import Proposals
from conference.services.rooms import RoomLimits
from conference.services.transcript_changes import SegmentConflictError
from conference.services.transcript_editing import SegmentPatch, TranscriptEditing
from conference.services.transcript_news import TranscriptNews
from conference.services.transcripts import Transcripts
from conference.storage.database import Database
from tests.support.transcripts import keep, said
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock

SECRETARY = World.bearer(Role.SECRETARIAT, "李秘书")


@pytest.fixture
async def worlds(database: Database) -> list[World]:
    clock = ManualClock()
    made = [World(database, clock, RoomLimits()) for _ in range(2)]
    await made[0].consultations.create(ConsultationDraft(title="协商会", id="c"))
    return made


def editing_of(world: World) -> TranscriptEditing:
    return TranscriptEditing(world.rooms, TranscriptNews(world.rooms))


async def rows(database: Database) -> list[TranscriptSegment]:
    async with database.reading() as unit:
        return await unit.transcript.of("c")


async def test_of_two_servers_one_wins(database: Database, worlds: list[World]) -> None:
    await keep(database, [said(1, "老旧", "小区")])
    done = await asyncio.gather(
        *(
            editing_of(world).edit("c", SECRETARY, "seg_0001", 1, SegmentPatch(text=text))
            for world, text in zip(worlds, ("甲", "乙"), strict=True)
        ),
        return_exceptions=True,
    )
    (won,) = [each for each in done if isinstance(each, TranscriptSegment)]
    (lost,) = [each for each in done if isinstance(each, SegmentConflictError)]
    assert lost.segment == won
    assert await rows(database) == [won]


async def test_nothing_is_lost_whatever_many_do_at_once(database: Database, worlds: list[World]) -> None:
    before = [said(number, "老旧", "小区", ("改造", 500), "问题") for number in range(6)]
    await keep(database, before)
    conflicts = 0

    async def editor(number: int) -> None:
        """Picks segments as they were a moment ago, and does this or that."""
        nonlocal conflicts
        chance, editing = random.Random(number), editing_of(worlds[number % 2])
        by = World.bearer(Role.SECRETARIAT, f"编辑{number}")
        for step in range(25):
            seen = await rows(database)
            segment = chance.choice(seen)
            await asyncio.sleep(0)
            try:
                match chance.randrange(5):
                    case 0:
                        patch = SegmentPatch(text=f"{number}号第{step}步，{segment.text}"[:200])
                        await editing.edit("c", by, segment.id, segment.revision, patch)
                    case 1:
                        at = chance.randrange(len(segment.text) + 1)
                        await editing.split("c", by, segment.id, segment.revision, at)
                    case 2:
                        following = seen[seen.index(segment) + 1].revision if segment != seen[-1] else 1
                        await editing.join("c", by, segment.id, segment.revision, following)
                    case 3:
                        revisions = [(each.id, each.revision) for each in seen]
                        done = await editing.replace("c", by, "改造", f"改{number}造", revisions)
                        conflicts += len(done.conflicts)
                    case 4:
                        marks = SegmentPatch(is_unclear=chance.random() < 0.5)
                        await editing.edit("c", by, segment.id, segment.revision, marks)
            except SegmentConflictError:
                conflicts += 1
            except ConferenceError as error:
                if error.code not in ("bad_request", "not_found"):
                    raise

    await asyncio.gather(*(editor(number) for number in range(4)))
    assert conflicts
    after = await rows(database)
    assert Counter(word for each in after for word in each.words) == Counter(
        word for each in before for word in each.words
    )
    async with database.reading() as unit:
        for each in after:
            history = await unit.transcript.revisions(each.id)
            born = [e for e in history if e.revision == 1]
            assert [e.revision for e in history] == list(range(1 if born else 2, each.revision + 1))
            assert all(one.after == two.before for one, two in pairwise(history))
            assert not history or history[-1].after == each.text
        found = await unit.transcript.search(["c"], "问题", confidential=True, limit=999)
    assert {each.id for each in found} == {each.id for each in after if "问题" in each.text}
    await worlds[0].trace()


async def test_every_revision_can_be_taken_back(database: Database, worlds: list[World]) -> None:
    await keep(database, [said(1, "老旧", "小区")])
    editing, reading = editing_of(worlds[0]), Transcripts(worlds[1].rooms)
    texts = ["老旧小区。"]
    for revision, text in enumerate(("甲", "乙", "丙"), start=1):
        await editing.edit("c", SECRETARY, "seg_0001", revision, SegmentPatch(text=text))
        texts.append(text)
    for offset, text in enumerate(reversed(texts)):
        to = len(texts) - offset
        segment = await reading.get("c", SECRETARY, "seg_0001")
        back = await editing.restore("c", SECRETARY, "seg_0001", segment.revision, to)
        assert back.text == text
    history = await reading.revisions("c", SECRETARY, "seg_0001")
    assert [each.kind for each in history[-3:]] == [RevisionKind.RESTORED] * 3


async def test_what_was_parted_does_not_come_back(database: Database, worlds: list[World]) -> None:
    await keep(database, [said(1, "公开", "秘密")])
    editing = editing_of(worlds[0])
    segment = (await rows(database))[0]
    first, second = await editing.split("c", SECRETARY, segment.id, segment.revision, 2)
    await editing.edit("c", SECRETARY, second.id, second.revision, SegmentPatch(is_confidential=True))
    with pytest.raises(ConferenceError, match="split"):
        await editing.restore("c", SECRETARY, first.id, first.revision, 1)


async def test_an_engine_proposes_and_somebody_decides(database: Database, worlds: list[World]) -> None:
    await keep(database, [said(number, "老旧", "小曲") for number in (1, 2, 3)])
    proposals = Proposals(worlds[0].rooms, TranscriptNews(worlds[0].rooms))
    run = SecondPass("c", "node", "whisper", "李秘书", 7, total=3)
    async with database.transaction() as unit:
        await unit.second_passes.save(run)
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "transcript.second_pass_asked"))
    span = 10_000, 10_800
    words = (Word("老旧小区", *span, 0.5),)
    texts = [
        BetterText("seg_0001", span, "老旧小区。", words),
        BetterText("seg_0002", (20_000, 20_800), "老旧小曲！"),
        BetterText("seg_0003", (30_000, 30_800), "老旧小区！"),
        BetterText("seg_none", span, "x"),
    ]
    went = await proposals.propose(run, texts, after=Place(30_000, "seg_0003"), done=3, unheard=0)
    assert went is not None
    assert (went.proposals, went.done) == (2, 3)
    assert await proposals.propose(run, texts, after=Place(30_000, "seg_0003"), done=3, unheard=0) is None, (
        "whoever comes with what was written already changes nothing"
    )
    split = [BetterText("seg_0001", (10_000, 10_400), "别的话")]
    went = await proposals.propose(went, split, after=Place(30_000, "seg_0003"), done=0, unheard=0)
    assert went is not None
    assert went.proposals == 2, "of another stretch"
    assert [each.proposal for each in await rows(database)] == ["老旧小区。", None, "老旧小区！"]
    editing = editing_of(worlds[1])
    taken = await editing.decide("c", SECRETARY, "seg_0001", 2, accept=True)
    refused = await editing.decide("c", SECRETARY, "seg_0003", 2, accept=False)
    assert (taken.text, refused.text) == ("老旧小区。", "老旧小曲。")
    assert (taken.words, taken.is_edited) == (words, True)
    back = await editing.take_back("c", SECRETARY, [("seg_0001", 3), ("seg_0003", 3), ("seg_0002", 7)])
    assert ([each.text for each in back.items], back.conflicts) == (["老旧小曲。"], ("seg_0002",))
    first = (await rows(database))[0]
    assert (first.proposal, first.is_edited, [each.text for each in first.words]) == (
        "老旧小区。",
        False,
        ["老旧", "小曲"],
    )
    done = await editing.decide_all("c", SECRETARY, [("seg_0001", 4), ("seg_0002", 1)], accept=True)
    assert [(each.text, each.revision) for each in done.items] == [("老旧小区。", 5)]
    one = await editing.restore("c", SECRETARY, "seg_0001", 5, 4)
    assert (one.text, one.proposal) == ("老旧小曲。", "老旧小区。")
    assert [each.action for each in await worlds[0].trace() if each.action.startswith("transcript.p")] == [
        "transcript.proposed",
        "transcript.proposal_taken",
        "transcript.proposal_refused",
        "transcript.proposal_taken",
    ]
