"""What a process is asked to make out of what was recorded: said by the services, done by recording.exports.

Times are program time in milliseconds; an end of None is the end of what there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

JobKind = Literal["program", "person", "clip"]


@dataclass(frozen=True, slots=True)
class ChapterMark:
    """A chapter begins here and ends where the next one does."""

    title: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CaptionLine:
    """What was said, and by whom, as it stands under the picture."""

    text: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class TrackFile:
    """A recorded file of a track. `path` is below the directory of recordings."""

    path: str
    source: str
    codec: str
    started_at_ms: int
    duration_ms: int

    @property
    def ends_at_ms(self) -> int:
        return self.started_at_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class ExportJob:
    """One file to be made. `omitted`: stretches of the program that were not to be kept.

    `program`: copied out of the program's segments, with `chapters` and `captions`. `person`: put together from
    `tracks`. `clip`: the sound from `from_ms` to `to_ms`, of the program or else of the `tracks`.
    """

    kind: JobKind
    consultation_id: str
    title: str
    from_ms: int = 0
    to_ms: int | None = None
    chapters: tuple[ChapterMark, ...] = ()
    omitted: tuple[tuple[int, int | None], ...] = ()
    tracks: tuple[TrackFile, ...] = ()
    captions: tuple[CaptionLine, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeFile:
    """What came of it. `from_ms` is the program time of the file's beginning."""

    from_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str
