"""Work in a process of its own: so many at once, a bound on those who wait, killed when it takes too long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from conference.model.errors import ConferenceError


@dataclass(frozen=True, slots=True)
class Finished:
    """How the process ended. `code` is negative when a signal ended it; `output` is empty when it went to a file."""

    code: int
    output: bytes


class WorkerQueue:
    """Whoever comes when `max_waiting` are served or wait already is turned away with rate_limited."""

    def __init__(self, at_once: int, max_waiting: int) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._max_waiting = max_waiting
        self._waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A slot, when it is one's turn."""
        if self._waiting >= self._max_waiting:
            raise ConferenceError("rate_limited")
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1


async def run_worker(
    module: str, request: bytes, *, patience_s: float, out: BinaryIO | None = None
) -> Finished:
    """Run `python -m module`: the request to its standard input, its output to `out` or back.

    TimeoutError after `patience_s`. However this ends, the process does not outlive it.
    """
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if out is None else out,
        start_new_session=True,  # Ctrl+C is for us
    )
    try:
        output, _ = await asyncio.wait_for(worker.communicate(request), patience_s)
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    return Finished(worker.returncode or 0, output or b"")
