"""The process that prepares a clip, from the outside: what it says, what a kill and a standstill leave."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from conference.model.clip import Clip, ClipState
from conference.services.ports import ClipRefusedError
from signaling.clip_workers import ClipWorkers
from tests.support.eventually import eventually
from tests.support.films import film
from tests.support.process import command_line, descendants

CLIP = Clip("k_1", "c", None, "片.mp4", 1, "", 1, "秘书处")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "c").mkdir()
    return tmp_path


def transcoders() -> list[int]:
    return [pid for pid in descendants(os.getpid()) if "clip_transcoder" in command_line(pid)]


async def test_it_says_how_far_it_is_and_what_came_of_it(directory: Path) -> None:
    film(directory / CLIP.original_path.replace(".original", ".mov"), seconds=1)
    (directory / "c" / "k_1.mov").rename(directory / CLIP.original_path)
    told: list[tuple[ClipState, int]] = []
    made = await ClipWorkers(directory, reserve_bytes=0).prepare(CLIP, lambda *now: told.append(now))
    assert (made.width, made.height, made.has_sound) == (320, 180, True)
    assert {state for state, _ in told} == {ClipState.CHECKING, ClipState.TRANSCODING}
    assert (directory / CLIP.path).is_file()
    assert (directory / CLIP.poster_path).is_file()


async def test_one_that_needs_too_much_memory_is_refused_and_harms_nobody(directory: Path) -> None:
    film(directory / "c" / "k_1.mov", seconds=1)
    (directory / "c" / "k_1.mov").rename(directory / CLIP.original_path)
    workers = ClipWorkers(directory, reserve_bytes=0, memory_bytes=64 << 20)
    with pytest.raises(ClipRefusedError) as refused:
        await workers.prepare(CLIP, lambda *_: None)
    assert refused.value.reason in ("broken", "worker_ended")
    assert not (directory / CLIP.path).exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_one_that_dies_or_stands_still_leaves_no_half(directory: Path, how: signal.Signals) -> None:
    film(directory / "c" / "k_1.mov", seconds=20, options={"preset": "ultrafast"})
    (directory / "c" / "k_1.mov").rename(directory / CLIP.original_path)
    workers = ClipWorkers(directory, reserve_bytes=0, standstill_s=10)
    preparing = asyncio.create_task(workers.prepare(CLIP, lambda *_: None))
    await eventually(lambda: list((directory / "c").glob("*.part")), timeout_s=30, what="it is at work")
    (pid,) = transcoders()
    os.kill(pid, how)
    with pytest.raises(ClipRefusedError, match="worker_ended"):
        await asyncio.wait_for(preparing, 40)
    assert [each.name for each in (directory / "c").iterdir()] == ["k_1.original"]
    assert transcoders() == []


async def test_whoever_gives_up_ends_the_process(directory: Path) -> None:
    film(directory / "c" / "k_1.mov", seconds=20, options={"preset": "ultrafast"})
    (directory / "c" / "k_1.mov").rename(directory / CLIP.original_path)
    preparing = asyncio.create_task(ClipWorkers(directory, reserve_bytes=0).prepare(CLIP, lambda *_: None))
    await eventually(lambda: list((directory / "c").glob("*.part")), timeout_s=30, what="it is at work")
    preparing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await preparing
    assert transcoders() == []
    assert [each.name for each in (directory / "c").iterdir()] == ["k_1.original"]
