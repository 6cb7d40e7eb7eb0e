"""The recording worker as a process: what it says of its tap. Tests write the tap by hand."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conference.sfu.tap_frames import Clock, encode


class Worker:
    """One life of a worker; `close` in the end."""

    def __init__(self, process: asyncio.subprocess.Process, socket_path: Path) -> None:
        self._process = process
        self._socket_path = socket_path

    async def tap(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_unix_connection(self._socket_path)
        writer.write(encode(Clock(0, 0)))
        return reader, writer

    async def said(self) -> list[str]:
        """Kinds of facts up to the next `ready`, or to the end."""
        assert self._process.stdout is not None
        facts: list[str] = []
        while facts[-1:] != ["ready"] and (line := await self._process.stdout.readline()):
            facts.append(json.loads(line)["fact"])
        return facts

    async def end(self) -> list[str]:
        """What it still said."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"end\n")
        said: list[str] = []
        while facts := await self.said():
            said += facts
        assert await self._process.wait() == 0
        return said

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    with tempfile.TemporaryDirectory(prefix="rec-") as directory:  # short: a socket's path has 107 bytes
        path = Path(directory) / "t.sock"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording.worker", str(path), str(tmp_path), "c", "0",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        worker = Worker(process, path)
        assert await worker.said() == ["life", "ready"]
        yield worker
        await worker.close()


async def test_it_says_that_it_listens_when_its_tap_has_ended(worker: Worker) -> None:
    _, writer = await worker.tap()
    writer.close()
    assert await worker.said() == ["ready"]
    assert await worker.end() == []


async def test_a_tap_that_takes_the_place_of_another_needs_no_word(worker: Worker) -> None:
    first, first_writer = await worker.tap()
    second, second_writer = await worker.tap()
    assert await first.read() == b"", "the worker lets the old one go"
    _, last = await worker.tap()
    assert await second.read() == b""
    last.close()
    assert await worker.said() == ["ready"]
    assert await worker.end() == [], "one tap ended, the others were replaced"
    first_writer.close()
    second_writer.close()
