"""Background material: rows of files, and their contents in a directory, named by their hashes."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.briefing import BriefingFile
from conference.model.errors import ConferenceError
from conference.storage.rows import to_row
from conference.storage.tables import briefing_files


class SqlBriefingFiles:
    """Implements services.ports.BriefingFileRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, file_id: str) -> BriefingFile | None:
        return next(iter(await self._where(briefing_files.c.id == file_id)), None)

    async def of(self, consultation_id: str) -> list[BriefingFile]:
        return await self._where(briefing_files.c.consultation_id == consultation_id)

    async def add(self, file: BriefingFile) -> None:
        await self._connection.execute(sa.insert(briefing_files).values(to_row(file)))

    async def save(self, file: BriefingFile) -> None:
        statement = sa.update(briefing_files).where(briefing_files.c.id == file.id)
        await self._connection.execute(statement.values(to_row(file)))

    async def hashes(self) -> set[str]:
        query = sa.select(briefing_files.c.sha256).where(briefing_files.c.removed_at_ms.is_(None))
        return set((await self._connection.execute(query.distinct())).scalars())

    async def _where(self, condition: sa.ColumnElement[bool]) -> list[BriefingFile]:
        query = sa.select(briefing_files).where(condition, briefing_files.c.removed_at_ms.is_(None))
        rows = await self._connection.execute(
            query.order_by(briefing_files.c.added_at_ms, briefing_files.c.id)
        )
        return [BriefingFile(**row) for row in rows.mappings()]


class DirectoryFiles:
    """Implements services.ports.FileStore: a file appears under its name whole and on the disk, or not at all."""

    def __init__(self, directory: Path, require: Callable[[], None] = lambda: None) -> None:
        """Nothing is kept while `require` raises OSError, because what is mounted there is not what it should be."""
        self._directory = directory
        self._require = require

    def path(self, sha256: str) -> Path:
        return self._directory / sha256

    async def keep(self, sha256: str, content: bytes) -> None:
        await asyncio.to_thread(self._keep, sha256, content)

    def _keep(self, sha256: str, content: bytes) -> None:
        draft = self._directory / f"{secrets.token_hex(16)}.part"
        try:
            self._require()
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path(sha256))
            self._flush()
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise ConferenceError("storage_unavailable", str(error)) from error

    def _flush(self) -> None:
        """The directory itself: a name that was given stays given."""
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    async def discard(self, sha256: str) -> None:
        await asyncio.to_thread(self._discard, sha256)

    def _discard(self, sha256: str) -> None:
        try:
            self.path(sha256).unlink(missing_ok=True)
        except OSError as error:
            raise ConferenceError("storage_unavailable", str(error)) from error

    async def sweep(self, kept: Collection[str], before_ms: int) -> None:
        await asyncio.to_thread(self._sweep, kept, before_ms)

    def _sweep(self, kept: Collection[str], before_ms: int) -> None:
        if not self._directory.is_dir():
            return
        try:
            for path in tuple(self._directory.iterdir()):
                if path.name not in kept:
                    remove_older(path, before_ms)
        except OSError as error:
            raise ConferenceError("storage_unavailable", str(error)) from error


def remove_older(path: Path, before_ms: int | None) -> None:
    """Unlink what was written before `before_ms`, UTC; whatever it is without that. Repeating it is harmless."""
    with suppress(FileNotFoundError):  # another server on the same directory was faster
        if before_ms is None or path.stat().st_mtime * 1000 < before_ms:
            path.unlink()
