"""What an export is made of, as rows and trace tell it: chapters, stretches, the files of a person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from conference.export_job import CaptionLine, ExportJob, TrackFile
from conference.model.agenda import ItemState
from conference.model.broadcast import CutKind, spans_of
from conference.model.chapters import Chapter, chapters
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.export import Export, ExportKind, marks_of
from conference.model.floor import Turn
from conference.model.recording import FileState, Recording
from conference.model.subtitles import cues
from conference.model.timeline import EDITED, STEPS, Marks, began_ms, stretches
from conference.model.transcript import TranscriptSegment
from conference.services.ports import UnitOfWork

PROGRAM: Final = "program"  # stands for the participant and the source of the program's own file
_PAGE: Final = 500

Span = tuple[int, int]


async def chapters_of(unit: UnitOfWork, consultation: Consultation) -> list[Chapter]:
    """Of the whole consultation, up to where program time has come."""
    agenda = await unit.agenda.get(consultation.id)
    marks = await agenda_marks(unit, consultation)
    turns = await unit.floor.turns(consultation.id)
    plays = await unit.clips.plays(consultation.id)
    return chapters(agenda.items, marks.steps, turns, consultation.program_high_water_ms, plays)


async def span_of_item(unit: UnitOfWork, consultation: Consultation, item_id: str) -> tuple[str, Span]:
    """Title, and from its first beginning to its last end; invalid_state when its turn never came."""
    agenda = await unit.agenda.get(consultation.id)
    item = next((each for each in agenda.items if each.id == item_id), None)
    if item is None:
        raise NotFoundError(f"agenda item {item_id}")
    marks = await agenda_marks(unit, consultation)
    found = [each for each in stretches(marks.steps) if each.item_id == item_id]
    end_ms = consultation.program_high_water_ms
    if item.state is ItemState.PENDING or not found or found[0].from_ms >= end_ms:
        raise ConferenceError("invalid_state", "its turn never came")
    ends = [end_ms if each.to_ms is None else each.to_ms for each in found]
    return item.title, (found[0].from_ms, min(max(ends), end_ms))


async def span_of_turn(unit: UnitOfWork, consultation: Consultation, turn_id: str) -> tuple[str, Span]:
    """The speaker's name, and the time for which they had the floor; invalid_state when nobody was heard."""
    turns = await unit.floor.turns(consultation.id)
    turn: Turn | None = next((each for each in turns if each.id == turn_id), None)
    if turn is None:
        raise NotFoundError(f"turn {turn_id}")
    end_ms = consultation.program_high_water_ms
    if turn.ended_at_ms is not None:
        end_ms = min(end_ms, turn.ended_at_ms)
    if turn.first_started_at_ms is None or began_ms(turn) >= end_ms:
        raise ConferenceError("invalid_state", "nobody was heard")
    return turn.name, (began_ms(turn), end_ms)


async def tracks_of(unit: UnitOfWork, consultation_id: str, participant_id: str | None) -> list[Recording]:
    """The recorded files of a participant, who is the same after coming back; of everybody for None."""
    if participant_id is not None:
        participant = await unit.participants.get(participant_id)
        if participant is None or participant.consultation_id != consultation_id:
            raise NotFoundError(f"participant {participant_id}")
    found: list[Recording] = []
    last: str | None = None
    while page := await unit.recordings.of(consultation_id, after=last, limit=_PAGE):
        found += page
        last = page[-1].id
    return [
        each
        for each in found
        if each.source != PROGRAM
        and each.state is not FileState.RECORDING
        and each.duration_ms > 0
        and participant_id in (None, each.participant_id)
    ]


async def omitted_of(unit: UnitOfWork, consultation_id: str) -> tuple[tuple[int, int | None], ...]:
    """Stretches that were not to be kept: the recording was paused."""
    return spans_of(await unit.broadcast_cuts.of(consultation_id), [CutKind.PAUSE])


async def job_of(unit: UnitOfWork, export: Export, consultation: Consultation) -> ExportJob:
    """What its maker is told. What was not to be kept is in no file."""
    omitted = await omitted_of(unit, consultation.id)
    if export.kind is ExportKind.PROGRAM:
        marks = marks_of(await chapters_of(unit, consultation), export.title)
        said = [each for each in await unit.transcript.of(consultation.id) if not each.is_confidential]
        return ExportJob(
            "program",
            consultation.id,
            export.title,
            chapters=marks,
            omitted=omitted,
            captions=await asyncio.to_thread(_captions, said),  # thousands take their time
        )
    if export.kind is ExportKind.PERSON:
        tracks = await tracks_of(unit, consultation.id, export.subject)
        return ExportJob("person", consultation.id, export.title, tracks=_files(tracks))
    heard = [each for each in await tracks_of(unit, consultation.id, None) if each.codec == "opus"]
    return ExportJob(
        "clip",
        consultation.id,
        export.title,
        from_ms=export.from_ms,
        to_ms=export.to_ms,
        omitted=omitted,
        tracks=_files(heard),
    )


def _captions(said: Sequence[TranscriptSegment]) -> tuple[CaptionLine, ...]:
    return tuple(CaptionLine(f"{each.speaker}：{each.text}", each.from_ms, each.to_ms) for each in cues(said))


def _files(tracks: list[Recording]) -> tuple[TrackFile, ...]:
    return tuple(
        TrackFile(each.path, each.source, each.codec, each.started_at_ms, each.duration_ms) for each in tracks
    )


async def agenda_marks(unit: UnitOfWork, consultation: Consultation) -> Marks:
    """What the trace says of the agenda, behind the last rehearsal."""
    lines = []
    for action in sorted({EDITED, *STEPS}):
        first = consultation.rehearsed_line
        while found := await unit.audit.lines(consultation.id, first, _PAGE, action=action):
            lines += found
            first = found[-1].number
    return Marks().followed_by(sorted(lines, key=lambda line: line.number))
