"""Segments of a transcript for tests: said one after the other, in Chinese, with words and times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conference.model.audit import CLI, AuditEntry
from conference.model.permissions import Role
from conference.model.recording import FileState, Recording
from conference.model.transcript import SpeakerLabel, TranscriptSegment, Word
from conference.model.transcript_edit import joined_words, render
from conference.storage.database import Database

WANG = SpeakerLabel("王建国", Role.MEMBER, "主会场", "教授")
HALL = SpeakerLabel("分会场", Role.VENUE_OPERATOR, "分会场", is_certain=False)


def said(
    number: int,
    *words: str | tuple[str, int],
    participant_id: str = "p1",
    speaker: SpeakerLabel = WANG,
    consultation_id: str = "c",
) -> TranscriptSegment:
    """The segment that begins at `number` times ten seconds; a word may bring the pause before it, in ms."""
    at_ms, found = number * 10_000, list[Word]()
    for each in words:
        text, pause_ms = each if isinstance(each, tuple) else (each, 0)
        at_ms += pause_ms
        found.append(Word(text, at_ms, at_ms + 200 * len(text), 0.9))
        at_ms = found[-1].end_ms
    rendered = render(found)
    return TranscriptSegment(
        id=f"seg_{number:04}",
        consultation_id=consultation_id,
        participant_id=participant_id,
        speaker=speaker,
        start_ms=number * 10_000,
        end_ms=at_ms,
        text=rendered.text,
        raw=joined_words(found),
        words=tuple(found),
        engine="scripted",
        automatic=rendered.automatic,
    )


def recorded(
    participant_id: str, path: str, duration_ms: int, *, from_ms: int = 0, consultation_id: str = "c"
) -> Recording:
    """The row of a file of somebody's microphone that was closed."""
    return Recording(
        id=f"rec_{Path(path).stem}_{from_ms}",
        consultation_id=consultation_id,
        participant_id=participant_id,
        name="王建国",
        source="microphone",
        codec="opus",
        path=path,
        started_at_ms=from_ms,
        duration_ms=duration_ms,
        size_bytes=7,
        sha256="a" * 64,
        state=FileState.DONE,
        created_at_ms=7,
    )


async def keep(database: Database, segments: Sequence[TranscriptSegment]) -> None:
    """Write them as if they had been heard."""
    async with database.transaction() as unit:
        await unit.transcript.save(segments)
        heard = AuditEntry(segments[0].consultation_id, 1, 0, CLI, "transcript.heard")
        await unit.audit.append(heard)
