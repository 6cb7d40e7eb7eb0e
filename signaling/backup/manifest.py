"""The manifest of a backup: what is in it, with hashes, of which moment, of which version.

A backup is a directory or a .tar file with `manifest.json`, the files of the data directory below `data/` and, for
PostgreSQL, `database.dump`. The manifest comes last when one is made: without it there is no backup.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

import msgspec

from signaling.backup.errors import BackupError

NAME: Final = "manifest.json"
DATA: Final = "data"
DUMP: Final = "database.dump"
KIND: Final = "yuanshang backup"
FORMAT: Final = 1
SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"


class FileEntry(msgspec.Struct, frozen=True):
    """One file, by its bytes in the backup."""

    size: int
    sha256: str


class HeadEntry(msgspec.Struct, frozen=True):
    """The last line of a chain of the trace."""

    number: int
    hash: str


class Manifest(msgspec.Struct, frozen=True):
    """`moment_ms`: wall time whose rows the backup holds; files may be some seconds younger. `missing`: what rows name
    and the data directory did not have. `heads`: of the trace, by chain, None where the schema was an older one."""

    kind: str
    format: int
    software: str
    moment_ms: int
    finished_ms: int
    database: str
    schema_version: str
    with_models: bool
    heads: dict[str, HeadEntry] | None
    missing: list[str]
    files: dict[str, FileEntry]

    @property
    def size_bytes(self) -> int:
        return sum(each.size for each in self.files.values())


def encode(manifest: Manifest) -> bytes:
    """As it is written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode(content: bytes) -> Manifest:
    """BackupError not_a_backup, newer_format, damaged."""
    try:
        said = msgspec.json.decode(content, type=dict)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError("not_a_backup", f"{NAME}: {error}") from error
    if said.get("kind") != KIND or not isinstance(said.get("format"), int):
        raise BackupError("not_a_backup", NAME)
    if said["format"] > FORMAT:
        raise BackupError("newer_format", str(said.get("software", "")))
    try:
        manifest = msgspec.convert(said, Manifest)
    except msgspec.ValidationError as error:
        raise BackupError("damaged", f"{NAME}: {error}") from error
    for name in manifest.files:
        if not _is_within(name):
            raise BackupError("damaged", f"{NAME}: {name!r}")
    return manifest


def _is_within(name: str) -> bool:
    """Whether it leads to a place of its own below the backup, and nowhere else."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and str(path) == name and "\0" not in name
    return plain and (name == DUMP or (path.parts[0] == DATA and len(path.parts) > 1))
