"""Writing an archive package: the rows of one consultation at one moment. Runs in a process of its own."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final

from conference.archive.manifest import (
    AUDIT_LINES,
    AUDIT_TEXTS,
    CONTENTS,
    LINE_HASHES,
    MANIFEST,
    FileEntry,
    Manifest,
)
from conference.model.audit import AuditHead, beginning, canonical_json, line_record
from conference.model.errors import ConferenceError
from conference.services.ports import Storage, UnitOfWork

_PAGE: Final = 500
_CHUNK_BYTES: Final = 1 << 20
_FIRST_ZIP_TIME_S: Final = 315_532_800  # 1980: a clock that was never set is no reason to fail


async def write_archive(
    storage: Storage,
    consultation_id: str,
    out: BinaryIO,
    *,
    created_at_ms: int,
    software: str,
    files: Path | None = None,
) -> Manifest:
    """Write the package; consultation_not_found when there is none.

    `files` is where contents of background material lie. One that is gone is left out: the verifier names it.
    """
    async with storage.reading() as unit:
        if await unit.consultations.get(consultation_id) is None:
            raise ConferenceError("consultation_not_found", consultation_id)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
            writer = _Writer(package, created_at_ms)
            for table in unit.archive_rows.tables():
                await writer.write(f"{table}.jsonl", _rows(unit, table, consultation_id))
            await writer.write(AUDIT_LINES, _lines(unit, consultation_id))
            await writer.write(AUDIT_TEXTS, _texts(unit, consultation_id))
            writer.write_line_hashes()
            if files is not None:
                for sha256 in dict.fromkeys(each.sha256 for each in await unit.files.of(consultation_id)):
                    writer.copy(f"{CONTENTS}{sha256}", files / sha256)
            head = await unit.audit.head(consultation_id)
            manifest = Manifest(consultation_id, created_at_ms, software, head, writer.files)
            writer.add(MANIFEST, manifest.to_json().encode())
    return manifest


class _Writer:
    """Puts files into the package and keeps their hashes."""

    def __init__(self, package: zipfile.ZipFile, created_at_ms: int) -> None:
        self._package = package
        self._time = time.gmtime(max(created_at_ms // 1000, _FIRST_ZIP_TIME_S))[:6]
        self._line_hashes: list[str] = []
        self.files: dict[str, FileEntry] = {}

    async def write(self, name: str, lines: AsyncGenerator[str, None]) -> None:
        whole, count, size = hashlib.sha256(), 0, 0
        with self._package.open(self._info(name), "w", force_zip64=True) as file:
            async with aclosing(lines):
                async for line in lines:
                    raw = line.encode() + b"\n"
                    count, size = count + 1, size + len(raw)
                    whole.update(raw)
                    file.write(raw)
                    self._line_hashes.append(f"{hashlib.sha256(raw).hexdigest()}  {name}:{count}\n")
        self.files[name] = FileEntry(count, size, whole.hexdigest())

    def copy(self, name: str, path: Path) -> None:
        whole, size = hashlib.sha256(), 0
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return
        with source, self._package.open(self._info(name), "w", force_zip64=True) as file:
            while chunk := source.read(_CHUNK_BYTES):
                size += len(chunk)
                whole.update(chunk)
                file.write(chunk)
        self.files[name] = FileEntry(0, size, whole.hexdigest())

    def write_line_hashes(self) -> None:
        content = "".join(self._line_hashes).encode()
        entry = FileEntry(len(self._line_hashes), len(content), hashlib.sha256(content).hexdigest())
        self.files[LINE_HASHES] = entry
        self.add(LINE_HASHES, content)

    def add(self, name: str, content: bytes) -> None:
        self._package.writestr(self._info(name), content)

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._time)
        info.external_attr = 0o600 << 16
        return info


async def _rows(unit: UnitOfWork, table: str, consultation_id: str) -> AsyncGenerator[str, None]:
    async with aclosing(unit.archive_rows.rows(table, consultation_id)) as rows:
        async for row in rows:
            yield json.dumps(row, ensure_ascii=False)


async def _lines(unit: UnitOfWork, chain: str) -> AsyncGenerator[str, None]:
    head = beginning(chain)
    while page := await unit.audit.lines(chain, head.number, _PAGE):
        for line in page:
            yield canonical_json(line_record(line, head.hash))
            head = AuditHead(chain, line.number, line.hash)


async def _texts(unit: UnitOfWork, chain: str) -> AsyncGenerator[str, None]:
    last = (await unit.audit.head(chain)).number
    for first in range(1, last + 1, _PAGE):
        for text in await unit.audit.texts(chain, first, min(first + _PAGE - 1, last)):
            yield canonical_json(asdict(text))
