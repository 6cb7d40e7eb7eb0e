"""Rehearsals: they run as a live session does, and leave everything as it was but their lines of the trace."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from conference.events import ConsultationUpdated
from conference.model.agenda import AgendaDraft, AgendaKind, ItemState
from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry
from conference.model.comment import CommentState
from conference.model.consultation import Mode, ProgramGap, Status
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.floor import TurnState
from conference.model.footage import Footage
from conference.model.minutes import MinutesKind
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.promotion import PromotionPhase
from conference.model.recording import RecordingState
from conference.model.rules import Rules
from conference.services.consultations import ConsultationDraft
from conference.services.programs import Programs
from conference.services.public_views import PublicViews
from conference.services.recordings import Recordings
from conference.services.rehearsals import Rehearsals
from conference.services.rehearsed_comments import RehearsedComments
from conference.services.transcription import Transcription
from conference.services.viewers import Viewers
from conference.storage.archive_rows import SqlArchiveRows
from conference.storage.tables import metadata
from conference.worker_events import Heard, ProgramReady, RecordedFile, RecorderReady, TranscriberReady
from tests.support.eventually import eventually
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, ScriptedMaker, ScriptedRecorder, ScriptedTranscriber
from tests.unit.services.minutes_stage import Writing
from tests.unit.services.scripted_exports import ScriptedExporter
from tests.unit.services.test_transcription import as_it_is, said

FILE = RecordedFile("c", "c/1/p-microphone-1.webm", "p_1", "microphone", "opus", 40, 7)


class NoFootage:
    async def footage(self, _consultation_id: str) -> Footage:
        return Footage()


class Stage:
    """A world with everything that makes something of a room that runs."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        self.recorder, self.maker = ScriptedRecorder(directory), ScriptedMaker()
        self.transcriber = ScriptedTranscriber(MODEL)
        self.exporter = ScriptedExporter(directory)
        self.audience = Audience(world)
        self.recordings = Recordings(world.rooms, self.recorder)
        self.programs = Programs(world.rooms, self.maker)
        self.transcription = Transcription(world.rooms, self.transcriber, as_it_is)
        boards, broadcasts = self.audience.boards, self.audience.broadcasts
        self.rehearsals = Rehearsals(
            world.rooms, world.programs, world.floors, broadcasts, boards, world.life_cycle
        )
        self.rehearsals.see_to(self.exporter, self.recordings, self.programs, self.transcription)
        self.comments = RehearsedComments(boards)
        self.chair = world.bearer(Role.CHAIR, "主持人")
        self.member = ""

    async def prepare(self) -> None:
        """An agenda, and a member in the room."""
        drafts = [AgendaDraft("汇报", AgendaKind.REPORT), AgendaDraft("讨论", AgendaKind.DISCUSSION)]
        await self.world.agendas.edit("c", self.chair, drafts)
        self.member = await self.world.join("张三")

    async def start(self) -> None:
        await self.rehearsals.start("c", self.chair)
        await self.tick()
        self.recorder.emit(RecorderReady("c", "/run/rec.sock"))
        self.maker.emit(ProgramReady("c", "/run/p.tap", "/run/p.feed"))
        self.transcriber.emit(TranscriberReady("c", "/run/t.sock"))
        await self.tick()

    async def tick(self, seconds: float = 0.1) -> None:
        self.world.clock.forward(seconds)
        await self.recordings.tick()
        await self.recordings.write_rows()
        await self.programs.tick()
        await self.transcription.tick()
        await self.transcription.rows.write(everything=True)

    async def run_a_while(self) -> None:
        """Something of everything."""
        world = self.world
        item = (await self.agenda())[0]
        await world.agendas.start("c", self.chair, item.id)
        await world.floors.request("c", self.member)
        await world.floors.grant("c", self.chair, self.member, duration_ms=60_000)
        await world.statements.add("c", self.member, "演练发言", key="k" * 20)
        self.recorder.emit(replace(FILE, participant_id=self.member))
        self.transcriber.emit(Heard("c", self.member, 0, 2_000, (said("大家好", 0),), "vosk"))
        path = self.directory / "recordings" / "c" / "1"
        path.mkdir(parents=True, exist_ok=True)
        (path / "p-microphone-1.webm").write_text("sound")
        self.exporter.program("c")
        await self.tick(5.0)
        async with world.database.transaction() as unit:
            await unit.consultations.add_gap(ProgramGap("c", 1, 2))
            await unit.audit.append(world.rooms.entry(self.room(), self.chair.actor, "program.gap", "c"))

    def room(self) -> Any:
        room = self.world.rooms.find("c")
        assert room is not None
        return room

    async def agenda(self) -> Any:
        async with self.world.database.reading() as unit:
            return (await unit.agenda.get("c")).items

    async def clear(self) -> None:
        """Let the files go, as the server does in the background."""
        running = asyncio.create_task(self.rehearsals.run())
        try:
            await eventually(self._cleared)
        finally:
            running.cancel()

    async def _cleared(self) -> bool:
        await self.recordings.tick()
        await self.programs.tick()
        await self.transcription.tick()
        return not self.rehearsals.is_clearing("c")

    async def counts(self) -> dict[str, int]:
        """Rows by table, without the trace."""
        async with self.world.database._engine.connect() as connection:
            tables = SqlArchiveRows(connection).tables()
            found = {}
            for name in tables:
                query = sa.select(sa.func.count()).select_from(metadata.tables[name])
                found[name] = (await connection.execute(query)).scalar_one()
        return found

    async def actions(self) -> list[str]:
        return [line.action for line in await self.world.trace()]


