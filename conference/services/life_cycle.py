"""The life of a consultation: going live, and the end."""

from __future__ import annotations

from conference.model.audit import AuditEntry
from conference.model.consultation import Consultation
from conference.model.floor import EndReason
from conference.model.permissions import Action, require
from conference.services.change import Change
from conference.services.floors import Floors
from conference.services.program import ProgramTimes
from conference.services.rooms import Rooms
from conference.services.trace import Bearer


class LifeCycle:
    """Starting and ending a consultation: rows, program time, and word to the room."""

    def __init__(self, rooms: Rooms, programs: ProgramTimes, floors: Floors) -> None:
        self._rooms = rooms
        self._programs = programs
        self._floors = floors

    async def start(self, consultation_id: str, by: Bearer) -> Consultation:
        """Go live: program time begins, also for who holds the floor and for the current agenda item."""
        require(by.role, Action.CONSULTATION_START)
        async with self._rooms.locked(consultation_id) as room:
            consultation = room.consultation.started(self._rooms.clock.wall_ms())
            entry = self._entry(consultation, by, "consultation.started", 0)
            turns = () if room.turn is None else (room.turn.went_live(),)
            change = Change(consultation=consultation, agenda=room.agenda.went_live(), turns=turns)
            await self._rooms.commit(room, change, [entry])
            self._programs.forget(consultation_id)
            self._programs.now_ms(consultation)  # the clock runs from here
            return consultation

    async def end(self, consultation_id: str, by: Bearer) -> Consultation:
        """End: nobody enters any more; those who are in the room may say goodbye."""
        require(by.role, Action.CONSULTATION_END)
        async with self._rooms.locked(consultation_id) as room:
            program_time_ms = self._programs.now_ms(room.consultation) or 0
            consultation = room.consultation.ended(self._rooms.clock.wall_ms(), program_time_ms)
            await self._floors.finish(room, by.actor, EndReason.FINISHED)
            entry = self._entry(consultation, by, "consultation.ended", program_time_ms)
            change = Change(consultation=consultation, agenda=room.agenda.closed(program_time_ms))
            await self._rooms.commit(room, change, [entry])
            self._programs.forget(consultation_id)
            return consultation

    def _entry(self, consultation: Consultation, by: Bearer, action: str, program_time_ms: int) -> AuditEntry:
        now_ms = self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, program_time_ms, by.actor, action, consultation.id)
