"""Background material of consultations: taking it in, giving it out, taking it away."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from conference.clock import Clock
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.briefing import MAX_FILES, BriefingFile, media_type_of, plain_name
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.services.ports import FileStore, OneServer, Storage, Works
from conference.services.trace import Bearer

_PATIENCE_S: Final = 5.0
_YOUNG_MS: Final = 3_600_000  # what is younger may be on its way, by another server on the same directory


class Files:
    """Rows and contents follow each other: the content first, and away when no row names it any more."""

    def __init__(self, storage: Storage, store: FileStore, clock: Clock, works: Works | None = None) -> None:
        """`works`: where other servers see the same files."""
        self._works: Works = works or OneServer()
        self._storage = storage
        self._store = store
        self._clock = clock
        self._changing = asyncio.Lock()  # a content is not taken away while another row comes to name it

    async def list(self, consultation_id: str) -> list[BriefingFile]:
        """In the order of being added."""
        async with self._storage.reading() as unit:
            return await unit.files.of(consultation_id)

    async def open(self, consultation_id: str, file_id: str) -> tuple[BriefingFile, Path]:
        """The file and where its content lies."""
        async with self._storage.reading() as unit:
            file = await unit.files.get(file_id)
        if file is None or file.consultation_id != consultation_id:
            raise NotFoundError(f"file {file_id}")
        return file, self._store.path(file.sha256)

    async def add(self, consultation: Consultation, by: Bearer, name: str, content: bytes) -> BriefingFile:
        """file_type_refused, too_many_files, invalid_state, storage_unavailable."""
        self._require_editable(consultation, by)
        name = plain_name(name)
        media_type, sha256 = await asyncio.to_thread(_examined, name, content)
        file = BriefingFile(
            id=new_id("f"),
            consultation_id=consultation.id,
            name=name,
            media_type=media_type,
            size_bytes=len(content),
            sha256=sha256,
            added_at_ms=self._clock.wall_ms(),
            added_by=by.name,
        )
        async with self._changed():
            async with self._storage.reading() as unit:
                if len(await unit.files.of(consultation.id)) >= MAX_FILES:
                    raise ConferenceError("too_many_files")
            await self._store.keep(sha256, content)
            async with self._storage.transaction() as unit:
                await unit.files.add(file)
                content_of_line: dict[str, Value] = {
                    "name": Personal(name),
                    "sha256": sha256,
                    "size_bytes": file.size_bytes,
                }
                await unit.audit.append(self._entry(by, "file.added", file, content_of_line))
        return file

    async def remove(self, consultation: Consultation, by: Bearer, file_id: str) -> None:
        """Its content goes, too, when nothing else has the same."""
        self._require_editable(consultation, by)
        async with self._changed():
            async with self._storage.transaction() as unit:
                file = await unit.files.get(file_id)
                if file is None or file.consultation_id != consultation.id:
                    raise NotFoundError(f"file {file_id}")
                await unit.files.save(file.removed(self._clock.wall_ms()))
                await unit.audit.append(self._entry(by, "file.removed", file, {"sha256": file.sha256}))
                in_use = file.sha256 in await unit.files.hashes()
            if not in_use:
                await self._store.discard(file.sha256)

    @asynccontextmanager
    async def _changed(self) -> AsyncIterator[None]:
        """One at a time, of all servers that see the same files. storage_unavailable."""
        async with self._changing, self._works.alone("files", patience_s=_PATIENCE_S) as is_ours:
            if not is_ours:
                raise ConferenceError("storage_unavailable", "another server works on the same files")
            yield

    async def restore(self) -> None:
        """After a start: take away what a crash left without a row."""
        async with self._storage.reading() as unit:
            kept = await unit.files.hashes()
        await self._store.sweep(kept, self._clock.wall_ms() - _YOUNG_MS)

    @staticmethod
    def _require_editable(consultation: Consultation, by: Bearer) -> None:
        require(by.role, Action.CONSULTATION_EDIT)
        if consultation.status in (Status.ARCHIVED, Status.CANCELLED):
            raise ConferenceError("invalid_state", f"{consultation.status} is not edited")

    def _entry(self, by: Bearer, action: str, file: BriefingFile, content: dict[str, Value]) -> AuditEntry:
        now_ms = self._clock.wall_ms()
        return AuditEntry(file.consultation_id, now_ms, None, by.actor, action, file.id, content)


def _examined(name: str, content: bytes) -> tuple[str, str]:
    return media_type_of(name, content), hashlib.sha256(content).hexdigest()
