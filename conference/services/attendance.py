"""Attendance (签到): who was there, from when to when; and its rows after a restart."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from conference.clock import Clock
from conference.model.audit import SYSTEM, AuditEntry
from conference.model.consultation import Consultation
from conference.model.permissions import Action, Role, require
from conference.model.record import HandRaised, Person, Record, people
from conference.model.statistics import Figures, figures
from conference.services.consultations import consultation_of
from conference.services.ports import Storage, UnitOfWork
from conference.services.program import ProgramTimes

OUTAGE = "outage"
HAND_RAISED: Final = "hand.raised"
_PAGE: Final = 500


class Attendance:
    """The rows are written by Arrivals and Departures, with the joining and leaving itself."""

    def __init__(self, storage: Storage, programs: ProgramTimes, clock: Clock) -> None:
        self._storage = storage
        self._programs = programs
        self._clock = clock

    async def list(self, consultation_id: str, role: Role) -> tuple[Person, ...]:
        """Everyone who was there in the order of joining, then those who were expected only."""
        # In a thread, as the figures: hundreds of people take longer than the sockets of others may wait.
        return await asyncio.to_thread(people, await self.record(consultation_id, role))

    async def figures(self, consultation_id: str, role: Role) -> Figures:
        """Presence, speaking time, requests and statements, as of now."""
        return await asyncio.to_thread(figures, await self.record(consultation_id, role))

    async def record(self, consultation_id: str, role: Role) -> Record:
        """What attendance and statistics are made of, from one view of the rows."""
        require(role, Action.ATTENDANCE_READ)
        async with self._storage.reading() as unit:
            consultation = await consultation_of(unit, consultation_id)
            return await record_of(unit, consultation, self._programs.now_ms(consultation))

    async def restore(self, chosen: Callable[[str], bool] = lambda _: True) -> None:
        """After a start: nobody is connected; they were until they were last seen."""
        async with self._storage.transaction() as unit:
            concerned: dict[str, list[str]] = defaultdict(list)
            consultations: dict[str, Consultation | None] = {}
            for stay in await unit.stays.open():
                cid = stay.consultation_id
                if not chosen(cid):
                    continue
                if cid not in consultations:
                    consultations[cid] = await unit.consultations.get(cid)
                consultation = consultations[cid]
                participant = await unit.participants.get(stay.participant_id)
                seen_ms = participant.last_seen_ms if participant is not None else stay.from_wall_ms
                until_ms = _reached(consultation)
                if until_ms is not None and stay.from_ms is not None:
                    until_ms = max(until_ms, stay.from_ms)
                await unit.stays.save(stay.ended(until_ms, seen_ms, OUTAGE))
                concerned[cid].append(stay.participant_id)
            for cid, participant_ids in concerned.items():
                await unit.audit.append(
                    AuditEntry(
                        cid,
                        self._clock.wall_ms(),
                        _reached(consultations[cid]),
                        SYSTEM,
                        "attendance.outage",
                        cid,
                        {"participants": participant_ids},
                    )
                )


async def record_of(unit: UnitOfWork, consultation: Consultation, now_ms: int | None) -> Record:
    """Read in this transaction."""
    consultation_id = consultation.id
    agenda = await unit.agenda.get(consultation_id)
    board = await unit.statements.board(consultation_id)
    return Record(
        consultation=consultation,
        now_ms=now_ms,
        participants=tuple(await unit.participants.of(consultation_id)),
        stays=tuple(await unit.stays.of(consultation_id)),
        turns=tuple(await unit.floor.turns(consultation_id)),
        statements=tuple(board.statements.values()),
        requests=tuple(await _requests(unit, consultation)),
        invitees=tuple(await unit.invitees.of(consultation_id)),
        venues=tuple(await unit.venues.of(consultation_id)),
        agenda_titles={item.id: item.title for item in agenda.items},
    )


def _reached(consultation: Consultation | None) -> int | None:
    """The program time up to which the server certainly ran."""
    if consultation is None or consultation.started_at_ms is None:
        return None
    return consultation.program_high_water_ms


async def _requests(unit: UnitOfWork, consultation: Consultation) -> list[HandRaised]:
    """Raised hands are nowhere but in the trace once they are down. Those of rehearsals are left out."""
    found: list[HandRaised] = []
    after = consultation.rehearsed_line
    while lines := await unit.audit.lines(consultation.id, after, _PAGE, action=HAND_RAISED):
        found += [HandRaised(line.subject, line.at_ms) for line in lines if line.subject is not None]
        after = lines[-1].number
    return found
