"""Second passes: who may ask when, what is heard and what never, what is proposed, and what is left after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from conference.model.audit import CLI, AuditEntry
from conference.model.broadcast import Cut, CutKind
from conference.model.claim import NodeState
from conference.model.consultation import Status
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.permissions import Role
from conference.model.second_pass import SecondPassState
from conference.model.terms import Term
from conference.model.transcript import TranscriptSegment, Word
from conference.services.consultations import ConsultationDraft
from conference.services.second_passes import LOST_S, SecondPasses
from conference.services.term_lists import TermLists
from conference.services.terms import Terms
from conference.services.transcript_editing import SegmentPatch, TranscriptEditing
from conference.services.transcript_news import TranscriptNews
from conference.transcript_views import SecondPassView, TranscriptChanged
from conference.worker_events import Passage, Reheard, TranscriberModel
from tests.support.eventually import eventually
from tests.support.transcripts import keep, recorded, said
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, NO_MODEL, ScriptedRecorder, ScriptedSecondListener
from tests.unit.services.shared_registry import SharedRegistry

SECRETARY = World.bearer(Role.SECRETARIAT, "李秘书")
ANOTHER = NodeState("another", None, 0, 0, False)
SEGMENTS = (said(1, "老旧", "小曲"), said(2, "住餐", "点"), said(3, "同意"))


class Stage:
    """A consultation that is over, with three sentences of one microphone, recorded from the beginning to 40 s."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        self.listener = ScriptedSecondListener(MODEL)
        self.news = TranscriptNews(world.rooms)
        self.lists = TermLists(world.database)
        self.editing = TranscriptEditing(world.rooms, self.news)
        self.passes = self.made()

    def made(self) -> SecondPasses:
        recorder = ScriptedRecorder(self.directory)
        return SecondPasses(self.world.rooms, self.listener, recorder, self.lists, self.news)

    async def prepare(self, *segments: TranscriptSegment, status: Status = Status.ENDED) -> None:
        await keep(self.world.database, segments or SEGMENTS)
        (self.directory / "m.webm").touch()
        async with self.world.database.transaction() as unit:
            await unit.recordings.save([recorded("p1", "m.webm", 40_000)])
            await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.file_closed"))
        await self.becomes(status)

    async def becomes(self, status: Status) -> None:
        async with self.world.database.transaction() as unit:
            consultation = await unit.consultations.get("c")
            assert consultation is not None
            await unit.consultations.save(replace(consultation, status=status))
            await unit.audit.append(AuditEntry("c", 1, 0, CLI, "consultation.changed"))

    def hears(self, segment: TranscriptSegment, text: str, *words: Word) -> None:
        self.listener.says[segment.id] = Reheard(segment.id, text, words)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.passes.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def heard(self) -> SecondPassView:
        """Asked for, and through with it."""
        await self.passes.ask("c", SECRETARY)
        return await self.gone_on()

    async def gone_on(self) -> SecondPassView:
        rests = self.listener.rests
        async with self.running():
            await eventually(lambda: self.listener.rests > rests)
        return await self.passes.state("c")

    async def rows(self) -> list[TranscriptSegment]:
        async with self.world.database.reading() as unit:
            return await unit.transcript.of("c")

    async def proposals(self) -> list[str | None]:
        return [each.proposal for each in await self.rows()]

    async def lines(self) -> list[str]:
        found = [each.action for each in await self.world.trace()]
        return [each for each in found if "second_pass" in each or "propos" in each or "again" in each]


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    return Stage(world, tmp_path)


# ── asking ──────────────────────────────────────────────────────────────────────────────────────


async def test_it_proposes_and_changes_no_text(stage: Stage) -> None:
    await stage.prepare()
    assert (await stage.passes.state("c")).state is SecondPassState.NONE
    better = Word("老旧小区", 10_000, 10_700, 0.5)
    stage.hears(SEGMENTS[0], "老旧小区。", better)
    stage.hears(SEGMENTS[1], "住餐点！")
    found = await stage.heard()
    assert found == SecondPassView("scripted", "", SecondPassState.DONE, "", 3, 3, unheard=1, proposals=1)
    rows = await stage.rows()
    assert [each.text for each in rows] == [each.text for each in SEGMENTS]
    assert await stage.proposals() == ["老旧小区。", None, None]
    assert (rows[0].words, rows[0].other_words) == (SEGMENTS[0].words, (better,))
    assert await stage.lines() == [
        "transcript.second_pass_asked",
        "transcript.proposed",
        "transcript.second_pass_ended",
    ]


