"""The transcription worker watched: started, told, killed, started again; with a worker that hears nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

from conference.worker_events import (
    ListenEnded,
    ListenJob,
    TranscriberEvent,
    TranscriberModel,
    TranscriberReady,
)
from tests.support.eventually import eventually
from transcription.supervisor import TranscriberSupervisor

E = TypeVar("E")
WELL = TranscriberModel("scripted", "x")


class Watched:
    """A supervisor, and what it said with the time at which it did."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.directory = directory
        self.models = directory / "models"
        self.events: list[tuple[float, TranscriberEvent]] = []
        given = {"module": "tests.support.scripted_transcriber", "engine": "well:known", **options}
        run = given.pop("run", directory / "run")
        self.made = TranscriberSupervisor(run, recordings=directory, models=self.models, **given)
        self.made.listen(lambda event: self.events.append((asyncio.get_running_loop().time(), event)))

    def of(self, kind: type[E]) -> list[E]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def told(self) -> list[dict[str, Any]]:
        path = self.directory / "told.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def done(self, what: str) -> list[dict[str, Any]]:
        return [each for each in self.told() if each.get("do") == what]

    @property
    def lives(self) -> int:
        return sum("pid" in each for each in self.told())


@asynccontextmanager
async def watched(directory: Path, **options: Any) -> AsyncIterator[Watched]:
    made = Watched(directory, **options)
    try:
        yield made
    finally:
        await made.made.close()


def job(name: str, *, ends: bool = True) -> ListenJob:
    return ListenJob(name, "c", "p", (), 0, int(ends))


async def test_nothing_runs_until_there_is_something_to_hear(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        assert it.made.pid is None
        it.made.end("c")
        it.made.cancel("j")
        it.made.prefer("c", ["p"])
        assert it.lives == 0
        it.made.begin("c")
        it.made.begin("c")
        (ready,) = await eventually(lambda: it.of(TranscriberReady))
        assert ready.consultation_id == "c"
        assert it.of(TranscriberModel) == [WELL]
        assert it.made.model() == WELL


async def test_it_is_told_what_holds_and_only_what_changes(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.made.begin("c")
        it.made.prefer("c", ["p1", "p2"])
        it.made.use_terms("c", ["一体化"])
        await eventually(lambda: it.of(TranscriberReady))
        it.made.prefer("c", ("p1", "p2"))
        it.made.prefer("c", ("p2",))
        await eventually(lambda: len(it.done("prefer")) == 2)
        assert [each["participants"] for each in it.done("prefer")] == [["p1", "p2"], ["p2"]]
        assert [each["words"] for each in it.done("terms")] == [["一体化"]]


async def test_a_killed_worker_is_replaced_and_its_jobs_are_over(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.made.begin("c")
        it.made.recognise(job("j", ends=False))
        await eventually(lambda: it.of(TranscriberReady) and it.done("job"))
        first = it.of(TranscriberReady)[0].socket_path
        assert it.made.pid is not None
        os.kill(it.made.pid, signal.SIGKILL)
        await eventually(lambda: len(it.of(TranscriberReady)) == 2)
        assert it.of(ListenEnded) == [ListenEnded("j", "worker_ended")]
        assert it.of(TranscriberReady)[1].socket_path != first
        reasons = [each.reason for each in it.of(TranscriberModel)]
        assert reasons == ["", "worker_ended", ""]
        assert len(it.done("job")) == 1  # whoever wants it asks again


async def test_one_that_dies_again_and_again_is_started_ever_more_rarely(tmp_path: Path) -> None:
    async with watched(tmp_path, engine="dies") as it:
        it.made.begin("c")
        await eventually(lambda: it.lives >= 4, timeout_s=30)
        assert {each.reason for each in it.of(TranscriberModel)} == {"model_broken"}
        assert len(it.of(TranscriberModel)) == 1


async def test_a_broken_model_is_told_once_and_jobs_do_not_wait_for_it(tmp_path: Path) -> None:
    async with watched(tmp_path, engine="broken") as it:
        it.made.recognise(job("j"))
        await eventually(lambda: it.of(ListenEnded))
        it.made.begin("c")
        await eventually(lambda: it.lives >= 3, timeout_s=30)
        assert it.of(TranscriberModel) == [TranscriberModel("", "x", "model_broken")]
        assert it.of(ListenEnded) == [ListenEnded("j", "no_model")]


async def test_without_a_model_no_process_runs_until_one_is_installed(tmp_path: Path) -> None:
    async with watched(tmp_path, engine=None) as it:
        assert it.made.model().reason == "no_model"
        it.made.begin("c")
        it.made.recognise(job("j"))
        await eventually(lambda: it.of(ListenEnded))
        assert it.of(TranscriberModel) == [TranscriberModel("", "", "no_model")]
        assert it.of(ListenEnded) == [ListenEnded("j", "no_model")]
        assert it.lives == 0
        model = it.models / "x"
        model.mkdir(parents=True)
        (model / "model.json").write_text("{}")
        await eventually(lambda: it.of(TranscriberReady))
        assert it.of(TranscriberModel)[-1] == WELL


async def test_one_that_hangs_is_killed(tmp_path: Path) -> None:
    async with watched(tmp_path, engine="hangs", silent_s=0.3) as it:
        it.made.begin("c")
        await eventually(lambda: it.lives >= 2, timeout_s=30)
        assert "worker_ended" in [each.reason for each in it.of(TranscriberModel)]


async def test_nonsense_is_passed_over(tmp_path: Path) -> None:
    async with watched(tmp_path, engine="nonsense") as it:
        it.made.begin("c")
        await eventually(lambda: it.of(TranscriberReady))
        assert it.lives == 1


async def test_without_work_it_ends_and_begins_again_when_there_is_some(tmp_path: Path) -> None:
    async with watched(tmp_path, idle_s=0.0) as it:
        it.made.recognise(job("j"))
        await eventually(lambda: it.of(ListenEnded) and it.made.pid is None)
        assert it.of(ListenEnded) == [ListenEnded("j")]
        assert it.done("stop") == [{"do": "stop"}]
        it.made.begin("c")
        await eventually(lambda: it.of(TranscriberReady))
        assert it.lives == 2
        assert "worker_ended" not in [each.reason for each in it.of(TranscriberModel)]
        it.made.end("c")
        await eventually(lambda: it.made.pid is None)


async def test_a_cancelled_job_is_not_told_of(tmp_path: Path) -> None:
    async with watched(tmp_path) as it:
        it.made.begin("c")
        it.made.recognise(job("j", ends=False))
        await eventually(lambda: it.done("job"))
        it.made.cancel("j")
        await eventually(lambda: it.done("cancel"))
        assert it.made.pid is not None
        os.kill(it.made.pid, signal.SIGKILL)
        await eventually(lambda: len(it.of(TranscriberReady)) == 2)
        assert it.of(ListenEnded) == []


async def test_a_long_path_is_no_hindrance_and_nothing_is_left(tmp_path: Path) -> None:
    run = tmp_path / ("long" * 30)
    async with watched(tmp_path, run=run) as it:
        it.made.begin("c")
        it.made.begin("d")
        found = await eventually(lambda: it.of(TranscriberReady), lambda found: len(found) == 2)
        paths = [Path(each.socket_path) for each in found]
        assert all(len(os.fsencode(path)) <= 100 for path in paths)
        pid = it.made.pid
    assert not paths[0].parent.exists()
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert all(before[0] <= after[0] for before, after in pairwise(it.events))
