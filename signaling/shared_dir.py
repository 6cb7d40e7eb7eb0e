"""The directory that all servers of one database share: its mark, and what a file system must be able to do for it.

The mark is an id that the database has, too. A directory that says another one belongs to other servers, and one that
says nothing, where it has been marked before, is the empty place in which it should be mounted: a server that recorded
there would fill its own disk, and nobody else would find a file.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from conference.model.ids import new_id
from conference.services.ports import Storage
from recording.manifest import sync_directory
from signaling.blocking import Result, in_time
from signaling.data_dir import SHARED_NAMES, DataDirectory, DataDirectoryError, write_private

log = structlog.get_logger(__name__)

MARK: Final = SHARED_NAMES[-1]
SERVERS: Final = "servers"
_ID: Final = "id"
_MOVED: Final = ("files", "clips", "recordings", "program")


class SharedDirectoryError(DataDirectoryError):
    """It cannot be used; the message says why and what to do, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class SharedDirectory:
    """One that is ours. `id`: what its mark says."""

    path: Path
    id: str

    @property
    def locks(self) -> Path:
        """Works that one server at a time does: see storage.works."""
        return self.path / "locks"

    @property
    def servers(self) -> Path:
        """A locked file for each server that runs on it."""
        return self.path / SERVERS

    def require(self) -> None:
        """OSError (ESTALE) unless the directory is there, and is still this one."""
        if read_mark(self.path) != self.id:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(self.path))


async def open_shared(directory: DataDirectory, storage: Storage) -> SharedDirectory | None:
    """The shared directory of the settings, tied to this database; None without one.

    The first server marks it. SharedDirectoryError where it is not there, not ours, or unable; and where files lie in
    the data directory that nobody would find any more."""
    if directory.shared is None:
        async with storage.reading() as unit:
            if await unit.shared_directory.get() is not None:
                log.warning(
                    "shared_dir.not_set"
                )  # recordings lie on our own disk, and others do not find them
        return None
    path = directory.shared
    await _asked(path, lambda: _require_usable(directory, path))
    async with storage.transaction() as unit:
        known = await unit.shared_directory.begun(new_id("d"))
        said = await _asked(path, lambda: read_mark(path))
        if said is None and known.is_marked:
            raise SharedDirectoryError(
                f"{path} 里没有标记文件 {MARK}：共享目录可能没有挂载。请先挂载，再启动 "
                "(not marked: is it mounted?)"
            )
        if said not in (None, known.id):
            raise SharedDirectoryError(
                f"{path} 属于另一套服务器（标记 {said}，本套是 {known.id}）。请核对 --shared-dir 和 "
                "--database-url (it belongs to other servers)"
            )
        if said is None:
            await _asked(path, lambda: _mark(path, known.id))
        if not known.is_marked:
            await unit.shared_directory.marked()
    shared = SharedDirectory(path, known.id)
    await _asked(path, lambda: _prepare(shared))
    return shared


async def _asked(path: Path, work: Callable[[], Result]) -> Result:
    """In words where the disk refuses, for those who wait in a transaction, too: there it is not the database's."""
    try:
        return await in_time(work)
    except TimeoutError as error:
        raise SharedDirectoryError(f"{path} 没有应答，请检查文件服务器 (no answer)") from error
    except OSError as error:
        raise SharedDirectoryError(f"{path} 不能使用：{error.strerror} (cannot be used)") from error


def read_mark(path: Path) -> str | None:
    """What the directory says of itself; None where it says nothing. OSError."""
    try:
        said = json.loads((path / MARK).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        return ""  # it says something, and that is not ours
    return str(said.get(_ID, "")) if isinstance(said, dict) else ""


def _require_usable(directory: DataDirectory, path: Path) -> None:
    if not path.is_dir():
        raise SharedDirectoryError(f"{path} 不存在：请先挂载共享目录 (no such directory)")
    if any(each.exists() for each in directory.unfinished_restores):
        raise SharedDirectoryError(
            f"{path}: 恢复备份没有完成，请清空目录后重新恢复 (a restoration was not finished)"
        )
    if path == directory.path:
        raise SharedDirectoryError(f"{path} 是数据目录，共享目录要另外一个 (this is the data directory)")
    left = left_behind(directory)
    if left:
        raise SharedDirectoryError(
            f"数据目录 {directory.path} 里还有 {'、'.join(left)}，设了共享目录就读不到了。请先移到 {path} "
            "(move them to the shared directory first)"
        )
    try_out(path)


def left_behind(directory: DataDirectory) -> list[str]:
    """What lies in the data directory and would not be found any more. OSError."""
    return [name for name in _MOVED if _is_left(directory.path / name, directory.stock / name)]


def _is_left(own: Path, shared: Path) -> bool:
    """Files that nobody would find; a link to the shared directory leads to the same ones."""
    if not own.is_dir() or own.resolve() == shared.resolve():
        return False
    return any(each.is_file() for each in own.rglob("*"))


def try_out(path: Path) -> None:
    """Append, lock, sync, rename: what recordings need and object stores behind a mount do not do. Leaves nothing.
    SharedDirectoryError, OSError."""
    trial = path / f".trial-{secrets.token_hex(8)}"
    renamed = trial.with_suffix(".renamed")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
    try:
        descriptor = os.open(trial, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for piece in (b"a", b"b"):
                os.write(descriptor, piece)
                os.fsync(descriptor)
            _require_locked(trial)
            trial.rename(renamed)
            sync_directory(path)
            is_able = renamed.read_bytes() == b"ab"
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.EBADF):
            raise _unable(path) from error
        raise
    finally:
        for each in (trial, renamed):
            each.unlink(missing_ok=True)
    if not is_able:
        raise _unable(path)


def _require_locked(trial: Path) -> None:
    other = os.open(trial, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(other)
    raise _unable(trial.parent)


def _unable(path: Path) -> SharedDirectoryError:
    return SharedDirectoryError(
        f"{path} 所在的文件系统不能追加、加锁或改名，不能作共享目录（对象存储挂载成的目录不行，用 NFS 4 或 CephFS） "
        "(the file system cannot append, lock or rename)"
    )


def _mark(path: Path, directory_id: str) -> None:
    """Whole or not at all."""
    draft = path / f".{MARK}.{secrets.token_hex(8)}"
    write_private(draft, json.dumps({_ID: directory_id}).encode() + b"\n")
    draft.rename(path / MARK)
    sync_directory(path)


def _prepare(shared: SharedDirectory) -> None:
    for each in (shared.locks, shared.servers):
        each.mkdir(mode=0o700, exist_ok=True)