async def test_who_may_ask_and_when(stage: Stage) -> None:
    await stage.prepare(status=Status.LIVE)
    for role in (Role.CHAIR, Role.MODERATOR, Role.MEMBER):
        with pytest.raises(ForbiddenError):
            await stage.passes.ask("c", World.bearer(role))
    for status in (Status.LIVE, Status.ARCHIVED):
        await stage.becomes(status)
        with pytest.raises(ConferenceError) as caught:
            await stage.passes.ask("c", SECRETARY)
        assert caught.value.code == "invalid_state"
    await stage.becomes(Status.ENDED)
    for model in (NO_MODEL, TranscriberModel("", "x", "engine_missing")):
        stage.listener.now = model
        with pytest.raises(ConferenceError) as caught:
            await stage.passes.ask("c", SECRETARY)
        assert (caught.value.code, caught.value.members) == (
            "second_pass_unavailable",
            {"reason": model.reason},
        )
        assert (await stage.passes.state("c")).unavailable == model.reason
    assert await stage.lines() == []


async def test_without_a_recording_there_is_nothing_to_hear(stage: Stage) -> None:
    await stage.prepare()
    (stage.directory / "m.webm").unlink()
    with pytest.raises(ConferenceError) as caught:
        await stage.passes.ask("c", SECRETARY)
    assert caught.value.code == "nothing_recorded"


async def test_asking_again_while_it_runs_changes_nothing(stage: Stage) -> None:
    await stage.prepare()
    stage.listener.may_answer.clear()
    assert (await stage.passes.ask("c", SECRETARY)).state is SecondPassState.WAITING
    async with stage.running():
        await eventually(lambda: stage.listener.asked)
        for _ in range(2):
            assert (await stage.passes.ask("c", SECRETARY)).state is SecondPassState.RUNNING
        assert await stage.lines() == ["transcript.second_pass_asked"]
        stage.listener.may_answer.set()
        await eventually(lambda: stage.listener.rests)
    assert len(stage.listener.asked) == 3
    assert (await stage.heard()).done == 3, "when it is over it may be asked for anew"


async def test_desks_are_told_and_nobody_else(stage: Stage) -> None:
    await stage.prepare()
    await stage.world.desks.open("c", SECRETARY, "desk")
    await stage.world.desks.open("c", World.bearer(Role.MODERATOR), "moderator")
    stage.hears(SEGMENTS[0], "老旧小区。")
    await stage.heard()
    for session in ("desk", "moderator"):
        told = [each for each in stage.world.publisher.sent[session] if isinstance(each, SecondPassView)]
        states = list(dict.fromkeys(each.state.value for each in told))
        assert states == ["waiting", "running", "done"], session
        assert (told[-1].done, told[-1].proposals) == (3, 1)
        changed = [
            each for each in stage.world.publisher.sent[session] if isinstance(each, TranscriptChanged)
        ]
        assert [each.segments[0].proposal for each in changed] == ["老旧小区。"]


# ── what is heard ───────────────────────────────────────────────────────────────────────────────


async def test_it_hears_the_speakers_own_track_with_the_terms_of_the_consultation(stage: Stage) -> None:
    other = replace(SEGMENTS[1], participant_id="p2")
    await stage.prepare(SEGMENTS[0], other, SEGMENTS[2])
    terms = Terms(stage.world.rooms, stage.lists, stage.news)
    await terms.put("c", SECRETARY, [Term("助餐", "住餐"), Term("城乡供水")])
    stage.hears(SEGMENTS[0], "住餐的小区")
    found = await stage.heard()
    first, second = stage.listener.asked
    assert [each.id for each in (first, second)] == ["seg_0001", "seg_0003"], "of p2 nothing was recorded"
    assert [(each.path, each.started_at_ms) for each in first.files] == [("m.webm", 0)]
    assert (first.from_ms, first.to_ms, set(first.terms)) == (9_800, 11_000, {"助餐", "城乡供水"})
    assert (found.unheard, await stage.proposals()) == (2, ["助餐的小区", None, None])


