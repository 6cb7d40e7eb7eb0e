"""Exports: what is asked for and what becomes of it, with a scripted maker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conference.export_job import ChapterMark
from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.broadcast import Cut, CutKind
from conference.model.chapters import Chapter, ChapterKind
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.export import MAX_MARKS, SOUND, VIDEO, Export, ExportKind, ExportState, marks_of
from conference.model.permissions import Role
from conference.model.recording import FileState, Recording
from conference.services import exports as exports_module
from conference.services.exports import ExportRequest, Exports
from conference.services.recordings import Recordings
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedRecorder
from tests.unit.services.scripted_exports import ScriptedExporter

SECRETARIAT = World.bearer(Role.SECRETARIAT, "王秘书")
PROGRAM = ExportRequest(ExportKind.PROGRAM)


class Stage:
    """A consultation in which a report was given and 张三 spoke, over or not, and its exports."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.maker = ScriptedExporter(directory)
        self.making: set[str] = set()
        self.exports = self.again()
        self.speaker = ""
        self.items: list[str] = []

    def again(self) -> Exports:
        """As after a start."""
        return Exports(self.world.database, self.world.clock, self.maker, lambda cid: cid in self.making)

    async def hold(self) -> None:
        world = self.world
        chair = World.bearer(Role.CHAIR)
        self.speaker = await world.join("张三")
        host = await world.join("主持人", Role.CHAIR)
        drafts = [AgendaDraft(title, AgendaKind.SPEECH) for title in ("报告", "讨论", "没有轮到")]
        self.items = [each.id for each in await world.agendas.edit("c", host, drafts)]
        await world.life_cycle.start("c", chair)
        await world.agendas.advance("c", host)
        world.clock.forward(10)
        await world.agendas.advance("c", host)
        world.clock.forward(5)
        turn = await world.floors.grant("c", host, self.speaker, duration_ms=60_000)
        assert turn is not None
        room = world.rooms.find("c")
        assert room is not None
        assert room.turn is not None
        room.turn = room.turn.heard(15_000)
        world.clock.forward(20)
        await world.floors.end("c", host)
        world.clock.forward(5)

    async def end(self) -> None:
        await self.world.life_cycle.end("c", World.bearer(Role.CHAIR))

    async def recorded(self, *recordings: Recording) -> None:
        async with self.world.database.transaction() as unit:
            await unit.recordings.save(recordings)
            await unit.audit.append(
                self.exports._requested(await self.consultation(), SECRETARIAT.actor, EXPORT)
            )

    async def consultation(self) -> Any:
        return await self.world.consultations.get("c")

    async def all(self) -> list[Export]:
        return await self.exports.list("c")

    async def one(self) -> Export:
        (found,) = await self.all()
        return found

    async def said(self) -> list[str]:
        return [line.action for line in await self.world.trace() if line.action.startswith("export.")]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.exports.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


EXPORT = Export("x_0", "c", ExportKind.PROGRAM, None, "协商会", VIDEO, "", 5)


def track(number: int, participant_id: str, source: str = "microphone", **more: Any) -> Recording:
    codec = "opus" if source.startswith("micro") else "vp8"
    return replace(
        Recording(
            f"r_{number}", "c", participant_id, "张三", source, codec, f"c/1/{number}.webm",
            number * 1000, 5000, 9, "a" * 64, FileState.DONE, 7,
        ),
        **more,
    )  # fmt: skip


