"""Archive packages on demand: each written by a process of its own into a file without a name."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from conference.model.errors import ConferenceError
from signaling.archive_worker import NOT_FOUND
from signaling.worker_process import WorkerQueue, run_worker

log = structlog.get_logger(__name__)

_WORKER: Final = "signaling.archive_worker"
_AT_ONCE: Final = 1
_MAX_WAITING: Final = 4
_PATIENCE_S: Final = 300.0


class ArchiveBuilder:
    """Runs the worker. The file vanishes when it is closed, however the server ends."""

    def __init__(self, database_url: str, directory: Path, files: Path) -> None:
        """`files` is where contents of background material lie."""
        self._database_url = database_url
        self._files = files
        self._directory = directory
        self._queue = WorkerQueue(_AT_ONCE, _MAX_WAITING)

    async def build(self, consultation_id: str) -> BinaryIO:
        """The package, to be read from its beginning and closed; rate_limited when too many wait for theirs."""
        async with self._queue.place():
            return await self._written(consultation_id)

    async def _written(self, consultation_id: str) -> BinaryIO:
        file: BinaryIO = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 the caller closes it
        try:
            request = {
                "url": self._database_url,
                "consultation_id": consultation_id,
                "files": str(self._files),
            }
            line = json.dumps(request).encode() + b"\n"
            code = (await run_worker(_WORKER, line, patience_s=_PATIENCE_S, out=file)).code
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
