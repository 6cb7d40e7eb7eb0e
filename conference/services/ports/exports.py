"""What makes files out of recordings, and clears recordings away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from conference.export_job import ExportJob, MadeFile


class ExportFailedError(Exception):
    """`reason`: disk_full, disk_failed, nothing_recorded, unreadable; worker_ended when another try may do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ExportMaker(Protocol):
    """Makes one file at a time, in a process of its own that yields to everything else. `path` is below the
    directory of recordings. Methods that are awaited may raise storage_unavailable."""

    async def make(self, job: ExportJob, path: str, told: Callable[[int], None]) -> MadeFile:
        """The file is there whole when it returns; `told` hears of every percent. Raises ExportFailedError.
        Whatever ends it, cancelling included, leaves no half file."""

    def path(self, path: str) -> Path:
        """Where the file lies."""

    async def has_program(self, consultation_id: str, omitted: Sequence[tuple[int, int | None]] = ()) -> bool:
        """Whether anything was kept here of its program beside these stretches of program time."""

    async def has_files(self, consultation_id: str) -> bool:
        """Whether anything at all was kept here of it."""

    async def is_written(self, consultation_id: str) -> bool:
        """Whether its program is still being made."""

    async def remove(self, path: str) -> None:
        """Repeating it is harmless."""

    async def sweep(self, kept: Collection[str], before_ms: int | None = None) -> None:
        """Remove every export but these, and but those that were written after `before_ms`, UTC. Without it never
        called while one is made."""

    async def move(self, consultation_id: str, new_id: str) -> None:
        """The same belongs to another consultation from now on, which has nothing. Repeating it is harmless."""

    async def clear(self, consultation_id: str) -> None:
        """Remove all that was recorded of it: tracks, program, exports. Repeating it is harmless."""
