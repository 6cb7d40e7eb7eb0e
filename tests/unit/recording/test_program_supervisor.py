"""The program workers of a node: started, told, killed, started again; with a worker that makes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conference.model.program import Direction, Phase
from conference.worker_events import (
    ProgramEvent,
    ProgramLoad,
    ProgramReady,
    ProgramShown,
    ProgramTrouble,
    Scene,
)
from recording.hls.journal import Journal, read_journal
from recording.program.supervisor import ProgramSupervisor
from tests.support.eventually import eventually


def scene(title: str) -> Scene:
    return Scene(Phase.LIVE, title, "", None, None, None, None, (), (), None, None, Direction())


class Watched:
    """A supervisor, and what it said with the time at which it did."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.directory = directory / "program"
        self.run = options.pop("run", directory / "run")
        self.events: list[tuple[float, ProgramEvent]] = []
        self.facts: list[str] = []
        given = {"reserve_bytes": 1, "module": "tests.support.scripted_worker", **options}
        self.made = ProgramSupervisor(self.directory, self.run, take_fact=self._take, **given)
        self.made.listen(lambda event: self.events.append((asyncio.get_running_loop().time(), event)))

    def _take(self, consultation_id: str, fact: dict[str, Any]) -> None:
        self.facts.append(fact["fact"])
        if fact["fact"] == "load":
            raise RuntimeError("a store that fails takes nobody down")

    def of(self, kind: type[ProgramEvent]) -> list[ProgramEvent]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def told(self, consultation_id: str = "c") -> list[dict[str, Any]]:
        path = self.directory / consultation_id / "told.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def titles(self, consultation_id: str = "c") -> list[str]:
        return [each["scene"]["title"] for each in self.told(consultation_id) if each.get("do") == "scene"]


@asynccontextmanager
async def watched(directory: Path, **options: Any) -> AsyncIterator[Watched]:
    made = Watched(directory, **options)
    try:
        yield made
    finally:
        await made.made.close()


async def gone(pid: int) -> None:
    def is_gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    await eventually(is_gone)


async def test_a_worker_is_told_the_newest_scene_and_ends_when_told(tmp_path: Path) -> None:
    async with watched(tmp_path) as on:
        on.made.begin("c")
        on.made.begin("c")
        for title in ("一", "二"):
            on.made.show("c", scene(title))
        await eventually(lambda: on.titles() == ["二"])
        on.made.show("c", scene("三"))
        await eventually(lambda: on.titles() == ["二", "三"])
        assert on.of(ProgramReady) == [
            ProgramReady("c", str(on.run / "prog-c.tap"), str(on.run / "prog-c.feed"))
        ]
        assert on.of(ProgramShown) == [ProgramShown("c", "grid", ("p_1",))]
        await eventually(lambda: ProgramLoad("c", 1, 25.0, 0.5, 0) in on.of(ProgramLoad))
        assert on.told()[0]["options"]["renditions"] == ["720p", "360p", "audio"]
        on.made.end("c")
        await on.made.wait_ended("c")
        assert on.told()[-1] == {"do": "end"}
        assert on.facts[-2:] == ["ended", "gone"]
        assert (on.of(ProgramTrouble), on.made.pids()) == ([], {})


async def test_a_worker_gets_emblem_and_time_zone(tmp_path: Path) -> None:
    emblem = tmp_path / "emblem.png"
    async with watched(tmp_path, emblem=emblem, time_zone="Asia/Urumqi") as on:
        on.made.begin("c")
        await eventually(lambda: on.told())
        options = on.told()[0]["options"]
        assert (options["emblem"], options["time_zone"]) == (str(emblem), "Asia/Urumqi")


async def test_a_killed_one_is_started_again_and_told_the_newest(tmp_path: Path) -> None:
    async with watched(tmp_path) as on:
        on.made.begin("c")
        on.made.show("c", scene("一"))
        await eventually(lambda: on.titles() == ["一"])
        os.kill(on.made.pids()["c"], signal.SIGKILL)
        await eventually(lambda: on.of(ProgramTrouble))
        on.made.show("c", scene("二"))
        await eventually(lambda: on.titles() == ["一", "二"])
        assert on.of(ProgramTrouble) == [ProgramTrouble("c", "worker_ended")]
        assert on.facts.count("gone") == 1
        assert len(on.of(ProgramReady)) == 2


