"""Catching up: gaps are recognised from the recording, again after failures, and people decide about the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.audit import SYSTEM, AuditEntry
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.permissions import Role
from conference.model.transcript import GapState
from conference.services.catching_up import CatchingUp, Progress
from conference.services.recordings import Recordings
from conference.worker_events import ListenJob, RecordedFile, RecorderReady, RecorderTrouble, TranscriberLoad
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, NO_MODEL, FailingStorage, ScriptedRecorder
from tests.unit.services.test_transcription import Stage as Listening
from tests.unit.services.test_transcription import said

CHAIR = World.bearer(Role.CHAIR)
SECRETARIAT = World.bearer(Role.SECRETARIAT)


class Stage(Listening):
    """A live consultation whose member is recorded and listened to."""

    def __init__(self, world: World, *, enabled: bool = True) -> None:
        super().__init__(world, enabled=enabled)
        self.recorder = ScriptedRecorder()
        self.recordings = Recordings(world.rooms, self.recorder)
        self.catching_up = CatchingUp(world.rooms, self.transcription, self.transcriber, self.recorder)

    async def begin(self) -> None:
        await super().begin()
        await self.recordings.tick()
        self.recorder.emit(RecorderReady("c", "/run/rec.sock"))
        await self.recordings.tick()
        await self.records(0)
        await self.ready()
        await self.catching_up.tick()

    async def records(self, from_ms: int, to_ms: int | None = None, who: str = "") -> None:
        """A file of a microphone, open without an end."""
        file = RecordedFile(
            "c", f"c/1/{who}-{from_ms}.webm", who or self.member, "microphone", "opus", from_ms, 7
        )
        self.recorder.emit(file)
        if to_ms is not None:
            self.recorder.emit(
                replace(file, is_ended=True, is_whole=True, duration_ms=to_ms - from_ms, sha256="a" * 64)
            )
        await self.recordings.write_rows()

    async def end(self, at_ms: int) -> None:
        """It is over, and its file is closed."""
        await self.world.life_cycle.end("c", self.world.bearer(Role.CHAIR))
        await self.tick()
        await self.records(0, at_ms)

    async def catch_up(self, seconds: float = 6.0) -> None:
        self.world.clock.forward(seconds)
        await self.catching_up.tick()
        await self.transcription.rows.write()

    async def does(self, job: ListenJob, reason: str = "") -> None:
        """The worker is through with it."""
        self.transcriber.end_job(job, reason)
        await self.catch_up()

    async def gaps(self) -> list[tuple[str, int, int]]:
        return [(e.state.value, e.from_ms, e.to_ms) for e in await self.catching_up.gaps("c")]

    async def progress(self) -> Progress:
        return self.catching_up.progress("c", await self.catching_up.gaps("c"))

    def now_ms(self) -> int:
        room = self.world.rooms.find("c")
        assert room is not None
        return self.world.rooms.program_time_ms(room.consultation) or 0


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


async def test_what_is_being_said_is_no_gap_and_what_was_left_out_is(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(30)
    assert await stage.gaps() == [], "an utterance may take so long"
    await stage.hears(0, 10_000)
    await stage.hears(16_000, 20_000, said("后来说的话", 17_000))
    assert await stage.gaps() == [("waiting", 10_000, 16_000)]
    await stage.catch_up()
    (job,) = stage.transcriber.asked
    assert (job.participant_id, job.from_ms, job.to_ms) == (stage.member, 10_000, 16_000)
    assert [each.started_at_ms for each in job.files] == [0]
    assert await stage.gaps() == [("running", 10_000, 16_000)]
    await stage.hears(10_000, 14_000, said("当时说的话", 12_000), job=job.id)
    await stage.does(job)
    assert await stage.gaps() == []
    assert [each.raw for each in await stage.rows()] == ["当时说的话", "后来说的话"]
    await stage.catch_up()
    assert len(stage.transcriber.asked) == 1


async def test_a_microphone_that_was_not_followed_comes_from_the_recording(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(100)
    at_ms = stage.now_ms()
    assert await stage.gaps() == [("waiting", 0, at_ms - 45_000)]
    stage.transcriber.emit(TranscriberLoad(3, 4000, 0.9))
    await stage.catch_up()
    assert stage.transcriber.asked == [], "what is said now comes first"
    stage.transcriber.emit(TranscriberLoad(3, 300, 0.9))
    await stage.catch_up()
    assert len(stage.transcriber.asked) == 1


async def test_a_worker_that_was_killed_leaves_a_gap_up_to_its_next_tap(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(20)
    await stage.hears(0, 15_000, said("说完的话", 12_000))
    stage.transcriber.becomes(replace(MODEL, reason="worker_ended"))
    stage.world.clock.forward(3)
    stage.transcriber.becomes(MODEL)
    await stage.ready("/run/t2.sock")
    tapped_ms = stage.now_ms()
    stage.world.clock.forward(5)
    assert await stage.gaps() == [("waiting", 15_000, tapped_ms)]
    await stage.catch_up(1.0)
    (job,) = stage.transcriber.asked
    await stage.hears(15_000, tapped_ms, said("断掉的话", 16_000), job=job.id)
    await stage.does(job)
    assert [each.raw for each in await stage.rows()] == ["说完的话", "断掉的话"]
    assert await stage.gaps() == []


@pytest.mark.parametrize("is_live_first", [False, True])
async def test_a_word_cut_in_two_by_the_next_tap_is_there_once(stage: Stage, *, is_live_first: bool) -> None:
    """The engine takes either half of it for the whole word."""
    await stage.begin()
    stage.transcriber.becomes(replace(MODEL, reason="worker_ended"))
    stage.world.clock.forward(8)
    stage.transcriber.becomes(MODEL)
    await stage.ready("/run/t2.sock")
    cut_ms = stage.now_ms()
    stage.world.clock.forward(5)
    await stage.catch_up(1.0)
    (job,) = stage.transcriber.asked
    assert job.to_ms == cut_ms

    async def live() -> None:
        await stage.hears(cut_ms, cut_ms + 4_000, said("供水供水问题", cut_ms + 10, cut_ms + 1_510))

    async def recorded() -> None:
        heard = said("我们说说供水", cut_ms - 1_530, cut_ms - 30)
        await stage.hears(0, cut_ms, heard, job=job.id)

    for tell in (live, recorded) if is_live_first else (recorded, live):
        await tell()
    await stage.does(job)
    said_twice = ["我们说说", "供水供水问题"] if is_live_first else ["我们说说供水", "供水问题"]
    assert [each.raw for each in await stage.rows()] == said_twice, "what was said twice is there twice"
    assert await stage.gaps() == []


async def test_what_is_said_twice_beside_no_border_is_there_twice(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 5_000, said("我们谢谢", 1_000, 5_000))
    await stage.hears(5_000, 9_000, said("谢谢大家", 5_010, 9_000))
    assert [each.raw for each in await stage.rows()] == ["我们谢谢", "谢谢大家"]


async def test_after_the_end_everything_missing_is_recognised(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 5_000, said("第一句话", 1_000))
    stage.world.clock.forward(1500)
    await stage.end(1_500_000)
    assert await stage.gaps() == [("waiting", 5_000, 1_500_000)]
    assert await stage.progress() == Progress(3, 0, 0, 1_495_000)
    await stage.catch_up()
    first, second = stage.transcriber.asked
    assert [(e.from_ms, e.to_ms) for e in (first, second)] == [(5_000, 503_333), (503_333, 1_001_666)]
    progress = await stage.progress()
    assert (progress.waiting, progress.running) == (1, 2)
    await stage.does(first)
    assert (await stage.progress()).done_ms == 498_333
    third = stage.transcriber.asked[-1]
    await stage.does(second)
    await stage.does(third)
    assert await stage.gaps() == []
    await stage.catch_up()
    assert stage.catching_up.counts() == (0, 0)


async def test_after_a_restart_it_goes_on(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.catch_up()
    again = Stage(await stage.world.restart())
    again.member = stage.member
    await again.catching_up.restore()
    await again.catch_up()
    (job,) = again.transcriber.asked
    assert (job.from_ms, job.to_ms) == (0, 60_000)
    await again.does(job)
    assert await again.gaps() == []


async def test_without_a_model_it_waits_for_one(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    stage.transcriber.becomes(NO_MODEL)
    await stage.end(60_000)
    await stage.catch_up()
    assert (stage.transcriber.asked, await stage.gaps()) == ([], [("waiting", 0, 60_000)])
    stage.transcriber.becomes(MODEL)
    await stage.catch_up()
    (job,) = stage.transcriber.asked
    for _ in range(5):
        await stage.does(job, "no_model")
        await stage.catch_up()
        job = stage.transcriber.asked[-1]
    assert await stage.gaps() == [("running", 0, 60_000)]


@pytest.mark.parametrize("reason", ["unreadable", "worker_ended"])
async def test_what_fails_three_times_has_failed_until_somebody_asks_again(stage: Stage, reason: str) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.catch_up()
    for number in range(3):
        assert len(stage.transcriber.asked) == number + 1
        await stage.does(stage.transcriber.asked[-1], reason)
        await stage.catch_up()
    (gap,) = await stage.catching_up.gaps("c")
    assert (gap.state, gap.reason, gap.name) == (GapState.FAILED, reason, "张三")
    await stage.catch_up()
    assert len(stage.transcriber.asked) == 3
    await stage.catching_up.retry("c", SECRETARIAT, stage.member, (10_000, 20_000))
    assert await stage.gaps() == [("waiting", 0, 60_000)]
    await stage.catch_up()
    await stage.does(stage.transcriber.asked[-1])
    assert await stage.gaps() == []
    assert await stage.noted("transcript.gap_") == ["failed", "retried"]


async def test_a_worker_that_gets_on_a_little_each_time_has_not_failed(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.catch_up()
    for number in range(5):
        job = stage.transcriber.asked[-1]
        await stage.hears(number * 10_000, (number + 1) * 10_000, job=job.id)
        await stage.does(job, "worker_ended")
        await stage.catch_up()
    assert await stage.gaps() == [("running", 50_000, 60_000)]


async def test_somebody_may_note_why_there_is_no_text(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    waive = stage.catching_up.waive
    for role in (Role.CHAIR, Role.MEMBER, Role.MODERATOR):
        with pytest.raises(ForbiddenError):
            await waive("c", World.bearer(role), stage.member, (0, 60_000), "休息")
    with pytest.raises(NotFoundError):
        await waive("c", SECRETARIAT, "p_nobody", (0, 60_000), "休息")
    with pytest.raises(ConferenceError, match="note"):
        await waive("c", SECRETARIAT, stage.member, (0, 60_000), "  ")
    await waive("c", SECRETARIAT, stage.member, (20_000, 60_000), "休息，没有人说话")
    gaps = await stage.catching_up.gaps("c")
    assert [(e.state, e.from_ms, e.to_ms, e.note) for e in gaps] == [
        (GapState.WAITING, 0, 20_000, ""),
        (GapState.WAIVED, 20_000, 60_000, "休息，没有人说话"),
    ]
    assert [each.is_open for each in gaps] == [True, False]
    await stage.catching_up.retry("c", SECRETARIAT, stage.member, (30_000, 31_000))
    assert await stage.gaps() == [("waiting", 0, 60_000)]
    line = next(each for each in await stage.world.trace() if each.action == "transcript.gap_waived")
    assert "休息" not in line.content
    await stage.world.life_cycle.seal("c", World.bearer(Role.SECRETARIAT))
    with pytest.raises(ConferenceError, match="sealed"):
        await waive("c", SECRETARIAT, stage.member, (0, 60_000), "休息")


async def test_what_was_neither_recorded_nor_heard_is_lost(stage: Stage) -> None:
    await stage.begin()
    chair = await stage.world.join("主持人", Role.CHAIR)
    await stage.world.floors.grant("c", chair, stage.member)
    stage.world.clock.forward(20)
    await stage.world.floor_clock.tick()
    await stage.hears(0, stage.now_ms())
    await stage.records(0, stage.now_ms())
    begin_ms = stage.now_ms()
    stage.recorder.emit(RecorderTrouble("c", "disk_full"))
    await stage.recordings.tick()
    stage.transcriber.becomes(replace(MODEL, reason="worker_ended"))
    stage.world.clock.forward(60)
    (lost,) = await stage.catching_up.gaps("c")
    assert (lost.state, lost.participant_id, lost.from_ms) == (GapState.LOST, stage.member, begin_ms)
    span = (lost.from_ms, lost.to_ms)
    with pytest.raises(ConferenceError, match="not recorded"):
        await stage.catching_up.retry("c", SECRETARIAT, stage.member, span)
    await stage.catching_up.waive("c", SECRETARIAT, stage.member, span, "停电")
    assert all(not each.is_open or each.from_ms >= lost.to_ms for each in await stage.catching_up.gaps("c"))


@pytest.mark.parametrize("how", ["consultation", "server"])
async def test_where_nothing_is_to_be_written_down_the_minutes_say_so(world: World, how: str) -> None:
    stage = Stage(world, enabled=how != "server")
    if how == "consultation":
        await stage.switch(captions=False)
    await stage.begin()
    stage.world.clock.forward(60)
    assert await stage.gaps() == [], "nobody misses it while it is live"
    await stage.end(60_000)
    await stage.catching_up.restore()
    await stage.catch_up()
    (gap,) = await stage.catching_up.gaps("c")
    assert (gap.participant_id, gap.state, gap.reason) == ("c", GapState.LOST, "not_transcribed")
    assert (gap.from_ms, gap.to_ms, stage.transcriber.asked) == (0, 60_000, [])
    await stage.catching_up.waive("c", SECRETARIAT, "c", (0, 60_000), "只录音")
    assert [each.note for each in await stage.catching_up.gaps("c")] == ["只录音"]
    if how == "consultation":
        await stage.switch(captions=True)
        assert await stage.gaps() == [("waiting", 0, 60_000)]
        await stage.catch_up()
        assert len(stage.transcriber.asked) == 1, "switched on after the end"


async def test_a_file_that_is_not_settled_stands_in_the_way_and_is_not_tried(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 5_000)
    stage.world.clock.forward(60)
    await stage.world.life_cycle.end("c", CHAIR)
    await stage.tick()
    await stage.transcription.stop()
    (gap,) = await stage.catching_up.gaps("c")
    assert (gap.state, gap.reason, gap.from_ms, gap.is_open) == (GapState.WAITING, "unsettled", 5_000, True)
    await stage.catch_up()
    assert stage.transcriber.asked == []
    await stage.records(0, 20_000)
    assert await stage.gaps() == [("waiting", 5_000, 20_000)]
    await stage.catch_up()
    assert [(each.from_ms, each.to_ms) for each in stage.transcriber.asked] == [(5_000, 20_000)]


async def test_what_was_deleted_unheard_is_lost(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 5_000)
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.transcription.stop()
    async with stage.world.database.transaction() as unit:
        await unit.recordings.save([each.deleted(1) for each in await unit.recordings.of("c")])
        await unit.audit.append(AuditEntry("c", 1, 0, SYSTEM, "recording.deleted", "c"))
    assert await stage.gaps() == [("lost", 5_000, 60_000)]
    await stage.catch_up()
    assert stage.transcriber.asked == []


async def test_who_said_why_there_is_no_text_is_not_contradicted_by_a_failing_job(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.catch_up()
    for _ in range(2):
        await stage.does(stage.transcriber.asked[-1], "worker_ended")
        await stage.catch_up()
    await stage.catching_up.waive("c", SECRETARIAT, stage.member, (0, 60_000), "休息")
    await stage.does(stage.transcriber.asked[-1], "worker_ended")
    await stage.catch_up()
    assert await stage.gaps() == [("waived", 0, 60_000)]
    assert await stage.noted("transcript.gap_") == ["waived"]


async def test_a_gap_that_grows_fails_too_and_comes_behind_others(stage: Stage) -> None:
    await stage.begin()
    other = await stage.world.join("李四")
    stage.world.clock.forward(100)
    await stage.catch_up()
    (first,) = stage.transcriber.asked
    await stage.records(20_000, 40_000, who=other)
    await stage.does(first, "worker_ended")
    await stage.catch_up()
    assert [each.participant_id for each in stage.transcriber.asked[1:]] == [other, stage.member]
    asked = 1
    while asked < len(stage.transcriber.asked) < 20 and not await stage.noted("transcript.gap_"):
        running, asked = stage.transcriber.asked[asked:], len(stage.transcriber.asked)
        for job in running:
            stage.transcriber.end_job(job, "" if job.from_ms else "worker_ended")
        await stage.catch_up()
        await stage.catch_up()
    tried = [each for each in stage.transcriber.asked if each.from_ms == 0]
    assert len(tried) == 3
    assert len({each.to_ms for each in tried}) > 1, "it grew"
    assert await stage.noted("transcript.gap_") == ["failed"]
    failed = [each for each in await stage.catching_up.gaps("c") if each.state is GapState.FAILED]
    assert [(each.participant_id, each.from_ms) for each in failed] == [(stage.member, 0)]


async def test_what_is_still_written_has_not_failed_when_it_ends_early(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(100)
    await stage.catch_up()
    for _ in range(5):
        await stage.does(stage.transcriber.asked[-1], "unreadable")
        await stage.catch_up()
    assert await stage.noted("transcript.gap_") == []
    assert len(stage.transcriber.asked) == 6


async def test_a_failure_that_cannot_be_noted_holds_nothing_up(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.catch_up()
    for _ in range(2):
        await stage.does(stage.transcriber.asked[-1], "worker_ended")
        await stage.catch_up()
    storage = stage.world.rooms.storage = FailingStorage(stage.world.database)
    stage.transcriber.end_job(stage.transcriber.asked[-1], "worker_ended")
    await stage.catching_up.tick()
    assert storage.has_failed
    assert (await stage.gaps(), stage.catching_up.counts()[1]) == ([("waiting", 0, 60_000)], 0)
    await stage.catch_up()
    assert await stage.gaps() == [("failed", 0, 60_000)]
    assert len(stage.transcriber.asked) == 3


@pytest.mark.parametrize("is_heard", [False, True])
async def test_where_nothing_is_there_at_all_it_is_said_and_stands_in_no_way(
    stage: Stage, *, is_heard: bool
) -> None:
    await stage.begin()
    if is_heard:
        await stage.hears(0, 5_000, said("第一句话", 1_000))
    await stage.switch(captions=False)
    stage.world.clock.forward(60)
    await stage.end(5_000 if is_heard else 0)
    found = [(each.words, each.is_open) for each in await stage.catching_up.gaps("c")]
    assert found == ([] if is_heard else [("本次会议没有转写", False)])
