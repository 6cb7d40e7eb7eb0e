"""Who of several servers does what on a directory that they share: a locked file for each work that is under way."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_AGAIN_S: Final = 0.1


class DirectoryWorks:
    """Implements services.ports.Works. The file system must carry locks from server to server, as NFS 4 and CephFS
    do; the locks of a server that is killed are free at once, those of a machine that lost its power when the file
    server has missed it for long enough."""

    is_shared = True

    def __init__(self, directory: Path) -> None:
        """`directory`: of the locked files, and of nothing else."""
        self._directory = directory

    @asynccontextmanager
    async def alone(self, work: str, *, patience_s: float = 0.0) -> AsyncIterator[bool]:
        path = self._directory / f"{work}.lock"
        loop = asyncio.get_running_loop()
        until_s = loop.time() + patience_s
        held = await self._taken(path)
        while held is None and loop.time() < until_s:
            await asyncio.sleep(_AGAIN_S)
            held = await self._taken(path)
        try:
            yield held is not None
        finally:
            if held is not None:
                await asyncio.shield(asyncio.to_thread(_let_go, path, held))

    async def _taken(self, path: Path) -> int | None:
        taking = asyncio.ensure_future(asyncio.to_thread(_take, path))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(_drop)  # the thread goes on, and nobody would give back what it got
            raise
        except OSError as error:
            log.warning("works.unknown", work=path.stem, error=error.strerror)
            return None


def _take(path: Path) -> int | None:
    """The locked file, or None while somebody else has it. OSError."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # whoever had it took the file away as it was opened here


def _is_at(path: Path, descriptor: int) -> bool:
    ours = os.fstat(descriptor)
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (found.st_dev, found.st_ino)


def _let_go(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
    os.close(descriptor)


def _drop(taking: asyncio.Future[int | None]) -> None:
    if not taking.cancelled() and taking.exception() is None:
        descriptor = taking.result()
        if descriptor is not None:
            os.close(descriptor)
