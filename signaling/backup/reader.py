"""Reads a backup: a directory, or a .tar file. Names come from the manifest alone, never from the package."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

from signaling.backup.errors import BackupError, of_source, of_target
from signaling.backup.files import Progress, pour, private, quiet
from signaling.backup.manifest import NAME, FileEntry, Manifest, decode

TAR: Final = ".tar"
_LARGEST_MANIFEST: Final = 1 << 30


class _Source(Protocol):
    def open(self, name: str) -> BinaryIO:
        """KeyError or FileNotFoundError when it is not there, OSError."""

    def close(self) -> None: ...


class _Directory:
    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, name: str) -> BinaryIO:
        descriptor = os.open(self._path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        return os.fdopen(descriptor, "rb")

    def close(self) -> None:
        """Nothing is open."""


class _Package:
    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, mode="r:")  # noqa: SIM115 closed by `close`

    def open(self, name: str) -> BinaryIO:
        member = self._tar.getmember(name)
        file = self._tar.extractfile(member) if member.isreg() else None
        if file is None:
            raise KeyError(name)
        return file  # type: ignore[return-value] # it reads bytes

    def close(self) -> None:
        self._tar.close()


class Backup:
    """An open one; close it."""

    def __init__(self, path: Path, source: _Source) -> None:
        """BackupError not_a_backup, newer_format, damaged, source_unreadable."""
        self.path = path
        self._source = source
        try:
            with source.open(NAME) as file:
                content = file.read(_LARGEST_MANIFEST)
        except (KeyError, FileNotFoundError) as error:
            raise BackupError("not_a_backup", str(path)) from error
        except tarfile.TarError as error:
            raise BackupError("damaged", str(error)) from error
        except OSError as error:
            raise of_source(error) from error
        self.manifest: Manifest = decode(content)

    def verify(self, told: Progress = quiet) -> None:
        """Read every byte. BackupError damaged, source_unreadable."""
        for name in self.manifest.files:
            self.write(name, Path(os.devnull), told)

    def write(self, name: str, target: Path, told: Progress = quiet) -> None:
        """One file, which is right when this returns. BackupError damaged, source_unreadable, disk_full…"""
        wanted = self.manifest.files[name]
        found = self._poured(name, target, wanted, told)
        if found != wanted:
            raise BackupError("damaged", name)

    def _poured(self, name: str, target: Path, wanted: FileEntry, told: Callable[[int], None]) -> FileEntry:
        try:
            file = self._source.open(name)
        except (KeyError, FileNotFoundError) as error:
            raise BackupError("damaged", f"{name} 缺失") from error
        except tarfile.TarError as error:
            raise BackupError("damaged", str(error)) from error
        except OSError as error:
            raise of_source(error) from error
        with file:
            try:
                out = private(target)
            except OSError as error:
                raise of_target(error) from error
            try:
                return pour(file, out, wanted.size + 1, target, told)  # one more: nothing may follow
            except tarfile.TarError as error:
                raise BackupError("damaged", f"{name}: {error}") from error

    def close(self) -> None:
        """Idempotent."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_backup(path: Path) -> Backup:
    """BackupError not_a_backup, newer_format, damaged, source_unreadable."""
    source: _Source
    try:
        source = _Directory(path) if path.is_dir() else _Package(path)
    except FileNotFoundError as error:
        raise BackupError("not_a_backup", str(path)) from error
    except tarfile.TarError as error:
        raise BackupError("not_a_backup", f"{path}: {error}") from error
    except OSError as error:
        raise of_source(error) from error
    try:
        return Backup(path, source)
    except BackupError:
        source.close()
        raise