@pytest.fixture
async def stage(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(exports_module, "_LOOK_S", 0.01)
    monkeypatch.setattr(exports_module, "_AGAIN_S", 0.01)
    made = Stage(world, tmp_path)
    await made.hold()
    return made


async def state(stage: Stage, *wanted: ExportState) -> list[Export]:
    return await eventually(stage.all, lambda all_: tuple(each.state for each in all_) == wanted)


# ── the program ─────────────────────────────────────────────────────────────────────────────────


async def test_the_program_s_file_makes_itself_once_with_chapters(stage: Stage) -> None:
    stage.maker.program()
    async with stage.running():
        await asyncio.sleep(0.05)
        assert await stage.all() == [], "it goes on"
        await stage.end()
        (done,) = await state(stage, ExportState.DONE)
        await asyncio.sleep(0.05)
        assert len(stage.maker.jobs) == 1
    assert (done.kind, done.title, done.requested_by, done.progress) == (
        ExportKind.PROGRAM,
        "协商会",
        "",
        100,
    )
    assert (done.duration_ms, done.size_bytes, done.sha256) == (60_000, 5, "f" * 64)
    assert stage.maker.jobs[0].chapters == (
        ChapterMark("报告", 0),
        ChapterMark("讨论", 10_000),
        ChapterMark("发言：张三", 15_000),
    )
    assert await stage.said() == ["export.requested", "export.finished"]
    assert stage.maker.path(done.path).read_text() == "whole"


async def test_it_is_among_the_recordings_and_goes_from_both_places(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    recordings = Recordings(stage.world.rooms, ScriptedRecorder(stage.maker.recordings))
    async with stage.running():
        (done,) = await state(stage, ExportState.DONE)
        (row,) = await recordings.list("c")
        assert (row.id, row.source, row.name, row.sha256) == (done.id, "program", "协商会", done.sha256)
        assert (await recordings.open("c", row.id, SECRETARIAT))[1] == stage.maker.path(done.path)
        await recordings.delete("c", row.id, SECRETARIAT)
        assert await stage.all() == []
        assert not stage.maker.path(done.path).exists()

        again, is_new = await stage.exports.request("c", SECRETARIAT, PROGRAM)
        assert is_new
        await state(stage, ExportState.DONE)
        await stage.exports.delete("c", again.id, SECRETARIAT)
        assert await recordings.list("c") == []
        assert not stage.maker.path(again.path).exists()
    assert (await stage.said())[-1] == "export.deleted"


async def test_it_waits_until_nothing_is_written_any_more(stage: Stage) -> None:
    stage.maker.program()
    stage.making.add("c")
    stage.maker.written.add("c")
    await stage.recorded(track(1, "p", state=FileState.RECORDING, duration_ms=0))
    await stage.end()
    for cleared in (stage.making.clear, stage.maker.written.clear):
        await stage.exports.queue_programs()
        assert await stage.all() == []
        cleared()
    await stage.exports.queue_programs()
    assert await stage.all() == []
    await stage.recorded(track(1, "p"))
    await stage.exports.queue_programs()
    assert (await stage.one()).state is ExportState.QUEUED


async def test_without_a_program_nothing_is_made(stage: Stage) -> None:
    await stage.end()
    await stage.exports.queue_programs()
    assert await stage.all() == []
    with pytest.raises(ConferenceError) as refused:
        await stage.exports.request("c", SECRETARIAT, PROGRAM)
    assert refused.value.code == "nothing_recorded"
    assert await stage.said() == []


async def test_what_was_not_to_be_kept_is_said_to_the_maker(stage: Stage) -> None:
    stage.maker.program()
    async with stage.world.database.transaction() as unit:
        pause = Cut("b_1", "c", CutKind.PAUSE, 3_000, 4_000, 7, "主持人")
        withdrawn = Cut("b_2", "c", CutKind.WITHDRAWN, 5_000, 6_000, 7, "主持人")
        await unit.broadcast_cuts.save([pause, withdrawn])
        entry = stage.exports._requested(await stage.consultation(), SECRETARIAT.actor, EXPORT)
        await unit.audit.append(entry)
    await stage.end()
    async with stage.running():
        await state(stage, ExportState.DONE)
    assert stage.maker.jobs[0].omitted == ((3_000, 4_000),), "what was withdrawn is in the internal file"


async def test_of_what_was_not_to_be_kept_at_all_nothing_is_made(stage: Stage) -> None:
    stage.maker.program()
    async with stage.world.database.transaction() as unit:
        await unit.broadcast_cuts.save([Cut("b_1", "c", CutKind.PAUSE, 0, None, 7, "主持人")])
        entry = stage.exports._requested(await stage.consultation(), SECRETARIAT.actor, EXPORT)
        await unit.audit.append(entry)
    await stage.end()
    await stage.exports.queue_programs()
    assert await stage.all() == []
    with pytest.raises(ConferenceError) as refused:
        await stage.exports.request("c", SECRETARIAT, PROGRAM)
    assert refused.value.code == "nothing_recorded"


# ── on request ──────────────────────────────────────────────────────────────────────────────────


async def test_before_the_end_nothing_is_made(stage: Stage) -> None:
    stage.maker.program()
    with pytest.raises(ConferenceError) as refused:
        await stage.exports.request("c", SECRETARIAT, PROGRAM)
    assert refused.value.code == "invalid_state"


async def test_who_may(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    for role in Role:
        by = World.bearer(role)
        if role in (Role.SECRETARIAT, Role.ORGANIZER, Role.ADMINISTRATOR):
            await stage.exports.request("c", by, PROGRAM)
        else:
            with pytest.raises(ForbiddenError):
                await stage.exports.request("c", by, PROGRAM)
        if role in (Role.SECRETARIAT, Role.ADMINISTRATOR):
            with pytest.raises(NotFoundError):
                await stage.exports.delete("c", "x_none", by)
        else:
            with pytest.raises(ForbiddenError):
                await stage.exports.delete("c", "x_none", by)
    assert len(await stage.all()) == 1, "the same is not made twice"


async def test_a_person_s_files_are_put_together(stage: Stage) -> None:
    world = stage.world
    first = await world.join("赵六")
    host = (await _participants(world))["主持人"]
    await stage.end()
    await stage.recorded(
        track(1, first),
        track(2, first, "camera"),
        track(3, stage.speaker),
        track(4, first, state=FileState.BROKEN),
        track(5, first, duration_ms=0),
    )
    export, _ = await stage.exports.request("c", SECRETARIAT, ExportRequest(ExportKind.PERSON, first))
    assert (export.title, export.media_type, export.subject) == ("赵六", VIDEO, first)
    world.clock.forward(1)
    sound, _ = await stage.exports.request(
        "c", SECRETARIAT, ExportRequest(ExportKind.PERSON, first, sound_only=True)
    )
    assert (sound.media_type, sound.path) == (SOUND, f"c/exports/{sound.id}.m4a")
    world.clock.forward(1)
    alone, _ = await stage.exports.request("c", SECRETARIAT, ExportRequest(ExportKind.PERSON, stage.speaker))
    assert (alone.title, alone.media_type) == ("张三", SOUND)
    stage.maker.program()  # something is here
    async with stage.running():
        await eventually(lambda: len(stage.maker.jobs) == 4)
    paths = [[each.path for each in job.tracks] for job in stage.maker.jobs if job.kind == "person"]
    assert paths == [["c/1/1.webm", "c/1/2.webm", "c/1/4.webm"]] * 2 + [["c/1/3.webm"]]
    for nobody in ("p_none", ""):
        with pytest.raises(NotFoundError):
            await stage.exports.request("c", SECRETARIAT, ExportRequest(ExportKind.PERSON, nobody))
    with pytest.raises(ConferenceError) as refused:
        await stage.exports.request("c", SECRETARIAT, ExportRequest(ExportKind.PERSON, host))
    assert refused.value.code == "nothing_recorded"


async def _participants(world: World) -> dict[str, str]:
    async with world.database.reading() as unit:
        return {each.name: each.id for each in await unit.participants.of("c")}


async def test_clips_of_items_and_speeches(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    async with stage.world.database.reading() as unit:
        (turn,) = await unit.floor.turns("c")
    asked = [
        ExportRequest(ExportKind.CLIP, stage.items[0]),
        ExportRequest(ExportKind.CLIP, stage.items[1]),
        ExportRequest(ExportKind.CLIP, turn.id, is_turn=True),
    ]
    found = [(await stage.exports.request("c", SECRETARIAT, each))[0] for each in asked]
    assert [(each.title, each.from_ms, each.to_ms, each.media_type) for each in found] == [
        ("报告", 0, 10_000, SOUND),
        ("讨论", 10_000, 40_000, SOUND),
        ("张三", 15_000, 35_000, SOUND),
    ]
    for wrong in (
        ExportRequest(ExportKind.CLIP, "none"),
        ExportRequest(ExportKind.CLIP, "none", is_turn=True),
    ):
        with pytest.raises(NotFoundError):
            await stage.exports.request("c", SECRETARIAT, wrong)
    with pytest.raises(ConferenceError) as refused:
        await stage.exports.request("c", SECRETARIAT, ExportRequest(ExportKind.CLIP, stage.items[2]))
    assert refused.value.code == "invalid_state"


# ── what becomes of it ──────────────────────────────────────────────────────────────────────────


async def test_how_far_it_is_is_seen_and_deleting_gives_it_up(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    stage.maker.may_end.clear()
    async with stage.running():
        (running,) = await state(stage, ExportState.RUNNING)
        assert running.progress == 42
        with pytest.raises(ConferenceError) as refused:
            await stage.exports.open("c", running.id, SECRETARIAT)
        assert refused.value.code == "invalid_state"
        await stage.exports.delete("c", running.id, SECRETARIAT)
        assert stage.maker.given_up == 1
        assert await stage.all() == []
        stage.maker.may_end.set()
        await stage.exports.request("c", SECRETARIAT, PROGRAM)
        await state(stage, ExportState.DONE)
    assert await stage.said() == ["export.requested", "export.deleted", "export.requested", "export.finished"]


async def test_a_download_is_traced_from_its_beginning(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    async with stage.running():
        (done,) = await state(stage, ExportState.DONE)
    with pytest.raises(ForbiddenError):
        await stage.exports.open("c", done.id, World.bearer(Role.MEMBER))
    for is_traced in (True, False):
        export, path = await stage.exports.open("c", done.id, SECRETARIAT, is_traced=is_traced)
        assert path.read_text() == "whole"
        assert export.id == done.id
    with pytest.raises(NotFoundError):
        await stage.exports.open("d", done.id, SECRETARIAT)
    assert (await stage.said()).count("export.downloaded") == 1


async def test_a_process_that_dies_is_tried_again_and_then_it_failed(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    stage.maker.reasons = ["worker_ended"] * 2
    async with stage.running():
        await state(stage, ExportState.DONE)
        assert len(stage.maker.jobs) == 3
        await stage.exports.delete("c", (await stage.one()).id, SECRETARIAT)
        stage.maker.reasons = ["worker_ended"] * 3
        await stage.exports.request("c", SECRETARIAT, PROGRAM)
        (failed,) = await state(stage, ExportState.FAILED)
    assert failed.reason == "worker_ended"
    assert stage.maker.reasons == []


async def test_a_full_disk_is_said_and_asking_again_tries_again(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    stage.maker.reasons = ["disk_full"]
    async with stage.running():
        (failed,) = await state(stage, ExportState.FAILED)
        assert failed.reason == "disk_full"
        again, is_new = await stage.exports.request("c", SECRETARIAT, PROGRAM)
        assert (again.id, is_new, again.requested_by) == (failed.id, True, "王秘书")
        (done,) = await state(stage, ExportState.DONE)
    assert done.reason is None
    assert await stage.said() == ["export.requested", "export.failed", "export.requested", "export.finished"]
    lines = [line for line in await stage.world.trace() if line.action == "export.failed"]
    assert json.loads(lines[0].content)["reason"] == "disk_full"


async def test_after_a_restart_it_goes_on_and_what_was_half_made_is_gone(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    stage.maker.may_end.clear()
    async with stage.running():
        (running,) = await state(stage, ExportState.RUNNING)
    assert stage.maker.given_up == 1
    half = stage.maker.path(f"{running.path}.part")
    orphan = stage.maker.path("c/exports/x_none.mp4")
    half.parent.mkdir(parents=True)
    half.write_text("ha")
    orphan.write_text("nobody knows it")
    stage.exports = stage.again()
    await stage.exports.restore()
    assert list(half.parent.iterdir()) == []
    assert (await stage.one()).state is ExportState.QUEUED
    stage.maker.may_end.set()
    async with stage.running():
        (done,) = await state(stage, ExportState.DONE)
    assert done.id == running.id
    stage.exports = stage.again()
    await stage.exports.restore()
    assert stage.maker.path(done.path).exists()


async def test_what_lies_on_another_node_is_left_to_it(stage: Stage) -> None:
    stage.maker.program()
    await stage.end()
    await stage.exports.queue_programs()
    (stage.maker.programs / "c" / "journal.jsonl").unlink()
    (stage.maker.programs / "c").rmdir()
    async with stage.running():
        await asyncio.sleep(0.05)
        assert (await stage.one()).state is ExportState.QUEUED
        assert stage.maker.jobs == []


async def test_a_result_waits_for_a_database_in_trouble(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.maker.program()
    await stage.end()
    await stage.exports.queue_programs()
    transaction, refusals = stage.world.database.transaction, list[int]()

    def refuse() -> Any:
        if len(refusals) < 3:
            refusals.append(1)
            raise ConferenceError("storage_unavailable")
        return transaction()

    monkeypatch.setattr(stage.world.database, "transaction", refuse)
    async with stage.running():
        await state(stage, ExportState.DONE)
    assert (len(stage.maker.jobs), len(refusals)) == (1, 3)


# ── marks ───────────────────────────────────────────────────────────────────────────────────────


def chapter(kind: ChapterKind, title: str, from_ms: int) -> Chapter:
    return Chapter(kind, title, from_ms, from_ms + 10)


def test_marks_follow_each_other() -> None:
    item, speech, promotion = ChapterKind.ITEM, ChapterKind.SPEECH, ChapterKind.PROMOTION
    found = marks_of(
        [
            chapter(item, "报告", 3_000),
            chapter(speech, "张三", 3_400),
            chapter(speech, "李四", 9_000),
            chapter(promotion, "路灯", 20_000),
        ],
        "协商会",
    )
    assert found == (
        ChapterMark("协商会", 0),
        ChapterMark("报告 · 发言：张三", 3_000),
        ChapterMark("发言：李四", 9_000),
        ChapterMark("留言：路灯", 20_000),
    )
    assert marks_of([], "协商会") == (ChapterMark("协商会", 0),)


def test_more_marks_than_a_file_holds_leave_the_speeches_out() -> None:
    many = [chapter(ChapterKind.SPEECH, str(n), n * 5_000) for n in range(MAX_MARKS)]
    few = [chapter(ChapterKind.ITEM, "一", 0), chapter(ChapterKind.ITEM, "二", 7_000)]
    assert [each.title for each in marks_of(sorted([*few, *many], key=lambda c: c.from_ms), "x")] == [
        "一",
        "二",
    ]
    assert len(marks_of([chapter(ChapterKind.ITEM, "x", n * 5_000) for n in range(999)], "x")) < MAX_MARKS
