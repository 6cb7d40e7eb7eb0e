"""Exports: files that are made out of a recording when the consultation is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.export_job import ChapterMark
from conference.model.chapters import Chapter, ChapterKind

VIDEO: Final = "video/mp4"
SOUND: Final = "audio/mp4"
MAX_MARKS: Final = 250  # a list of chapters in a file holds no more than 255
_TOGETHER_MS: Final = 1000  # what begins at about the same time is one chapter
_PREFIXES: Final = {
    ChapterKind.SPEECH: "发言：",
    ChapterKind.PROMOTION: "留言：",
    ChapterKind.CLIP: "片子：",
}


class ExportKind(StrEnum):
    PROGRAM = "program"  # the one composed picture and sound, with chapters
    PERSON = "person"  # the tracks of one person, put together
    CLIP = "clip"  # the sound of an agenda item or of a speech


class ExportState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"  # in memory alone: after a restart it begins anew
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Export:
    """One file. `subject` is the id of whom or what it is of: participant, agenda item or turn; None for the program.

    `from_ms` and `to_ms` are program time: what was asked for, and where the file begins when it is done. Size,
    duration and hash are known then. `…_at_ms` are UTC. `progress` is in percent.
    """

    id: str
    consultation_id: str
    kind: ExportKind
    subject: str | None
    title: str
    media_type: str
    requested_by: str
    requested_at_ms: int
    from_ms: int = 0
    to_ms: int | None = None
    state: ExportState = ExportState.QUEUED
    reason: str | None = None
    duration_ms: int = 0
    size_bytes: int = 0
    sha256: str | None = None
    finished_at_ms: int | None = None
    deleted_at_ms: int | None = None
    progress: int = 0

    @property
    def path(self) -> str:
        """Below the directory of recordings."""
        suffix = "mp4" if self.media_type == VIDEO else "m4a"
        return f"{self.consultation_id}/exports/{self.id}.{suffix}"

    def done(self, now_ms: int, from_ms: int, duration_ms: int, size_bytes: int, sha256: str) -> Export:
        return replace(
            self,
            state=ExportState.DONE,
            from_ms=from_ms,
            duration_ms=duration_ms,
            size_bytes=size_bytes,
            sha256=sha256,
            finished_at_ms=now_ms,
            progress=100,
        )

    def failed(self, now_ms: int, reason: str) -> Export:
        return replace(self, state=ExportState.FAILED, reason=reason, finished_at_ms=now_ms)

    def again(self, now_ms: int, by_name: str) -> Export:
        """Asked for once more after it failed."""
        return replace(
            self,
            state=ExportState.QUEUED,
            reason=None,
            requested_by=by_name,
            requested_at_ms=now_ms,
            finished_at_ms=None,
        )

    def deleted(self, now_ms: int) -> Export:
        return replace(self, deleted_at_ms=now_ms)

    def running(self, progress: int) -> Export:
        return replace(self, state=ExportState.RUNNING, progress=progress)


def marks_of(chapters: Iterable[Chapter], title: str) -> tuple[ChapterMark, ...]:
    """Chapters one after the other, as a file has them: who speaks within an item goes on from the item's own.

    `title` stands over what is before the first. Of more than a file holds, speeches are left out.
    """
    found = list(chapters)
    if len(found) >= MAX_MARKS:
        found = [each for each in found if each.kind is not ChapterKind.SPEECH][: MAX_MARKS - 1]
    marks: list[ChapterMark] = []
    for each in found:
        text = _PREFIXES.get(each.kind, "") + each.title
        if marks and each.from_ms - marks[-1].at_ms < _TOGETHER_MS:
            marks[-1] = ChapterMark(f"{marks[-1].title} · {text}", marks[-1].at_ms)
        else:
            marks.append(ChapterMark(text, each.from_ms))
    if not marks or marks[0].at_ms > 0:
        marks.insert(0, ChapterMark(title, 0))
    return tuple(marks)