async def test_deleted_recordings_and_pauses_are_not_heard(stage: Stage) -> None:
    await stage.prepare()
    async with stage.world.database.transaction() as unit:
        await unit.recordings.save(
            [recorded("p1", "gone.webm", 10_000, from_ms=40_000).deleted(7), recorded("p1", "m.webm", 25_000)]
        )
        for number, (from_ms, to_ms) in enumerate([(9_000, 10_400), (20_000, 30_000)]):
            cut = Cut(f"k{number}", "c", CutKind.PAUSE, from_ms, to_ms, 7, SECRETARY.name)
            await unit.broadcast_cuts.save([cut])
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.paused"))
    found = await stage.heard()
    (passage,) = stage.listener.asked
    assert (passage.id, passage.silent) == ("seg_0001", ((9_800, 10_400),))
    assert (found.done, found.unheard) == (3, 3)


async def test_nothing_of_a_confidential_neighbour_is_heard_and_what_is_confidential_stays_so(
    stage: Stage,
) -> None:
    hidden = replace(SEGMENTS[1], start_ms=10_850, end_ms=12_000, is_confidential=True)
    await stage.prepare(SEGMENTS[0], hidden)
    stage.hears(hidden, "不公开的助餐点")
    await stage.world.desks.open("c", World.bearer(Role.MODERATOR), "moderator")
    await stage.heard()
    first, second = stage.listener.asked
    assert (first.to_ms, second.from_ms) == (10_850, 10_800)
    row = (await stage.rows())[1]
    assert (row.is_confidential, row.proposal) == (True, "不公开的助餐点")
    changed = [e for e in stage.world.publisher.sent["moderator"] if isinstance(e, TranscriptChanged)]
    assert [(each.segments, each.removed) for each in changed] == [((), (hidden.id,))]
    assert "不公开" not in str(await stage.world.trace())


async def test_what_somebody_corrected_is_only_proposed_and_what_was_split_is_not(stage: Stage) -> None:
    await stage.prepare()
    stage.hears(SEGMENTS[0], "老旧小区")
    stage.hears(SEGMENTS[1], "助餐点")
    stage.listener.may_answer.clear()
    await stage.passes.ask("c", SECRETARY)
    async with stage.running():
        await eventually(lambda: stage.listener.asked)
        await stage.editing.edit("c", SECRETARY, "seg_0001", 1, SegmentPatch(text="老旧的小曲"))
        await stage.editing.split("c", SECRETARY, "seg_0002", 1, 2)
        stage.listener.may_answer.set()
        await eventually(lambda: stage.listener.rests)
    first, second, *_ = await stage.rows()
    assert (first.text, first.proposal, first.is_edited) == ("老旧的小曲", "老旧小区", True)
    assert (second.text, second.proposal) == ("住餐", None)


async def test_what_was_refused_is_not_asked_for_again_until_somebody_corrects_it(stage: Stage) -> None:
    await stage.prepare()
    stage.hears(SEGMENTS[0], "老旧小区")
    await stage.heard()
    await stage.editing.decide("c", SECRETARY, "seg_0001", 2, accept=False)
    found = await stage.heard()
    assert (found.proposals, found.unheard) == (0, 2)
    assert await stage.proposals() == [None, None, None]
    await stage.editing.edit("c", SECRETARY, "seg_0001", 3, SegmentPatch(text="老旧小去"))
    assert (await stage.heard()).proposals == 1


async def test_an_engine_without_punctuation_gets_commas_where_pauses_are(stage: Stage) -> None:
    await stage.prepare()
    words = (Word("老旧小区", 10_000, 10_300), Word("改造", 10_750, 10_800))
    stage.hears(SEGMENTS[0], "老旧小区改造", *words)
    await stage.heard()
    assert (await stage.proposals())[0] == "老旧小区，改造。"


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_broken_model_ends_it_with_the_reason(stage: Stage) -> None:
    await stage.prepare()
    stage.hears(SEGMENTS[0], "老旧小区")
    stage.listener.says["seg_0002"] = Reheard("seg_0002", reason="model_broken")
    found = await stage.heard()
    assert (found.state, found.reason, found.done) == (SecondPassState.FAILED, "model_broken", 1)
    assert await stage.proposals() == ["老旧小区", None, None], "what was heard is kept"
    assert (await stage.lines())[-1] == "transcript.second_pass_failed"


