"""Parts and segments on the disk: one life of a program. `recover` lists what a killed life left unlisted.

A part is appended to its segment's file and told at once. When the segment ends, its files and their directories are
synced, then the journal has its lines, then they are told: what is listed survives the end of power, and nothing
that is listed is ever touched again. Every method may raise OSError when the disk does not take it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recording.hls.cutter import Cut, Part
from recording.hls.formats import (
    AUDIO_TIMESCALE,
    AUDIO_TRACK,
    VIDEO_TIMESCALE,
    VIDEO_TRACK,
    Format,
    init_segment,
)
from recording.hls.fragments import Fragment, read_fragments
from recording.hls.journal import Journal, read_journal
from recording.manifest import sync_directory

Fact = Mapping[str, Any]
Tell = Callable[[Fact], None]
SUFFIX: Final = ".m4s"
_MODE: Final = 0o600


@dataclass(slots=True)
class _Open:
    """The open segment of one rendition."""

    path: Path
    fd: int
    size: int = 0
    parts: list[list[Any]] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)


class Life:
    """One life's files: made in `directory`/`number`, which must not exist."""

    def __init__(
        self,
        directory: Path,
        journal: Journal,
        tell: Tell,
        formats: Sequence[Format],
        *,
        number: int,
        first_segment: int,
        program_time_ms: int,
        wall_ms: int,
    ) -> None:
        """`first_segment` is its first segment's number; the times are those of the life's time 0."""
        self.number = number
        self._directory = directory
        self._journal = journal
        self._tell_only = tell
        self._names = [each.name for each in formats]
        self._first_segment = first_segment
        self._program_time_ms = program_time_ms
        self._wall_ms = wall_ms
        self._open: dict[str, _Open] = {}
        self._segment = -1
        self._start_ms = self._end_ms = 0
        self._last = first_segment - 1
        os.mkdir(directory / str(number), 0o700)
        sync_directory(directory)
        self._note([{"fact": "life", "life": number, "wall_ms": wall_ms, "program_time_ms": program_time_ms}])
        self._note([self._init(each) for each in formats])

    @property
    def last_segment(self) -> int:
        """The number of the last segment that is listed; one less than the first's before that."""
        return self._last

    @property
    def end_ms(self) -> int:
        """Program time up to which segments are listed or open."""
        return self._program_time_ms + self._end_ms

    def write(self, cut: Cut) -> None:
        """The next part of every rendition."""
        if self._open and cut.segment != self._segment:
            self.close()
        if not self._open:
            self._segment, self._start_ms = cut.segment, cut.start_ms
            for name in self._names:
                path = self._path(name, self._first_segment + cut.segment)
                self._open[name] = _Open(
                    path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
                )
        for name, part in cut.parts.items():
            self._append(name, part, cut)
        self._end_ms = cut.start_ms + cut.duration_ms
        if cut.ends_segment:
            self.close()

    def _append(self, name: str, part: Part, cut: Cut) -> None:
        file = self._open[name]
        offset, size = file.size, len(part.data)
        try:
            _write_all(file.fd, part.data)
        except OSError:
            os.ftruncate(file.fd, offset)  # what is whole stays
            raise
        file.digest.update(part.data)
        file.size += size
        file.parts.append([offset, size, cut.duration_ms, part.is_independent])
        self._tell_only(
            {
                "fact": "part",
                "life": self.number,
                "rendition": name,
                "number": self._first_segment + cut.segment,
                "part": len(file.parts) - 1,
                "offset": offset,
                "size": size,
                "duration_ms": cut.duration_ms,
                "independent": part.is_independent,
                "program_time_ms": self._program_time_ms + cut.start_ms,
            }
        )

    def close(self) -> None:
        """End the open segment, if there is one: synced, then listed, then told."""
        if not self._open:
            return
        files, self._open = self._open, {}
        facts = []
        try:
            for file in files.values():
                os.fsync(file.fd)
        finally:
            for file in files.values():
                os.close(file.fd)
        number = self._first_segment + self._segment
        for name, file in files.items():
            sync_directory(file.path.parent)
            facts.append(
                {
                    "fact": "segment",
                    "life": self.number,
                    "rendition": name,
                    "number": number,
                    "file": self._relative(file.path),
                    "duration_ms": self._end_ms - self._start_ms,
                    "program_time_ms": self._program_time_ms + self._start_ms,
                    "wall_ms": self._wall_ms + self._start_ms,
                    "size": file.size,
                    "sha256": file.digest.hexdigest(),
                    "parts": file.parts,
                    "discontinuity": number == self._first_segment,
                    "recovered": False,
                }
            )
        self._note(facts)
        self._last = number

    def note(self, fact: Fact) -> None:
        """Another fact of this life: into the journal, then told."""
        self._note([{**fact, "life": self.number}])

    def write_still(self, number: int, picture: bytes, program_time_ms: int) -> None:
        """A JPEG beside the segments."""
        directory = self._directory / str(self.number) / "stills"
        if not directory.exists():
            directory.mkdir(mode=0o700)
            sync_directory(directory.parent)
        path = directory / f"{number:08d}.jpg"
        _write_file(path, picture)
        self.note({"fact": "still", "file": self._relative(path), "program_time_ms": program_time_ms})

    def _init(self, format_: Format) -> Fact:
        path = self._directory / str(self.number) / format_.name / "init.mp4"
        path.parent.mkdir(mode=0o700)
        sync_directory(path.parent.parent)
        content = init_segment(format_)
        _write_file(path, content)
        video = format_.video
        return {
            "fact": "init",
            "life": self.number,
            "rendition": format_.name,
            "file": self._relative(path),
            "codecs": format_.codecs,
            "width": video.width if video is not None else 0,
            "height": video.height if video is not None else 0,
            "bandwidth": format_.bandwidth,
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    def _note(self, facts: Sequence[Fact]) -> None:
        self._journal.append_all(facts)
        for each in facts:
            self._tell_only(each)

    def _path(self, name: str, number: int) -> Path:
        return self._directory / str(self.number) / name / f"{number:08d}{SUFFIX}"

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self._directory))


