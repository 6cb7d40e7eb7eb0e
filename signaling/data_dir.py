"""The data directory: what lies where, the lock of the one server, the key that signs tokens.

What is made of consultations may lie in a directory that several servers share: `shared`."""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

_KEY_BYTES = 32
_RESTORE = ".restore"
SHARED_NAMES = ("files", "clips", "recordings", "program", "cards.bin", "shared-directory.json")
"""What lies in the shared directory, where there is one; the last says of which servers it is."""


class DataDirectoryError(Exception):
    """The directory cannot be used; the message says why, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Paths in the data directory. Everything in it is private to the server's account. `shared`: where files of
    consultations lie instead."""

    path: Path
    shared: Path | None = None

    @classmethod
    def given(cls, path: Path, shared: Path | None) -> DataDirectory:
        """As settings or a command line name them."""
        return cls(path.resolve(), None if shared is None else shared.resolve())

    @classmethod
    def remembered(cls, path: Path, shared: Path | None = None) -> DataDirectory:
        """With the shared directory that the server last used, unless another is named."""
        alone = cls(path.resolve())
        if shared is None and alone.shared_path.exists():
            shared = Path(alone.shared_path.read_text())
        return cls.given(path, shared)

    @property
    def stock(self) -> Path:
        """Where files of consultations lie."""
        return self.shared or self.path

    def locate(self, name: str) -> Path:
        """Where this lies, by its path below the data directory (POSIX)."""
        return (self.stock if name.partition("/")[0] in SHARED_NAMES else self.path) / name

    @property
    def database(self) -> Path:
        return self.path / "yuanshang.sqlite3"

    @property
    def token_key(self) -> Path:
        return self.path / "token.key"

    @property
    def key_set(self) -> Path:
        """All keys, once there was more than one; a copy where the servers share the file elsewhere."""
        return self.path / "keys.json"

    @property
    def key_file_note(self) -> Path:
        """Names the key file that is not in this directory."""
        return self.path / "key_file.path"

    @property
    def files(self) -> Path:
        """Contents of background material, each named by its SHA-256."""
        return self.stock / "files"

    @property
    def clips(self) -> Path:
        """Films that are played in meetings, by consultation."""
        return self.stock / "clips"

    @property
    def recordings(self) -> Path:
        """Recorded files: consultation, life of the recorder, file."""
        return self.stock / "recordings"

    @property
    def program(self) -> Path:
        """What was made of the programs: consultation, life of the worker, rendition."""
        return self.stock / "program"

    @property
    def cards(self) -> Path:
        """What the public sees instead of what was cut off."""
        return self.stock / "cards.bin"

    @property
    def models(self) -> Path:
        """Installed speech models, a folder each."""
        return self.path / "models"

    @property
    def run(self) -> Path:
        """Sockets of a running server."""
        return self.path / "run"

    @property
    def relay(self) -> Path:
        """What the relay is run with."""
        return self.path / "relay"

    @property
    def lan(self) -> Path:
        return self.path / "lan"

    def create(self) -> None:
        """Make the directory when it is missing."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataDirectoryError(f"cannot use {self.path}: {error.strerror}") from error

    def remember_database(self, url: str | None) -> None:
        """Note which database the server uses, so that commands find it: its password makes it a secret."""
        if url is None:
            self.database_url.unlink(missing_ok=True)
        else:
            write_private(self.database_url, url.encode())

    def remember_shared(self) -> None:
        """Note which directory the server shares with others, so that commands find it."""
        if self.shared is None:
            self.shared_path.unlink(missing_ok=True)
        else:
            write_private(self.shared_path, str(self.shared).encode())

    @property
    def shared_path(self) -> Path:
        """Names the shared directory."""
        return self.path / "shared.path"

    def remembered_database(self) -> str | None:
        """The URL of a database that is not in this directory."""
        return self.database_url.read_text() if self.database_url.exists() else None

    def remember_key_file(self, path: Path | None) -> None:
        """Note which key file the server uses, so that commands find it."""
        if path is None:
            self.key_file_note.unlink(missing_ok=True)
        else:
            write_private(self.key_file_note, os.fsencode(path.resolve()))

    def remembered_key_file(self) -> Path | None:
        """The key file that is not in this directory."""
        if not self.key_file_note.exists():
            return None
        return Path(os.fsdecode(self.key_file_note.read_bytes()))

    @property
    def database_url(self) -> Path:
        """Names the database that is not in this directory, password included."""
        return self.path / "database.url"

    @property
    def lock_path(self) -> Path:
        """Held by the server, or by who restores a backup."""
        return self.path / "server.lock"

    @property
    def unfinished_restore(self) -> Path:
        """Where a backup is unpacked before it is put in place; left by one that was interrupted."""
        return self.path / _RESTORE

    @property
    def unfinished_restores(self) -> list[Path]:
        """The same, in every directory that there is."""
        return [each / _RESTORE for each in (self.path, self.shared) if each is not None]

    def lock(self) -> DirectoryLock:
        """Take the directory for this server; DataDirectoryError while another one holds it, and where a backup was
        put in place by half."""
        if self.unfinished_restore.exists():
            raise DataDirectoryError(
                f"{self.path}: 恢复备份没有完成，请清空目录后重新恢复 (a restoration was not finished)"
            )
        return DirectoryLock(self.lock_path)

    def load_key(self) -> bytes:
        """The key that signs, as older versions read it: made at the first call, kept up to date by key_file. Safe
        against two processes that begin at once."""
        if not self.token_key.exists():
            draft = self.path / f".token.key.{secrets.token_hex(8)}"
            write_private(draft, secrets.token_bytes(_KEY_BYTES))
            try:
                os.link(draft, self.token_key)  # fails when another process was first: its key counts
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        key = self.token_key.read_bytes()
        if len(key) != _KEY_BYTES:
            raise DataDirectoryError(f"{self.token_key} is not a token key: {len(key)} bytes")
        return key


class DirectoryLock:
    """An exclusive flock; the kernel drops it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise DataDirectoryError(
                f"another server already uses the data directory {path.parent}"
            ) from error

    def release(self) -> None:
        """Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def replace_private(path: Path, content: bytes) -> None:
    """The same in one step: whoever reads it finds the one or the other, also after a power failure. OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_private(draft, content)
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """A file, or the names in a directory, are on the disk. OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this account may read."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, 0o600)  # one that was there before keeps its mode otherwise
        file.write(content)
