"""Consultations: making one, finding one, starting and ending it."""

from __future__ import annotations

from dataclasses import dataclass

from conference.clock import Clock
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.ids import new_id
from conference.model.permissions import Action, Role, require
from conference.services.ports import Storage
from conference.services.program import ProgramTimes
from conference.services.rooms import Rooms


@dataclass(frozen=True, slots=True)
class ConsultationDraft:
    """What is said when a consultation is made. The defaults are those of the command line."""

    title: str
    id: str | None = None
    status: Status = Status.SCHEDULED
    mode: Mode = Mode.FREE
    is_public: bool = True
    waiting_room: bool = False
    microphone_on_join: bool = True
    scheduled_at_ms: int | None = None
    organization: str | None = None


class Consultations:
    """Use cases that need rows only: they work beside a running server."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def create(self, draft: ConsultationDraft) -> Consultation:
        """Make one; consultation_exists when the id is taken."""
        consultation = self._made(draft)
        async with self._storage.transaction() as unit:
            await unit.consultations.add(consultation)
        return consultation

    async def get(self, consultation_id: str) -> Consultation:
        """The consultation, or consultation_not_found."""
        async with self._storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
        if consultation is None:
            raise ConferenceError("consultation_not_found", consultation_id)
        return consultation

    async def rehearse(self, draft: ConsultationDraft) -> Consultation:
        """The consultation of that id, made anew when there is none or it is over. For trials only."""
        consultation = self._made(draft)
        async with self._storage.transaction() as unit:
            existing = await unit.consultations.get(consultation.id)
            if existing is not None and existing.status in (Status.SCHEDULED, Status.LIVE):
                return existing
            if existing is not None:
                await unit.consultations.delete(existing.id)
            await unit.consultations.add(consultation)
        return consultation

    def _made(self, draft: ConsultationDraft) -> Consultation:
        return Consultation(
            id=draft.id or new_id("c"),
            title=draft.title,
            status=draft.status,
            mode=draft.mode,
            is_public=draft.is_public,
            waiting_room=draft.waiting_room,
            microphone_on_join=draft.microphone_on_join,
            created_at_ms=self._clock.wall_ms(),
            scheduled_at_ms=draft.scheduled_at_ms,
            organization=draft.organization,
        )


class LifeCycle:
    """Starting and ending a consultation: rows, program time, and word to the room."""

    def __init__(self, rooms: Rooms, programs: ProgramTimes) -> None:
        self._rooms = rooms
        self._programs = programs

    async def start(self, consultation_id: str, role: Role) -> Consultation:
        """Go live: program time begins."""
        require(role, Action.CONSULTATION_START)
        async with self._rooms.locked(consultation_id) as room:
            consultation = room.consultation.started(self._rooms.clock.wall_ms())
            await self._save(consultation)
            self._programs.forget(consultation_id)
            self._programs.now_ms(consultation)  # the clock runs from here
            room.set_consultation(consultation)
            return consultation

    async def end(self, consultation_id: str, role: Role) -> Consultation:
        """End: nobody enters any more; those who are in the room may say goodbye."""
        require(role, Action.CONSULTATION_END)
        async with self._rooms.locked(consultation_id) as room:
            program_time_ms = self._programs.now_ms(room.consultation) or 0
            consultation = room.consultation.ended(self._rooms.clock.wall_ms(), program_time_ms)
            await self._save(consultation)
            self._programs.forget(consultation_id)
            room.set_consultation(consultation)
            return consultation

    async def _save(self, consultation: Consultation) -> None:
        async with self._rooms.storage.transaction() as unit:
            await unit.consultations.save(consultation)