async def test_one_that_dies_again_and_again_is_waited_for_longer_and_longer(tmp_path: Path) -> None:
    async with watched(tmp_path) as on:
        on.made.begin("dies")
        on.made.begin("c")
        await eventually(lambda: len(on.of(ProgramTrouble)) == 4)
        times = [at for at, event in on.events if isinstance(event, ProgramTrouble)]
        pauses = [after - before for before, after in pairwise(times)]
        assert all(pause >= least for pause, least in zip(pauses, (0.2, 0.4, 0.8), strict=True))
        assert len(on.of(ProgramReady)) == 1, "another program is not harmed"
        on.made.end("dies")
        await on.made.wait_ended("dies")
        count = len(on.told("dies"))
        await asyncio.sleep(0.3)
        assert len(on.told("dies")) == count


async def test_one_that_hangs_is_killed(tmp_path: Path) -> None:
    async with watched(tmp_path, silent_s=0.3) as on:
        on.made.begin("hangs")
        await eventually(lambda: on.of(ProgramReady))
        pid = on.told("hangs")[0]["pid"]
        await eventually(lambda: on.of(ProgramTrouble))
        await gone(pid)


async def test_nonsense_is_passed_over(tmp_path: Path) -> None:
    async with watched(tmp_path) as on:
        on.made.begin("nonsense")
        await eventually(lambda: on.of(ProgramShown))
        assert on.of(ProgramLoad) == []
        assert on.of(ProgramTrouble) == []


async def test_why_it_ended_is_said(tmp_path: Path) -> None:
    async with watched(tmp_path) as on:
        on.made.begin("c")
        on.made.show("c", scene("满了"))
        await eventually(lambda: on.of(ProgramTrouble))
        assert on.of(ProgramTrouble)[0] == ProgramTrouble("c", "disk_full")


@pytest.mark.parametrize(
    ("prepare", "options", "reason"),
    [
        (lambda path: None, {"reserve_bytes": 1 << 62}, "disk_full"),
        (lambda path: path.joinpath("program").write_text(""), {}, "disk_failed"),
    ],
)
async def test_a_disk_that_does_not_take_it(
    tmp_path: Path, prepare: Callable[[Path], object], options: dict[str, Any], reason: str
) -> None:
    prepare(tmp_path)
    async with watched(tmp_path, **options) as on:
        on.made.begin("c")
        await eventually(lambda: on.of(ProgramTrouble))
        assert on.of(ProgramTrouble)[0] == ProgramTrouble("c", reason)
        assert on.made.pids() == {}


async def test_one_life_after_the_other(tmp_path: Path) -> None:
    """Switched off and on again at once: the next begins when the one before has closed its last segment."""
    async with watched(tmp_path) as on:
        on.made.begin("c")
        await eventually(lambda: on.of(ProgramReady))
        on.made.end("c")
        on.made.begin("c")
        await eventually(lambda: len(on.of(ProgramReady)) == 2)
        life = ["life", "ready", "layout"]
        await eventually(lambda: on.facts == [*life, "ended", "gone", *life])


async def test_the_end_of_the_server_is_no_end_of_the_program(tmp_path: Path) -> None:
    async with watched(tmp_path) as on:
        on.made.begin("c")
        on.made.show("c", scene("一"))
        await eventually(on.titles)
        pid = on.made.pids()["c"]
    await gone(pid)
    assert {"do": "end"} not in on.told()
    assert on.facts[-1] == "gone"
    assert list(on.run.iterdir()) == []


async def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    async with watched(tmp_path, run=tmp_path / ("x" * 120)) as on:
        on.made.begin("c")
        await eventually(lambda: on.of(ProgramReady))
        (ready,) = on.of(ProgramReady)
        assert isinstance(ready, ProgramReady)
        above = Path(ready.tap_path).parent
        assert above.is_dir()
        assert len(ready.feed_path) < 100
    assert not above.exists()


async def test_what_was_not_to_be_recorded_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    on = Watched(tmp_path)
    directory = on.directory / "c"
    (directory / "1" / "720p").mkdir(parents=True)
    (directory / "1" / "stills").mkdir()
    with Journal(directory) as journal:
        for number in range(5):
            name = f"1/720p/{number:08}.m4s"
            (directory / name).write_bytes(b"x")
            begin = number * 1000
            journal.append({"fact": "segment", "file": name, "program_time_ms": begin, "duration_ms": 1000})
        (directory / "1/stills/00000001.jpg").write_bytes(b"x")
        journal.append({"fact": "still", "file": "1/stills/00000001.jpg", "program_time_ms": 2_000})
    assert await on.made.erase("c", 1_500, 3_000) == 3
    left = sorted(path.name for path in directory.rglob("*.*") if path.parent != directory)
    assert left == ["00000000.m4s", "00000003.m4s", "00000004.m4s"]
    assert await on.made.erase("c", 1_500, 3_000) == 0
    assert [each for each in read_journal(directory) if each["fact"] == "erased"] == [
        {"fact": "erased", "from_ms": 1_500, "to_ms": 3_000, "files": 3}
    ]
    assert await on.made.erase("none", 0, 1) == 0
