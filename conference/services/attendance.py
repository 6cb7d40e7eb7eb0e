"""Attendance (签到): who was there, from when to when; and its rows after a restart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from conference.clock import Clock
from conference.model.attendance import Marks, Stay, marks
from conference.model.audit import SYSTEM, AuditEntry
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.participant import Participant
from conference.model.permissions import Action, Role, require
from conference.services.ports import Storage
from conference.services.program import ProgramTimes

OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Attendee:
    """Everyone who was ever connected, with each unbroken connection."""

    participant: Participant
    stays: tuple[Stay, ...]
    marks: Marks


class Attendance:
    """The rows are written by Presence, with the joining and leaving itself."""

    def __init__(self, storage: Storage, programs: ProgramTimes, clock: Clock) -> None:
        self._storage = storage
        self._programs = programs
        self._clock = clock

    async def list(self, consultation_id: str, role: Role) -> list[Attendee]:
        """In the order of joining."""
        require(role, Action.ATTENDANCE_READ)
        async with self._storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
            if consultation is None:
                raise ConferenceError("consultation_not_found", consultation_id)
            participants = await unit.participants.of(consultation_id)
            stays: dict[str, list[Stay]] = defaultdict(list)
            for stay in await unit.stays.of(consultation_id):
                stays[stay.participant_id].append(stay)
        now_ms = self._programs.now_ms(consultation)
        return [
            Attendee(each, tuple(stays[each.id]), marks(stays[each.id], now_ms))
            for each in participants
            if each.id in stays
        ]

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


def _reached(consultation: Consultation | None) -> int | None:
    """The program time up to which the server certainly ran."""
    if consultation is None or consultation.started_at_ms is None:
        return None
    return consultation.program_high_water_ms
