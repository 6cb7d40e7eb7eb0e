"""The maker of exports: one process for each file, killed when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from conference.export_job import ExportJob, MadeFile
from conference.model.errors import ConferenceError
from conference.services.ports import ExportFailedError
from conference.storage.files import remove_older
from recording.exports.program_reader import read_lives
from recording.hls.journal import is_being_written
from recording.manifest import sync_directory

_WORKER: Final = "recording.exports"
_RENDITION: Final = "720p"
_EXPORTS: Final = "exports"


class ExportWorkers:
    """Implements services.ports.ExportMaker on the directories of one server."""

    def __init__(
        self,
        recordings: Path,
        programs: Path,
        *,
        reserve_bytes: int,
        forget: Callable[[str], None],
        require: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is made while fewer than `reserve_bytes` are free: they are for meetings. `forget` hears of
        consultations whose program was cleared away. Nothing is cleared away or moved while `require` raises OSError,
        because what is mounted there is not what it should be: of an empty place it would be held for done."""
        self._require = require
        self._recordings = recordings
        self._programs = programs
        self._reserve_bytes = reserve_bytes
        self._forget = forget

    async def make(self, job: ExportJob, path: str, told: Callable[[int], None]) -> MadeFile:
        request = {
            "job": job,
            "recordings": str(self._recordings),
            "programs": str(self._programs),
            "out": str(self.path(path)),
            "reserve_bytes": self._reserve_bytes,
        }
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        last: dict[str, Any] = {}
        try:
            with suppress(ConnectionError):  # it died before it could be asked
                worker.stdin.write(msgspec.json.encode(request) + b"\n")
                await worker.stdin.drain()
            while line := await worker.stdout.readline():
                last = json.loads(line)
                if "progress" in last:
                    told(last["progress"])
            await worker.wait()
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
            if "done" not in last:
                await asyncio.to_thread(_unlink, Path(f"{self.path(path)}.part"))
        if "done" in last:
            return MadeFile(**last["done"])
        raise ExportFailedError(last.get("failed", "worker_ended"))

    def path(self, path: str) -> Path:
        return self._recordings / path

    async def has_program(self, consultation_id: str, omitted: Sequence[tuple[int, int | None]] = ()) -> bool:
        program = self._programs / consultation_id
        return bool(await asyncio.to_thread(read_lives, program, _RENDITION, omitted))

    async def has_files(self, consultation_id: str) -> bool:
        places = (self._recordings / consultation_id, self._programs / consultation_id)
        return await asyncio.to_thread(lambda: any(each.is_dir() for each in places))

    async def is_written(self, consultation_id: str) -> bool:
        return await asyncio.to_thread(is_being_written, self._programs / consultation_id)

    async def remove(self, path: str) -> None:
        await self._on_disk(_unlink, self.path(path))

    async def sweep(self, kept: Collection[str], before_ms: int | None = None) -> None:
        await self._on_disk(self._sweep, frozenset(kept), before_ms)

    def _sweep(self, kept: frozenset[str], before_ms: int | None) -> None:
        for each in self._recordings.glob(f"*/{_EXPORTS}/*"):
            if str(each.relative_to(self._recordings)) not in kept:
                remove_older(each, before_ms)

    async def clear(self, consultation_id: str) -> None:
        await self._on_disk(self._clear, consultation_id)
        self._forget(consultation_id)

    async def move(self, consultation_id: str, new_id: str) -> None:
        await self._on_disk(self._move, consultation_id, new_id)
        self._forget(consultation_id)

    def _move(self, consultation_id: str, new_id: str) -> None:
        for above in (self._recordings, self._programs):
            if (above / consultation_id).is_dir():
                (above / consultation_id).rename(above / new_id)
                sync_directory(above)

    def _clear(self, consultation_id: str) -> None:
        for above in (self._recordings, self._programs):
            place = above / consultation_id
            if place.is_dir():
                shutil.rmtree(place)
                sync_directory(above)

    async def _on_disk(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            await asyncio.to_thread(self._require)
            await asyncio.to_thread(work, *arguments)
        except OSError as error:
            raise ConferenceError("storage_unavailable", str(error)) from error


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
