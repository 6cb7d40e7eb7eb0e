"""Archive packages on demand: each written by a process of its own into a file without a name."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from conference.model.errors import ConferenceError
from signaling.archive_worker import NOT_FOUND

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 1
_MAX_WAITING: Final = 4
_PATIENCE_S: Final = 300.0


class ArchiveBuilder:
    """Runs the worker. The file vanishes when it is closed, however the server ends."""

    def __init__(self, database_url: str, directory: Path) -> None:
        self._database_url = database_url
        self._directory = directory
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def build(self, consultation_id: str) -> BinaryIO:
        """The package, to be read from its beginning and closed; rate_limited when too many wait for theirs."""
        if self._waiting >= _MAX_WAITING:
            raise ConferenceError("rate_limited")
        self._waiting += 1
        try:
            async with self._slots:
                return await self._written(consultation_id)
        finally:
            self._waiting -= 1

    async def _written(self, consultation_id: str) -> BinaryIO:
        file: BinaryIO = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 the caller closes it
        try:
            code = await self._run(consultation_id, file)
            if code == NOT_FOUND:
                raise ConferenceError("consultation_not_found", consultation_id)
            if code != 0:
                log.error("archive.failed", consultation=consultation_id, exit_code=code)
                raise ConferenceError("internal")
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    async def _run(self, consultation_id: str, out: BinaryIO) -> int:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "signaling.archive_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            start_new_session=True,  # Ctrl+C is for us
        )
        request = {"url": self._database_url, "consultation_id": consultation_id}
        try:
            await asyncio.wait_for(worker.communicate(json.dumps(request).encode() + b"\n"), _PATIENCE_S)
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        return worker.returncode or 0