async def test_one_passage_that_kills_is_left_out_and_three_of_them_end_it(stage: Stage) -> None:
    await stage.prepare()
    stage.listener.says["seg_0001"] = Reheard("seg_0001", reason="worker_ended")
    found = await stage.heard()
    assert (found.state, found.done, found.unheard) == (SecondPassState.DONE, 3, 3)
    for each in SEGMENTS:
        stage.listener.says[each.id] = Reheard(each.id, reason="worker_ended")
    found = await stage.heard()
    assert (found.state, found.reason, found.done) == (SecondPassState.FAILED, "worker_ended", 2)


async def test_what_is_sealed_meanwhile_is_left_alone(stage: Stage) -> None:
    await stage.prepare()
    stage.hears(SEGMENTS[0], "老旧小区")
    await stage.passes.ask("c", SECRETARY)
    await stage.becomes(Status.ARCHIVED)
    found = await stage.gone_on()
    assert (found.state, found.reason) == (SecondPassState.FAILED, "sealed")
    assert await stage.proposals() == [None, None, None]


async def test_a_killed_server_goes_on_where_it_was(stage: Stage) -> None:
    """What was told before is a row; the rest is heard by the next life, and nothing twice."""
    many = [said(number, "老旧", "小曲") for number in range(1, 121)]
    await stage.prepare(*many)
    async with stage.world.database.transaction() as unit:
        await unit.recordings.save([recorded("p1", "m.webm", 2_000_000)])
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.file_closed"))
    for each in many:
        stage.hears(each, f"老旧小区{each.id[-3:]}")
    await stage.passes.ask("c", SECRETARY)
    inner = stage.listener.hear

    async def stops_at_the_seventieth(passage):  # type: ignore[no-untyped-def]
        if passage.id == "seg_0070":
            stage.listener.may_answer.clear()
        return await inner(passage)

    stage.listener.hear = stops_at_the_seventieth  # type: ignore[method-assign]
    async with stage.running():
        await eventually(lambda: not stage.listener.may_answer.is_set())
    before = [each for each in await stage.proposals() if each is not None]
    assert len(before) == 50, "as many as are written at once"
    stage.listener.hear = inner  # type: ignore[method-assign]
    stage.listener.may_answer.set()
    stage.listener.asked.clear()
    stage.passes = stage.made()
    found = await stage.gone_on()
    assert (found.state, found.done, found.proposals) == (SecondPassState.DONE, 120, 120)
    assert [each.id for each in stage.listener.asked] == [each.id for each in many[50:]]
    rows = await stage.rows()
    assert [each.proposal for each in rows] == [f"老旧小区{each.id[-3:]}" for each in many]
    assert {each.revision for each in rows} == {2}
    assert (await stage.lines()).count("transcript.second_pass_asked") == 1


@pytest.mark.parametrize("is_told", [True, False], ids=["", "and_its_end_cannot_be_told"])
async def test_what_nobody_foresaw_ends_one_and_the_next_gets_its_turn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    await stage.prepare()
    await stage.world.consultations.create(ConsultationDraft(title="另一场", id="d"))
    mine, theirs = SEGMENTS[0], said(9, "同意", consultation_id="d", participant_id="p9")
    await keep(stage.world.database, [theirs])
    async with stage.world.database.transaction() as unit:
        other = await unit.consultations.get("d")
        assert other is not None
        await unit.consultations.save(replace(other, status=Status.ENDED))
        await unit.recordings.save(
            [replace(recorded("p9", "m.webm", 400_000, consultation_id="d"), id="rec9")]
        )
        await unit.audit.append(AuditEntry("d", 1, 0, CLI, "consultation.changed"))
    stage.hears(mine, "老旧小区")
    stage.hears(theirs, "我同意")
    inner, tries = stage.listener.hear, list[str]()

    async def stumbles(passage: Passage) -> Reheard:
        tries.append(passage.id)
        if passage.id == "seg_0002":
            raise KeyError("nobody foresaw this")
        return await inner(passage)

    monkeypatch.setattr(stage.listener, "hear", stumbles)
    if not is_told:
        second_pass = stage.news.second_pass

        def fails(consultation_id: str, view: SecondPassView) -> None:
            if view.state is SecondPassState.FAILED:
                raise KeyError("nor this")
            second_pass(consultation_id, view)

        monkeypatch.setattr(stage.news, "second_pass", fails)
    await stage.passes.ask("c", SECRETARY)
    stage.world.clock.forward(1)
    await stage.passes.ask("d", SECRETARY)
    with capture_logs() as logged:
        found = await stage.gone_on()
    assert (found.state, found.reason) == (SecondPassState.FAILED, "fault")
    assert tries == ["seg_0001", "seg_0002", "seg_0009"], "it is not tried again and again"
    assert (await stage.passes.state("d")).proposals == 1
    faults = [each for each in logged if each["event"] == "second_pass.fault"]
    assert [type(each["exc_info"]) for each in faults] == [KeyError] * (1 if is_told else 2)
    monkeypatch.undo()
    found = await stage.heard()
    assert (found.state, found.done) == (SecondPassState.DONE, 3), "whoever asks again is heard"


