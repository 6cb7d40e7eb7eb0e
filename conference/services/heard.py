"""What was heard: segments and coverage as rows, each stretch of a microphone exactly once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import structlog

from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.broadcast import unkept_spans
from conference.model.consultation import Consultation, Status
from conference.model.gap_reasons import GapReason
from conference.model.speaking import Proceedings
from conference.model.transcript import (
    Coverage,
    Gap,
    GapState,
    Span,
    merged,
    without,
)
from conference.model.transcript_edit import Rewrite, unchanged
from conference.services.borders import Borders, near
from conference.services.heard_segments import Beside, SegmentMaker, Written
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms
from conference.worker_events import Heard

log = structlog.get_logger(__name__)

_REFUSALS: Final = 3  # of the same, one after the other: then it is not the moment but what is written
_SILENCE_S: Final = 15.0  # that nothing was said is written down together with what is, or so late

Told = Callable[[str, Sequence[Written]], None]
Rewriter = Callable[[str], Awaitable[Rewrite]]  # what the terms of a consultation make of a text, by its id


@dataclass(frozen=True, slots=True)
class _Waiting:
    heard: Heard
    since_s: float  # monotonic


class HeardRows:
    """Keeps what the transcriber told until its rows are written, so that a database in trouble loses nothing.

    Utterances and the stretch that they lie in are one transaction. What lies in a stretch that was covered before is
    dropped: it was told twice, or recognised from the recording meanwhile. So is what was said while nothing was to be
    recorded, and all of a consultation that is sealed. What the database refuses again and again harms no other room:
    it is written utterance by utterance, and the bad one becomes a gap.
    """

    def __init__(self, rooms: Rooms, rewriter: Rewriter, told: Told) -> None:
        """`told` hears of every segment once its row is there."""
        self._rooms = rooms
        self._rewriter = rewriter
        self._told = told
        self._waiting: deque[_Waiting] = deque()
        self._writing = asyncio.Lock()
        self.borders = Borders()  # that a word may lie on both sides of
        self._refused: dict[str, int] = {}  # so often one after the other, by consultation

    def take(self, heard: Heard) -> None:
        """Never waits."""
        self._waiting.append(_Waiting(heard, self._rooms.clock.monotonic()))

    async def drop(self, consultation_id: str) -> None:
        """Forget what waits of this consultation: none of it is written any more when this returns."""
        async with self._writing:
            self._forget([each for each in self._waiting if each.heard.consultation_id == consultation_id])
        self.borders.forget(consultation_id)

    def unwritten(self, consultation_id: str) -> list[Coverage]:
        """What is covered, and not a row yet."""
        return [
            Coverage(consultation_id, each.heard.participant_id, each.heard.from_ms, each.heard.to_ms)
            for each in self._waiting
            if each.heard.consultation_id == consultation_id
        ]

    async def write(self, *, everything: bool = False) -> None:
        """Call a few times a second. Rooms with utterances that wait are written at once, others a little later.

        Raises what the database raised, storage_unavailable among it, once every room was tried; the next call goes on
        there.
        """
        if not self._waiting:
            return
        async with self._writing:  # a stretch that is read twice before it is written would be there twice
            await self._write_waiting(everything=everything)

    async def _write_waiting(self, *, everything: bool) -> None:
        now_s = self._rooms.clock.monotonic()
        raised: Exception | None = None
        for consultation_id in dict.fromkeys(each.heard.consultation_id for each in self._waiting):
            own = [each for each in self._waiting if each.heard.consultation_id == consultation_id]
            is_due = any(each.heard.utterances or each.heard.job_id is not None for each in own)
            if everything or is_due or now_s - own[0].since_s >= _SILENCE_S:
                try:
                    await self._write_room(consultation_id, own)
                except Exception as error:  # noqa: BLE001 — whatever it was, other rooms do not wait for this one
                    log.warning("transcription.refused", room=consultation_id, error=str(error))
                    self._refused[consultation_id] = self._refused.get(consultation_id, 0) + 1
                    raised = raised or error
        if raised is not None:
            raise raised

    async def _write_room(self, consultation_id: str, own: Sequence[_Waiting]) -> None:
        if self._refused.get(consultation_id, 0) < _REFUSALS:
            await self._write_and_tell(consultation_id, own, own)
        else:
            for each in own:
                for part in _parts(each.heard):
                    await self._write_alone(part)
                self._forget([each])
        self._refused.pop(consultation_id, None)

    async def _write_alone(self, heard: Heard) -> None:
        """Where not even that can be written, that it is missing. Raises when the database does not take this either:
        then it is not for what was said."""
        waiting = _Waiting(heard, 0.0)
        try:
            await self._write_and_tell(heard.consultation_id, [waiting], [])
        except Exception as error:  # noqa: BLE001 — as above; noted as a gap or raised below
            log.warning("transcription.dropped", room=heard.consultation_id, error=str(error))
            await self._drop(heard)

    async def _write_and_tell(
        self, consultation_id: str, batch: Sequence[_Waiting], gone: Sequence[_Waiting]
    ) -> None:
        written = await self._write(consultation_id, [each.heard for each in batch])
        self._forget(gone)
        if written:
            self._told(consultation_id, written)

    def _forget(self, gone: Sequence[_Waiting]) -> None:
        known = set(map(id, gone))
        self._waiting = deque(each for each in self._waiting if id(each) not in known)

    async def _drop(self, heard: Heard) -> None:
        content: dict[str, Value] = {
            "from_ms": heard.from_ms,
            "to_ms": heard.to_ms,
            "reason": GapReason.REFUSED,
        }
        async with self._rooms.storage.transaction() as unit:
            consultation = await unit.consultations.get(heard.consultation_id)
            if consultation is None or consultation.status is Status.ARCHIVED:
                return
            participant = await unit.participants.get(heard.participant_id)
            name = "" if participant is None else participant.name
            span = heard.from_ms, heard.to_ms
            await unit.transcript.note_gap(
                Gap(consultation.id, heard.participant_id, name, *span, GapState.FAILED, GapReason.REFUSED)
            )
            await unit.audit.append(
                self._line(consultation, "transcript.gap_failed", heard.participant_id, content)
            )

    async def _write(self, consultation_id: str, batch: Sequence[Heard]) -> list[Written]:
        has_text = any(each.utterances for each in batch)
        # Before the transaction: a list that was changed is read first, and SQLite has one writer.
        rewrite = await self._rewriter(consultation_id) if has_text else unchanged
        async with self._rooms.storage.transaction() as unit:
            consultation = await unit.consultations.get(consultation_id)
            if consultation is None or consultation.status is Status.ARCHIVED:
                return []  # gone or sealed meanwhile
            maker = await self._maker(unit, consultation, rewrite, has_text=has_text)
            written: list[Written] = []
            for participant_id in dict.fromkeys(each.participant_id for each in batch):
                own = [each for each in batch if each.participant_id == participant_id]
                microphone = maker.proceedings.people.get(participant_id)
                if microphone is None:
                    continue
                rows = await unit.transcript.covered(consultation_id, participant_id)
                covered = [(each.from_ms, each.to_ms) for each in rows]
                beside = await self._beside(unit, consultation_id, participant_id, own)
                written += maker.written(microphone, own, covered, beside)
                told = merged((each.from_ms, each.to_ms) for each in own)
                for from_ms, to_ms in without(told, await self._unwritable(unit, own)):
                    await unit.transcript.cover(Coverage(consultation_id, participant_id, from_ms, to_ms))
            await unit.transcript.save([each.segment for each in written])
            await unit.audit.append(self._entry(consultation, batch, written))
        return written

    @staticmethod
    async def _unwritable(unit: UnitOfWork, own: Sequence[Heard]) -> list[Span]:
        """What a job that is through says was heard, and was refused."""
        jobs = [each for each in own if each.job_id is not None]
        if not jobs:
            return []
        return [
            (each.from_ms, each.to_ms)
            for each in await unit.transcript.gaps_noted(jobs[0].consultation_id)
            if each.participant_id == jobs[0].participant_id
            and (each.state, each.reason) == (GapState.FAILED, GapReason.REFUSED)
        ]

    async def _beside(
        self, unit: UnitOfWork, consultation_id: str, participant_id: str, own: Sequence[Heard]
    ) -> Beside:
        borders = self.borders.of(consultation_id, participant_id)
        spans = {span for each in own for utterance in each.utterances for span in near(borders, utterance)}
        words = [
            segment.words
            for from_ms, to_ms in sorted(spans)
            for segment in await unit.transcript.between(consultation_id, from_ms, to_ms)
            if segment.participant_id == participant_id
        ]
        return Beside(borders, words)

    async def _maker(
        self, unit: UnitOfWork, consultation: Consultation, rewrite: Rewrite, *, has_text: bool
    ) -> SegmentMaker:
        people = {each.id: each for each in await unit.participants.of(consultation.id)}
        if not has_text:
            return SegmentMaker(Proceedings((), (), people), unchanged, ())
        agenda = await unit.agenda.get(consultation.id)
        turns = await unit.floor.turns(consultation.id)
        cuts = await unit.broadcast_cuts.of(consultation.id)
        proceedings = Proceedings(agenda.items, turns, people)
        return SegmentMaker(proceedings, rewrite, unkept_spans(cuts))

    def _entry(
        self, consultation: Consultation, batch: Sequence[Heard], written: Sequence[Written]
    ) -> AuditEntry:
        """Counts, and no word of what was said."""
        content: dict[str, Value] = {
            "microphones": len({each.participant_id for each in batch}),
            "heard_ms": sum(each.to_ms - each.from_ms for each in batch),
            "segments": len(written),  # the last of the keys: storage/minutes_sources knows silence by it
            "characters": sum(len(each.segment.text) for each in written),
            "from_recording": any(each.job_id is not None for each in batch),
        }
        return self._line(consultation, "transcript.heard", None, content)

    def _line(
        self, consultation: Consultation, action: str, subject: str | None, content: dict[str, Value]
    ) -> AuditEntry:
        at_ms, now_ms = self._rooms.program_time_ms(consultation), self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, at_ms, SYSTEM, action, subject, content)


def _parts(heard: Heard) -> list[Heard]:
    """Each with one utterance at most, together the whole stretch."""
    if len(heard.utterances) < 2:
        return [heard]
    ends = accumulate((each.to_ms for each in heard.utterances[:-1]), max, initial=heard.from_ms)
    edges = [*(min(each, heard.to_ms) for each in ends), heard.to_ms]
    return [
        replace(heard, from_ms=edges[number], to_ms=edges[number + 1], utterances=(each,))
        for number, each in enumerate(heard.utterances)
    ]
