"""Takes a backup of a data directory, also while a server works in it.

The order is what makes it whole. A server writes a file before the row that names it, and strikes the row before it
deletes the file. So the files that rest are copied first (most bytes, no hurry), then the database of one moment, then
what has been added since, ledgers before the files that they name. Whatever that moment's rows name was there, and is
copied, unless it was deleted meanwhile: then the database is taken again.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tarfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

from conference.storage.database import newest_version
from conference.storage.snapshot import Facts, SnapshotError, copy_sqlite, facts_of_sqlite
from signaling.backup import postgres
from signaling.backup.errors import BackupError, of_target
from signaling.backup.files import (
    Progress,
    Stamp,
    copy,
    private,
    quiet,
    settled,
    stamp_of,
    sync_directories,
    sync_directory,
)
from signaling.backup.inventory import is_ledger, names, require_data
from signaling.backup.manifest import (
    DATA,
    DUMP,
    FORMAT,
    KIND,
    NAME,
    POSTGRESQL,
    SQLITE,
    FileEntry,
    HeadEntry,
    Manifest,
    encode,
)
from signaling.backup.reader import TAR, open_backup
from signaling.data_dir import DataDirectory

_ROUNDS: Final = 5
_AT_REST_NS: Final = 60_000_000_000  # what was changed more recently is likely to be changed again
_SPARE_BYTES: Final = 64 << 20


@dataclass(slots=True)
class _Copied:
    entry: FileEntry
    stamp: Stamp


@dataclass(slots=True)
class _Moment:
    facts: Facts
    moment_ms: int
    missing: list[str] = field(default_factory=list)


def write_backup(
    directory: DataDirectory,
    target: Path,
    *,
    database_url: str | None = None,
    with_models: bool = False,
    told: Progress = quiet,
) -> Manifest:
    """Into a new directory, or into one file when the name ends with .tar. `told` hears of bytes as they are copied.

    BackupError, and then nothing is left at the target. A process that is killed leaves a hidden draft beside the
    target, which nobody takes for a backup and the next one removes."""
    require_data(directory)
    target = target.absolute()
    _check_place(directory, target)
    draft = _Draft(target)
    try:
        writer = _Writer(directory, draft.path, database_url, with_models=with_models, told=told)
        manifest = writer.run()
        try:
            if target.suffix == TAR:
                with open_backup(_pack(draft.path, manifest)) as made:
                    made.verify()
            else:
                sync_directories(draft.path)
        except OSError as error:
            raise of_target(error) from error
        draft.keep()
    finally:
        draft.close()
    return manifest


def _check_place(directory: DataDirectory, target: Path) -> None:
    if os.path.lexists(target):
        raise BackupError("target_exists", str(target))
    above = target.parent
    if not above.is_dir():
        raise BackupError("target_unusable", f"{above} 不存在")
    # Folders of the data directory may lie elsewhere, by a link; what is in them is in the backup.
    linked = [each for each in directory.path.iterdir() if each.is_symlink() and each.is_dir()]
    if any(
        above.resolve().is_relative_to(each.resolve()) for each in (directory.path, directory.stock, *linked)
    ):
        raise BackupError("target_inside", str(target))


class _Draft:
    """The hidden directory beside the target in which everything is made. Locked: nobody else makes the same."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = target.with_name(f".{target.name}.part")
        self._descriptor = -1
        try:
            if self.path.exists():
                self._take()
                shutil.rmtree(self.path)  # of one that was killed
                self._release()
            self.path.mkdir(mode=0o700)
            self._take()
        except OSError as error:
            raise of_target(error) from error

    def _take(self) -> None:
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._release()
            raise BackupError("target_busy", str(self.path)) from error

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def keep(self) -> None:
        """It is whole and on the disk: give it its name."""
        if os.path.lexists(self._target):
            raise BackupError("target_exists", str(self._target))
        is_tar = self._target.suffix == TAR
        try:
            (self.path / self._target.name if is_tar else self.path).rename(self._target)
            sync_directory(self._target.parent)
        except OSError as error:
            raise of_target(error) from error

    def close(self) -> None:
        """Whatever was not kept goes. Idempotent."""
        if self._descriptor >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            self._release()


