"""Verifying an archive package on its own: no server, no data directory, nothing but the file."""

from __future__ import annotations

import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from conference.archive.manifest import (
    AUDIT_LINES,
    AUDIT_TEXTS,
    CONTENTS,
    LINE_HASHES,
    MANIFEST,
    Manifest,
)
from conference.model.audit import (
    AuditHead,
    AuditLine,
    AuditText,
    beginning,
    canonical_json,
    check_line,
    personal_hashes,
    salted_hash,
)

_MAX_LINE_BYTES: Final = 16 << 20
_CHUNK_BYTES: Final = 1 << 20
_MAX_MANIFEST_BYTES: Final = 4 << 20
_UNREADABLE: Final = (  # what a damaged container raises
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)


class Damage(StrEnum):
    """What can be wrong with a file of a package."""

    PACKAGE = "package"  # not a ZIP that can be read
    MANIFEST = "manifest"
    MISSING = "missing"
    EXTRA = "extra"
    BYTES = "bytes"  # not what the manifest has the hash of
    CHAIN = "chain"  # the trace is not as it was written
    TEXT = "text"  # a personal text is not the one that was hashed
    HEAD = "head"  # the trace does not end where it should


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken file, and its first broken line where there is one."""

    file: str
    damage: Damage
    line: int | None = None


@dataclass(slots=True)
class Report:
    """What was found. Intact when there is no finding."""

    manifest: Manifest | None = None
    intact: dict[str, int] = field(default_factory=dict)  # lines by file
    findings: list[Finding] = field(default_factory=list)
    texts: int = 0  # personal texts that are still there
    deleted_texts: int = 0


class _BrokenError(Exception):
    """The file that is being read is broken, from this line on."""

    def __init__(self, damage: Damage, line: int | None = None) -> None:
        super().__init__(damage, line)
        self.damage = damage
        self.line = line


def verify_archive(path: Path, expected_head: str | None = None) -> Report:
    """Check every file of a package. `expected_head`: the hash that stands on the minutes; blanks in it do not count.

    The trace goes on after minutes were approved, so it may be that of any line: nothing up to there can have been
    written otherwise.
    """
    report = Report()
    expected_head = None if expected_head is None else "".join(expected_head.split()).lower()
    try:
        with zipfile.ZipFile(path) as package:
            _Verifier(package, report, expected_head).run()
    except _UNREADABLE:
        report.findings.append(Finding(path.name, Damage.PACKAGE))
    return report


class _Verifier:
    def __init__(self, package: zipfile.ZipFile, report: Report, expected_head: str | None) -> None:
        self._package = package
        self._report = report
        self._expected_head = expected_head
        self._is_expected_there = expected_head is None
        self._head = AuditHead("", 0, "")
        self._hashes: dict[tuple[int, str], str] = {}  # of personal texts, by line and field
        self._contents: dict[str, str] = {}  # hashes of background material, by the id of the file

    def run(self) -> None:
        names = self._package.namelist()
        manifest = self._manifest(names)
        if manifest is None:
            return
        self._report.manifest = manifest
        self._head = beginning(manifest.consultation_id)
        for name in dict.fromkeys(names):
            if name != MANIFEST and (name not in manifest.files or names.count(name) > 1):
                self._report.findings.append(Finding(name, Damage.EXTRA))
        for name in (AUDIT_LINES, AUDIT_TEXTS, LINE_HASHES):
            if name not in manifest.files:
                self._report.findings.append(Finding(name, Damage.MISSING))
        line_hashes = self._line_hashes(manifest)
        for name in manifest.files:
            if name.startswith(CONTENTS):
                self._content(manifest, name)
            elif name not in (AUDIT_LINES, AUDIT_TEXTS, LINE_HASHES):
                self._file(manifest, name, line_hashes.get(name))
        if AUDIT_LINES in manifest.files:
            self._file(manifest, AUDIT_LINES, line_hashes.get(AUDIT_LINES), self._audit_line)
        whole = self._is_intact(AUDIT_LINES)
        for name in sorted({f"{CONTENTS}{each}" for each in self._contents.values()} if whole else ()):
            if name not in manifest.files:
                self._report.findings.append(Finding(name, Damage.MISSING))
        if AUDIT_TEXTS in manifest.files:
            check = self._audit_text if whole else None
            self._file(manifest, AUDIT_TEXTS, line_hashes.get(AUDIT_TEXTS), check)
        self._report.deleted_texts = len(self._hashes) if whole else 0
        if whole and not (self._head == manifest.head and self._is_expected_there):
            self._broken(AUDIT_LINES, Damage.HEAD, self._head.number or None)

    def _manifest(self, names: list[str]) -> Manifest | None:
        try:
            if names.count(MANIFEST) != 1 or self._package.getinfo(MANIFEST).file_size > _MAX_MANIFEST_BYTES:
                raise ValueError("no manifest")
            return Manifest.from_json(self._package.read(MANIFEST).decode())
        except _UNREADABLE:
            self._report.findings.append(Finding(MANIFEST, Damage.MANIFEST))
            return None

    def _line_hashes(self, manifest: Manifest) -> dict[str, list[str]]:
        """The hash of every line by file; nothing when the list itself is broken."""
        found: dict[str, list[str]] = {}

        def take(raw: bytes, _number: int) -> None:
            digest, _, place = raw.decode().rstrip("\n").partition("  ")
            found.setdefault(place.rpartition(":")[0], []).append(digest)

        if LINE_HASHES in manifest.files:
            self._file(manifest, LINE_HASHES, None, take)
        return found if self._is_intact(LINE_HASHES) else {}

    def _file(
        self,
        manifest: Manifest,
        name: str,
        line_hashes: list[str] | None,
        check: Callable[[bytes, int], None] | None = None,
    ) -> None:
        """Read a file to its end, or to its first broken line."""
        entry = manifest.files[name]
        whole, count, crc = hashlib.sha256(), 0, 0
        try:
            with self._package.open(self._info(name)) as file:
                for raw in _read_lines(file):
                    count += 1
                    whole.update(raw)
                    crc = zlib.crc32(raw, crc)
                    if line_hashes is not None and line_hashes[count - 1 : count] != [_sha256(raw)]:
                        raise _BrokenError(Damage.BYTES, count)
                    if check is not None:
                        _checked(check, raw, count)
            if whole.hexdigest() != entry.sha256 or count != entry.lines:
                raise _BrokenError(Damage.BYTES, count + 1 if count < entry.lines else None)
            if crc != self._package.getinfo(name).CRC:
                raise _BrokenError(Damage.PACKAGE)
        except _BrokenError as error:
            self._broken(name, error.damage, error.line)
        except _UNREADABLE:
            self._broken(name, Damage.BYTES, count + 1 if count < entry.lines else None)
        else:
            self._report.intact[name] = count

    def _content(self, manifest: Manifest, name: str) -> None:
        """Background material: it bears its hash as its name."""
        entry, whole, size = manifest.files[name], hashlib.sha256(), 0
        try:
            with self._package.open(self._info(name)) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    size += len(chunk)
                    whole.update(chunk)
            if (whole.hexdigest(), size) != (entry.sha256, entry.bytes) or name != CONTENTS + entry.sha256:
                raise _BrokenError(Damage.BYTES)
        except _BrokenError as error:
            self._broken(name, error.damage, None)
        except _UNREADABLE:
            self._broken(name, Damage.BYTES, None)
        else:
            self._report.intact[name] = 0

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            info = copy(self._package.getinfo(name))
        except KeyError as error:
            raise _BrokenError(Damage.MISSING) from error
        del info.CRC  # else a damaged file raises before its lines can be looked at; we have better hashes
        return info

    def _audit_line(self, raw: bytes, number: int) -> None:
        record = _record(raw)
        previous = record.pop("previous")
        line = AuditLine(**{**record, "content": canonical_json(record["content"])})
        fault = check_line(line, self._head)
        if fault is not None or previous != self._head.hash:
            raise _BrokenError(Damage.CHAIN, number)
        self._head = AuditHead(line.chain, line.number, line.hash)
        self._is_expected_there = self._is_expected_there or line.hash == self._expected_head
        if line.action == "file.added" and line.subject is not None:
            self._contents[line.subject] = record["content"]["sha256"]
        elif line.action == "file.removed":
            self._contents.pop(line.subject or "", None)
        for path, digest in personal_hashes(line.content).items():
            self._hashes[line.number, path] = digest

    def _audit_text(self, raw: bytes, number: int) -> None:
        text = AuditText(**_record(raw))
        digest = self._hashes.pop((text.number, text.field), None)
        if text.chain != self._head.chain or digest != salted_hash(text.salt, text.text):
            raise _BrokenError(Damage.TEXT, number)
        self._report.texts += 1

    def _is_intact(self, name: str) -> bool:
        return name in self._report.intact

    def _broken(self, name: str, damage: Damage, line: int | None) -> None:
        self._report.intact.pop(name, None)
        self._report.findings.append(Finding(name, damage, line))


def _checked(check: Callable[[bytes, int], None], raw: bytes, number: int) -> None:
    """Run a check; a line that cannot even be read is a broken one."""
    try:
        check(raw, number)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _BrokenError(Damage.BYTES, number) from error


def _record(raw: bytes) -> dict[str, Any]:
    text = raw.decode()
    record: dict[str, Any] = json.loads(text)
    if canonical_json(record) + "\n" != text:
        raise ValueError("not the canonical spelling")
    return record


def _read_lines(file: Any) -> Iterator[bytes]:
    while raw := file.readline(_MAX_LINE_BYTES):
        yield raw


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
