"""Archives of models, unpacked without trust: no path leads out, no link, and no more than a model can have."""

from __future__ import annotations

import hashlib
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Final

Progress = Callable[[str, int, int], None]  # what is done, bytes of so many; 0 where nobody knows

MOST_BYTES: Final = 8 << 30
MOST_FILES: Final = 10_000
_CHUNK: Final = 1 << 20


class ArchiveError(Exception):
    """It is not unpacked; the message says why."""


def unpack(archive: Path, into: Path, progress: Progress, *, sha256: str | None = None) -> str:
    """All files into an empty directory; the archive's SHA-256. Raises ArchiveError, OSError."""
    found = sha256_of(archive, progress)
    if sha256 is not None and found != sha256.lower():
        raise ArchiveError(f"{archive.name} is another file: its SHA-256 is {found}")
    writer = _Writer(into, progress)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                _unzip(zipped, writer)
        else:
            with tarfile.open(archive) as tarred:
                _untar(tarred, writer)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ArchiveError(f"{archive.name} cannot be read: {error}") from error
    return found


def sha256_of(path: Path, progress: Progress) -> str:
    """In hexadecimal."""
    digest, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            progress("check", done, size)
    return digest.hexdigest()


class _Writer:
    """Counts what comes out, whatever the archive says of itself."""

    def __init__(self, into: Path, progress: Progress) -> None:
        self._into = into
        self._progress = progress
        self._files = 0
        self._bytes = 0
        self.total = 0

    def file(self, name: str, source: IO[bytes]) -> None:
        path = self._path(name)
        self._files += 1
        if self._files > MOST_FILES:
            raise ArchiveError(f"more than {MOST_FILES} files")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            while chunk := source.read(_CHUNK):
                self._bytes += len(chunk)
                if self._bytes > MOST_BYTES:
                    raise ArchiveError(f"more than {MOST_BYTES >> 30} GB")
                file.write(chunk)
                self._progress("unpack", self._bytes, self.total)

    def expect(self, total: int) -> None:
        """What the archive says of its size."""
        if total > MOST_BYTES:
            raise ArchiveError(f"more than {MOST_BYTES >> 30} GB")
        if total > shutil.disk_usage(self._into).free:
            raise ArchiveError("the disk has no room for it")
        self.total = total

    def _path(self, name: str) -> Path:
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or not pure.parts or any(part == ".." or ":" in part for part in pure.parts):
            raise ArchiveError(f"a path that leads out of the archive: {name!r}")
        return self._into / pure


def _unzip(zipped: zipfile.ZipFile, writer: _Writer) -> None:
    members = [each for each in zipped.infolist() if not each.is_dir()]
    writer.expect(sum(each.file_size for each in members))
    for each in members:
        if stat.S_ISLNK(each.external_attr >> 16):
            raise ArchiveError(f"a link: {each.filename!r}")
        with zipped.open(each) as source:
            writer.file(each.filename, source)


def _untar(tarred: tarfile.TarFile, writer: _Writer) -> None:
    for each in tarred:
        if each.isdir():
            continue
        source = tarred.extractfile(each) if each.isreg() else None
        if source is None:
            raise ArchiveError(f"neither a file nor a folder: {each.name!r}")
        writer.file(each.name, source)
