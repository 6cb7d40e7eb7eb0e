"""Bytes from one place to another, with their hash, and back to see that they are there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from signaling.backup.errors import of_source, of_target
from signaling.backup.manifest import FileEntry

_PIECE: Final = 1 << 20
Progress = Callable[[int], None]


def quiet(_done: int) -> None:
    """Progress that nobody looks at."""


def make_folders(path: Path) -> None:
    """Private ones, with all above that are missing. OSError."""
    if not path.is_dir():
        make_folders(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def private(path: Path) -> BinaryIO:
    """A file that this account alone may read, to be written from its beginning. OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file that has the same is the same."""

    inode: int
    size: int
    changed_ns: int


def stamp_of(path: Path) -> Stamp:
    """FileNotFoundError when it is gone; BackupError source_unreadable."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise of_source(error) from error
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def copy(source: Path, target: Path, *, whole_lines: bool, told: Progress) -> tuple[FileEntry, Stamp]:
    """As much as there is when it begins: a file that grows meanwhile is copied up to there, `whole_lines` up to the
    end of a line. FileNotFoundError when the source is gone; BackupError for everything else."""
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise of_source(error) from error
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        stamp = Stamp(status.st_ino, status.st_size, status.st_mtime_ns)
        size = _end_of_lines(file, status.st_size) if whole_lines else status.st_size
        try:
            make_folders(target.parent)
            out = private(target)
        except OSError as error:
            raise of_target(error) from error
        entry = pour(file, out, size, target, told)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # a meeting needs the memory
    try:
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    except OSError as error:
        raise of_target(error) from error
    return entry, stamp


def pour(source: BinaryIO, out: BinaryIO, size: int, target: Path, told: Progress) -> FileEntry:
    """`size` bytes, fewer where the source ends before; closes `out`. BackupError."""
    digest, left = hashlib.sha256(), size
    try:
        with out:
            while left:
                try:
                    piece = source.read(min(left, _PIECE))
                except OSError as error:
                    raise of_source(error) from error
                if not piece:
                    break
                out.write(piece)
                digest.update(piece)
                left -= len(piece)
                told(len(piece))
    except OSError as error:
        error.filename = error.filename or str(target)
        raise of_target(error) from error
    return FileEntry(size - left, digest.hexdigest())


def settled(path: Path) -> FileEntry:
    """Written to the disk, then read back from there. OSError."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return FileEntry(size, digest.hexdigest())


def sync_directories(root: Path) -> None:
    """Names that were given in it stay given. OSError."""
    for above, _, _ in os.walk(root):
        sync_directory(Path(above))


def sync_directory(path: Path) -> None:
    """OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _end_of_lines(file: BinaryIO, size: int) -> int:
    """Behind the last end of a line within `size` bytes."""
    end = size
    while end:
        start = max(0, end - 4096)
        at = os.pread(file.fileno(), end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0