async def test_an_end_that_cannot_be_written_does_not_hold_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.prepare()
    tries = list[str]()

    async def stumbles(passage: Passage) -> Reheard:
        tries.append(passage.id)
        raise KeyError("nobody foresaw this")

    async def fails(*_: object) -> None:
        raise KeyError("nor this")

    monkeypatch.setattr(stage.listener, "hear", stumbles)
    monkeypatch.setattr(stage.passes, "_end", fails)
    await stage.heard()
    await stage.gone_on()
    assert tries == ["seg_0001"], "it waits for the next start of the server"


async def test_another_server_takes_it_over_when_it_is_asked(stage: Stage) -> None:
    await stage.prepare()
    await stage.passes.ask("c", SECRETARY)
    async with stage.world.database.transaction() as unit:
        run = await unit.second_passes.get("c")
        assert run is not None
        await unit.second_passes.save(
            replace(run, node="another", done=1, after_ms=10_000, after_id="seg_0001")
        )
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "transcript.second_pass_asked"))
    await stage.gone_on()
    assert stage.listener.asked == [], "of another server"
    found = await stage.heard()
    assert (found.state, found.done) == (SecondPassState.DONE, 3)
    assert [each.id for each in stage.listener.asked] == ["seg_0002", "seg_0003"]


async def test_what_a_dead_server_left_goes_on_at_another_that_sees_its_files(stage: Stage) -> None:
    await stage.prepare()
    await stage.passes.ask("c", SECRETARY)
    async with stage.world.database.transaction() as unit:
        run = await unit.second_passes.get("c")
        assert run is not None
        left = replace(run, node="another", done=1, after_ms=10_000, after_id="seg_0001")
        await unit.second_passes.save(left)
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "transcript.second_pass_asked"))
    registry = stage.world.rooms.registry = SharedRegistry("node")

    async def looked(after_s: float) -> str:
        stage.world.clock.forward(after_s)
        await stage.passes.look_for_left()
        async with stage.world.database.reading() as unit:
            found = await unit.second_passes.get("c")
        assert found is not None
        return found.node

    await looked(0)
    assert await looked(2 * LOST_S) == "another", "its files are not to be seen here"
    stage.world.rooms.shares_files = True
    registry.living = (ANOTHER,)
    await looked(0)
    assert await looked(2 * LOST_S) == "another", "it lives"
    registry.living = ()
    assert await looked(1) == "another", "a moment is none"
    registry.living = (ANOTHER,)
    await looked(LOST_S)
    registry.living = ()
    await looked(0)
    stage.listener.now = NO_MODEL
    assert await looked(LOST_S) == "another", "nothing here could hear it"
    stage.listener.now = MODEL
    assert await looked(0) == "node"
    found = await stage.gone_on()
    assert (found.state, found.done) == (SecondPassState.DONE, 3)
    assert [each.id for each in stage.listener.asked] == ["seg_0002", "seg_0003"]
    asked = [each for each in await stage.world.trace() if each.action == "transcript.second_pass_asked"]
    assert [each.actor_kind for each in asked] == ["token", "cli", "system"]


async def test_of_two_servers_the_slower_one_leaves_it(stage: Stage) -> None:
    await stage.prepare()
    await stage.passes.ask("c", SECRETARY)
    async with stage.world.database.transaction() as unit:
        read = await unit.second_passes.get("c")
        assert read is not None
        await unit.second_passes.save(replace(read, node="faster"))
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "transcript.second_pass_asked"))
    await stage.passes._take(read)
    async with stage.world.database.reading() as unit:
        found = await unit.second_passes.get("c")
    assert found == replace(read, node="faster")
