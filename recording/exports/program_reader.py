"""The program as it lies on the disk: which segments of a rendition follow each other, read as one stream a life.

Only what the journal lists is read. Segments that are gone, and those in stretches that were not to be kept, are
passed over: the stream goes on behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recording.hls.fragments import read_fragments
from recording.hls.journal import NAME, Journal, JournalTakenError, read_journal
from recording.hls.segmenter import recover

Stretch = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Segment:
    """One file; program time in milliseconds."""

    path: Path
    from_ms: int
    duration_ms: int
    size_bytes: int

    @property
    def to_ms(self) -> int:
        return self.from_ms + self.duration_ms


@dataclass(slots=True)
class Life:
    """A run of the program's worker, which began at `at_ms`. Media time is program time."""

    at_ms: int
    init: Path | None = None
    segments: list[Segment] = field(default_factory=list)


def read_lives(directory: Path, rendition: str, omitted: Sequence[Stretch] = ()) -> list[Life]:
    """Those that have anything to show, in order; none when there is no program."""
    lives: dict[int, Life] = {}
    for fact in read_journal(directory):
        match fact:
            case {"fact": "life", "life": int(number), "program_time_ms": int(at_ms)}:
                lives[number] = Life(at_ms)
            case {"fact": "init", "life": int(number), "rendition": name, "file": str(file)}:
                if name == rendition and number in lives:
                    lives[number].init = _file(directory, file)
            case {"fact": "segment", "life": int(number), "rendition": name, "file": str(file)}:
                if name == rendition and number in lives:
                    segment = _segment(directory, fact)
                    if segment is not None and not _is_omitted(segment, omitted):
                        lives[number].segments.append(segment)
    return [each for _, each in sorted(lives.items()) if each.segments and each.init is not None]


def list_rest(directory: Path) -> None:
    """List what a killed worker wrote last and did not list, where no worker came after it."""
    if not (directory / NAME).is_file():
        return
    with suppress(JournalTakenError, OSError), Journal(directory, patience_s=0.0) as journal:
        recover(directory, journal, lambda _: None)


class Stream:
    """Init and segments of one life as one file to be read from front to back; `read_bytes` of segments so far."""

    def __init__(self, init: Path, segments: Iterable[Segment]) -> None:
        self._waiting = iter(segments)
        self._now = memoryview(init.read_bytes())
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end. A segment that is torn is read as far as it is whole."""
        while not self._now:
            segment = next(self._waiting, None)
            if segment is None:
                return b""
            data = segment.path.read_bytes()
            whole = read_fragments(data)
            self._now = memoryview(data)[: whole[-1].offset + whole[-1].size if whole else 0]
            self.read_bytes += segment.size_bytes
        given, self._now = self._now[:size], self._now[size:]
        return bytes(given)


def _segment(directory: Path, fact: dict[str, Any]) -> Segment | None:
    path = _file(directory, fact["file"])
    match fact:
        case {"program_time_ms": int(from_ms), "duration_ms": int(duration_ms), "size": int(size)} if path:
            return Segment(path, from_ms, duration_ms, size)
    return None


def _file(directory: Path, file: str) -> Path | None:
    """None for one that is gone, or that is none of this program's."""
    path = directory / file
    is_own = path.resolve().is_relative_to(directory.resolve())
    return path if is_own and path.is_file() else None


def _is_omitted(segment: Segment, omitted: Sequence[Stretch]) -> bool:
    return any(begin < segment.to_ms and (end is None or end > segment.from_ms) for begin, end in omitted)
