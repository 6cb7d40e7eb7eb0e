"""The life of a consultation: links go out, it goes live, ends and is sealed; or is put off or called off."""

from __future__ import annotations

from dataclasses import asdict

from conference.model.audit import AuditEntry, Value
from conference.model.broadcast import Cut, CutKind, running
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.floor import EndReason
from conference.model.permissions import Action, require
from conference.model.readiness import Missing, missing
from conference.services.change import Change
from conference.services.consultations import consultation_of
from conference.services.floors import Floors
from conference.services.live_room import LiveRoom
from conference.services.ports import UnitOfWork
from conference.services.program import ProgramTimes
from conference.services.quotas import require_may_run
from conference.services.rooms import Rooms
from conference.services.trace import Bearer


class LifeCycle:
    """Each step: rows, program time, and word to the room."""

    def __init__(self, rooms: Rooms, programs: ProgramTimes, floors: Floors) -> None:
        self._rooms = rooms
        self._programs = programs
        self._floors = floors

    # ── before ──────────────────────────────────────────────────────────────────────────────────

    async def missing(self, consultation_id: str) -> tuple[Missing, ...]:
        """What has to be done before it may be published."""
        async with self._rooms.storage.reading() as unit:
            consultation = await consultation_of(unit, consultation_id)
            return missing(consultation, await unit.preparation.prepared(consultation_id))

    async def publish(self, consultation_id: str, by: Bearer) -> Consultation:
        """Links open from now on; not_ready with `missing` when something is."""
        require(by.role, Action.CONSULTATION_PUBLISH)
        async with self._rooms.locked(consultation_id) as room:
            room.consultation.moved_to(Status.SCHEDULED)
            lacking = await self.missing(consultation_id)
            if lacking:
                raise ConferenceError("not_ready", missing=[asdict(each) for each in lacking])
            return await self._move(room, by, Status.SCHEDULED, "consultation.published")

    async def unpublish(self, consultation_id: str, by: Bearer) -> Consultation:
        """Back to a draft: links open nothing until it is published again."""
        return await self._moved(consultation_id, by, Status.DRAFT, "consultation.unpublished")

    async def postpone(self, consultation_id: str, by: Bearer, reason: str) -> Consultation:
        """Put off, to a day that is not known yet."""
        return await self._moved(
            consultation_id, by, Status.POSTPONED, "consultation.postponed", reason=reason
        )

    async def cancel(self, consultation_id: str, by: Bearer, reason: str) -> Consultation:
        """Called off, for good."""
        return await self._moved(
            consultation_id, by, Status.CANCELLED, "consultation.cancelled", reason=reason
        )

    async def seal(self, consultation_id: str, by: Bearer) -> Consultation:
        """Archived after its end: nothing is edited any more."""
        return await self._moved(consultation_id, by, Status.ARCHIVED, "consultation.sealed")

    async def _moved(
        self, consultation_id: str, by: Bearer, status: Status, action: str, **content: str
    ) -> Consultation:
        require(by.role, Action.CONSULTATION_PUBLISH)
        async with self._rooms.locked(consultation_id) as room:
            return await self._move(room, by, status, action, **content)

    async def _move(
        self, room: LiveRoom, by: Bearer, status: Status, action: str, **content: str
    ) -> Consultation:
        consultation = room.consultation.moved_to(status)
        entry = self._rooms.entry(room, by.actor, action, room.id, **content)
        await self._rooms.commit(room, Change(consultation=consultation), [entry])
        return consultation

    # ── the meeting ─────────────────────────────────────────────────────────────────────────────

    async def start(self, consultation_id: str, by: Bearer, *, was_counted: bool = False) -> Consultation:
        """Go live: program time begins, also for who holds the floor and for the current agenda item.

        too_many_live when its body may have no more; not so when it `was_counted` among the live ones as a rehearsal
        a moment ago.
        """
        require(by.role, Action.CONSULTATION_START)
        async with self._rooms.locked(consultation_id) as room:
            consultation = room.consultation.started(self._rooms.clock.wall_ms())
            now_ms = self._rooms.clock.wall_ms()
            content: dict[str, Value] = {}
            cuts: tuple[Cut, ...] = ()
            if not consultation.recording:  # the program is sent, and not kept either
                pause = Cut.made(room.id, CutKind.PAUSE, 0, None, at_wall_ms=now_ms, by_name=by.name)
                cuts, content = (pause,), {"pause": pause.id}
            entry = self._entry(consultation, by, "consultation.started", 0, content)
            turns = () if room.turn is None else (room.turn.went_live(),)
            change = Change(consultation=consultation, agenda=room.agenda.went_live(), turns=turns, cuts=cuts)

            async def count(unit: UnitOfWork) -> None:
                if not was_counted:
                    await require_may_run(unit, consultation)

            await self._rooms.commit(room, change, [entry], also=count)
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
            pause = running(room.cuts, CutKind.PAUSE)
            change = Change(
                consultation=consultation,
                agenda=room.agenda.closed(program_time_ms),
                cuts=() if pause is None else (pause.ended(program_time_ms),),
            )
            await self._rooms.commit(room, change, [entry])
            self._programs.forget(consultation_id)
            return consultation

    def _entry(
        self,
        consultation: Consultation,
        by: Bearer,
        action: str,
        program_time_ms: int,
        content: dict[str, Value] | None = None,
    ) -> AuditEntry:
        cid, now_ms = consultation.id, self._rooms.clock.wall_ms()
        return AuditEntry(cid, now_ms, program_time_ms, by.actor, action, cid, content or {})
