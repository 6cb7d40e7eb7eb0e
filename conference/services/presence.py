"""Presence: entering a room, coming back, losing the connection, leaving, being sent out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from conference.events import SessionRemoved, SessionReplaced, Snapshot
from conference.model.attendance import Stay
from conference.model.audit import SYSTEM, Actor, Personal
from conference.model.errors import ConferenceError
from conference.model.floor import gate_without_floor
from conference.model.ids import hash_secret, new_id, new_secret, secret_matches
from conference.model.media import PublicationInfo
from conference.model.participant import Device, EntryMeans, LeaveReason, Participant, ParticipantKind
from conference.model.permissions import Action, Role, allowed, require
from conference.services.floors import Floors
from conference.services.live_room import LiveRoom, Seat
from conference.services.offers import Offers
from conference.services.ports import MediaError, UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import person
from conference.services.warrants import Warrant

log = structlog.get_logger(__name__)

RETURN_WINDOW_MS = 12 * 3600 * 1000  # how long a lost participant may still come back as the same one


@dataclass(frozen=True, slots=True)
class Resume:
    """The claim to be a participant who was here before."""

    participant_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody at the door, with a token that was checked. `token_expired`: good for coming back only.

    `invitee_id` and `venue_id` say whom and what the token was given out for, `in_hall` that a hall's code was used.
    """

    consultation_id: str
    role: Role
    name: str
    venue: str | None
    token_id: str
    token_expired: bool = False
    device: Device | None = None
    resume: Resume | None = None
    entered_by: EntryMeans = EntryMeans.TOKEN
    invitee_id: str | None = None
    venue_id: str | None = None
    in_hall: bool = False
    warrant: Warrant | None = None


