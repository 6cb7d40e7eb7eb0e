"""A maker of exports that does what the test says, on a real directory."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from conference.export_job import ExportJob, MadeFile
from conference.model.errors import ConferenceError
from conference.services.ports import ExportFailedError


class ScriptedExporter:
    """Implements services.ports.ExportMaker. `reasons`: why the next ones fail, one after the other."""

    def __init__(self, directory: Path) -> None:
        self.recordings, self.programs = directory / "recordings", directory / "program"
        self.jobs: list[ExportJob] = []
        self.reasons: list[str] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.is_read_only = False
        self.written: set[str] = set()
        self.given_up = 0

    def program(self, consultation_id: str = "c") -> Path:
        """Something was kept of it."""
        path = self.programs / consultation_id / "journal.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    async def make(self, job: ExportJob, path: str, told: Callable[[int], None]) -> MadeFile:
        self.jobs.append(job)
        told(42)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.reasons:
            raise ExportFailedError(self.reasons.pop(0))
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text("whole")
        return MadeFile(job.from_ms, 60_000, 5, "f" * 64)

    def path(self, path: str) -> Path:
        return self.recordings / path

    async def has_program(self, consultation_id: str, omitted: Sequence[tuple[int, int | None]] = ()) -> bool:
        return (self.programs / consultation_id).is_dir() and (0, None) not in omitted

    async def has_files(self, consultation_id: str) -> bool:
        return any((above / consultation_id).is_dir() for above in (self.recordings, self.programs))

    async def is_written(self, consultation_id: str) -> bool:
        return consultation_id in self.written

    async def remove(self, path: str) -> None:
        self._require_disk()
        self.path(path).unlink(missing_ok=True)

    async def sweep(self, kept: Collection[str], before_ms: int | None = None) -> None:
        for each in self.recordings.glob("*/exports/*"):
            if str(each.relative_to(self.recordings)) not in kept:
                each.unlink()

    async def move(self, consultation_id: str, new_id: str) -> None:
        self._require_disk()
        for above in (self.recordings, self.programs):
            if (above / consultation_id).is_dir():
                (above / consultation_id).rename(above / new_id)

    async def clear(self, consultation_id: str) -> None:
        self._require_disk()
        for above in (self.recordings, self.programs):
            shutil.rmtree(above / consultation_id, ignore_errors=True)

    def _require_disk(self) -> None:
        if self.is_read_only:
            raise ConferenceError("storage_unavailable", "scripted")
