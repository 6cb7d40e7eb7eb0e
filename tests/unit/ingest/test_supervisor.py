"""Ingest processes as the services see them: begun, told, begun again; what they say is checked."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conference.ingest.supervisor import IngestSupervisor
from conference.ingest_events import (
    ClipAt,
    IngestEvent,
    IngestFailed,
    IngestJob,
    IngestKind,
    IngestLook,
    IngestReady,
    IngestReason,
    IngestRunning,
)
from tests.support.eventually import eventually
from tests.support.process import alive


def job(url: str, name: str = "one", kind: IngestKind = IngestKind.CAMERA, *, from_ms: int = 0) -> IngestJob:
    return IngestJob(name, "room", name, url, kind=kind, from_ms=from_ms)


class Watch:
    """A supervisor of scripted processes, and what it told."""

    def __init__(self, directory: Path) -> None:
        self.supervisor = IngestSupervisor(directory, module="tests.support.scripted_ingest", silent_s=1.0)
        self.events: list[IngestEvent] = []
        self.supervisor.listen(self.events.append)

    def codecs(self) -> list[str]:
        return [event.codec for event in self.events if isinstance(event, IngestRunning)]

    async def says(self, *codecs: str) -> None:
        await eventually(lambda: self.codecs()[-len(codecs) :] == list(codecs), what=f"{codecs}")


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    watch = Watch(tmp_path / "run")
    yield watch
    await watch.supervisor.close()
    assert not list((tmp_path / "run").glob("*")), "sockets are removed"


async def test_a_job_is_begun_once_and_another_takes_its_place(watch: Watch) -> None:
    watch.supervisor.start(job("a"))
    await watch.says("a 0 False")
    assert isinstance(watch.events[0], IngestReady)
    pid = watch.supervisor.pids()["one"]
    watch.supervisor.start(job("a"))
    await asyncio.sleep(0.2)
    assert watch.supervisor.pids()["one"] == pid
    watch.supervisor.start(job("b"))
    await watch.says("a 0 False", "b 0 False")
    await eventually(lambda: not alive(pid))
    assert not any(isinstance(event, IngestFailed) for event in watch.events)


async def test_nothing_is_told_of_what_was_stopped(watch: Watch) -> None:
    watch.supervisor.start(job("a"))
    await watch.says("a 0 False")
    pid = watch.supervisor.pids()["one"]
    watch.supervisor.stop("one")
    watch.supervisor.stop("one")
    told = len(watch.events)
    await eventually(lambda: not alive(pid))
    assert len(watch.events) == told
    assert watch.supervisor.pids() == {}


async def test_lines_that_are_no_facts_are_passed_over(watch: Watch) -> None:
    watch.supervisor.start(job("rubbish"))
    await watch.says("rubbish 0 False")
    assert not any(isinstance(event, IngestFailed) for event in watch.events)


@pytest.mark.parametrize("url", ["dies", "hangs"])
async def test_a_process_that_dies_or_hangs_is_told_of_and_begun_again(watch: Watch, url: str) -> None:
    watch.supervisor.start(job(url))
    await eventually(
        lambda: (
            sum(
                event.reason is IngestReason.STOPPED
                for event in watch.events
                if isinstance(event, IngestFailed)
            )
            >= 2
        ),
        timeout_s=20,
    )


async def test_a_clip_is_told_what_to_do_also_before_it_is_there_and_goes_on_where_it_was(
    watch: Watch,
) -> None:
    watch.supervisor.start(job("film", kind=IngestKind.CLIP, from_ms=3000))
    watch.supervisor.pause("one")
    watch.supervisor.seek("one", 700)
    await watch.says("film 3000 False", "Pause", "Seek 700")
    watch.supervisor.play("one")
    watch.supervisor.play("nobody")
    await watch.says("Play")
    assert ClipAt("one", "playing", 3500, 1.0) in watch.events
    os.kill(watch.supervisor.pids()["one"], signal.SIGKILL)
    await watch.says("film 3500 False")


async def test_a_camera_takes_no_orders(watch: Watch) -> None:
    watch.supervisor.start(job("a"))
    watch.supervisor.pause("one")
    await watch.says("a 0 False")
    watch.supervisor.seek("one", 1)
    watch.supervisor.start(job("b", "two"))
    await watch.says("a 0 False", "b 0 False")


async def test_a_look_brings_a_picture_or_a_reason(watch: Watch) -> None:
    assert await watch.supervisor.look(job("look")) == IngestLook(b"jpeg", 1, 2, "h264", False, True)
    assert await watch.supervisor.look(job("x")) == IngestFailed("one", IngestReason.REFUSED, None)
    assert await watch.supervisor.look(job("dies")) == IngestFailed("one", IngestReason.GARBAGE, None)


async def test_the_address_stands_in_no_words_about_a_job() -> None:
    assert "secret" not in repr(job("rtsp://user:secret@camera/"))