@pytest.fixture
async def stage(world: World, tmp_path: Path) -> Stage:
    made = Stage(world, tmp_path)
    await made.prepare()
    return made


async def test_it_runs_as_a_live_session_does(stage: Stage) -> None:
    await stage.start()
    await stage.run_a_while()
    room = stage.room()
    assert (room.consultation.status, room.recording) == (Status.REHEARSAL, RecordingState.ON)
    assert (stage.recorder.begun, stage.maker.begun, stage.transcriber.begun) == (["c"], ["c"], ["c"])
    assert room.turn.state in (TurnState.WAITING, TurnState.RUNNING)
    assert stage.world.rooms.program_time_ms(room.consultation) == pytest.approx(5_200, abs=200)
    counts = await stage.counts()
    assert (counts["recordings"], counts["transcript_segments"], counts["statements"]) == (1, 1, 1)


async def test_its_end_leaves_everything_as_it_was(stage: Stage) -> None:
    before, agenda, people = await stage.counts(), await stage.agenda(), stage.room().views()
    mode = stage.room().consultation.mode
    await stage.start()
    await stage.run_a_while()
    late = await stage.world.join("李四")
    await stage.world.departures.leave("c", late)
    desk = await stage.world.desks.open("c", stage.chair, "台")
    await stage.world.moderation.mute("c", desk, stage.member, muted=True, hard=True)
    await stage.world.floors.set_mode("c", stage.chair, Mode.CHAIR)
    over = await stage.rehearsals.end("c", stage.chair)
    assert (over.consultation.status, over.consultation.started_at_ms) == (Status.SCHEDULED, None)
    assert over.kept_id is None
    await stage.clear()
    assert await stage.counts() == before
    assert await stage.agenda() == agenda
    room = stage.room()
    assert (room.views(), room.turn, room.consultation.mode) == (people, None, mode)
    assert (room.agenda.items, list(room.board.statements)) == (agenda, [])
    assert stage.world.rooms.program_time_ms(room.consultation) is None
    assert not (stage.directory / "recordings" / "c").exists()
    assert not (stage.directory / "program" / "c").exists()


async def test_the_trace_keeps_its_lines_and_one_says_what_went(stage: Stage) -> None:
    await stage.start()
    await stage.run_a_while()
    await stage.rehearsals.end("c", stage.chair)
    await stage.clear()
    lines = await stage.world.trace()
    actions = [line.action for line in lines]
    assert "statement.added" in actions
    ended = next(line for line in lines if line.action == "rehearsal.ended")
    said = json.loads(ended.content)
    assert said["kept"] is None
    assert said["erased"]["recordings"] == said["erased"]["transcript_segments"] == 1
    assert (
        said["erased"]["statements"] == said["erased"]["floor_turns"] == said["erased"]["program_gaps"] == 1
    )
    assert (await stage.world.consultations.get("c")).rehearsed_line == ended.number
    assert actions.index("rehearsal.cleared") > actions.index("rehearsal.ended")


async def test_what_is_told_late_is_not_written_down(stage: Stage) -> None:
    await stage.start()
    await stage.rehearsals.end("c", stage.chair)
    stage.recorder.emit(replace(FILE, is_ended=True, duration_ms=9))
    stage.transcriber.emit(Heard("c", stage.member, 0, 2_000, (said("再见", 0),), "vosk"))
    await stage.clear()
    stage.transcriber.emit(Heard("c", stage.member, 2_000, 3_000, (said("再见", 2_000),), "vosk"))
    await stage.world.life_cycle.start("c", stage.chair)
    await stage.tick()
    counts = await stage.counts()
    assert (counts["recordings"], counts["transcript_segments"], counts["transcript_coverage"]) == (0, 0, 0)
    stage.transcriber.emit(TranscriberReady("c", "/run/t2.sock"))
    stage.transcriber.emit(Heard("c", stage.member, 0, 2_000, (said("开会了", 0),), "vosk"))
    await stage.tick()
    assert (await stage.counts())["transcript_segments"] == 1


