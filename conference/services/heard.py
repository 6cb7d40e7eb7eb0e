"""What was heard: segments and coverage as rows, each stretch of a microphone exactly once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.consultation import Consultation
from conference.model.ids import new_id
from conference.model.participant import Participant
from conference.model.speaking import Proceedings
from conference.model.transcript import MAX_TEXT, Coverage, Span, TranscriptSegment, Word, merged
from conference.model.transcript_edit import Rewrite, joined_words, render, unchanged
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms
from conference.worker_events import Heard, Utterance

_SILENCE_S: Final = 15.0  # that nothing was said is written down together with what is, or so late

Told = Callable[[str, "Sequence[Written]"], None]
Rewriter = Callable[
    [UnitOfWork, Consultation], Awaitable[Rewrite]
]  # what the terms of a consultation make of a text


@dataclass(frozen=True, slots=True)
class Written:
    """A segment that has a row now. `is_live`: it was just said; otherwise it came from the recording."""

    segment: TranscriptSegment
    is_live: bool


@dataclass(frozen=True, slots=True)
class _Waiting:
    heard: Heard
    since_s: float  # monotonic


class HeardRows:
    """Keeps what the transcriber told until its rows are written, so that a database in trouble loses nothing.

    Utterances and the stretch that they lie in are one transaction. What lies in a stretch that was covered before is
    dropped: it was told twice, or recognised from the recording meanwhile.
    """

    def __init__(self, rooms: Rooms, rewriter: Rewriter, told: Told) -> None:
        """`told` hears of every segment once its row is there."""
        self._rooms = rooms
        self._rewriter = rewriter
        self._told = told
        self._waiting: deque[_Waiting] = deque()
        self._writing = asyncio.Lock()

    def take(self, heard: Heard) -> None:
        """Never waits."""
        self._waiting.append(_Waiting(heard, self._rooms.clock.monotonic()))

    def unwritten(self, consultation_id: str) -> list[Coverage]:
        """What is covered, and not a row yet."""
        return [
            Coverage(consultation_id, each.heard.participant_id, each.heard.from_ms, each.heard.to_ms)
            for each in self._waiting
            if each.heard.consultation_id == consultation_id
        ]

    async def write(self, *, everything: bool = False) -> None:
        """Call a few times a second. Rooms with utterances that wait are written at once, others a little later.

        Raises storage_unavailable; the next call goes on there.
        """
        if not self._waiting:
            return
        async with self._writing:  # a stretch that is read twice before it is written would be there twice
            await self._write_waiting(everything=everything)

    async def _write_waiting(self, *, everything: bool) -> None:
        now_s = self._rooms.clock.monotonic()
        for consultation_id in dict.fromkeys(each.heard.consultation_id for each in self._waiting):
            own = [each for each in self._waiting if each.heard.consultation_id == consultation_id]
            is_due = any(each.heard.utterances or each.heard.job_id is not None for each in own)
            if everything or is_due or now_s - own[0].since_s >= _SILENCE_S:
                written = await self._write(consultation_id, [each.heard for each in own])
                gone = set(map(id, own))
                self._waiting = deque(each for each in self._waiting if id(each) not in gone)
                if written:
                    self._told(consultation_id, written)

    async def _write(self, consultation_id: str, batch: Sequence[Heard]) -> list[Written]:
        async with self._rooms.storage.transaction() as unit:
            consultation = await unit.consultations.get(consultation_id)
            if consultation is None:
                return []
            maker = await self._maker(unit, consultation, has_text=any(each.utterances for each in batch))
            written: list[Written] = []
            for participant_id in dict.fromkeys(each.participant_id for each in batch):
                own = [each for each in batch if each.participant_id == participant_id]
                microphone = maker.proceedings.people.get(participant_id)
                if microphone is None:
                    continue
                rows = await unit.transcript.covered(consultation_id, participant_id)
                written += maker.written(microphone, own, [(each.from_ms, each.to_ms) for each in rows])
                for from_ms, to_ms in merged((each.from_ms, each.to_ms) for each in own):
                    await unit.transcript.cover(Coverage(consultation_id, participant_id, from_ms, to_ms))
            await unit.transcript.save([each.segment for each in written])
            await unit.audit.append(self._entry(consultation, batch, written))
        return written

    async def _maker(self, unit: UnitOfWork, consultation: Consultation, *, has_text: bool) -> _Maker:
        people = {each.id: each for each in await unit.participants.of(consultation.id)}
        if not has_text:
            return _Maker(Proceedings((), (), people), unchanged)
        agenda = await unit.agenda.get(consultation.id)
        turns = await unit.floor.turns(consultation.id)
        return _Maker(Proceedings(agenda.items, turns, people), await self._rewriter(unit, consultation))

    def _entry(
        self, consultation: Consultation, batch: Sequence[Heard], written: Sequence[Written]
    ) -> AuditEntry:
        """Counts, and no word of what was said."""
        content: dict[str, Value] = {
            "microphones": len({each.participant_id for each in batch}),
            "heard_ms": sum(each.to_ms - each.from_ms for each in batch),
            "segments": len(written),
            "characters": sum(len(each.segment.text) for each in written),
            "from_recording": any(each.job_id is not None for each in batch),
        }
        at_ms, now_ms = self._rooms.program_time_ms(consultation), self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, at_ms, SYSTEM, "transcript.heard", None, content)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes segments of what was heard. Pure."""

    proceedings: Proceedings
    rewrite: Rewrite

    def written(
        self, microphone: Participant, batch: Sequence[Heard], covered: Sequence[Span]
    ) -> list[Written]:
        """Of what does not lie in a stretch that was dealt with before."""
        found: list[Written] = []
        for heard in batch:
            for utterance in heard.utterances:
                if utterance.text.strip() and not _lies_in(utterance, covered):
                    found.append(Written(self._segment(microphone, heard, utterance), heard.job_id is None))
            covered = merged([*covered, (heard.from_ms, heard.to_ms)])
        return found

    def _segment(self, microphone: Participant, heard: Heard, utterance: Utterance) -> TranscriptSegment:
        middle_ms = _middle_ms(utterance)
        words = utterance.words or (Word(utterance.text, utterance.from_ms, utterance.to_ms),)
        rendered = render(words, self.rewrite)
        return TranscriptSegment(
            id=new_id("seg"),
            consultation_id=heard.consultation_id,
            participant_id=microphone.id,
            speaker=self.proceedings.speaker(microphone, middle_ms),
            start_ms=utterance.from_ms,
            end_ms=max(utterance.to_ms, utterance.from_ms),
            text=rendered.text[:MAX_TEXT],
            raw=joined_words(words),
            words=words,
            engine=heard.engine,
            item_id=self.proceedings.item_id(middle_ms),
            turn_id=self.proceedings.turn_id(microphone, middle_ms),
            automatic=tuple(each for each in rendered.automatic if each < MAX_TEXT),
        )


def _middle_ms(utterance: Utterance) -> int:
    return (utterance.from_ms + utterance.to_ms) // 2


def _lies_in(utterance: Utterance, covered: Sequence[Span]) -> bool:
    middle_ms = _middle_ms(utterance)
    return any(first <= middle_ms < last for first, last in covered)
