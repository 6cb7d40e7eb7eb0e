"""The journal of a consultation's program: what has become true of its lives, one JSON object a line, in order.

It is one file over all lives (`journal.jsonl` in the program's directory of the consultation), which one worker at a
time appends to and anybody may read. A fact is on the disk when `append` returns; half a line that the end of power
or a full disk left is passed over.

Facts: `life`, `init`, `segment`, `layout`, `still` and `gap` {from_ms, to_ms} (program time that no life covers).
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import Any, Final

from recording.manifest import Manifest, read_manifest

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