async def test_going_live_ends_it_and_begins_from_zero(stage: Stage) -> None:
    await stage.start()
    await stage.run_a_while()
    await stage.world.floors.request("c", stage.member)
    clearing = asyncio.create_task(stage.clear())
    live = await stage.rehearsals.go_live("c", stage.chair)
    await clearing
    assert (live.status, stage.world.rooms.program_time_ms(live)) == (Status.LIVE, 0)
    assert not (stage.directory / "recordings" / "c").exists()
    await stage.tick(1.0)
    assert (stage.recorder.begun, stage.maker.begun) == (["c", "c"], ["c", "c"])
    record = await stage.world.attendance.record("c", Role.CHAIR)
    assert (record.turns, record.statements, record.requests) == ((), (), ())
    assert [(each.from_ms, each.to_ms) for each in record.stays] == [(None, None)]
    actions = await stage.actions()
    assert actions.index("rehearsal.cleared") < actions.index("consultation.started")


async def test_a_rehearsal_is_one_of_those_that_run(stage: Stage) -> None:
    """And what was counted as one is not kept from going live, whatever came between."""
    database = stage.world.database
    noted = AuditEntry(STAFF_CHAIN, 1, None, CLI, "rules.changed", "o")
    async with database.transaction() as unit:
        await unit.organizations.add(Organization("o", "临江县政协", Level.COUNTY, None, 1))
        await unit.rules.save("o", Rules(max_live=1))
        await unit.consultations.save(replace(await stage.world.consultations.get("c"), organization_id="o"))
        await unit.audit.append(noted)
    await stage.world.consultations.create(ConsultationDraft(title="另一场", id="n", organization_id="o"))
    room = stage.room()
    room.consultation = await stage.world.consultations.get("c")

    await stage.world.life_cycle.start("n", stage.chair)
    with pytest.raises(ConferenceError) as caught:
        await stage.rehearsals.start("c", stage.chair)
    assert caught.value.code == "too_many_live"
    assert stage.room().consultation.status is Status.SCHEDULED
    async with database.reading() as unit:
        assert await unit.rehearsals.get("c") is None
    await stage.world.life_cycle.end("n", stage.chair)

    await stage.start()
    await stage.world.consultations.create(ConsultationDraft(title="第三场", id="m", organization_id="o"))
    with pytest.raises(ConferenceError) as caught:
        await stage.world.life_cycle.start("m", stage.chair)
    assert caught.value.code == "too_many_live"
    async with database.transaction() as unit:
        await unit.rules.save("o", Rules(max_live=2))
        await unit.audit.append(noted)
    await stage.world.life_cycle.start("m", stage.chair)
    async with database.transaction() as unit:
        await unit.rules.save("o", Rules(max_live=1))
        await unit.audit.append(noted)
    clearing = asyncio.create_task(stage.clear())
    live = await stage.rehearsals.go_live("c", stage.chair)
    await clearing
    assert live.status is Status.LIVE


async def test_recordings_of_the_meeting_wait_for_files_that_go_slowly(stage: Stage) -> None:
    await stage.start()
    await stage.rehearsals.end("c", stage.chair)
    await stage.world.life_cycle.start("c", stage.chair)
    await stage.tick()
    assert stage.recorder.begun == ["c"]
    await stage.clear()
    await stage.tick()
    assert stage.recorder.begun == ["c", "c"]


async def test_a_killed_server_goes_on_with_the_rehearsal(stage: Stage, tmp_path: Path) -> None:
    await stage.start()
    await stage.run_a_while()
    await stage.world.rooms.heartbeat()
    again = Stage(await stage.world.restart(), tmp_path)
    await again.rehearsals.restore()
    await again.tick()
    assert again.recorder.begun == ["c"]
    over = await again.rehearsals.end("c", again.chair)
    assert over.consultation.status is Status.SCHEDULED
    assert (await again.counts())["statements"] == 0


