"""Ingest processes from outside: begun, asked one thing, ended.

What opens a camera goes to the process on its standard input, and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Final

import msgspec

from conference.ingest import messages

WORKER: Final = "conference.ingest.worker"
_STOP_S: Final = 1.0


async def spawned(module: str, first_line: bytes) -> asyncio.subprocess.Process:
    """Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        limit=messages.MAX_LINE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(first_line)
    return process


async def asked_once(module: str, first_line: bytes) -> messages.Fact | None:
    """Its one answer; None where it died of the question or said what is none. Who is cancelled leaves no process."""
    process = await spawned(module, first_line)
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        return messages.read_fact(line) if line else None
    except (ValueError, msgspec.MsgspecError):
        return None
    finally:
        await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    """The end of its standard input asks it to go; then it is made to. Also while we are cancelled."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
