"""Closes in the manifests what killed lives of the recorder left open: `python -m recording.settle DIRECTORY`.

DIRECTORY holds the lives of one consultation. Files are measured as they lie there and never touched; a life that
still runs is left alone.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import Final

from recording.manifest import NAME, Manifest, files_of, read_manifest
from recording.track_writer import measured, sha256_of

_PATIENCE_S: Final = 2.0  # a life whose parent was killed has this long to end


def settle(directory: Path) -> None:
    """Every life in it. Raises OSError when the disk does not take the lines."""
    for life in sorted(lives_of(directory)):
        settle_life(directory / str(life))


def settle_life(directory: Path) -> None:
    """Add what is missing in its manifest."""
    if all(each["closed"] for each in files_of(read_manifest(directory)).values()):
        return
    lock = take(directory, _PATIENCE_S)
    if lock is None:
        return
    try:
        with Manifest(directory) as manifest:
            for name, file in files_of(read_manifest(directory)).items():
                if not file["closed"]:
                    found = measured(directory / name)
                    manifest.append(
                        {
                            "fact": "closed",
                            "file": name,
                            "reason": "found",
                            "duration_ms": found.duration_ms if found else 0,
                            "size_bytes": found.size_bytes if found else size_of(directory / name),
                            "frames": found.frames if found else 0,
                            "sha256": sha256_of(directory / name) if found else None,
                        }
                    )
    finally:
        os.close(lock)


def lives_of(directory: Path) -> set[int]:
    """The numbers of the lives that have a directory."""
    try:
        return {int(each.name) for each in directory.iterdir() if each.name.isdecimal()}
    except FileNotFoundError:
        return set()


def size_of(path: Path) -> int:
    """In bytes; 0 for a file that is not there."""
    return path.stat().st_size if path.exists() else 0


def take(directory: Path, patience_s: float) -> int | None:
    """The lock of a life, which its worker holds while it runs; None when it is not to be had."""
    try:
        descriptor = os.open(
            directory / NAME, os.O_RDWR | os.O_CLOEXEC
        )  # NFS locks what may be written alone
    except FileNotFoundError:
        return None
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.05)
        else:
            return descriptor


if __name__ == "__main__":
    settle(Path(sys.argv[1]))
