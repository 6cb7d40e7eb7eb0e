"""The thread that writes the program's files and facts, so that a slow disk holds nobody up but itself."""

from __future__ import annotations

import errno
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recording.hls.cutter import Cut
from recording.hls.formats import Format
from recording.hls.journal import Journal
from recording.hls.segmenter import Before, Life

Fact = Mapping[str, Any]
_MOST_WAITING: Final = 150  # parts: half a minute
_SPACE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Beginning:
    """A life begins: the files of the one before are ended."""

    formats: Sequence[Format]
    program_time_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Still:
    """A JPEG of the program."""

    number: int
    data: bytes
    program_time_ms: int


@dataclass(frozen=True, slots=True)
class Ending:
    """The last: everything is ended and listed."""


Item = Beginning | Cut | Still | Ending | dict[str, Any]


class Disk:
    """`put` from any thread; facts are told in the order in which they became true."""

    def __init__(
        self,
        directory: Path,
        journal: Journal,
        before: Before,
        tell: Callable[[Fact], None],
        on_trouble: Callable[[OSError], None],
        *,
        reserve_bytes: int,
    ) -> None:
        """`on_trouble` is called once, in this thread, which ends then."""
        self._directory = directory
        self._journal = journal
        self._next_life = before.next_life
        self._next_segment = before.next_segment
        self._end_ms = before.end_ms
        self._tell = tell
        self._on_trouble = on_trouble
        self._reserve_bytes = reserve_bytes
        self._life: Life | None = None
        self._checked_s = 0.0
        self._waiting: queue.Queue[Item] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Queue; a dict is a fact for the journal. Raises OSError when the disk is half a minute behind."""
        if self._waiting.qsize() > _MOST_WAITING:
            raise OSError(errno.EIO, "the disk is too slow")
        self._waiting.put(item)

    def close(self) -> None:
        """End the files and wait for that."""
        self._waiting.put(Ending())
        self._thread.join()

    def _run(self) -> None:
        try:
            while not isinstance(item := self._waiting.get(), Ending):
                self._take(item)
                self._check_space()
            self._end_life()
        except OSError as error:
            self._on_trouble(error)

    def _take(self, item: Item) -> None:
        match item:
            case Beginning():
                self._begin(item)
            case Cut():
                if self._life is not None:
                    self._life.write(item)
            case Still(number, data, program_time_ms):
                if self._life is not None:
                    self._life.write_still(number, data, program_time_ms)
            case dict():
                if self._life is not None:
                    self._life.note(item)

    def _begin(self, item: Beginning) -> None:
        self._end_life()
        if self._end_ms is not None and item.program_time_ms > self._end_ms:
            gap = {"fact": "gap", "from_ms": self._end_ms, "to_ms": item.program_time_ms}
            self._journal.append(gap)
            self._tell(gap)
        self._life = Life(
            self._directory,
            self._journal,
            self._tell,
            item.formats,
            number=self._next_life,
            first_segment=self._next_segment,
            program_time_ms=item.program_time_ms,
            wall_ms=item.wall_ms,
        )
        self._next_life += 1

    def _end_life(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.close()
            self._next_segment = life.last_segment + 1
            self._end_ms = life.end_ms

    def _check_space(self) -> None:
        """While there is still room for what ends the files properly."""
        now = time.monotonic()
        if now - self._checked_s < _SPACE_S:
            return
        self._checked_s = now
        found = os.statvfs(self._directory)
        if found.f_bavail * found.f_frsize < self._reserve_bytes // 2:
            self._end_life()
            raise OSError(errno.ENOSPC, "the reserve is touched")
