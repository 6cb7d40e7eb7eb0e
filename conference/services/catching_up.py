"""Catching up: what was not recognised as it was said is recognised from the recording."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog

from conference.model.audit import SYSTEM, Value
from conference.model.consultation import Consultation, Status
from conference.model.gap_reasons import GapReason
from conference.model.gaps import pieces
from conference.model.ids import new_id
from conference.model.recording import FileState, Recording
from conference.model.transcript import Gap, GapState, Span, without
from conference.services.consultations import consultation_of
from conference.services.ports import OneServer, Recorder, Transcriber, UnitOfWork, Works
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.transcript_gaps import Job, TranscriptGaps
from conference.services.transcription import Transcription
from conference.worker_events import Heard, ListenJob, SoundFile

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 2  # jobs of this node
_PIECE_MS: Final = 600_000
_TRIES: Final = 3
_LAG_MS: Final = 1_000  # with more, what is said now comes first
_LOOK_S: Final = 5.0  # between two looks at the same consultation
_SETTLING_S: Final = 5.0  # what was told at the end is a row by then
_LOOKS: Final = 5  # at rows, a tick
_MICROPHONE: Final = "microphone"

# Of a job: consultation, microphone, beginning. Its end moves while it is live.
_Place: TypeAlias = "tuple[str, str, int]"


@dataclass(slots=True)
class _Case:
    """A consultation of which something may be missing."""

    look_at_s: float
    peak_ms: int = 0  # the most that was missing since nothing was


@dataclass(frozen=True, slots=True)
class Progress:
    """Of catching up with one consultation: jobs that wait and run, and how much of the sound is done."""

    waiting: int
    running: int
    done_ms: int
    total_ms: int


class CatchingUp:
    """One queue for a node, in rows: gaps are what was recorded and not heard. A killed server or worker loses none."""

    def __init__(
        self,
        rooms: Rooms,
        transcription: Transcription,
        transcriber: Transcriber,
        recorder: Recorder,
        works: Works | None = None,
    ) -> None:
        """`works`: where other servers see the same files."""
        self._works: Works = works or OneServer()
        self._ours: dict[str, AsyncExitStack] = {}  # consultations that no other server hears meanwhile
        self._rooms = rooms
        self._transcription = transcription
        self._transcriber = transcriber
        self._recorder = recorder
        self._cases: dict[str, _Case] = {}
        self._jobs: dict[str, Job] = {}
        self._gaps = TranscriptGaps(rooms, transcription, self._jobs)
        self._tried: dict[_Place, int] = {}
        self._failed: dict[_Place, tuple[Job, str]] = {}  # and it is not a row yet

    async def restore(self) -> None:
        """After a start: whatever is live or over, and not archived, may lack something."""
        if not self._transcription.is_enabled:
            return
        async with self._rooms.storage.reading() as unit:
            found = [*await unit.consultations.live()]
            over = await unit.consultations.ended_before(self._rooms.clock.wall_ms())
        for consultation in (*found, *reversed(over)):
            if consultation.captions:
                self._cases.setdefault(consultation.id, _Case(self._rooms.clock.monotonic()))

    async def tick(self) -> None:
        """Call once a second."""
        await self._take_ended()
        now_s = self._rooms.clock.monotonic()
        for consultation_id in self._transcription.listened():
            self._cases.setdefault(consultation_id, _Case(now_s + _SETTLING_S))
        if not self._may_begin():
            return
        elsewhere = self._rooms.registry.elsewhere()
        for consultation_id in [each for each in self._ours if each in elsewhere]:
            await self._let_go(consultation_id)
        due = [cid for cid, case in self._cases.items() if now_s >= case.look_at_s and cid not in elsewhere]
        for consultation_id in due[:_LOOKS]:
            try:
                if await self._is_ours(consultation_id):
                    await self._look(consultation_id, self._cases[consultation_id])
                else:
                    self._cases[consultation_id].look_at_s = self._rooms.clock.monotonic() + _LOOK_S
            except Exception as error:  # noqa: BLE001 — whatever it was, other rooms do not wait for this one
                log.warning("transcription.not_looked", room=consultation_id, error=str(error))

    def _may_begin(self) -> bool:
        is_idle = len(self._jobs) < _AT_ONCE and self._transcription.lag_ms <= _LAG_MS
        return self._transcription.is_enabled and is_idle and not self._transcription.model.reason

    async def _is_ours(self, consultation_id: str) -> bool:
        """One server alone hears what is missing in a consultation, until nothing is."""
        if not self._works.is_shared or consultation_id in self._ours:
            return True
        async with AsyncExitStack() as stack:
            if await stack.enter_async_context(self._works.alone(f"hearing-{consultation_id}")):
                self._ours[consultation_id] = stack.pop_all()
        return consultation_id in self._ours

    async def _let_go(self, consultation_id: str) -> None:
        stack = self._ours.pop(consultation_id, None)
        if stack is not None:
            await stack.aclose()

    async def _look(self, consultation_id: str, case: _Case) -> None:
        case.look_at_s = self._rooms.clock.monotonic() + _LOOK_S
        async with self._rooms.storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
            found = None if consultation is None else await self._gaps.found(unit, consultation)
        if found is None or not _is_caught_up_with(found.consultation):
            await self._forget(consultation_id)
            return
        self.progress(consultation_id, found.gaps)
        waiting = [e for e in found.gaps if e.state is GapState.WAITING and e.reason != GapReason.UNSETTLED]
        if not waiting:
            is_over = found.consultation.status is not Status.LIVE
            is_idle = all(each.consultation_id != consultation_id for each in self._jobs.values())
            if is_over and found.is_settled and is_idle:
                await self._forget(consultation_id)
            return
        wanted = [(gap, span) for gap in waiting for span in pieces(gap, _PIECE_MS)]
        # What failed before comes last: it may fail again, and again.
        for gap, span in sorted(wanted, key=lambda each: self._tried.get(_place(each[0], each[1]), 0)):
            if len(self._jobs) < _AT_ONCE and _place(gap, span) not in self._failed:
                await self._begin(gap, span, found.files)

    async def _forget(self, consultation_id: str) -> None:
        """Nothing more is missing in it."""
        await self._let_go(consultation_id)
        del self._cases[consultation_id]
        self._transcription.rows.borders.forget(consultation_id)

    async def _begin(self, gap: Gap, span: Span, files: Sequence[Recording]) -> None:
        sounds = tuple(
            SoundFile(each.path, each.started_at_ms)
            for each in files
            if (each.participant_id, each.source) == (gap.participant_id, _MICROPHONE)
            and each.started_at_ms < span[1]
            and (each.state is FileState.RECORDING or each.started_at_ms + each.duration_ms > span[0])
        )
        paths = [self._recorder.path(each.path) for each in sounds]
        if self._rooms.registry.is_shared and not await asyncio.to_thread(
            lambda: all(each.is_file() for each in paths)
        ):
            return  # another node has them
        is_open = any(
            each.state is FileState.RECORDING and each.path in {sound.path for sound in sounds}
            for each in files
        )
        job_id, job = new_id("job"), Job(gap.consultation_id, gap.participant_id, span, is_open)
        self._jobs[job_id] = job
        self._transcription.rows.borders.add(gap.consultation_id, gap.participant_id, span)
        log.info("transcription.catching_up", room=job.consultation_id, from_ms=span[0], to_ms=span[1])
        self._transcriber.recognise(ListenJob(job_id, job.consultation_id, job.participant_id, sounds, *span))

    async def _take_ended(self) -> None:
        ended = self._transcription.ended_jobs
        while ended:
            told = ended.pop(0)
            job = self._jobs.pop(told.job_id, None)
            if job is not None:
                self._ended(told.job_id, job, told.reason)
                case = self._cases.setdefault(job.consultation_id, _Case(0.0))
                case.look_at_s = 0.0 if not told.reason else self._rooms.clock.monotonic() + _LOOK_S
        for place, (job, reason) in tuple(self._failed.items()):
            try:
                await self._fail(job, reason)
            except Exception as error:  # noqa: BLE001 — whatever it was, other rooms do not wait for this one
                log.warning("transcription.not_noted", room=job.consultation_id, error=str(error))
            else:
                del self._failed[place]

    def _ended(self, job_id: str, job: Job, reason: str) -> None:
        if not reason:
            # Behind all that was heard in it, so that what nobody said anything in counts as heard, too.
            engine = self._transcription.model.engine
            heard = Heard(job.consultation_id, job.participant_id, *job.span, (), engine, job_id)
            self._transcription.rows.take(heard)
            self._tried.pop(_place(job, job.span), None)
            return
        log.warning("transcription.job_failed", room=job.consultation_id, reason=reason)
        if reason == "no_model":
            return  # it is asked for again when there is one
        place = _place(job, job.span)
        tried = self._tried.get(place, 0) + 1
        if job.is_open and reason == GapReason.UNREADABLE:
            # It has not failed before it is written whole: a muted microphone leaves nothing to read for minutes.
            tried = min(tried, _TRIES - 1)
        self._tried[place] = tried
        if tried >= _TRIES:
            self._failed[place] = job, reason
            del self._tried[place]

    async def _fail(self, job: Job, reason: str) -> None:
        content: dict[str, Value] = {"from_ms": job.span[0], "to_ms": job.span[1], "reason": reason}
        async with self._rooms.storage.transaction() as unit:
            consultation = await unit.consultations.get(job.consultation_id)
            if consultation is None or consultation.status is Status.ARCHIVED:
                return
            name = await _name_of(unit, job.participant_id)
            waived = [
                (each.from_ms, each.to_ms)
                for each in await unit.transcript.gaps_noted(job.consultation_id)
                if (each.participant_id, each.state) == (job.participant_id, GapState.WAIVED)
            ]
            left = without([job.span], waived)
            if not left:
                return  # somebody said meanwhile why there is no text
            for part in left:
                gap = Gap(job.consultation_id, job.participant_id, name, *part, GapState.FAILED, reason)
                await unit.transcript.note_gap(gap)
            entry = self._gaps.entry(
                consultation, SYSTEM, "transcript.gap_failed", job.participant_id, content
            )
            await unit.audit.append(entry)

    # ── for people ──────────────────────────────────────────────────────────────────────────────

    async def gaps(self, consultation_id: str) -> list[Gap]:
        """What is missing, by its beginning, with what was waived."""
        gaps = await self._gaps.of(consultation_id)
        if any(each.state is GapState.WAITING for each in gaps):
            # Captions may have been switched on after the end.
            self._cases.setdefault(consultation_id, _Case(self._rooms.clock.monotonic() + _SETTLING_S))
        return gaps

    async def gaps_in(self, unit: UnitOfWork, consultation_id: str) -> Sequence[Gap]:
        """The same, as the rows are in this transaction."""
        return (await self._gaps.found(unit, await consultation_of(unit, consultation_id))).gaps

    def progress(self, consultation_id: str, gaps: Sequence[Gap]) -> Progress:
        """How far it is; `gaps` are those of now."""
        left = [each for each in gaps if each.state in (GapState.WAITING, GapState.RUNNING)]
        left_ms = sum(each.to_ms - each.from_ms for each in left)
        running = sum(each.consultation_id == consultation_id for each in self._jobs.values())
        waiting = sum(len(pieces(each, _PIECE_MS)) for each in left if each.state is GapState.WAITING)
        case = self._cases.get(consultation_id)
        peak_ms = left_ms
        if case is not None:
            case.peak_ms = peak_ms = max(case.peak_ms, left_ms) if left_ms else 0
        return Progress(waiting, running, peak_ms - left_ms, peak_ms)

    async def waive(
        self, consultation_id: str, by: Bearer, participant_id: str, span: Span, note: str
    ) -> None:
        """There will be no text of this stretch, and why. not_found where nothing is missing."""
        await self._gaps.waive(consultation_id, by, participant_id, span, note)

    async def retry(self, consultation_id: str, by: Bearer, participant_id: str, span: Span) -> None:
        """Recognise what failed, or had been waived. not_found where nothing is missing, invalid_state for what was
        never recorded."""
        await self._gaps.retry(consultation_id, by, participant_id, span)
        for place in [each for each in self._tried if each[:2] == (consultation_id, participant_id)]:
            del self._tried[place]
        self._cases.setdefault(consultation_id, _Case(0.0)).look_at_s = 0.0

    def counts(self) -> tuple[int, int]:
        """Consultations of which something may be missing, and jobs that run, for /metrics."""
        return len(self._cases), len(self._jobs)


def _is_caught_up_with(consultation: Consultation) -> bool:
    return consultation.captions and consultation.status in (Status.LIVE, Status.ENDED)


def _place(of: Gap | Job, span: Span) -> _Place:
    return of.consultation_id, of.participant_id, span[0]


async def _name_of(unit: UnitOfWork, participant_id: str) -> str:
    participant = await unit.participants.get(participant_id)
    return "" if participant is None else participant.name