class _Writer:
    def __init__(
        self, directory: DataDirectory, draft: Path, url: str | None, *, with_models: bool, told: Progress
    ) -> None:
        self._directory = directory
        self._draft = draft
        self._data = draft / DATA
        self._url = url
        self._with_models = with_models
        self._told = told
        self._copied: dict[str, _Copied] = {}

    def run(self) -> Manifest:
        names_ = self._names()
        self._check_space(names_)
        self._copy(names_, only_at_rest=True)
        moment = self._moment()
        files = self._verified()
        facts = moment.facts
        assert facts.version is not None
        manifest = Manifest(
            kind=KIND,
            format=FORMAT,
            software=f"yuanshang {version('yuanshang')}",
            moment_ms=moment.moment_ms,
            finished_ms=_now_ms(),
            database=SQLITE if self._url is None else POSTGRESQL,
            schema_version=facts.version,
            with_models=self._with_models,
            heads=(
                {chain: HeadEntry(head.number, head.hash) for chain, head in facts.heads.items()}
                if facts.version == newest_version()
                else None
            ),
            missing=moment.missing,
            files=files,
        )
        self._put(self._draft / NAME, encode(manifest))
        return manifest

    def _names(self) -> list[str]:
        return names(self._directory, with_models=self._with_models)

    def _check_space(self, names_: list[str]) -> None:
        """Rather now than after an hour."""
        needed = largest = 0
        for name in names_:
            with suppress(FileNotFoundError):
                size = stamp_of(self._directory.locate(name)).size
                needed, largest = needed + size, max(largest, size)
        if self._url is None:
            with suppress(FileNotFoundError):
                needed += stamp_of(self._directory.database).size
        if self._draft.name.endswith(f"{TAR}.part"):
            needed += largest  # it is in the draft and in the package for a moment
        free = shutil.disk_usage(self._draft).free
        if free < needed + _SPARE_BYTES:
            raise BackupError("disk_full", f"需要 {needed / 1e9:.1f} GB，只有 {free / 1e9:.1f} GB")

    def _moment(self) -> _Moment:
        unfound: frozenset[str] | None = None
        for _ in range(_ROUNDS):
            before = self._names()
            self._forget(set(self._copied) - set(before))
            moment_ms = _now_ms()
            facts = self._database()
            self._copy([each for each in self._names() if is_ledger(each)], only_at_rest=False)
            # Listed once more: what the ledgers just copied name is there by now.
            self._copy([each for each in self._names() if not is_ledger(each)], only_at_rest=False)
            after = set(self._names())
            lacking = facts.named - set(self._copied)
            if set(before) <= after and set(self._copied) <= after and (not lacking or lacking == unfound):
                return _Moment(facts, moment_ms, sorted(lacking))
            unfound = lacking
        raise BackupError("restless")

    def _database(self) -> Facts:
        try:
            if self._url is not None:
                facts = asyncio.run(postgres.dump(self._url, self._draft / DUMP))
            else:
                if not self._directory.database.exists():
                    raise BackupError("no_data", str(self._directory.database))
                copied = self._data / self._directory.database.name
                self._data.mkdir(mode=0o700, exist_ok=True)
                copy_sqlite(self._directory.database, copied)
                facts = asyncio.run(facts_of_sqlite(copied))
        except SnapshotError as error:
            raise BackupError("database_failed", str(error)) from error
        except OSError as error:
            raise of_target(error) from error
        if facts.version is None:
            raise BackupError("no_data", "database")
        if facts.version > newest_version():
            raise BackupError("newer_format", f"database {facts.version}")
        return facts

    def _copy(self, names_: list[str], *, only_at_rest: bool) -> None:
        """What is new or has changed. What is gone by its turn is left to the next round."""
        rested_ns = time.time_ns() - _AT_REST_NS
        for name in names_:
            source = self._directory.locate(name)
            try:
                stamp = stamp_of(source)
                known = self._copied.get(name)
                if (known is not None and known.stamp == stamp) or (
                    only_at_rest and stamp.changed_ns > rested_ns
                ):
                    continue
                entry, stamp = copy(source, self._data / name, whole_lines=is_ledger(name), told=self._told)
            except FileNotFoundError:
                continue
            self._copied[name] = _Copied(entry, stamp)

    def _forget(self, gone: set[str]) -> None:
        """Deleted by the server before the moment: such must not live on in a backup."""
        for name in gone:
            del self._copied[name]
            path = self._data / name
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise of_target(error) from error

    def _verified(self) -> dict[str, FileEntry]:
        """Every file, as it lies on the target's disk."""
        files: dict[str, FileEntry] = {}
        try:
            for name, copied in sorted(self._copied.items()):
                files[f"{DATA}/{name}"] = found = settled(self._data / name)
                if found != copied.entry:
                    raise BackupError("target_unusable", f"{name}: 写入的内容读回来不一致")
            database = f"{DATA}/{self._directory.database.name}" if self._url is None else DUMP
            files[database] = settled(self._draft / database)
        except OSError as error:
            raise of_target(error) from error
        return files

    @staticmethod
    def _put(path: Path, content: bytes) -> None:
        try:
            with private(path) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise of_target(error) from error


def _pack(draft: Path, manifest: Manifest) -> Path:
    """One .tar, the manifest first; each file goes from the draft once it is in the package. OSError."""
    path = draft / draft.name.removeprefix(".").removesuffix(".part")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as package:
            for name in (NAME, *sorted(manifest.files)):
                package.add(draft / name, arcname=name, recursive=False, filter=_nobody)
                (draft / name).unlink()
        file.flush()
        os.fsync(descriptor)
    return path


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
