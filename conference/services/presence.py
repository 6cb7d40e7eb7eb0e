"""Presence: entering a room, coming back, losing the connection, leaving, being sent out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

import structlog

from conference.events import SessionRefused, SessionRemoved, SessionReplaced, Snapshot
from conference.model.attendance import Stay
from conference.model.audit import SYSTEM, Actor, AuditEntry, Personal
from conference.model.consultation import Status
from conference.model.errors import ERROR_TEXTS, ConferenceError
from conference.model.floor import gate_without_floor
from conference.model.ids import hash_secret, new_id, new_secret, secret_matches
from conference.model.media import PublicationInfo
from conference.model.participant import LeaveReason, Participant, ParticipantKind
from conference.model.permissions import Action, allowed, require
from conference.services.change import Change
from conference.services.entry import Entry, Resume, relisted
from conference.services.floors import Floors
from conference.services.live_room import LiveRoom, Seat
from conference.services.offers import Offers
from conference.services.ports import MediaError, UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import person
from conference.services.warrants import Warrant

log = structlog.get_logger(__name__)

RETURN_WINDOW_MS = 12 * 3600 * 1000  # how long a lost participant may still come back as the same one


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
        """Seat a client and send it the snapshot, or let it wait; returns its participant id."""
        require(entry.role, Action.ROOM_JOIN)
        async with self._rooms.locked(entry.consultation_id) as room:
            if entry.is_listed:
                async with self._rooms.storage.reading() as unit:
                    entry = await entry.identified(unit)
            seat = await self._resumed(room, entry)
            resumed = seat is not None
            if seat is None:
                seat = await self._arrived(room, entry)
            self._take_over(seat, session_id)
            seat.warrant = entry.warrant
            if seat.id in room.waiting:
                self._rooms.publisher.send(session_id, room.waiting_event(seat))
                return seat.id
            if resumed:
                room.changed([seat.id])
            await self.begin(room, seat, resumed=resumed)
            return seat.id

    async def begin(self, room: LiveRoom, seat: Seat, *, resumed: bool) -> None:
        """Snapshot and offers for the session of a seat. Needs the lock."""
        if seat.session_id is not None:
            snapshot = self._rooms.snapshot(room, seat, resumed=resumed)
            self._rooms.publisher.enter(seat.session_id, room.id, snapshot)
            await self._offers.begin(room, seat)

    async def snapshot(self, room_id: str, participant_id: str) -> Snapshot:
        """The room anew, for a client that missed an event."""
        async with self._rooms.locked(room_id) as room:
            return self._rooms.snapshot(room, room.seat(participant_id), resumed=True)

    async def _arrived(self, room: LiveRoom, entry: Entry) -> Seat:
        """A seat, or a place in the waiting room, for somebody who proves nothing but the token.

        An invitee is the same participant every time, on one device at a time.
        """
        if entry.token_expired:
            raise ConferenceError("token_expired")
        held = room.held_by(entry.invitee_id)
        if held is not None:
            if held.session_id is not None and not entry.may_take_over:
                raise ConferenceError("second_device")
            return await self._moved(room, held, entry)
        room.consultation.require_open()
        async with self._rooms.storage.reading() as unit:
            before = await entry.before(unit)
        secret = new_secret()
        if entry.invitee_id is not None and before:
            participant = self._as_entered(room, before[-1], entry, secret)
            participant, action = participant.returned(self._rooms.clock.wall_ms()), "participant.returned"
        else:
            participant, action = (
                self._draft(room, entry, ParticipantKind.CLIENT, secret),
                "participant.joined",
            )
        if entry.waits(room.consultation, before):
            return await self._wait(room, participant, secret)
        self.require_place(room)
        participant = participant.admitted()
        await self.join_media(room, participant)
        return await self.admit(room, participant, secret, action=action)

    async def require_admitted(self, room: LiveRoom, entry: Entry) -> Entry:
        """The entry as the list has it now, of somebody who need not wait: streams do not go round the door."""
        async with self._rooms.storage.reading() as unit:
            entry = await entry.identified(unit)
            before = await entry.before(unit)
        if entry.waits(room.consultation, before):
            raise ConferenceError("not_admitted")
        return entry

    def encoder(self, room: LiveRoom, entry: Entry) -> tuple[Participant, str]:
        """A new participant for a WHIP session, and its secret; refused when there is no way in."""
        room.consultation.require_open()
        if entry.token_expired:
            raise ConferenceError("token_expired")
        self.require_place(room)
        secret = new_secret()
        return self._draft(room, entry, ParticipantKind.WHIP, secret), secret

    def _draft(self, room: LiveRoom, entry: Entry, kind: ParticipantKind, secret: str) -> Participant:
        """Somebody who was not here before."""
        now_ms = self._rooms.clock.wall_ms()
        speaks = allowed(entry.role, Action.MEDIA_PUBLISH)
        opens = room.consultation.microphone_on_join or kind is ParticipantKind.WHIP
        return Participant(
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
            microphone_on=speaks and opens and not entry.in_hall,
            camera_on=speaks,
            floor_gate=gate_without_floor(entry.role, room.consultation.mode),
            invitee_id=entry.invitee_id,
            venue_id=entry.venue_id,
            title=entry.title,
            sector=entry.sector,
            entered_by=entry.entered_by,
            in_hall=entry.in_hall,
        )

    def _as_entered(self, room: LiveRoom, before: Participant, entry: Entry, secret: str) -> Participant:
        """The same participant by this door and on this device; mutes stay."""
        gate = gate_without_floor(entry.role, room.consultation.mode)
        return replace(
            before,
            name=entry.name,
            role=entry.role,
            venue=entry.venue,
            device=entry.device,
            token_id=entry.token_id,
            resume_hash=hash_secret(secret),
            microphone_on=before.microphone_on and not entry.in_hall,
            floor_gate=before.floor_gate if before.holds_floor else gate,
            venue_id=entry.venue_id,
            title=entry.title,
            sector=entry.sector,
            entered_by=entry.entered_by,
            in_hall=entry.in_hall,
        )

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
        try:
            stay = self.stay(room, participant)
            line = self._line(room, participant, action)
            await self._rooms.save(participant, trace=[line], also=_noting(stay))
        except BaseException:
            await self._rooms.leave_media(room.id, participant.id)
            raise
        seat = Seat(participant, stay, resume_secret=secret, publications=publications)
        room.add(seat)
        return seat

    async def _wait(self, room: LiveRoom, participant: Participant, secret: str) -> Seat:
        """A place before the door."""
        if len(room.waiting) >= self._rooms.limits.max_participants:
            raise ConferenceError("room_full", f"{len(room.waiting)} waiting")
        participant = participant.waiting_from(self._rooms.clock.wall_ms())
        await self._rooms.save(participant, trace=[self._line(room, participant, "participant.waiting")])
        seat = Seat(participant, resume_secret=secret)
        room.add_waiting(seat)
        return seat

    async def _moved(self, room: LiveRoom, seat: Seat, entry: Entry) -> Seat:
        """The invitee's participant comes on another device, or by another door; the old secret is void."""
        secret = new_secret()
        participant = self._as_entered(room, seat.participant, entry, secret)
        participant = participant.seen(self._rooms.clock.wall_ms())
        line = self._line(room, participant, "participant.moved")
        if seat.id in room.waiting:
            await self._rooms.save(participant, trace=[line])
            room.remove_waiting(seat)
            seat.participant, seat.resume_secret = participant, secret
            room.add_waiting(seat)
            return seat
        ended, stay = self._ended(room, seat, "moved"), self.stay(room, participant)

        async def note(unit: UnitOfWork) -> None:
            for each in (ended, stay):
                if each is not None:
                    await unit.stays.save(each)

        await self._rooms.save(participant, trace=[line], also=note)
        seat.participant, seat.stay, seat.resume_secret = participant, stay, secret
        # Nothing of the old device's connections is of use to the new one.
        seat.offer, seat.publications, seat.quality = None, (), None
        seat.lost_at_s = None
        await self._rooms.leave_media(room.id, seat.id)
        await self.join_media(room, participant)
        room.changed([seat.id])
        return seat

    def _line(self, room: LiveRoom, participant: Participant, action: str) -> AuditEntry:
        return self._rooms.entry(
            room,
            person(participant),
            action,
            participant.id,
            means=participant.kind.value,
            device=participant.device,
            venue=participant.venue,
            token=participant.token_id,
            via=participant.entered_by.value,
            invitee=participant.invitee_id,
        )

    async def _resumed(self, room: LiveRoom, entry: Entry) -> Seat | None:
        """The seat that the entry's resume claim proves, or None: then it is somebody who arrives."""
        claim = entry.resume
        if claim is None:
            return None
        seat = room.seats.get(claim.participant_id) or room.waiting.get(claim.participant_id)
        if seat is None:
            return await self._returned(room, entry, claim)
        participant = seat.participant
        if not secret_matches(claim.secret, participant.resume_hash):
            return None
        seat.resume_secret = claim.secret
        if seat.id in room.waiting:
            return seat
        await self.join_media(room, participant)
        updated = replace(
            participant.seen(self._rooms.clock.wall_ms()), device=entry.device or participant.device
        )
        line = self._rooms.entry(
            room, person(updated), "participant.resumed", updated.id, device=updated.device
        )
        stay = seat.stay or self.stay(room, updated)
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
        gate = gate_without_floor(participant.role, room.consultation.mode)
        participant = participant.returned(now_ms).under_floor(gate)
        if participant.waiting_since_ms is not None:
            return await self._wait(room, participant, claim.secret)
        self.require_place(room)
        await self.join_media(room, participant)
        return await self.admit(room, participant, claim.secret, action="participant.returned")

    def stay(self, room: LiveRoom, participant: Participant) -> Stay:
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

    def require_place(self, room: LiveRoom) -> None:
        """Raise room_full when nobody more may be seated."""
        if len(room.seats) >= self._rooms.limits.max_participants:
            raise ConferenceError("room_full", f"{len(room.seats)} participants")

    def _take_over(self, seat: Seat, session_id: str) -> None:
        if seat.session_id is not None:
            self._rooms.publisher.send(seat.session_id, SessionReplaced())
            self._rooms.publisher.close(seat.session_id)
        seat.session_id = session_id
        seat.lost_at_s = None

    async def join_media(self, room: LiveRoom, participant: Participant) -> None:
        """Make the participant known to the media process."""
        try:
            await self._rooms.join_media(room.id, participant)
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
            entry = self._rooms.entry(room, SYSTEM, "participant.disconnected", seat.id)
            ended, seat.stay = self._ended(room, seat, "disconnected"), None
            participant = seat.participant.seen(self._rooms.clock.wall_ms())
            await self._rooms.save(participant, trace=[entry], also=_noting(ended))

    async def leave(self, room_id: str, participant_id: str) -> None:
        """The participant goes, on purpose."""
        async with self._rooms.locked(room_id) as room:
            seat = room.waiting.get(participant_id) or room.seat(participant_id)
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
        if seat.id in room.waiting:
            await self._turn_away(room, seat, reason, by=by)
            return
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

    async def refresh(
        self,
        consultation_id: str,
        by: Actor,
        *,
        invitee_id: str | None = None,
        venue_id: str | None = None,
    ) -> None:
        """The list says something else now of an invitee or a venue: show it so, in the room and before the door."""
        if self._rooms.find(consultation_id) is None:
            return
        async with self._rooms.locked(consultation_id) as room:
            changed: list[Participant] = []
            async with self._rooms.storage.reading() as unit:
                for seat in (*room.seats.values(), *room.waiting.values()):
                    p = seat.participant
                    if p.kind is not ParticipantKind.CLIENT:
                        continue  # an encoder bears the name of its camera
                    if (invitee_id or p.invitee_id) == p.invitee_id and (
                        venue_id or p.venue_id
                    ) == p.venue_id:
                        after = await relisted(unit, p)
                        if after != p:
                            changed.append(after)
            if not changed:
                return
            ids = [each.id for each in changed]
            line = self._rooms.entry(room, by, "participant.corrected", room.id, participants=ids)
            await self._rooms.save(*changed, trace=[line])
            room.apply(Change(tuple(each for each in changed if each.id in room.seats)))
            for each in changed:
                waiting = room.waiting.get(each.id)
                if waiting is not None:
                    room.remove_waiting(waiting)
                    waiting.participant = each
                    room.add_waiting(waiting)

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
            told: list[str] = []
            for seat in (*room.seats.values(), *room.waiting.values()):
                if seat.warrant in void:
                    told += [seat.session_id] if seat.session_id is not None else []
                    await self.vacate(room, seat, LeaveReason.REVOKED, by=SYSTEM)
            for desk in [each for each in room.desks.values() if each.warrant in void]:
                told.append(desk.session_id)
                del room.desks[desk.id]
            for listener in [each for each in room.listeners.values() if each.warrant in void]:
                del room.listeners[listener.id]
                await self._rooms.leave_media(room.id, listener.id)
            for session_id in told:
                self._rooms.publisher.send(session_id, SessionRemoved(by, "revoked"))
                self._rooms.publisher.close(session_id)

    async def expire(self) -> None:
        """Remove those whose grace ran out, and send those away who wait for what is over."""
        now_s = self._rooms.clock.monotonic()
        for room in self._rooms.all():
            places = (*room.seats.values(), *room.waiting.values())
            if any(self._is_lost(seat, now_s) for seat in places) or _waits_in_vain(room):
                async with self._rooms.locked(room.id) as current:
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


def _waits_in_vain(room: LiveRoom) -> bool:
    return bool(room.waiting) and room.consultation.status not in (Status.SCHEDULED, Status.LIVE)


def _noting(stay: Stay | None) -> Callable[[UnitOfWork], Awaitable[None]] | None:
    """Writes a connection into the list of attendance, beside the participant's own row."""
    return None if stay is None else lambda unit: unit.stays.save(stay)
