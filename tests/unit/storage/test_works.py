"""Works that one server at a time does: two on one directory, as two servers are."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conference.storage.works import DirectoryWorks

HOLDER = """
import asyncio, sys
from pathlib import Path
from conference.storage.works import DirectoryWorks

async def main():
    async with DirectoryWorks(Path(sys.argv[1])).alone("export-x") as is_ours:
        print(is_ours, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_one_at_a_time(tmp_path: Path) -> None:
    here, there = DirectoryWorks(tmp_path), DirectoryWorks(tmp_path)
    async with here.alone("a") as ours:
        assert ours
        async with there.alone("a") as theirs, there.alone("b") as another:
            assert (theirs, another) == (False, True)
    async with there.alone("a") as theirs:
        assert theirs
    assert os.listdir(tmp_path) == [], "nothing is left of what is done"


async def test_who_has_patience_waits(tmp_path: Path) -> None:
    here, there = DirectoryWorks(tmp_path), DirectoryWorks(tmp_path)
    order: list[str] = []

    async def wait() -> None:
        async with there.alone("a", patience_s=5) as theirs:
            assert theirs
            order.append("there")

    async with here.alone("a"):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.3)
        order.append("here")
    await waiting
    assert order == ["here", "there"]


async def test_a_hundred_that_want_the_same_never_have_it_together(tmp_path: Path) -> None:
    inside = most = done = 0

    async def work() -> None:
        nonlocal inside, most, done
        async with DirectoryWorks(tmp_path).alone("a", patience_s=30) as ours:
            assert ours
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            done += 1

    await asyncio.gather(*(work() for _ in range(30)))
    assert (most, done) == (1, 30)


def test_a_killed_server_does_nothing_any_more(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == "True\n"

        async def is_free() -> bool:
            async with DirectoryWorks(tmp_path).alone("export-x") as ours:
                return ours

        assert not asyncio.run(is_free())
        holder.kill()
        holder.wait()
        assert asyncio.run(is_free())


async def test_a_directory_that_is_gone_gives_nothing_to_do(tmp_path: Path) -> None:
    async with DirectoryWorks(tmp_path / "gone").alone("a") as ours:
        assert not ours


async def test_what_fails_is_given_back(tmp_path: Path) -> None:
    works = DirectoryWorks(tmp_path)
    with pytest.raises(ZeroDivisionError):
        async with works.alone("a"):
            raise ZeroDivisionError
    async with works.alone("a") as ours:
        assert ours
