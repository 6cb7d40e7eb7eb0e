"""Arrivals: coming into a room, or into the waiting room; coming back; moving to another device."""

from __future__ import annotations

from dataclasses import replace

import structlog

from conference.events import LayersNow, SessionReplaced, Snapshot
from conference.model.audit import AuditEntry
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.floor import gate_without_floor
from conference.model.ids import new_secret, secret_matches
from conference.model.media import PublicationInfo
from conference.model.participant import EntryMeans, LeaveReason, Participant, ParticipantKind
from conference.model.permissions import Action, require
from conference.services.entry import Entry, Resume
from conference.services.live_room import LiveRoom, Seat
from conference.services.offers import Offers
from conference.services.ports import MediaError
from conference.services.quotas import require_seat
from conference.services.rooms import Rooms
from conference.services.stays import Stays, noting
from conference.services.trace import person

log = structlog.get_logger(__name__)

RETURN_WINDOW_MS = 12 * 3600 * 1000  # how long a lost participant may still come back as the same one


class Arrivals:
    """Whoever takes a seat, or a place before the door, does so through here."""

    def __init__(self, rooms: Rooms, offers: Offers) -> None:
        self._rooms = rooms
        self._offers = offers
        self._stays = Stays(rooms)

    async def join(self, entry: Entry, session_id: str) -> str:
        """Seat a client and send it the snapshot, or let it wait; returns its participant id."""
        require(entry.role, Action.ROOM_JOIN)
        if entry.entered_by is EntryMeans.SCREEN:
            raise ForbiddenError("the link of a screen gives no seat")
        async with self._rooms.locked(entry.consultation_id) as room:
            if entry.is_listed:
                async with self._rooms.storage.reading() as unit:
                    entry = await entry.identified(unit)
            seat = await self._resumed(room, entry)
            resumed = seat is not None
            if seat is None:
                seat = await self._arrived(room, entry)
            self.take_over(seat, session_id)
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
            for publication_id, layers in seat.layers.items():  # told while it was away, perhaps
                self._rooms.publisher.send(seat.session_id, LayersNow(publication_id, layers))
            await self._offers.begin(room, seat)

    async def snapshot(self, room_id: str, participant_id: str) -> Snapshot:
        """The room anew, for a client that missed an event."""
        async with self._rooms.locked(room_id) as room:
            return self._rooms.snapshot(room, room.receiver(participant_id), resumed=True)

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
            action = "participant.returned"
            participant = entry.taken_by(before[-1], room.consultation, secret)
            participant = participant.returned(self._rooms.clock.wall_ms())
        else:
            action = "participant.joined"
            participant = self._newcomer(room, entry, ParticipantKind.CLIENT, secret)
        if entry.waits(room.consultation, before):
            return await self._wait(room, participant, secret)
        self.require_place(room)
        is_back = action == "participant.returned" and before[-1].leave_reason is LeaveReason.LOST
        if not is_back:
            await require_seat(self._rooms.storage, room.consultation, participant.role, len(room.seats))
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

    async def encoder(self, room: LiveRoom, entry: Entry) -> tuple[Participant, str]:
        """A new participant for a WHIP session, and its secret; refused when there is no way in."""
        room.consultation.require_open()
        if entry.token_expired:
            raise ConferenceError("token_expired")
        self.require_place(room)
        await require_seat(self._rooms.storage, room.consultation, entry.role, len(room.seats))
        secret = new_secret()
        return self._newcomer(room, entry, ParticipantKind.WHIP, secret), secret

    def _newcomer(self, room: LiveRoom, entry: Entry, kind: ParticipantKind, secret: str) -> Participant:
        now_ms = self._rooms.clock.wall_ms()
        joined_at_ms = max(now_ms, room.last_joined_at_ms + 1)
        return entry.newcomer(room.consultation, kind, secret, now_ms=now_ms, joined_at_ms=joined_at_ms)

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
            stay = self._stays.begun(room, participant)
            line = self._line(room, participant, action)
            await self._rooms.save(participant, trace=[line], also=noting(stay))
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
        participant = entry.taken_by(seat.participant, room.consultation, secret)
        participant = participant.seen(self._rooms.clock.wall_ms())
        line = self._line(room, participant, "participant.moved")
        if seat.id in room.waiting:
            await self._rooms.save(participant, trace=[line])
            seat.resume_secret = secret
            room.show_waiting(seat, participant)
            return seat
        ended, stay = self._stays.ended(room, seat, "moved"), self._stays.begun(room, participant)
        await self._rooms.save(participant, trace=[line], also=noting(ended, stay))
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
        ended, stay = None, seat.stay
        if stay is None or seat.lost_at_s is not None:  # a loss that was not written is written now
            ended, stay = self._stays.ended(room, seat, "disconnected"), self._stays.begun(room, updated)
        await self._rooms.save(updated, trace=[line], also=noting(ended, stay))
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

    def require_place(self, room: LiveRoom) -> None:
        """Raise room_full when nobody more may be seated."""
        if len(room.seats) >= self._rooms.limits.max_participants:
            raise ConferenceError("room_full", f"{len(room.seats)} participants")

    def take_over(self, seat: Seat, session_id: str) -> None:
        """This session has the seat now; the one that had it is told, and closed."""
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