async def test_a_killed_server_goes_on_with_clearing(stage: Stage, tmp_path: Path) -> None:
    await stage.start()
    await stage.run_a_while()
    await stage.rehearsals.end("c", stage.chair)
    again = Stage(await stage.world.restart(), tmp_path)
    again.recorder.left["c"] = (replace(FILE, is_ended=True),)
    await again.rehearsals.restore()
    await again.recordings.restore()
    with pytest.raises(ConferenceError) as raised:
        await again.rehearsals.start("c", again.chair)
    assert raised.value.code == "rehearsal_clearing"
    await again.clear()
    await again.tick()
    assert not (tmp_path / "recordings" / "c").exists()
    assert (await again.counts())["recordings"] == 0
    assert (await again.counts())["rehearsals"] == 0


async def test_a_disk_in_trouble_is_tried_again(stage: Stage) -> None:
    await stage.start()
    await stage.run_a_while()
    await stage.rehearsals.end("c", stage.chair)
    stage.exporter.is_read_only = True
    await stage.tick()
    with pytest.raises(ConferenceError, match="scripted"):
        await stage.rehearsals.run()
    assert stage.rehearsals.is_clearing("c")
    stage.exporter.is_read_only = False
    await stage.clear()
    assert not (stage.directory / "recordings" / "c").exists()


async def test_one_that_is_kept_is_a_consultation_of_its_own(stage: Stage) -> None:
    await stage.start()
    await stage.run_a_while()
    over = await stage.rehearsals.end("c", stage.chair, keep=True)
    await stage.clear()
    assert over.kept_id is not None
    async with stage.world.database.reading() as unit:
        kept = await unit.consultations.get(over.kept_id)
        recordings = await unit.recordings.of(over.kept_id)
        turns = await unit.floor.turns(over.kept_id)
        people = await unit.participants.of(over.kept_id)
        agenda = await unit.agenda.get(over.kept_id)
        said = (await unit.transcript.between(over.kept_id, 0, 10_000))[0]
        assert await unit.recordings.of("c") == []
        assert len(await unit.participants.of("c")) == 1
    assert kept is not None
    assert (kept.status, kept.rehearsal_of, kept.is_public) == (Status.ENDED, "c", False)
    assert [each.path for each in recordings] == [f"{kept.id}/1/p-microphone-1.webm"]
    assert (stage.directory / "recordings" / kept.id / "1" / "p-microphone-1.webm").exists()
    assert not (stage.directory / "recordings" / "c").exists()
    own = people[0].id
    assert own != stage.member
    assert (recordings[0].participant_id, turns[0].participant_id, said.participant_id) == (own, own, own)
    assert agenda.items[0].state is ItemState.DONE
    assert turns[0].item_id == said.item_id == agenda.items[0].id
    assert next(line.action for line in await stage.world.trace(kept.id)) == "rehearsal.kept"


# ── comments ────────────────────────────────────────────────────────────────────────────────────


async def test_test_comments_are_put_to_the_session_and_seen_by_nobody(stage: Stage) -> None:
    await stage.start()
    real = await stage.audience.post("停车太难了")
    view = await stage.comments.add("c", stage.chair, "停车太难了")
    assert (view.state, view.group_id) == (CommentState.PENDING, view.id)
    shown = await stage.audience.promotions.promote("c", stage.chair, view.id)
    assert shown.phase is PromotionPhase.CURRENT
    assert stage.room().agenda.current.comment_id == view.id
    with pytest.raises(ConferenceError) as raised:
        await stage.audience.promotions.promote("c", stage.chair, real.id)
    assert raised.value.code == "rehearsal_comment"
    public = await stage.audience.comments.page("c")
    assert (public.items, public.total) == ((), 0)
    counts = await stage.counts()
    assert (counts["responses"], counts["notices"], counts["promotions"]) == (0, 0, 1)
    await stage.rehearsals.end("c", stage.chair)
    counts = await stage.counts()
    assert (counts["comments"], counts["promotions"]) == (1, 0)
    assert [each.text for each in (await stage.audience.board()).comments.values()] == ["停车太难了"]
    assert [each.comment_id for each in await stage.agenda()] == [None, None]


async def test_test_comments_are_for_rehearsals_alone(stage: Stage) -> None:
    with pytest.raises(ConferenceError, match="not being rehearsed"):
        await stage.comments.add("c", stage.chair, "停车太难了")
    await stage.start()
    with pytest.raises(ForbiddenError):
        await stage.comments.add("c", stage.world.bearer(Role.MEMBER), "停车太难了")


# ── the public ──────────────────────────────────────────────────────────────────────────────────


