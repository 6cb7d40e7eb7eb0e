"""Recordings: what the services make of what a recorder tells, with a scripted one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conference.events import ConsultationUpdated
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.media import RECORDING_TAP, TapLost
from conference.model.permissions import Role
from conference.model.recording import FileState, RecordingState
from conference.services.broadcasts import Broadcasts
from conference.services.ports import MediaError
from conference.services.recordings import Recordings
from conference.services.trace import Bearer
from conference.worker_events import RecordedFile, RecorderReady, RecorderTrouble
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedRecorder

SECRETARIAT = Bearer(Role.SECRETARIAT, "t_s", "秘书处")
FILE = RecordedFile("c", "c/1/p-camera-1.webm", "p_1", "camera", "vp8", 40, 7)


class Stage:
    """A live consultation with somebody in its room, and a recorder that does what the test says."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.recorder = ScriptedRecorder(directory)
        self.recordings = Recordings(world.rooms, self.recorder)
        world.media_sessions.follow(self.recordings.follow)

    async def begin(self) -> None:
        await self.world.join("张三")
        await self.world.life_cycle.start("c", Bearer(Role.CHAIR, "t_c", "主持人"))
        await self.recordings.tick()

    async def ready(self) -> None:
        self.recorder.emit(RecorderReady("c", "/run/rec.sock"))
        await self.recordings.tick()

    def lose_tap(self, name: str = RECORDING_TAP) -> None:
        self.world.media.emit(TapLost("c", name))

    async def told(self, file: RecordedFile) -> None:
        self.recorder.emit(file)
        await self.recordings.write_rows()

    def state(self) -> RecordingState:
        """As everybody in the room sees it."""
        room = self.world.rooms.find("c")
        assert room is not None
        return room.recording

    def taps(self) -> int:
        return sum(call[0] == "tap" for call in self.world.media.calls)

    async def said(self) -> list[str]:
        async with self.world.database.reading() as unit:
            lines = await unit.audit.lines("c", limit=1000)
        return [line.action.removeprefix("recording.") for line in lines if "recording." in line.action]


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    return Stage(world, tmp_path)


async def test_nothing_is_recorded_before_the_start(stage: Stage) -> None:
    await stage.world.join("张三")
    await stage.recordings.tick()
    assert stage.recorder.begun == []
    assert stage.state() is RecordingState.OFF


async def test_it_begins_by_itself_and_ends_with_the_consultation(stage: Stage) -> None:
    await stage.begin()
    assert (stage.recorder.begun, stage.state()) == (["c"], RecordingState.OFF)
    await stage.ready()
    await stage.recordings.tick()
    assert (stage.taps(), stage.state()) == (1, RecordingState.ON)
    await stage.world.life_cycle.end("c", Bearer(Role.CHAIR, "t_c", "主持人"))
    await stage.recordings.tick()
    assert (stage.recorder.ended, stage.state()) == (["c"], RecordingState.OFF)
    await stage.recordings.tick()
    assert stage.recorder.begun == ["c"]
    assert await stage.said() == ["started", "ended"]