class Presence:
    """The only writer of who is in a room."""

    def __init__(self, rooms: Rooms, offers: Offers, floors: Floors) -> None:
        self._rooms = rooms
        self._offers = offers
        self._floors = floors
        self._stopping = False

    def stop(self) -> None:
        """The server stops: sockets that close now are not departures, their owners come back."""
        self._stopping = True

    # ── entering ────────────────────────────────────────────────────────────────────────────────

    async def join(self, entry: Entry, session_id: str) -> str:
        """Seat a client and send it the snapshot; returns its participant id."""
        require(entry.role, Action.ROOM_JOIN)
        async with self._rooms.locked(entry.consultation_id) as room:
            seat = await self._resumed(room, entry)
            resumed = seat is not None
            if seat is None:
                seat = await self._newcomer(room, entry)
            self._take_over(seat, session_id)
            if resumed:
                room.changed([seat.id])
            self._rooms.publisher.enter(
                session_id, room.id, self._rooms.snapshot(room, seat, resumed=resumed)
            )
            await self._offers.begin(room, seat)
            return seat.id

    async def snapshot(self, room_id: str, participant_id: str) -> Snapshot:
        """The room anew, for a client that missed an event."""
        async with self._rooms.locked(room_id) as room:
            return self._rooms.snapshot(room, room.seat(participant_id), resumed=True)

    async def _newcomer(self, room: LiveRoom, entry: Entry) -> Seat:
        participant, secret = self.draft(room, entry, ParticipantKind.CLIENT)
        await self._join_media(room, participant)
        return await self.admit(room, participant, secret, action="participant.joined")

    def draft(self, room: LiveRoom, entry: Entry, kind: ParticipantKind) -> tuple[Participant, str]:
        """Somebody who was not here before, and the resume secret; refused when there is no way in."""
        room.consultation.require_open()
        if entry.token_expired:
            raise ConferenceError("token_expired")
        self._require_place(room)
        secret = new_secret()
        now_ms = self._rooms.clock.wall_ms()
        speaks = allowed(entry.role, Action.MEDIA_PUBLISH)
        opens = room.consultation.microphone_on_join or kind is ParticipantKind.WHIP
        participant = Participant(
            id=new_id("p"),
            consultation_id=room.id,
            name=entry.name,
            role=entry.role,
            venue=entry.venue,
            kind=kind,
            device=entry.device,
            token_id=entry.token_id,
            resume_hash=hash_secret(secret),
            joined_at_ms=max(now_ms, room.last_joined_at_ms + 1),
            last_seen_ms=now_ms,
            microphone_on=speaks and opens,
            camera_on=speaks,
            floor_gate=gate_without_floor(entry.role, room.consultation.mode),
        )
        return participant, secret

    async def admit(
        self,
        room: LiveRoom,
        participant: Participant,
        secret: str,
        *,
        action: str,
        publications: tuple[PublicationInfo, ...] = (),
    ) -> Seat:
        """Seat somebody whom the media process knows already; on failure it forgets again. Needs the lock."""
        entry = self._rooms.entry(
            room,
            person(participant),
            action,
            participant.id,
            means=participant.kind.value,
            device=participant.device,
            venue=participant.venue,
            token=participant.token_id,
        )
        try:
            stay = self._stay(room, participant)
            await self._rooms.save(participant, trace=[entry], also=_noting(stay))
        except BaseException:
            await self._rooms.leave_media(room.id, participant.id)
            raise
        seat = Seat(participant, stay, resume_secret=secret, publications=publications)
        room.add(seat)
        return seat

    async def _resumed(self, room: LiveRoom, entry: Entry) -> Seat | None:
        """The seat that the entry's resume claim proves, or None: then it is a newcomer."""
        claim = entry.resume
        if claim is None:
            return None
        seat = room.seats.get(claim.participant_id)
        if seat is None:
            return await self._returned(room, entry, claim)
        participant = seat.participant
        if not secret_matches(claim.secret, participant.resume_hash):
            return None
        seat.resume_secret = claim.secret
        await self._join_media(room, participant)
        updated = replace(
            participant.seen(self._rooms.clock.wall_ms()), device=entry.device or participant.device
        )
        line = self._rooms.entry(
            room, person(updated), "participant.resumed", updated.id, device=updated.device
        )
        stay = seat.stay or self._stay(room, updated)
        await self._rooms.save(updated, trace=[line], also=_noting(stay))
        seat.participant, seat.stay = updated, stay
        return seat

    async def _returned(self, room: LiveRoom, entry: Entry, claim: Resume) -> Seat | None:
        """Somebody whose grace ran out comes back: the same participant, so that a hard mute still holds."""
        async with self._rooms.storage.reading() as unit:
            participant = await unit.participants.get(claim.participant_id)
        now_ms = self._rooms.clock.wall_ms()
        if (
            participant is None
            or participant.consultation_id != room.id
            or participant.leave_reason is not LeaveReason.LOST
            or now_ms - participant.last_seen_ms > RETURN_WINDOW_MS
            or entry.token_expired
            or not secret_matches(claim.secret, participant.resume_hash)
        ):
            return None
        room.consultation.require_open()
        self._require_place(room)
        gate = gate_without_floor(participant.role, room.consultation.mode)
        participant = participant.returned(now_ms).under_floor(gate)
        await self._join_media(room, participant)
        return await self.admit(room, participant, claim.secret, action="participant.returned")

    def _stay(self, room: LiveRoom, participant: Participant) -> Stay:
        """A connection that begins now."""
        return Stay(
            id=new_id("y"),
            consultation_id=room.id,
            participant_id=participant.id,
            means=participant.kind,
            device=participant.device,
            from_ms=self._rooms.program_time_ms(room.consultation),
            from_wall_ms=self._rooms.clock.wall_ms(),
        )

    def _ended(self, room: LiveRoom, seat: Seat, reason: str) -> Stay | None:
        now_ms = self._rooms.program_time_ms(room.consultation)
        return seat.stay and seat.stay.ended(now_ms, self._rooms.clock.wall_ms(), reason)

    def _require_place(self, room: LiveRoom) -> None:
        if len(room.seats) >= self._rooms.limits.max_participants:
            raise ConferenceError("room_full", f"{len(room.seats)} participants")

    def _take_over(self, seat: Seat, session_id: str) -> None:
        if seat.session_id is not None:
            self._rooms.publisher.send(seat.session_id, SessionReplaced())
            self._rooms.publisher.close(seat.session_id)
        seat.session_id = session_id
        seat.lost_at_s = None

    async def _join_media(self, room: LiveRoom, participant: Participant) -> None:
        try:
            await self._rooms.media.join(room.id, participant.id, sound_open=participant.sound_open)
        except MediaError as error:
            if error.code != "media_unavailable":
                raise
            log.warning("media.join_deferred", room=room.id)  # made good when the media process is back

    # ── losing the connection, leaving ──────────────────────────────────────────────────────────

    async def disconnect(self, room_id: str, participant_id: str, session_id: str) -> None:
        """The socket closed without a word: the seat is kept for the grace period."""
        if self._stopping or self._rooms.find(room_id) is None:
            return
        async with self._rooms.locked(room_id) as room:
            seat = room.seats.get(participant_id)
            if seat is None or seat.session_id != session_id:
                return
            self._rooms.publisher.exit(session_id)
            seat.session_id = None
            seat.lost_at_s = self._rooms.clock.monotonic()
            if seat.offer is not None:
                seat.offer.deadline_s = None
            room.changed([seat.id])
            entry = self._rooms.entry(room, SYSTEM, "participant.disconnected", seat.id)
            ended, seat.stay = self._ended(room, seat, "disconnected"), None
            participant = seat.participant.seen(self._rooms.clock.wall_ms())
            await self._rooms.save(participant, trace=[entry], also=_noting(ended))

    async def leave(self, room_id: str, participant_id: str) -> None:
        """The participant goes, on purpose."""
        async with self._rooms.locked(room_id) as room:
            seat = room.seat(participant_id)
            await self.vacate(room, seat, LeaveReason.LEFT, by=person(seat.participant))

    async def remove(self, room_id: str, by_id: str, participant_id: str) -> None:
        """The chair sends somebody out."""
        async with self._rooms.locked(room_id) as room:
            by = room.caller(by_id)
            require(by.role, Action.PARTICIPANT_REMOVE)
            seat = room.seat(participant_id)
            session_id = seat.session_id
            await self.vacate(room, seat, LeaveReason.REMOVED, by=by.actor)
            if session_id is not None:
                self._rooms.publisher.send(session_id, SessionRemoved(by.name))
                self._rooms.publisher.close(session_id)

    async def vacate(self, room: LiveRoom, seat: Seat, reason: LeaveReason, *, by: Actor) -> None:
        """Free a seat; those who listened to it by WHEP go with it. With the room's lock held."""
        await self._floors.vacated(room, seat.id)
        participant = seat.participant.left(self._rooms.clock.wall_ms(), reason)
        means, name = participant.kind.value, Personal(participant.name)
        entry = self._rooms.entry(room, by, f"participant.{reason}", seat.id, means=means, name=name)
        await self._rooms.save(
            participant, trace=[entry], also=_noting(self._ended(room, seat, reason.value))
        )
        if seat.session_id is not None:
            self._rooms.publisher.exit(seat.session_id)
        room.remove(seat, reason)
        await self._rooms.leave_media(room.id, seat.id)
        for listener in [each for each in room.listeners.values() if each.target_id == seat.id]:
            del room.listeners[listener.id]
            await self._rooms.leave_media(room.id, listener.id)

    async def expire(self) -> None:
        """Remove those whose grace ran out."""
        now_s = self._rooms.clock.monotonic()
        for room in self._rooms.all():
            if any(self._is_lost(seat, now_s) for seat in room.seats.values()):
                async with self._rooms.locked(room.id) as current:
                    for seat in [s for s in current.seats.values() if self._is_lost(s, now_s)]:
                        await self.vacate(current, seat, LeaveReason.LOST, by=SYSTEM)

    def _is_lost(self, seat: Seat, now_s: float) -> bool:
        if seat.connect_by_s is not None and now_s >= seat.connect_by_s:
            return True
        is_whip = seat.participant.kind is ParticipantKind.WHIP
        grace_s = self._rooms.limits.whip_grace_s if is_whip else self._rooms.limits.grace_s
        return seat.lost_at_s is not None and now_s - seat.lost_at_s >= grace_s


def _noting(stay: Stay | None) -> Callable[[UnitOfWork], Awaitable[None]] | None:
    """Writes a connection into the list of attendance, beside the participant's own row."""
    return None if stay is None else lambda unit: unit.stays.save(stay)
