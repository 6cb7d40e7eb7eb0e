"""The waiting room: letting people in, or not."""

from __future__ import annotations

import structlog

from conference.events import SessionRemoved
from conference.model.audit import Personal
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.floor import gate_without_floor
from conference.model.participant import LeaveReason
from conference.model.permissions import Action, require
from conference.services.arrivals import Arrivals
from conference.services.departures import Departures
from conference.services.entry import goes_on_waiting
from conference.services.live_room import LiveRoom, Seat
from conference.services.quotas import require_seat
from conference.services.rooms import Rooms
from conference.services.stays import Stays, noting
from conference.services.trace import Bearer, Caller

log = structlog.get_logger(__name__)


class WaitingRoom:
    """`by` is an id in the room or at a desk. Who waits comes through Arrivals."""

    def __init__(self, rooms: Rooms, arrivals: Arrivals, departures: Departures) -> None:
        self._rooms = rooms
        self._arrivals = arrivals
        self._departures = departures
        self._stays = Stays(rooms)

    async def admit(self, room_id: str, by: str | Bearer, participant_id: str) -> int:
        """Let somebody in: 1, or 0 when somebody else did so before; not_found when nobody waits. Nobody admits
        themselves from another window: forbidden."""
        async with self._rooms.locked(room_id) as room:
            caller = self._doorkeeper(room, by)
            if participant_id in room.seats:
                return 0
            seat = self._waiting(room, participant_id)
            if caller.is_same_as(seat.participant):
                raise ForbiddenError("one's own admission")
            await self._admit(room, caller, seat)
            return 1

    async def admit_all(self, room_id: str, by: str | Bearer) -> int:
        """Let everybody in who waits, first come first, as far as the room has places; returns how many."""
        async with self._rooms.locked(room_id) as room:
            caller = self._doorkeeper(room, by)
            admitted = 0
            for seat in tuple(room.waiting.values()):
                if caller.is_same_as(seat.participant):
                    continue
                try:
                    await self._admit(room, caller, seat)
                except ConferenceError as error:
                    if error.code not in ("room_full", "room_limit") or not admitted:
                        raise
                    break
                admitted += 1
            return admitted

    async def refuse(self, room_id: str, by: str | Bearer, participant_id: str) -> None:
        """Send somebody away who waits; not_found when nobody does."""
        async with self._rooms.locked(room_id) as room:
            caller = self._doorkeeper(room, by)
            seat = self._waiting(room, participant_id)
            await self._departures.vacate(room, seat, LeaveReason.REFUSED, by=caller.actor)
            if seat.session_id is not None:
                self._rooms.publisher.send(seat.session_id, SessionRemoved(caller.name, "refused"))
                self._rooms.publisher.close(seat.session_id)

    async def opened(self, room: LiveRoom, by: Bearer) -> None:
        """There is no waiting room any more: let in who waited only for it, as far as the room has places.

        The change itself is made: whom this cannot let in goes on waiting, for somebody to admit. Needs the lock.
        """
        if not room.consultation.is_open:
            return
        for seat in tuple(room.waiting.values()):
            try:
                async with self._rooms.storage.reading() as unit:
                    if await goes_on_waiting(unit, room.consultation, seat.participant):
                        continue
                await self._admit(room, room.caller(by), seat)
            except ConferenceError as error:
                log.warning("waiting.not_admitted", room=room.id, code=error.code)
                return

    def _doorkeeper(self, room: LiveRoom, by: str | Bearer) -> Caller:
        caller = room.caller(by)
        require(caller.role, Action.PARTICIPANT_ADMIT)
        return caller

    @staticmethod
    def _waiting(room: LiveRoom, participant_id: str) -> Seat:
        seat = room.waiting.get(participant_id)
        if seat is None:
            raise NotFoundError(f"nobody waits as {participant_id}")
        return seat

    async def _admit(self, room: LiveRoom, caller: Caller, seat: Seat) -> None:
        room.consultation.require_open()
        self._arrivals.require_place(room)
        await require_seat(self._rooms.storage, room.consultation, seat.participant.role, len(room.seats))
        gate = gate_without_floor(seat.participant.role, room.consultation.mode)
        participant = seat.participant.admitted().under_floor(gate)
        name = Personal(participant.name)
        line = self._rooms.entry(room, caller.actor, "participant.admitted", participant.id, name=name)
        # Who lost the connection meanwhile is let in all the same: attendance begins with coming back.
        stay = None if seat.session_id is None else self._stays.begun(room, participant)

        await self._arrivals.join_media(room, participant)
        try:
            await self._rooms.save(participant, trace=[line], also=noting(stay))
        except BaseException:
            await self._rooms.leave_media(room.id, participant.id)
            raise
        room.remove_waiting(seat)
        seat.participant, seat.stay = participant, stay
        room.add(seat)
        await self._arrivals.begin(room, seat, resumed=False)
