"""Gaps of transcripts: what is missing in one, as its rows tell, and what people decide about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conference.model.audit import Actor, AuditEntry, Personal, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.gaps import Heard, common, gaps_of, require_note, unheard, unkept_spans, untranscribed
from conference.model.permissions import Action, require
from conference.model.recording import FileState, Recording
from conference.model.transcript import Gap, GapState, Span, without
from conference.services.consultations import consultation_of
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.transcription import Transcription

_STEPS: Final = ("started", "interrupted", "ended", "paused", "resumed")
_FILES: Final = 1_000_000
_OVER: Final = frozenset({Status.ENDED, Status.ARCHIVED})


@dataclass(frozen=True, slots=True)
class Job:
    """A stretch of a microphone that is being recognised from its files."""

    consultation_id: str
    participant_id: str
    span: Span
    is_open: bool = False  # a file of it was still being written


@dataclass(frozen=True, slots=True)
class Found:
    """What the rows of a consultation say."""

    consultation: Consultation
    files: Sequence[Recording]
    gaps: Sequence[Gap]

    @property
    def is_settled(self) -> bool:
        """Whether no file of it is being written."""
        return all(each.state is not FileState.RECORDING for each in self.files)


class TranscriptGaps:
    """What was recorded, or on air, and not heard. Nothing of it is kept but what was decided: it follows from rows.

    Where nothing was to be written down it is one gap after the end: who reads the minutes is told.
    """

    def __init__(self, rooms: Rooms, transcription: Transcription, running: Mapping[str, Job]) -> None:
        """`running`: jobs by id, as they are at any time."""
        self._rooms = rooms
        self._transcription = transcription
        self._running = running

    async def of(self, consultation_id: str) -> list[Gap]:
        """By their beginning, waived ones included."""
        async with self._rooms.storage.reading() as unit:
            consultation = await consultation_of(unit, consultation_id)
            return list((await self.found(unit, consultation)).gaps)

    async def found(self, unit: UnitOfWork, consultation: Consultation) -> Found:
        """The same, with the files that they were found in."""
        found = await self._found(unit, consultation)
        if found.gaps or consultation.status not in _OVER:
            return found
        if await unit.transcript.covered(consultation.id) or await unit.transcript.of(
            consultation.id, limit=1, brief=True
        ):
            return found
        ended_ms = self._rooms.program_time_ms(consultation) or 0
        return replace(found, gaps=[untranscribed(consultation.id, ended_ms)])

    async def _found(self, unit: UnitOfWork, consultation: Consultation) -> Found:
        files = await unit.recordings.of(consultation.id, limit=_FILES)
        is_wanted = consultation.captions and self._transcription.is_enabled
        if not (is_wanted or consultation.status in _OVER):
            return Found(consultation, files, ())
        deleted = await unit.recordings.deleted(consultation.id)
        covered = await unit.transcript.covered(consultation.id)
        noted = await unit.transcript.gaps_noted(consultation.id)
        if not is_wanted:
            ended_ms = self._rooms.program_time_ms(consultation) or 0
            heard = Heard(files, covered, noted, deleted=deleted, ended_ms=ended_ms)
            return Found(consultation, files, _in_order(unheard(heard)))
        turns = await unit.floor.turns(consultation.id)
        now_ms = self._rooms.program_time_ms(consultation) or 0
        is_live = consultation.is_running
        horizon_ms, horizons = self._transcription.horizons(consultation.id, now_ms)
        heard = Heard(
            files=files,
            coverage=[*covered, *self._transcription.rows.unwritten(consultation.id)],
            # That nobody listened may have been settled before somebody wanted it written down after all.
            noted=[each for each in noted if each.participant_id != consultation.id],
            turns=turns,
            people={each.id: each for each in await unit.participants.of(consultation.id)} if turns else {},
            unkept=await self._unkept(unit, consultation, now_ms) if turns else (),
            now_ms=now_ms if is_live else None,
            horizon_ms=horizon_ms if is_live else None,
            horizons=horizons if is_live else {},
            deleted=deleted,
            ended_ms=None if is_live else now_ms,
        )
        found = [part for each in gaps_of(heard) for part in self._parts(each)]
        return Found(consultation, files, _in_order(found))

    @staticmethod
    async def _unkept(unit: UnitOfWork, consultation: Consultation, now_ms: int) -> list[Span]:
        consultation_id, after = consultation.id, consultation.rehearsed_line
        lines = [
            line
            for step in _STEPS
            for line in await unit.audit.lines(
                consultation_id, after, 10_000, action=f"recording.{step}", subject=consultation_id
            )
        ]
        steps = [
            (line.action.removeprefix("recording."), line.program_time_ms or 0)
            for line in sorted(lines, key=lambda line: line.number)
        ]
        outages = [(each.from_ms, each.to_ms) for each in await unit.consultations.gaps(consultation_id)]
        return unkept_spans(steps, outages, now_ms)

    def _parts(self, gap: Gap) -> Iterator[Gap]:
        """What of it is being recognised now, and what waits."""
        jobs = [
            each.span
            for each in self._running.values()
            if (each.consultation_id, each.participant_id) == (gap.consultation_id, gap.participant_id)
        ]
        span = (gap.from_ms, gap.to_ms)
        if gap.state is not GapState.WAITING or not any(common(span, each) for each in jobs):
            yield gap
            return
        for from_ms, to_ms in (part for each in jobs for part in common(span, each)):
            yield replace(gap, from_ms=from_ms, to_ms=to_ms, state=GapState.RUNNING)
        for from_ms, to_ms in without([span], jobs):
            yield replace(gap, from_ms=from_ms, to_ms=to_ms)

    # ── by hand ─────────────────────────────────────────────────────────────────────────────────

    async def waive(
        self, consultation_id: str, by: Bearer, participant_id: str, span: Span, note: str
    ) -> None:
        """There will be no text of this stretch, and why. not_found where nothing is missing."""
        note = require_note(note)
        content: dict[str, Value] = {"from_ms": span[0], "to_ms": span[1], "note": Personal(note)}
        async with self._rooms.storage.transaction() as unit:
            consultation, gaps = await self._changed(unit, consultation_id, by, participant_id, span)
            for gap in gaps:  # and nothing beside them: what is said later is not waived beforehand
                for from_ms, to_ms in common(_span(gap), span):
                    waived = replace(gap, from_ms=from_ms, to_ms=to_ms, state=GapState.WAIVED, note=note)
                    await unit.transcript.note_gap(waived)
            entry = self.entry(consultation, by.actor, "transcript.gap_waived", participant_id, content)
            await unit.audit.append(entry)

    async def retry(self, consultation_id: str, by: Bearer, participant_id: str, span: Span) -> None:
        """Recognise what failed, or had been waived. not_found where nothing is missing, invalid_state for what was
        never recorded."""
        content: dict[str, Value] = {"from_ms": span[0], "to_ms": span[1]}
        async with self._rooms.storage.transaction() as unit:
            consultation, gaps = await self._changed(unit, consultation_id, by, participant_id, span)
            if all(each.state is GapState.LOST for each in gaps):
                raise ConferenceError("invalid_state", "it was not recorded")
            for each in await unit.transcript.gaps_noted(consultation_id):
                if each.participant_id == participant_id and common(_span(each), span):
                    await unit.transcript.note_gap(replace(each, state=GapState.WAITING, reason="", note=""))
            entry = self.entry(consultation, by.actor, "transcript.gap_retried", participant_id, content)
            await unit.audit.append(entry)

    async def _changed(
        self, unit: UnitOfWork, consultation_id: str, by: Bearer, participant_id: str, span: Span
    ) -> tuple[Consultation, list[Gap]]:
        """What is missing in this stretch; not_found when that is nothing."""
        require(by.role, Action.TRANSCRIPT_EDIT)
        consultation = await consultation_of(unit, consultation_id)
        if consultation.status is Status.ARCHIVED:
            raise ConferenceError("invalid_state", "it is sealed")
        gaps = (await self.found(unit, consultation)).gaps
        own = [each for each in gaps if each.participant_id == participant_id and common(_span(each), span)]
        if not own:
            raise NotFoundError("nothing is missing there")
        return consultation, own

    def entry(
        self, consultation: Consultation, by: Actor, action: str, subject: str, content: dict[str, Value]
    ) -> AuditEntry:
        """What the trace says of it."""
        at_ms, now_ms = self._rooms.program_time_ms(consultation), self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, at_ms, by, action, subject, content)


def _in_order(gaps: Sequence[Gap]) -> list[Gap]:
    return sorted(gaps, key=lambda each: (each.from_ms, each.participant_id))


def _span(gap: Gap) -> Span:
    return (gap.from_ms, gap.to_ms)
