"""The maker of exports: real processes and directories, without a server."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from conference.export_job import ExportJob
from conference.model.errors import ConferenceError
from conference.services.ports import ExportFailedError
from recording.hls.journal import Journal
from signaling.exports import ExportWorkers
from tests.support import process
from tests.support.eventually import eventually
from tests.support.program_files import MadeLife, make_program

PROGRAM = ExportJob("program", "c", "协商会")
OUT = "c/exports/x.mp4"


class Place:
    """Directories, and what is forgotten of them."""

    def __init__(self, path: Path, reserve_bytes: int = 1) -> None:
        self.recordings, self.programs = path / "recordings", path / "program"
        for each in (self.recordings, self.programs):
            each.mkdir(exist_ok=True)
        self.forgotten: list[str] = []
        self.workers = ExportWorkers(
            self.recordings, self.programs, reserve_bytes=reserve_bytes, forget=self.forgotten.append
        )

    def left(self) -> list[str]:
        return sorted(each.name for each in self.recordings.glob("*/exports/*"))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def children() -> list[int]:
    return [
        pid for pid in process.descendants(os.getpid()) if "recording.exports" in process.command_line(pid)
    ]


async def test_it_says_how_far_it_is_and_what_came_of_it(place: Place) -> None:
    make_program(place.programs / "c", [MadeLife(0, 3)])
    told: list[int] = []
    made = await place.workers.make(PROGRAM, OUT, told.append)
    assert told == sorted(set(told))
    assert told[-1] <= 99
    assert place.workers.path(OUT).stat().st_size == made.size_bytes
    assert made.duration_ms == 3_000


async def test_reasons(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ExportFailedError) as failed:
        await place.workers.make(PROGRAM, OUT, lambda _: None)
    assert failed.value.reason == "nothing_recorded"
    make_program(place.programs / "c", [MadeLife(0, 1)])
    full = Place(tmp_path, reserve_bytes=1 << 60)
    with pytest.raises(ExportFailedError) as failed:
        await full.workers.make(PROGRAM, OUT, lambda _: None)
    assert failed.value.reason == "disk_full"
    assert place.left() == []


async def test_a_process_that_is_killed_leaves_no_half_file(place: Place) -> None:
    make_program(place.programs / "c", [MadeLife(0, 1)])
    making = asyncio.create_task(place.workers.make(PROGRAM, OUT, lambda _: None))
    (victim,) = await eventually(children, what="a process")
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(ExportFailedError) as failed:
        await making
    assert failed.value.reason == "worker_ended"
    assert place.left() == []


async def test_nobody_makes_what_nobody_waits_for(place: Place) -> None:
    make_program(place.programs / "c", [MadeLife(0, 1)])
    making = asyncio.create_task(place.workers.make(PROGRAM, OUT, lambda _: None))
    (victim,) = await eventually(children, what="a process")
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    assert not process.alive(victim)
    assert place.left() == []


async def test_what_is_here(place: Place) -> None:
    workers = place.workers
    assert not await workers.has_files("c")
    assert not await workers.has_program("c")
    assert not await workers.is_written("c")
    with_nothing = place.programs / "d"
    with_nothing.mkdir()
    assert await workers.has_files("d")
    assert not await workers.has_program("d")
    make_program(place.programs / "c", [MadeLife(0, 1)])
    assert await workers.has_program("c")
    assert await workers.has_program("c", [(1_000, None)])
    assert not await workers.has_program("c", [(0, None)])
    with Journal(place.programs / "c"):
        assert await workers.is_written("c")
    assert not await workers.is_written("c")


async def test_removing_sweeping_clearing(place: Place) -> None:
    for cid in ("c", "d"):
        exports = place.recordings / cid / "exports"
        exports.mkdir(parents=True)
        (place.recordings / cid / "1").mkdir()
        (place.recordings / cid / "1" / "x_1.mp4").write_text("a track")
        for name in ("x_1.mp4", "x_2.m4a", "x_3.mp4.part"):
            (exports / name).write_text("x")
    make_program(place.programs / "c", [MadeLife(0, 1)])
    workers = place.workers
    await workers.sweep({"c/exports/x_1.mp4", "d/exports/x_2.m4a"})
    assert place.left() == ["x_1.mp4", "x_2.m4a"]
    for _ in range(2):
        await workers.remove("d/exports/x_2.m4a")
    assert place.left() == ["x_1.mp4"]
    for _ in range(2):
        await workers.clear("c")
        assert not await workers.has_files("c")
    assert place.forgotten == ["c", "c"]
    assert (place.recordings / "d" / "1" / "x_1.mp4").read_text() == "a track"


async def test_a_disk_that_refuses_is_said(place: Place) -> None:
    (place.recordings / "c").write_text("no directory")
    with pytest.raises(ConferenceError) as refused:
        await place.workers.remove("c/exports/x.mp4")
    assert refused.value.code == "storage_unavailable"
