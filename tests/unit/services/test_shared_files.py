"""Nodes that see the same files: who may close, clear and make what, and that another one's work is left alone."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conference.model.claim import Elsewhere
from conference.model.clip import ClipState
from conference.model.errors import ConferenceError
from conference.model.export import ExportKind, ExportState
from conference.model.permissions import Role
from conference.model.rehearsal import RehearsalState
from conference.services.catching_up import CatchingUp
from conference.services.clips import Clips
from conference.services.exports import Exports
from conference.services.files import Files
from conference.services.recordings import Recordings
from conference.services.recovery import Recovery
from conference.services.retention import Retention
from conference.storage.clips import DirectoryClips
from conference.storage.files import DirectoryFiles
from conference.storage.works import DirectoryWorks
from recording.program.supervisor import ProgramSupervisor
from signaling.exports import ExportWorkers
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedRecorder
from tests.unit.services.scripted_clips import pieces
from tests.unit.services.scripted_exports import ScriptedExporter
from tests.unit.services.shared_registry import SharedRegistry
from tests.unit.services.test_catching_up import Stage as HearingStage
from tests.unit.services.test_clips import DESK
from tests.unit.services.test_clips import Stage as ClipStage
from tests.unit.services.test_exports import PROGRAM, SECRETARIAT
from tests.unit.services.test_exports import Stage as ExportStage
from tests.unit.services.test_recordings import FILE
from tests.unit.services.test_recordings import Stage as RecordingStage
from tests.unit.services.test_rehearsals import Stage as RehearsalStage
from tests.unit.services.test_transcription import said

HOUR_S = 3600.0


@pytest.fixture
def works(tmp_path: Path) -> DirectoryWorks:
    (tmp_path / "locks").mkdir()
    return DirectoryWorks(tmp_path / "locks")


def sharing(world: World, node: str = "a") -> SharedRegistry:
    """Other nodes see the files of this one."""
    registry = world.rooms.registry = SharedRegistry(node)
    world.rooms.shares_files = True
    return registry


# ── the claim of a room, for its files ──────────────────────────────────────────────────────────


async def test_files_of_a_room_are_for_who_holds_it(world: World) -> None:
    registry = sharing(world)
    registry.others["c"] = Elsewhere("b", 1)
    async with world.rooms.keeping("c") as ours:
        assert not ours
    del registry.others["c"]
    async with world.rooms.keeping("c") as ours:
        assert ours
        assert (await registry.claim("c")).is_new is False, "nobody else opens it meanwhile"
        async with world.rooms.keeping("c") as twice:
            assert twice
        assert (await registry.claim("c")).is_new is False
    assert (await registry.claim("c")).is_new, "it was given back"


async def test_a_room_that_is_kept_is_taken_over_when_it_is_opened(world: World) -> None:
    me = await world.join("s")
    await world.life_cycle.start("c", World.bearer(Role.CHAIR))
    await world.rooms.heartbeat()
    claim = world.resume("s")
    world.clock.forward(20)
    other = World(world.database, world.clock, world.limits)
    sharing(other, "b")
    Recovery(other.rooms, other.programs, other.floor_clock, other.attendance)
    async with other.rooms.keeping("c") as ours:
        assert ours
        assert await other.join("s2", resume=claim) == me
    assert other.publisher.snapshot("s2").self.resumed
    async with world.database.reading() as unit:
        assert len(await unit.consultations.gaps("c")) == 1
    assert (await other.rooms.registry.claim("c")).is_new is False, "it is still ours: somebody is in it"


async def test_while_its_rows_are_fresh_a_room_is_nobody_elses(world: World) -> None:
    await world.join("s")
    await world.rooms.heartbeat()
    other = World(world.database, world.clock, world.limits)
    sharing(other, "b")
    Recovery(other.rooms, other.programs, other.floor_clock, other.attendance)
    async with other.rooms.keeping("c") as ours:
        assert not ours


# ── recordings ──────────────────────────────────────────────────────────────────────────────────


async def test_what_a_dead_node_left_open_is_closed_by_another(world: World, tmp_path: Path) -> None:
    stage = RecordingStage(world, tmp_path)
    await stage.begin()
    await stage.ready()
    await stage.told(FILE)
    registry = sharing(world)
    recorder = ScriptedRecorder(tmp_path)
    other = Recordings(world.rooms, recorder)
    running = asyncio.create_task(other.run())
    registry.others["c"] = Elsewhere("b", 1)
    await other.look_for_left()
    assert other._to_settle.empty(), "who holds the room records it"
    del registry.others["c"]
    recorder.writing.add(FILE.path)
    await other.look_for_left()
    assert other._to_settle.empty(), "it is our own, and being written"
    recorder.writing.clear()
    await other.look_for_left()
    await eventually(lambda: recorder.settled == ["c"])
    await other.look_for_left()
    await asyncio.sleep(0)
    assert recorder.settled == ["c"], "what cannot be closed yet is not tried all the time"
    world.clock.forward(5)
    recorder.left["c"] = (replace(FILE, is_ended=True, duration_ms=9, size_bytes=7, sha256="a" * 64),)
    await other.look_for_left()
    await eventually(lambda: recorder.settled == ["c", "c"])
    await eventually(lambda: bool(other._files))
    await other.write_rows()
    (row,) = await other.list("c")
    assert (row.state, row.size_bytes) == ("broken", 7)
    world.clock.forward(60)
    await other.look_for_left()
    assert other._to_settle.empty()
    running.cancel()


async def test_files_of_a_room_that_another_node_holds_are_not_closed(world: World, tmp_path: Path) -> None:
    stage = RecordingStage(world, tmp_path)
    await stage.begin()
    await stage.told(FILE)
    registry = sharing(world)
    recorder = ScriptedRecorder(tmp_path)
    other = Recordings(world.rooms, recorder)
    await other.restore()
    registry.others["c"] = Elsewhere("b", 1)  # it was heard a moment later
    world.rooms._rooms.clear()
    running = asyncio.create_task(other.run())
    await eventually(lambda: other._to_settle.empty())
    await asyncio.sleep(0.05)
    assert recorder.settled == []
    running.cancel()


# ── rehearsals ──────────────────────────────────────────────────────────────────────────────────


async def test_what_a_dead_node_was_clearing_away_is_gone_before_the_meeting(
    world: World, tmp_path: Path
) -> None:
    stage = RehearsalStage(world, tmp_path)
    await stage.prepare()
    await stage.start()
    await stage.run_a_while()
    await stage.rehearsals.end("c", stage.chair)  # and the node dies before its files are cleared away
    world.clock.forward(60)
    other = RehearsalStage(World(world.database, world.clock, world.limits), tmp_path)
    registry = sharing(other.world, "b")
    registry.others["c"] = Elsewhere("a", 1)
    await other.rehearsals.restore()
    assert not other.rehearsals.is_clearing("c"), "it is for who holds the room"
    del registry.others["c"]
    recovery = Recovery(
        other.world.rooms, other.world.programs, other.world.floor_clock, other.world.attendance
    )
    recovery.follow(other.rehearsals.take_over)
    await other.world.join("李四")
    assert other.rehearsals.is_clearing("c")
    assert (tmp_path / "recordings" / "c").exists()
    running = asyncio.create_task(other.rehearsals.run())
    await eventually(lambda: not other.rehearsals.is_clearing("c"))
    running.cancel()
    assert not (tmp_path / "recordings" / "c").exists()
    async with world.database.reading() as unit:
        assert [e for e in await unit.rehearsals.all() if e.state is RehearsalState.CLEARING] == []


# ── what is made for all ────────────────────────────────────────────────────────────────────────


async def test_an_export_is_made_by_one_server(world: World, tmp_path: Path, works: DirectoryWorks) -> None:
    stage = ExportStage(world, tmp_path)
    await stage.hold()
    await stage.end()
    stage.maker.program()
    is_made: Callable[[str], bool] = lambda _: False  # noqa: E731 it is short
    makers = [ScriptedExporter(tmp_path) for _ in range(2)]
    servers = [Exports(world.database, world.clock, maker, is_made, works) for maker in makers]
    for maker in makers:
        maker.may_end.clear()
    running = [asyncio.create_task(each.run()) for each in servers]
    await eventually(lambda: sum(len(each.jobs) for each in makers) == 1)
    await asyncio.sleep(0.2)
    assert sum(len(each.jobs) for each in makers) == 1
    for maker in makers:
        maker.may_end.set()

    async def made() -> bool:
        return [each.state for each in await servers[0].list("c")] == [ExportState.DONE]

    await eventually(made)
    await asyncio.sleep(0.2)
    assert sum(len(each.jobs) for each in makers) == 1
    for each in running:
        each.cancel()
    lines = [line.action for line in await world.trace() if line.action.startswith("export.")]
    assert lines == ["export.requested", "export.finished"]


async def test_servers_that_look_at_once_ask_for_one_file_of_the_program(
    world: World, tmp_path: Path, works: DirectoryWorks
) -> None:
    stage = ExportStage(world, tmp_path)
    await stage.hold()
    await stage.end()
    maker = ScriptedExporter(tmp_path)
    servers = [Exports(world.database, world.clock, maker, lambda _: False, works) for _ in range(4)]
    await asyncio.gather(*(each.queue_programs() for each in servers))
    maker.program()  # what another server wrote is seen a little later
    await asyncio.gather(*(each.queue_programs() for each in servers))
    assert [each.kind for each in await servers[0].list("c")] == [ExportKind.PROGRAM]


async def test_a_start_leaves_the_half_files_of_others(
    world: World, tmp_path: Path, works: DirectoryWorks
) -> None:
    recordings, clips = tmp_path / "recordings", tmp_path / "clips"
    young, old = recordings / "c/exports/young.mp4.part", recordings / "c/exports/old.mp4.part"
    sent, forgotten = clips / "c/sent.original.part", clips / "c/forgotten.mp4"
    for path in (young, old, sent, forgotten):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        at_s = world.clock.wall_ms() / 1000 - (2 * HOUR_S if path in (old, forgotten) else 60)
        os.utime(path, (at_s, at_s))
    maker = ExportWorkers(recordings, tmp_path / "program", reserve_bytes=0, forget=lambda _: None)
    await Exports(world.database, world.clock, maker, lambda _: False, works).restore()
    store = DirectoryClips(clips, max_bytes=1000, reserve_bytes=0)
    stage = ClipStage(world, clips)
    await Clips(world.database, store, stage.maker, world.clock, works).restore()
    assert [each.exists() for each in (young, old, sent, forgotten)] == [True, False, True, False]
    await Exports(world.database, world.clock, maker, lambda _: False).restore()
    await Clips(world.database, store, stage.maker, world.clock).restore()
    assert [each.exists() for each in (young, sent)] == [False, False], "on a directory of its own it is ours"


async def test_a_film_is_prepared_by_one_server(world: World, tmp_path: Path, works: DirectoryWorks) -> None:
    stages = [ClipStage(world, tmp_path / "clips") for _ in range(2)]
    for stage in stages:
        stage.clips = Clips(world.database, stage.store, stage.maker, world.clock, works)
        stage.maker.may_end.clear()
    clip = await stages[0].add()
    running = [asyncio.create_task(each.clips.run()) for each in stages]
    await eventually(lambda: sum(len(each.maker.prepared) for each in stages) == 1)
    await asyncio.sleep(0.2)
    for stage in stages:
        stage.maker.may_end.set()

    async def ready() -> bool:
        return (await stages[1].clips.list("c", DESK))[0].state is ClipState.READY

    await eventually(ready)
    assert [each for stage in stages for each in stage.maker.prepared] == [clip.id]
    for each in running:
        each.cancel()


async def test_material_that_two_servers_add_and_remove_stays_whole(
    world: World, tmp_path: Path, works: DirectoryWorks
) -> None:
    content = b"%PDF-1.7 material"
    servers = [
        Files(world.database, DirectoryFiles(tmp_path / "files"), world.clock, works) for _ in range(2)
    ]
    consultation = await world.consultations.get("c")
    for _ in range(10):
        file = await servers[0].add(consultation, SECRETARIAT, "一.pdf", content)
        removed = servers[0].remove(consultation, SECRETARIAT, file.id)
        _, again = await asyncio.gather(removed, servers[1].add(consultation, SECRETARIAT, "二.pdf", content))
        _, path = await servers[0].open("c", again.id)
        assert path.read_bytes() == content
        await servers[1].remove(consultation, SECRETARIAT, again.id)
        assert not path.exists()


async def test_one_server_clears_away_what_is_too_old(
    world: World, tmp_path: Path, works: DirectoryWorks
) -> None:
    stage = ExportStage(world, tmp_path)
    await stage.hold()
    await stage.end()
    stage.maker.program()
    await stage.exports.request("c", SECRETARIAT, PROGRAM)
    world.clock.forward(31 * 24 * HOUR_S)
    swept = Retention(world.database, world.clock, stage.maker, stage.exports, days=30, works=works)
    async with works.alone("retention"):
        await swept.tick()
        assert await stage.maker.has_files("c"), "another server is at it"
    await asyncio.gather(*(swept.tick() for _ in range(2)))
    assert not await stage.maker.has_files("c")
    assert [line.action for line in await world.trace()].count("export.deleted") == 1


async def test_nothing_counts_as_cleared_away_while_the_directory_is_gone(tmp_path: Path) -> None:
    def require() -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    workers = ExportWorkers(
        tmp_path / "recordings", tmp_path / "program", reserve_bytes=0, forget=lambda _: None, require=require
    )
    for asked in (workers.clear("c"), workers.move("c", "d"), workers.remove("c/exports/x.mp4")):
        with pytest.raises(ConferenceError) as refused:
            await asked
        assert refused.value.code == "storage_unavailable"
    supervisor = ProgramSupervisor(tmp_path, tmp_path / "run", reserve_bytes=0, require=require)
    with pytest.raises(OSError, match="Stale"):
        await supervisor.erase("c", 0, 1000)
    with pytest.raises(ConferenceError):
        await DirectoryFiles(tmp_path / "files", require).keep("a" * 64, b"x")
    store = DirectoryClips(tmp_path / "clips", max_bytes=10, reserve_bytes=0, require=require)
    with pytest.raises(ConferenceError):
        await store.receive("c/x.mp4", pieces(b"film"))
    assert os.listdir(tmp_path) == []


async def test_what_was_left_out_is_heard_by_one_server(world: World, works: DirectoryWorks) -> None:
    stage = HearingStage(world)
    given = (world.rooms, stage.transcription, stage.transcriber, stage.recorder)
    stage.catching_up = CatchingUp(*given, works)
    await stage.begin()
    world.clock.forward(30)
    await stage.hears(0, 10_000)
    await stage.hears(16_000, 20_000, said("后来说的话", 17_000))
    await stage.catch_up()
    assert len(stage.transcriber.asked) == 1
    for other, asked in ((CatchingUp(*given, works), 1), (CatchingUp(*given), 2)):
        await other.restore()
        world.clock.forward(6)
        await other.tick()
        assert len(stage.transcriber.asked) == asked, (
            "a server that sees other files hears what is in its own"
        )