@dataclass(frozen=True, slots=True)
class Before:
    """What earlier lives left: the next life's number, the next segment's, and where their program time ends."""

    next_life: int
    next_segment: int
    end_ms: int | None


def recover(directory: Path, journal: Journal, tell: Tell) -> Before:
    """List the whole parts that killed lives wrote and did not list, with the `journal` held by the caller."""
    facts: list[Fact] = list(read_journal(directory))
    lives = {fact["life"]: fact for fact in facts if fact["fact"] == "life"}
    for life in sorted(lives):
        found = _recover_life(directory, life, lives[life], facts)
        if found:
            journal.append_all(found)
            for each in found:
                tell(each)
            facts += found
    segments = [fact for fact in facts if fact["fact"] == "segment"]
    return Before(
        next_life=max([*lives, *_directories(directory)], default=0) + 1,
        next_segment=max((fact["number"] for fact in segments), default=-1) + 1,
        end_ms=max((fact["program_time_ms"] + fact["duration_ms"] for fact in segments), default=None),
    )


def _recover_life(directory: Path, life: int, begun: Fact, facts: Sequence[Fact]) -> list[Fact]:
    """A number is listed when every rendition has it, each cut to the parts that all of them have."""
    names = [fact["rendition"] for fact in facts if fact["fact"] == "init" and fact["life"] == life]
    listed = {(f["rendition"], f["number"]): f for f in facts if f["fact"] == "segment" and f["life"] == life}
    others = [f["number"] for f in facts if f["fact"] == "segment" and f["life"] < life]
    first = min([number for _, number in listed] or [max(others, default=-1) + 1])
    numbers = {
        int(path.stem)
        for name in names
        for path in (directory / str(life) / name).glob(f"*{SUFFIX}")
        if path.stem.isdecimal() and (name, int(path.stem)) not in listed
    }
    found: list[Fact] = []
    for number in sorted(numbers):
        fragments: dict[str, list[Fragment]] = {}
        for name in names:
            path = directory / str(life) / name / f"{number:08d}{SUFFIX}"
            fragments[name] = read_fragments(path.read_bytes()) if path.exists() else []
        done = [len(listed[name, number]["parts"]) for name in names if (name, number) in listed]
        count = done[0] if done else min(map(len, fragments.values()))
        if not count or any(len(each) < count for each in fragments.values()):
            continue  # less than a part: left where it is
        starts, duration_ms = _span([fragments[name][:count] for name in names])
        within_ms = starts[0] - begun["program_time_ms"]
        for name in names:
            if (name, number) not in listed:
                path = directory / str(life) / name / f"{number:08d}{SUFFIX}"
                kept = fragments[name][:count]
                found.append(
                    {
                        "fact": "segment",
                        "life": life,
                        "rendition": name,
                        "number": number,
                        "file": str(path.relative_to(directory)),
                        "duration_ms": duration_ms,
                        "program_time_ms": starts[0],
                        "wall_ms": begun["wall_ms"] + within_ms,
                        **_cut_back(path, kept[-1].offset + kept[-1].size),
                        "parts": [
                            [each.offset, each.size, end - start, each.is_independent]
                            for each, start, end in zip(
                                kept, starts, [*starts[1:], starts[0] + duration_ms], strict=True
                            )
                        ],
                        "discontinuity": number == first,
                        "recovered": True,
                    }
                )
    return found


def _span(renditions: Sequence[Sequence[Fragment]]) -> tuple[list[int], int]:
    """The starts of the parts in program time and the duration of all, by the pictures where there are any."""
    by_picture = [each for each in renditions if all(VIDEO_TRACK in part.spans for part in each)]
    parts = (by_picture or renditions)[0]
    track, timescale = (VIDEO_TRACK, VIDEO_TIMESCALE) if by_picture else (AUDIO_TRACK, AUDIO_TIMESCALE)
    starts = [part.spans[track].start * 1000 // timescale for part in parts]
    last = parts[-1].spans[track]
    return starts, (last.start + last.duration) * 1000 // timescale - starts[0]


def _cut_back(path: Path, size: int) -> dict[str, Any]:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_size != size:
            os.ftruncate(descriptor, size)
        digest = hashlib.sha256(os.pread(descriptor, size, 0)).hexdigest()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_directory(path.parent)
    return {"size": size, "sha256": digest}


def _directories(directory: Path) -> list[int]:
    return [int(each.name) for each in directory.iterdir() if each.name.isdecimal()]


def _write_file(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_directory(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
