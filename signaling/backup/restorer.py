"""Puts a backup in place in an empty data directory.

Everything is unpacked and checked in a hidden directory within, and moved up at the end, the database last: a server
does not start on a directory in which that was interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from conference.storage.database import newest_version
from conference.storage.snapshot import Facts, SnapshotError, check_sqlite, facts_of_sqlite
from signaling.backup import postgres
from signaling.backup.errors import BackupError, of_target
from signaling.backup.files import Progress, make_folders, quiet, sync_directories, sync_directory
from signaling.backup.manifest import DATA, DUMP, POSTGRESQL, Manifest
from signaling.backup.reader import Backup, open_backup
from signaling.data_dir import SHARED_NAMES, DataDirectory, DataDirectoryError, DirectoryLock

_SPARE_BYTES: Final = 64 << 20


def check_backup(source: Path, *, told: Progress = quiet) -> Manifest:
    """Whether it is whole and could be restored here. BackupError."""
    with open_backup(source) as backup:
        _require_known(backup.manifest)
        backup.verify(told)
        return backup.manifest


def restore_backup(
    source: Path,
    directory: DataDirectory,
    *,
    database_url: str | None = None,
    told: Progress = quiet,
) -> Manifest:
    """Into a directory that is missing or empty, or into two where one is shared, and for a backup of PostgreSQL into
    an empty database. The schema stays as it was: the server brings it up when it starts.

    BackupError, and then nothing is in place: what was unpacked is removed."""
    with open_backup(source) as backup:
        manifest = backup.manifest
        _require_known(manifest)
        if manifest.database == POSTGRESQL and database_url is None:
            raise BackupError("database_wanted")
        if manifest.database != POSTGRESQL and database_url is not None:
            raise BackupError("database_unwanted")
        with _taken(directory):
            if database_url is not None:
                postgres.find_program("pg_restore")
                asyncio.run(postgres.require_empty(database_url))
            stage = directory.unfinished_restore
            try:
                _unpack(backup, directory, told)
                if database_url is None:
                    _check_database(stage / DATA / directory.database.name, manifest)
                else:
                    asyncio.run(postgres.load(database_url, stage / DUMP))
                _put_in_place(directory, stage, database_url)
            except OSError as error:
                raise of_target(error) from error
            finally:
                if not _is_begun(directory):
                    for each in directory.unfinished_restores:
                        shutil.rmtree(each, ignore_errors=True)
    return manifest


def _require_known(manifest: Manifest) -> None:
    if manifest.schema_version > newest_version():
        said = f"{manifest.software}, schema {manifest.schema_version} > {newest_version()}"
        raise BackupError("newer_format", said)


@contextmanager
def _taken(directory: DataDirectory) -> Iterator[None]:
    """Nobody else uses it, and nothing is in it but what a killed restoration had unpacked."""
    was_there = directory.path.exists()
    try:
        if (
            directory.lock_path.exists()
        ):  # before the rest: that a server runs says more than that files are there
            DirectoryLock(directory.lock_path).release()
        _require_empty(directory)
        directory.create()
        lock = DirectoryLock(directory.lock_path)
    except DataDirectoryError as error:
        raise BackupError("in_use", str(directory.path)) from error
    except OSError as error:
        raise of_target(error) from error
    try:
        _require_empty(directory)
        for each in directory.unfinished_restores:
            shutil.rmtree(each, ignore_errors=True)
        yield
    except BaseException:
        if not _is_begun(directory):
            directory.lock_path.unlink(missing_ok=True)
            if not was_there:
                with contextlib.suppress(OSError):
                    directory.path.rmdir()
        raise
    finally:
        lock.release()


def _require_empty(directory: DataDirectory) -> None:
    ours = {directory.lock_path.name, directory.unfinished_restore.name}
    for path in (directory.path, directory.shared):
        if path is None or not path.exists():
            continue
        try:
            found = {each.name for each in path.iterdir()} - ours - {"lost+found"}
        except OSError as error:
            raise of_target(error) from error
        if found:
            raise BackupError("not_empty", f"{path} ({'、'.join(sorted(found)[:3])})")


def _is_begun(directory: DataDirectory) -> bool:
    """Whether anything is in place already."""
    try:
        _require_empty(directory)
    except BackupError:
        return True
    return False


def _unpack(backup: Backup, directory: DataDirectory, told: Progress) -> None:
    """OSError, BackupError."""
    targets = {name: _staged(directory, name) for name in backup.manifest.files}
    for stage in directory.unfinished_restores:
        _require_room(
            stage, sum(backup.manifest.files[name].size for name, at in targets.items() if at[0] == stage)
        )
        make_folders(stage / DATA)
    for name, (stage, target) in targets.items():
        make_folders((stage / target).parent)
        backup.write(name, stage / target, told)
        descriptor = os.open(stage / target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    for stage in directory.unfinished_restores:
        sync_directories(stage)


def _staged(directory: DataDirectory, name: str) -> tuple[Path, str]:
    """Where a file of the backup is unpacked: on the disk that it shall lie on."""
    folder, _, below = name.partition("/")
    is_shared = folder == DATA and below.partition("/")[0] in SHARED_NAMES
    return directory.unfinished_restores[-1 if is_shared else 0], name


def _require_room(stage: Path, needed: int) -> None:
    free = shutil.disk_usage(stage.parent).free
    if free < needed + _SPARE_BYTES:
        raise BackupError("disk_full", f"需要 {needed / 1e9:.1f} GB，只有 {free / 1e9:.1f} GB")


def _check_database(path: Path, manifest: Manifest) -> None:
    """It opens, and is the one that the manifest tells of."""
    if not path.exists():
        raise BackupError("damaged", path.name)
    try:
        check_sqlite(path)
        facts: Facts = asyncio.run(facts_of_sqlite(path))
    except SnapshotError as error:
        raise BackupError("damaged", f"{path.name}: {error}") from error
    if facts.version != manifest.schema_version:
        raise BackupError("damaged", f"{path.name}: schema {facts.version}")
    if facts.version == newest_version() and manifest.heads is not None:
        found = {chain: (head.number, head.hash) for chain, head in facts.heads.items()}
        if found != {chain: (head.number, head.hash) for chain, head in manifest.heads.items()}:
            raise BackupError("damaged", f"{path.name}: 留痕末尾与清单不符")


def _put_in_place(directory: DataDirectory, stage: Path, database_url: str | None) -> None:
    """OSError."""
    if directory.shared is not None:
        shared_stage = directory.unfinished_restores[-1]
        for each in sorted((shared_stage / DATA).iterdir()):
            each.rename(directory.shared / each.name)
        sync_directory(directory.shared)
        directory.remember_shared()
    last = directory.database.name
    for each in sorted((stage / DATA).iterdir(), key=lambda path: path.name == last):
        each.rename(directory.path / each.name)
    if database_url is not None:
        directory.remember_database(database_url)
    for root in (directory.shared, directory.path):
        if root is not None:
            shutil.rmtree(root / stage.name)
            sync_directory(root)
