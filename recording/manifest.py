"""The manifest of one life of the recorder: facts in the order in which they became true, one JSON object a line.

A fact is on the disk when `append` returns. Nothing is ever taken back: what a killed life left open is closed
by later lines, and a last line that was torn by the end of power or by a full disk is passed over.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

NAME: Final = "manifest.jsonl"
VERSION: Final = 1

Fact = Mapping[str, Any]


class Manifest:
    """Appends facts. `directory` must exist. Raises OSError when the disk does not take a line."""

    def __init__(self, directory: Path, name: str = NAME) -> None:
        path = directory / name
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._end_torn_line()
            sync_directory(directory)
        except OSError:
            self.close()
            raise

    def append(self, fact: Fact, *, durable: bool = True) -> None:
        """On the disk when it returns, unless it need not be. Half a line that did not fit is ended by the next."""
        self.append_all([fact], durable=durable)

    def append_all(self, facts: Sequence[Fact], *, durable: bool = True) -> None:
        """Several at once: one write, one wait for the disk."""
        lines = "".join(
            json.dumps(dict(each), ensure_ascii=False, separators=(",", ":")) + "\n" for each in facts
        )
        data = lines.encode()
        written = os.write(self._fd, data)
        if written < len(data):
            self._end_torn_line()
            raise OSError(errno.ENOSPC, "the manifest does not take a whole line")
        if durable:
            os.fsync(self._fd)

    def fileno(self) -> int:
        """The open file."""
        return self._fd

    def close(self) -> None:
        """Idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end_torn_line(self) -> None:
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")


def read_manifest(directory: Path, name: str = NAME) -> list[dict[str, Any]]:
    """Every whole fact, in order; none when there is no manifest."""
    try:
        content = (directory / name).read_bytes()
    except FileNotFoundError:
        return []
    return facts_in(content)


def facts_in(content: bytes) -> list[dict[str, Any]]:
    """The same of some lines of it."""
    facts = []
    for line in content.split(b"\n"):
        try:
            fact = json.loads(line)
        except ValueError:
            continue  # torn, or empty
        if isinstance(fact, dict) and isinstance(fact.get("fact"), str):
            facts.append(fact)
    return facts


def files_of(facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By file name: what was said at its opening, overlaid with what was said at its closing, if it was closed."""
    files: dict[str, dict[str, Any]] = {}
    for fact in facts:
        name = fact.get("file")
        if fact["fact"] == "opened" and isinstance(name, str):
            files[name] = {**fact, "closed": False}
        elif fact["fact"] == "closed" and name in files:
            files[name] = {**files[name], **fact, "closed": True}
    return files


def sync_directory(directory: Path) -> None:
    """A name that was given in it stays given after the power fails."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
