"""The file with the keys of the installation: read, changed in one step, and copied where backups look.

In the data directory it is `keys.json`, which there is from the first rotation on: until then `token.key` is all.
`token.key` goes on holding the key that signs, for versions that know no other.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from conference.model.keyset import Key, KeySet, key_id
from signaling.auth.signer import record_key
from signaling.data_dir import DataDirectory, DataDirectoryError, replace_private

_FORMAT: Final = 1
_SECRET_BYTES: Final = 32
Stamp = tuple[int, int, int]


class KeyFile:
    """Any number of processes may use it at once. Its methods block; DataDirectoryError says why not."""

    def __init__(self, directory: DataDirectory, elsewhere: Path | None = None) -> None:
        """`elsewhere`: a file that several servers share."""
        self._directory = directory
        self._elsewhere = elsewhere
        self.path = directory.key_set if elsewhere is None else elsewhere

    def stamp(self) -> Stamp | None:
        """Another one when the file was changed; None when it cannot be seen."""
        places = (self.path, self._directory.token_key) if self._elsewhere is None else (self.path,)
        for path in places:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            except OSError:
                return None
            return status.st_ino, status.st_size, status.st_mtime_ns
        return None

    def read(self) -> KeySet:
        """The keys, made at the first call. A shared file that was never there begins with those of this server; while
        one that was is gone, this server's copy holds: a share that is not mounted must silence no meeting."""
        found = self._read_file(self.path)
        if found is not None:
            return found
        if self._elsewhere is None or self._is_gone():
            return self._own()
        with self._told(), self._locked():
            return self._begun()

    def change(self, how: Callable[[KeySet], KeySet]) -> KeySet:
        """Put the result of `how` in the place of what is there, while nobody else changes it."""
        if self._elsewhere is not None and self._is_gone() and not self.path.exists():
            raise DataDirectoryError(f"{self.path} 不见了，请先挂载 (the key file is gone)")
        with self._told(), self._locked():
            before = self._begun() if self._elsewhere is not None else self.read()
            after = how(before)
            if after != before:
                replace_private(self.path, _packed(after))
                self.copy(after)
        return after

    def copy(self, keys: KeySet) -> None:
        """Into the data directory: for its backup, and for versions that know one key. What is right stays."""
        signing = keys.signing.secret
        assert signing is not None, "the key that signs has a secret"
        with self._told():
            if self._elsewhere is not None and self._read_file(self._directory.key_set) != keys:
                replace_private(self._directory.key_set, _packed(keys))
            if self._directory.key_set.exists() and self._directory.load_key() != signing:
                replace_private(self._directory.token_key, signing)

    def foreign(self, keys: KeySet) -> str | None:
        """The id of the key in `token.key` when it is none of these: somebody copied another there."""
        with self._told():
            if not self._directory.token_key.exists():
                return None
            found = key_id(self._directory.load_key())
        return None if keys.find(found) is not None else found

    def _begun(self) -> KeySet:
        """The shared keys, made from our own where there are none. Only under the lock."""
        found = self._read_file(self.path)
        if found is None:
            found = self._own()
            replace_private(self.path, _packed(found))
        return found

    def _is_gone(self) -> bool:
        """Whether this server had used the shared file before; then the lack of it means no beginning."""
        assert self._elsewhere is not None
        with self._told():
            return self._directory.remembered_key_file() == self._elsewhere.resolve()

    def _own(self) -> KeySet:
        """Of this data directory alone."""
        found = None if self._elsewhere is None else self._read_file(self._directory.key_set)
        if found is not None:
            return found
        secret = self._directory.load_key()
        made_ms = self._directory.token_key.stat().st_mtime_ns // 1_000_000
        return KeySet((key_of(secret, made_ms),))

    def _read_file(self, path: Path) -> KeySet | None:
        with self._told():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            return _unpacked(content)
        except (ValueError, KeyError, TypeError) as error:
            raise DataDirectoryError(f"{path} 不是密钥文件 (not a key file: {error})") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all who change it. The file itself is replaced, so that another one bears the lock."""
        fd = os.open(
            self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataDirectoryError(f"{error.filename or self.path}: {error.strerror}") from error


def new_key(made_ms: int) -> Key:
    """A key that nobody had before."""
    return key_of(secrets.token_bytes(_SECRET_BYTES), made_ms)


def key_of(secret: bytes, made_ms: int) -> Key:
    """The key that a secret is."""
    return Key(key_id(secret), secret, made_ms, record_key(secret))


def _packed(keys: KeySet) -> bytes:
    listed = [
        {
            "id": each.id,
            "secret": None if each.secret is None else base64.b64encode(each.secret).decode(),
            "made_ms": each.made_ms,
            "until_ms": each.until_ms,
            "retired_ms": each.retired_ms,
            "record_key": each.record_key,
        }
        for each in keys.keys
    ]
    return json.dumps({"format": _FORMAT, "keys": listed}, indent=2).encode() + b"\n"


def _unpacked(content: bytes) -> KeySet:
    body = json.loads(content)
    if not isinstance(body, dict) or body["format"] != _FORMAT:
        raise ValueError("of another version")
    return KeySet(tuple(_key(each) for each in body["keys"]))


def _key(said: dict[str, Any]) -> Key:
    secret = None if said["secret"] is None else base64.b64decode(said["secret"], validate=True)
    if secret is not None and (len(secret) != _SECRET_BYTES or key_id(secret) != said["id"]):
        raise ValueError(f"key {said['id']} is damaged")
    until_ms, retired_ms = said["until_ms"], said["retired_ms"]
    return Key(
        str(said["id"]),
        secret,
        int(said["made_ms"]),
        str(said["record_key"]),
        None if until_ms is None else int(until_ms),
        None if retired_ms is None else int(retired_ms),
    )
