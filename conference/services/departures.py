"""Departures: losing the connection, leaving, being sent out, running out of time."""

from __future__ import annotations

from collections.abc import Collection

from conference.events import SessionRefused, SessionRemoved
from conference.model.audit import SYSTEM, Actor, Personal
from conference.model.consultation import Status
from conference.model.errors import ERROR_TEXTS
from conference.model.participant import LeaveReason, ParticipantKind
from conference.model.permissions import Action, require
from conference.services.floors import Floors
from conference.services.live_room import LiveRoom, Seat
from conference.services.rooms import Rooms
from conference.services.stays import Stays, noting
from conference.services.trace import person
from conference.services.warrants import Warrant


class Departures:
    """Whoever gives up a seat, or a place before the door, does so through here."""

    def __init__(self, rooms: Rooms, floors: Floors) -> None:
        self._rooms = rooms
        self._floors = floors
        self._stays = Stays(rooms)
        self._stopping = False

    def stop(self) -> None:
        """The server stops: sockets that close now are not departures, their owners come back."""
        self._stopping = True

    async def disconnect(self, room_id: str, participant_id: str, session_id: str) -> None:
        """The socket closed without a word: the seat is kept for the grace period."""
        if self._stopping or self._rooms.find(room_id) is None:
            return
        async with self._rooms.locked(room_id) as room:
            seat = room.seats.get(participant_id) or room.waiting.get(participant_id)
            if seat is None or seat.session_id != session_id:
                return
            if seat.id in room.waiting:
                seat.session_id, seat.lost_at_s = None, self._rooms.clock.monotonic()
                return
            self._rooms.publisher.exit(session_id)
            seat.session_id = None
            seat.lost_at_s = self._rooms.clock.monotonic()
            if seat.offer is not None:
                seat.offer.deadline_s = None
            room.changed([seat.id])
            await self._note_loss(room, seat)

    async def _note_loss(self, room: LiveRoom, seat: Seat) -> None:
        """The rows follow a lost connection; until they do, its stay is open and `expire` tries again."""
        entry = self._rooms.entry(room, SYSTEM, "participant.disconnected", seat.id)
        ended = self._stays.ended(room, seat, "disconnected")
        participant = seat.participant.seen(self._stays.seen_wall_ms(seat))
        await self._rooms.save(participant, trace=[entry], also=noting(ended))
        seat.stay = None

    async def leave(self, room_id: str, participant_id: str) -> None:
        """The participant goes, on purpose."""
        async with self._rooms.locked(room_id) as room:
            seat = room.waiting.get(participant_id) or room.seat(participant_id)
            await self.vacate(room, seat, LeaveReason.LEFT, by=person(seat.participant))

    async def remove(self, room_id: str, by_id: str, participant_id: str) -> None:
        """The chair sends somebody out; oneself, that is leaving."""
        async with self._rooms.locked(room_id) as room:
            by = room.caller(by_id)
            require(by.role, Action.PARTICIPANT_REMOVE)
            seat = room.seat(participant_id)
            session_id = seat.session_id
            reason = LeaveReason.LEFT if by.is_same_as(seat.participant) else LeaveReason.REMOVED
            await self.vacate(room, seat, reason, by=by.actor)
            if session_id is not None:
                self._rooms.publisher.send(session_id, SessionRemoved(by.name))
                self._rooms.publisher.close(session_id)

    async def vacate(self, room: LiveRoom, seat: Seat, reason: LeaveReason, *, by: Actor) -> None:
        """Free a seat; those who listened to it by WHEP go with it. With the room's lock held."""
        if seat.id in room.waiting:
            await self._turn_away(room, seat, reason, by=by)
            return
        await self._floors.vacated(room, seat.id)
        participant = seat.participant.left(self._rooms.clock.wall_ms(), reason)
        means, name = participant.kind.value, Personal(participant.name)
        entry = self._rooms.entry(room, by, f"participant.{reason}", seat.id, means=means, name=name)
        await self._rooms.save(
            participant, trace=[entry], also=noting(self._stays.ended(room, seat, reason.value))
        )
        if seat.session_id is not None:
            self._rooms.publisher.exit(seat.session_id)
        room.remove(seat, reason)
        await self._rooms.leave_media(room.id, seat.id)
        for listener in [each for each in room.listeners.values() if each.target_id == seat.id]:
            del room.listeners[listener.id]
            await self._rooms.leave_media(room.id, listener.id)

    async def _turn_away(self, room: LiveRoom, seat: Seat, reason: LeaveReason, *, by: Actor) -> None:
        """Somebody in the waiting room does not come in."""
        participant = seat.participant.left(self._rooms.clock.wall_ms(), reason)
        name = Personal(participant.name)
        entry = self._rooms.entry(room, by, f"waiting.{reason}", seat.id, name=name)
        await self._rooms.save(participant, trace=[entry])
        room.remove_waiting(seat)

    async def revoke(self, room_id: str, void: Collection[Warrant], by: str) -> None:
        """Close everything in the room that stands on one of these. `by` is the name that those inside are told."""
        if self._rooms.find(room_id) is None:
            return
        async with self._rooms.locked(room_id) as room:
            # Those without rows first; each is told as soon as it is out, whatever becomes of the next.
            for desk in [each for each in room.desks.values() if each.warrant in void]:
                del room.desks[desk.id]
                self._tell_revoked(desk.session_id, by)
            for listener in [each for each in room.listeners.values() if each.warrant in void]:
                del room.listeners[listener.id]
                await self._rooms.leave_media(room.id, listener.id)
            for seat in [each for each in room.screens.values() if each.warrant in void]:
                del room.screens[seat.id]
                await self._rooms.leave_media(room.id, seat.id)
                if seat.session_id is not None:
                    self._tell_revoked(seat.session_id, by)
            for seat in (*room.seats.values(), *room.waiting.values()):
                if seat.warrant in void:
                    await self.vacate(room, seat, LeaveReason.REVOKED, by=SYSTEM)
                    if seat.session_id is not None:
                        self._tell_revoked(seat.session_id, by)

    def _tell_revoked(self, session_id: str, by: str) -> None:
        self._rooms.publisher.send(session_id, SessionRemoved(by, "revoked"))
        self._rooms.publisher.close(session_id)

    async def expire(self) -> None:
        """Remove those whose grace ran out, and send those away who wait for what is over."""
        now_s = self._rooms.clock.monotonic()
        for room in self._rooms.all():
            places = (*room.seats.values(), *room.waiting.values())
            is_due = any(self._is_lost(seat, now_s) or _is_unnoted(seat) for seat in places)
            if is_due or _waits_in_vain(room):
                async with self._rooms.locked(room.id) as current:
                    for seat in current.seats.values():
                        if _is_unnoted(seat):
                            await self._note_loss(current, seat)
                    for seat in (*current.seats.values(), *current.waiting.values()):
                        if self._is_lost(seat, now_s):
                            await self.vacate(current, seat, LeaveReason.LOST, by=SYSTEM)
                    if _waits_in_vain(current):
                        await self._dismiss(current)

    async def _dismiss(self, room: LiveRoom) -> None:
        """Nobody comes in any more: those who wait are told why."""
        ended = room.consultation.status in (Status.ENDED, Status.ARCHIVED)
        code = "consultation_ended" if ended else "consultation_not_open"
        for seat in tuple(room.waiting.values()):
            await self._turn_away(room, seat, LeaveReason.LEFT, by=SYSTEM)
            if seat.session_id is not None:
                self._rooms.publisher.send(seat.session_id, SessionRefused(code, ERROR_TEXTS[code]))
                self._rooms.publisher.close(seat.session_id)

    def _is_lost(self, seat: Seat, now_s: float) -> bool:
        if seat.connect_by_s is not None and now_s >= seat.connect_by_s:
            return True
        is_whip = seat.participant.kind is ParticipantKind.WHIP
        grace_s = self._rooms.limits.whip_grace_s if is_whip else self._rooms.limits.grace_s
        return seat.lost_at_s is not None and now_s - seat.lost_at_s >= grace_s


def _is_unnoted(seat: Seat) -> bool:
    """Lost its socket when that could not be written."""
    is_client = seat.participant.kind is ParticipantKind.CLIENT
    return is_client and seat.lost_at_s is not None and seat.stay is not None


def _waits_in_vain(room: LiveRoom) -> bool:
    return bool(room.waiting) and not room.consultation.is_open