async def test_everybody_hears_of_it(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    heard = stage.world.publisher.of_kind("张三", ConsultationUpdated)
    assert heard[-1].consultation.recording is RecordingState.ON


async def test_a_new_tap_for_each_time_that_the_worker_lost_its_own(stage: Stage) -> None:
    await stage.begin()
    for number in (1, 2, 3):
        await stage.ready()
        assert stage.taps() == number
    assert await stage.said() == ["started"]


async def test_a_worker_that_says_that_it_listens_is_tapped_once_for_a_tap_that_was_lost(
    stage: Stage,
) -> None:
    await stage.begin()
    await stage.ready()
    stage.lose_tap()
    await stage.recordings.tick()
    assert stage.taps() == 1
    await stage.ready()
    stage.lose_tap("program")
    await stage.recordings.tick()
    assert (stage.taps(), stage.state()) == (2, RecordingState.ON)
    assert await stage.said() == ["started"]


async def test_a_worker_that_hangs_is_trouble_and_tapped_again_after_a_while(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    stage.lose_tap()
    await stage.recordings.tick()
    assert stage.state() is RecordingState.ON
    stage.world.clock.forward(3)
    await stage.recordings.tick()
    assert (stage.taps(), stage.state()) == (1, RecordingState.TROUBLE)
    stage.world.clock.forward(2)
    await stage.recordings.tick()
    assert (stage.taps(), stage.state()) == (2, RecordingState.ON)
    assert await stage.said() == ["started", "interrupted", "started"]


async def test_a_tap_that_is_lost_before_it_was_heard_of_is_made_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.begin()
    tap = stage.world.media.tap

    async def lose(*arguments: Any, **named: Any) -> None:
        await tap(*arguments, **named)
        stage.lose_tap()

    monkeypatch.setattr(stage.world.media, "tap", lose)
    await stage.ready()
    assert (stage.taps(), stage.state()) == (1, RecordingState.OFF)
    monkeypatch.setattr(stage.world.media, "tap", tap)
    await stage.recordings.tick()
    assert (stage.taps(), stage.state()) == (2, RecordingState.ON)


async def test_nothing_is_kept_while_it_is_paused(stage: Stage) -> None:
    broadcasts, chair = Broadcasts(stage.world.rooms), Bearer(Role.CHAIR, "t_c", "主持人")
    await stage.begin()
    await stage.ready()
    await broadcasts.pause("c", chair, paused=True)
    stage.world.media.failures["untap"] = "media_unavailable"
    await stage.recordings.tick()
    assert stage.state() is RecordingState.ON, "nobody is told what is not true yet"
    del stage.world.media.failures["untap"]
    await stage.recordings.tick()
    assert (stage.state(), stage.world.media.taps) == (RecordingState.PAUSED, {})
    await stage.ready()  # the worker says that its tap has ended
    stage.world.clock.forward(60)
    await stage.recordings.tick()
    assert (stage.state(), stage.world.media.taps) == (RecordingState.PAUSED, {})
    again = Stage(await stage.world.restart(), stage.recorder.directory)
    await again.recordings.tick()
    await again.ready()
    assert (again.state(), again.world.media.taps) == (RecordingState.PAUSED, {})
    await Broadcasts(again.world.rooms).pause("c", chair, paused=False)
    await again.recordings.tick()
    assert again.state() is RecordingState.ON
    assert await again.said() == ["started", "paused", "resumed", "started"]


async def test_trouble_is_said_and_goes_by(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    stage.recorder.emit(RecorderTrouble("c", "disk_full"))
    await stage.recordings.tick()
    assert stage.state() is RecordingState.TROUBLE
    await stage.ready()
    assert stage.state() is RecordingState.ON
    assert await stage.said() == ["started", "interrupted", "started"]


async def test_a_worker_that_does_not_come_is_trouble_after_a_while(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(2)
    await stage.recordings.tick()
    assert stage.state() is RecordingState.OFF
    stage.world.clock.forward(2)
    await stage.recordings.tick()
    assert stage.state() is RecordingState.TROUBLE


async def test_a_media_process_that_refuses_is_asked_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.begin()
    tap = stage.world.media.tap

    async def refuse(*_: object, **__: object) -> None:
        raise MediaError("media_unavailable")

    monkeypatch.setattr(stage.world.media, "tap", refuse)
    await stage.ready()
    assert stage.state() is RecordingState.OFF
    monkeypatch.setattr(stage.world.media, "tap", tap)
    await stage.recordings.tick()
    assert stage.state() is RecordingState.ON


async def test_rows_follow_the_files(stage: Stage) -> None:
    await stage.begin()
    await stage.told(FILE)
    (row,) = await stage.recordings.list("c")
    assert (row.path, row.state, row.started_at_ms, row.sha256) == (FILE.path, FileState.RECORDING, 40, None)
    ended = replace(FILE, is_ended=True, is_whole=True, duration_ms=900, size_bytes=5, sha256="a" * 64)
    for _ in range(2):  # told twice, as after a restart, is noted once
        await stage.told(ended)
        await stage.told(FILE)
    (row,) = await stage.recordings.list("c")
    assert (row.state, row.duration_ms, row.size_bytes, row.sha256) == (FileState.DONE, 900, 5, "a" * 64)
    assert await stage.said() == ["file_opened", "file_closed"]


async def test_what_another_life_left_is_found_at_the_start(stage: Stage) -> None:
    await stage.begin()
    await stage.told(FILE)
    again = Stage(stage.world, stage.recorder.directory)
    other = replace(FILE, path="c/1/p-camera-2.webm")
    again.recorder.left["c"] = tuple(replace(each, is_ended=True, duration_ms=8) for each in (FILE, other))
    await again.recordings.restore()
    await _run_until(again, lambda: again.recorder.settled == ["c"])
    await again.recordings.write_rows()
    rows = await again.recordings.list("c")
    assert [(row.state, row.duration_ms) for row in rows] == [(FileState.BROKEN, 8)] * 2


async def test_a_file_whose_row_alone_was_deleted_goes_at_the_next_start(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.begin()
    kept = replace(FILE, path="c/1/p-camera-2.webm", is_ended=True, is_whole=True)
    stuck = replace(kept, path="c/1/p-camera-0.webm")
    for file in (replace(FILE, is_ended=True, is_whole=True), kept, stuck):
        await stage.told(file)
        (tmp_path / file.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.path).write_bytes(b"x")

    async def die(path: str) -> None:
        raise OSError(5, f"no way to {path}")

    by_path = {row.path: row for row in await stage.recordings.list("c")}
    with monkeypatch.context() as patched:
        patched.setattr(stage.recorder, "remove", die)
        for path in (FILE.path, stuck.path):
            with pytest.raises(OSError, match="no way"):
                await stage.recordings.delete("c", by_path[path].id, SECRETARIAT)
    again = Stage(stage.world, tmp_path)
    remove = again.recorder.remove

    async def but_one(path: str) -> None:
        await (die if path == stuck.path else remove)(path)

    monkeypatch.setattr(again.recorder, "remove", but_one)
    await _run_until(again, lambda: not (tmp_path / FILE.path).exists())
    assert (tmp_path / kept.path).exists()
    assert (tmp_path / stuck.path).exists()


async def test_files_wait_while_the_database_is_in_trouble(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.begin()
    stage.recorder.emit(FILE)
    with monkeypatch.context() as patched:

        def fail() -> None:
            raise ConferenceError("storage_unavailable")

        patched.setattr(stage.world.database, "transaction", fail)
        with pytest.raises(ConferenceError):
            await stage.recordings.write_rows()
    await stage.recordings.write_rows()
    assert len(await stage.recordings.list("c")) == 1


async def test_who_may_have_and_delete_them(stage: Stage, tmp_path: Path) -> None:
    await stage.begin()
    await stage.told(FILE)
    (row,) = await stage.recordings.list("c")
    for refused in (stage.recordings.open, stage.recordings.delete):
        with pytest.raises(ConferenceError, match="still being recorded"):
            await refused("c", row.id, SECRETARIAT)
    await stage.told(replace(FILE, is_ended=True, is_whole=True, sha256="a" * 64))
    path = tmp_path / FILE.path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    for role in (Role.CHAIR, Role.MEMBER, Role.MODERATOR):
        for refused in (stage.recordings.open, stage.recordings.delete):
            with pytest.raises(ForbiddenError):
                await refused("c", row.id, Bearer(role, "t", "某"))
    with pytest.raises(NotFoundError):
        await stage.recordings.open("other", row.id, SECRETARIAT)
    assert (await stage.recordings.open("c", row.id, SECRETARIAT))[1] == path
    await stage.recordings.delete("c", row.id, SECRETARIAT)
    assert not path.exists()
    await stage.told(replace(FILE, is_ended=True, is_whole=True))  # found again in the manifest
    assert await stage.recordings.list("c") == []
    assert (await stage.said())[-2:] == ["downloaded", "deleted"]


async def _run_until(stage: Stage, done: Callable[[], bool]) -> None:
    task = asyncio.create_task(stage.recordings.run())
    try:
        await eventually(done)
        await asyncio.sleep(0)
    finally:
        task.cancel()
