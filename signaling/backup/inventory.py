"""Which files of a data directory a backup holds, and in which order they are copied.

Left out: what only a running server needs (sockets, locks, the relay's configuration, drafts), the database's own
files (it is copied by itself), the address of a PostgreSQL database, and speech models unless they are asked for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from signaling.backup.errors import BackupError, of_source
from signaling.data_dir import SHARED_NAMES, DataDirectory

LEDGER: Final = ".jsonl"
_DRAFT: Final = ".part"


def is_ledger(name: str) -> bool:
    """Manifests of recordings and journals of programs: lines are added, none is changed."""
    return name.endswith(LEDGER)


def names(directory: DataDirectory, *, with_models: bool) -> list[str]:
    """Paths below the data directory, wherever they lie (`DataDirectory.locate`), ledgers first: what a ledger names
    was there before its line, so that files copied after it are whole as far as it says.

    BackupError source_unreadable."""
    found = list(_files(directory, with_models=with_models))
    return sorted(found, key=lambda name: (not is_ledger(name), name))


def _files(directory: DataDirectory, *, with_models: bool) -> Iterator[str]:
    left_out = _left_out(directory, with_models=with_models)
    if directory.shared is None:
        yield from _below(directory.path, lambda name: name not in left_out)
        return
    yield from _below(directory.shared, lambda name: name in SHARED_NAMES)
    yield from _below(directory.path, lambda name: name not in left_out and name not in SHARED_NAMES)


def _below(root: Path, is_taken: Callable[[str], bool]) -> Iterator[str]:
    """`is_taken` judges what stands in the root itself."""
    seen: set[tuple[int, int]] = set()
    for above, folders, files in os.walk(root, followlinks=True, onerror=_refuse):
        here = Path(above)
        status = _status(here)
        if status is None or (status.st_dev, status.st_ino) in seen:  # gone, or a link that leads back
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if here == root:
            folders[:] = [each for each in folders if is_taken(each) and not each.startswith(".")]
            files = [each for each in files if is_taken(each) and not each.startswith(".")]
        for name in files:
            if not name.endswith(_DRAFT):
                status = _status(here / name)
                if status is not None and stat.S_ISREG(status.st_mode):
                    yield (here / name).relative_to(root).as_posix()


def _left_out(directory: DataDirectory, *, with_models: bool) -> set[str]:
    database = directory.database.name
    out = {directory.run.name, directory.relay.name, directory.lock_path.name}
    out |= {directory.database_url.name, directory.shared_path.name}
    out.add(directory.key_file_note.name)  # what it names is in the backup as a copy
    out |= {database, f"{database}-wal", f"{database}-shm", f"{database}-journal"}
    return out if with_models else out | {directory.models.name}


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # deleted since it was listed, or a link to nowhere
        return None
    except OSError as error:
        raise of_source(error) from error


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise of_source(error) from error


def require_data(directory: DataDirectory) -> None:
    """BackupError unless this is the data directory of a server. `unfinished_restore` where one was interrupted,
    `shared_dir_gone` where its shared directory is not there: nothing would be in the backup, and nobody would know."""
    if any(each.exists() for each in directory.unfinished_restores):
        raise BackupError("unfinished_restore", str(directory.path))
    if not directory.token_key.exists() and not directory.database.exists():
        raise BackupError("no_data", str(directory.path))
    if directory.shared is not None and not directory.locate(SHARED_NAMES[-1]).exists():
        raise BackupError("shared_dir_gone", str(directory.shared))
