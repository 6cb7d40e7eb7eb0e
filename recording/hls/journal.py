"""The journal of a consultation's program: what has become true of its lives, one JSON object a line, in order.

It is one file over all lives (`journal.jsonl` in the program's directory of the consultation), which one worker at a
time appends to and anybody may read. A fact is on the disk when `append` returns; half a line that the end of power
or a full disk left is passed over.

Facts: `life`, `init`, `segment`, `layout`, `still` and `gap` {from_ms, to_ms} (program time that no life covers).
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conference.file_lock import is_locked
from recording.manifest import Manifest, facts_in, read_manifest

NAME: Final = "journal.jsonl"
_RETRY_S: Final = 0.05


class JournalTakenError(Exception):
    """Another worker writes here."""


class Journal(Manifest):
    """The one that may write. Raises OSError when the disk does not take it, JournalTakenError."""

    def __init__(self, directory: Path, *, patience_s: float = 2.0) -> None:
        """`directory` must exist. A life whose parent was killed has `patience_s` to end."""
        super().__init__(directory, NAME)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(self.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    self.close()
                    raise JournalTakenError(str(directory)) from None
                time.sleep(_RETRY_S)
            else:
                return


def read_journal(directory: Path) -> list[dict[str, Any]]:
    """Every whole fact, in order; none when there is no journal."""
    return read_manifest(directory, NAME)


def is_being_written(directory: Path) -> bool:
    """Whether a worker still holds the journal, of whichever server."""
    try:
        return is_locked(directory / NAME)
    except FileNotFoundError:
        return False


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """How far a journal was read: which file, and how many bytes of whole lines."""

    inode: int | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class JournalMore:
    """Facts behind a place, and the place behind them."""

    facts: list[dict[str, Any]]
    place: JournalPlace


def read_more(directory: Path, since: JournalPlace) -> JournalMore | None:
    """What was added since; None when the journal is gone, or is another one. OSError.

    It is opened each time: only then does a network file system look at what others wrote."""
    try:
        with (directory / NAME).open("rb") as file:
            status = os.fstat(file.fileno())
            if (since.inode is not None and status.st_ino != since.inode) or status.st_size < since.size:
                return None
            file.seek(since.size)
            content = file.read()
    except FileNotFoundError:
        return None
    whole = content[: content.rfind(b"\n") + 1]
    return JournalMore(facts_in(whole), JournalPlace(status.st_ino, since.size + len(whole)))