async def test_the_public_is_told_that_it_is_scheduled(stage: Stage) -> None:
    broadcasts, world = stage.audience.broadcasts, stage.world
    views = PublicViews(
        world.database, world.clock, broadcasts, NoFootage(), Viewers(world.rooms, broadcasts)
    )
    before = await views.get("c")
    await stage.start()
    await stage.run_a_while()
    await stage.audience.promotions.promote(
        "c", stage.chair, (await stage.comments.add("c", stage.chair, "好")).id
    )
    world.clock.forward(30.0)
    assert replace(await views.get("c"), beacon=before.beacon) == before
    assert (await views.text("c")).items == ()
    assert (await broadcasts.inside("c")).consultation.status is Status.REHEARSAL
    await stage.rehearsals.end("c", stage.chair)
    await stage.clear()
    await world.life_cycle.start("c", stage.chair)
    world.clock.forward(2.0)
    page = await views.get("c")
    assert (page.status, page.current_item, page.speaker) == (Status.LIVE, None, None)
    assert [each.title for each in page.agenda] == ["汇报", "讨论"]


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────


async def test_who_may_and_when(stage: Stage) -> None:
    for role in (Role.MEMBER, Role.OBSERVER, Role.MODERATOR):
        with pytest.raises(ForbiddenError):
            await stage.rehearsals.start("c", stage.world.bearer(role))
    with pytest.raises(ConferenceError, match="scheduled"):
        await stage.rehearsals.end("c", stage.chair)
    await stage.start()
    with pytest.raises(ConferenceError, match="does not lead"):
        await stage.rehearsals.start("c", stage.chair)
    with pytest.raises(ConferenceError, match="does not lead"):
        await stage.world.life_cycle.start("c", stage.chair)
    with pytest.raises(ForbiddenError):
        await stage.rehearsals.end("c", stage.world.bearer(Role.MODERATOR))
    assert stage.room().consultation.status is Status.REHEARSAL


async def test_an_end_that_is_not_written_leaves_it_running(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.start()
    await stage.run_a_while()

    async def refuse(*_: Any, **__: Any) -> None:
        raise ConferenceError("storage_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(stage.world.rooms, "save", refuse)
        with pytest.raises(ConferenceError):
            await stage.rehearsals.end("c", stage.chair)
    assert stage.room().consultation.status is Status.REHEARSAL
    assert not stage.rehearsals.is_clearing("c")
    stage.transcriber.emit(Heard("c", stage.member, 3_000, 4_000, (said("接着说", 3_000),), "vosk"))
    await stage.tick()
    assert (await stage.counts())["transcript_segments"] == 2
    await stage.rehearsals.end("c", stage.chair)
    assert stage.room().consultation.status is Status.SCHEDULED


async def test_one_that_everybody_left_is_over_after_half_an_hour(stage: Stage) -> None:
    await stage.start()
    await stage.world.departures.leave("c", stage.member)
    await stage.rehearsals.tick()
    stage.world.clock.forward(1_700.0)
    await stage.rehearsals.tick()
    assert (await stage.world.consultations.get("c")).status is Status.REHEARSAL
    stage.world.clock.forward(200.0)
    await stage.rehearsals.tick()
    assert (await stage.world.consultations.get("c")).status is Status.SCHEDULED


async def test_everybody_hears_of_both(stage: Stage) -> None:
    await stage.start()
    await stage.rehearsals.end("c", stage.chair)
    told = stage.world.publisher.of_kind("张三", ConsultationUpdated)
    states = list(dict.fromkeys(each.consultation.status for each in told))
    assert states == [Status.REHEARSAL, Status.SCHEDULED]


async def test_likes_and_taken_statements_of_before_are_as_they_were(stage: Stage) -> None:
    statements, world = stage.world.statements, stage.world
    view = await statements.add("c", stage.member, "会前发言", key="b" * 20)
    other = await world.join("李四")
    await statements.like("c", other, view.id, True)
    await stage.start()
    await statements.like("c", other, view.id, False)
    await statements.like("c", stage.member, view.id, True)
    await statements.take("c", stage.chair, view.id, True)
    await stage.rehearsals.end("c", stage.chair)
    board = stage.room().board
    assert (board.likers[view.id], board.statements[view.id].taken) == ({other}, False)


async def test_no_minutes_are_made_of_one(stage: Stage) -> None:
    world, desk = stage.world, Writing(stage.world).desk
    await stage.start()
    over = await stage.rehearsals.end("c", stage.chair, keep=True)
    await stage.clear()
    await stage.start()
    assert over.kept_id is not None
    for cid in ("c", over.kept_id):
        with pytest.raises(ConferenceError, match="made of meetings"):
            await desk.make(cid, MinutesKind.RECORD, world.bearer(Role.SECRETARIAT))
