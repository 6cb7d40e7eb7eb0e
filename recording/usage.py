"""What the files of consultations take: `python -m recording.usage DIRECTORY …`, a process of nice 19.

Each directory holds a folder for each consultation. Says one JSON object: bytes by the name of the folder, of all
directories together. Files that come and go meanwhile are counted or not.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_NICE: Final = 19


def used_bytes(folder: Path) -> int:
    """Of all files below it, as long as they are; links are not followed."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += _size(entry)
        except (FileNotFoundError, NotADirectoryError):
            continue  # it was deleted meanwhile
    return total


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def by_consultation(directories: Iterable[Path]) -> Counter[str]:
    """Bytes of each folder in these directories; one that is not there holds nothing."""
    found: Counter[str] = Counter()
    for directory in directories:
        if directory.is_dir():
            for folder in directory.iterdir():
                if folder.is_dir():
                    found[folder.name] += used_bytes(folder)
    return found


def main() -> None:
    os.nice(_NICE)
    json.dump(by_consultation(Path(each) for each in sys.argv[1:]), sys.stdout)


if __name__ == "__main__":
    main()
