"""Streams without a socket: WHIP encoders that publish into a room, WHEP players of one participant."""

from __future__ import annotations

from dataclasses import dataclass, replace

from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.floor import gate_beside_floor
from conference.model.hall import names_of
from conference.model.ids import new_id, secret_matches
from conference.model.media import PROGRAM_TARGET, Kind, TrackWish
from conference.model.participant import EntryMeans, LeaveReason, ParticipantKind
from conference.model.permissions import Action, Role, allowed, require
from conference.services.arrivals import Arrivals
from conference.services.departures import Departures
from conference.services.entry import Entry
from conference.services.live_room import Listener, LiveRoom, Seat
from conference.services.rooms import Rooms
from conference.services.trace import Bearer


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The resource of a WHIP or WHEP session, and the answer to its offer."""

    id: str
    sdp: str


class Streams:
    """A WHIP encoder is a participant; a WHEP player is not listed."""

    def __init__(self, rooms: Rooms, arrivals: Arrivals, departures: Departures) -> None:
        self._rooms = rooms
        self._arrivals = arrivals
        self._departures = departures

    # ── WHIP ────────────────────────────────────────────────────────────────────────────────────

    async def publish(self, entry: Entry, sdp: str, label: str | None = None) -> StreamOpened:
        """Seat an encoder, under its label where it brings one, and take its offer."""
        require(entry.role, Action.WHIP_PUBLISH)
        async with self._rooms.locked(entry.consultation_id) as room:
            entry = named(await self._arrivals.require_admitted(room, entry), label)
            participant, secret = await self._arrivals.encoder(room, entry)
            gate = gate_beside_floor(participant, room.consultation.mode, room.holder(room.turn))
            participant = participant.under_floor(gate)
            media = self._rooms.media
            await self._rooms.join_media(room.id, participant)
            try:
                answer, publications = await media.publish(room.id, participant.id, sdp)
            except BaseException:
                await self._rooms.leave_media(room.id, participant.id)
                raise
            seat = await self._arrivals.admit(
                room, participant, secret, action="participant.joined", publications=publications
            )
            seat.warrant = entry.warrant
            seat.connect_by_s = self._rooms.clock.monotonic() + self._rooms.limits.whip_connect_s
            return StreamOpened(seat.id, answer)

    async def unpublish(self, room_id: str, participant_id: str, by: Bearer) -> None:
        """The encoder is done."""
        async with self._rooms.locked(room_id) as room:
            self._require_whip_owner(room, participant_id, by.role, by.token_id)
            await self._departures.vacate(room, room.seat(participant_id), LeaveReason.LEFT, by=by.actor)

    def _require_whip_owner(self, room: LiveRoom, participant_id: str, role: Role, token_id: str) -> None:
        participant = room.seat(participant_id).participant
        if participant.kind is not ParticipantKind.WHIP:
            raise NotFoundError(f"WHIP session {participant_id}")
        if participant.token_id != token_id and not allowed(role, Action.PARTICIPANT_REMOVE):
            raise ForbiddenError("WHIP session of another token")

    # ── WHEP ────────────────────────────────────────────────────────────────────────────────────

    async def play(
        self, entry: Entry, target_id: str, sdp: str, *, max_height: int | None = None
    ) -> StreamOpened:
        """Open a session that receives `target_id`'s microphone and camera, or the program.

        `max_height`: pixels of the largest picture that is of use, so that nobody sends a large one for a small frame.
        """
        require(entry.role, Action.WHEP_PLAY)
        async with self._rooms.locked(entry.consultation_id) as room:
            if entry.token_expired and not _is_inside(room, entry):
                raise ConferenceError("token_expired")
            room.consultation.require_open()
            await self._arrivals.require_admitted(room, entry)
            if target_id != PROGRAM_TARGET:
                room.seat(target_id)
            if len(room.listeners) >= self._rooms.limits.max_listeners:
                raise ConferenceError("room_full", f"{len(room.listeners)} listeners")
            listener_id = new_id("w")
            await self._rooms.media.join(
                room.id,
                listener_id,
                sound_open=False,
                hears=not entry.in_hall,
                deaf_to=names_of(entry) if _plays_into_hall(entry) else (),
            )
            try:
                answer = await self._rooms.media.pull(room.id, listener_id, target_id, sdp)
            except BaseException:
                await self._rooms.leave_media(room.id, listener_id)
                raise
            if max_height is not None and target_id != PROGRAM_TARGET:
                pictures = (each for each in room.seat(target_id).publications if each.kind is Kind.VIDEO)
                wishes = (TrackWish(each.id, max_height * 16 // 9, max_height) for each in pictures)
                await self._rooms.media.wish(room.id, listener_id, tuple(wishes))
            connect_by_s = self._rooms.clock.monotonic() + self._rooms.limits.whip_connect_s
            room.listeners[listener_id] = Listener(
                listener_id, target_id, entry.token_id, connect_by_s, warrant=entry.warrant
            )
            return StreamOpened(listener_id, answer)

    async def stop(self, room_id: str, listener_id: str, role: Role, token_id: str) -> None:
        """The player is done."""
        async with self._rooms.locked(room_id) as room:
            self._require_listener_owner(room, listener_id, role, token_id)
            await self._close(room, listener_id)

    def _require_listener_owner(self, room: LiveRoom, listener_id: str, role: Role, token_id: str) -> None:
        listener = room.listeners.get(listener_id)
        if listener is None:
            raise NotFoundError(f"WHEP session {listener_id}")
        if listener.token_id != token_id and not allowed(role, Action.PARTICIPANT_REMOVE):
            raise ForbiddenError("WHEP session of another token")

    async def _close(self, room: LiveRoom, listener_id: str) -> None:
        del room.listeners[listener_id]
        await self._rooms.leave_media(room.id, listener_id)

    # ── both ────────────────────────────────────────────────────────────────────────────────────

    async def trickle(
        self, room_id: str, stream_id: str, role: Role, token_id: str, fragment: str
    ) -> str | None:
        """Candidates or an ICE restart of a session; the server's fragment after a restart."""
        room = self._room(room_id)
        if stream_id in room.listeners:
            self._require_listener_owner(room, stream_id, role, token_id)
        else:
            self._require_whip_owner(room, stream_id, role, token_id)
        answer = await self._rooms.media.trickle(room_id, stream_id, fragment)
        if answer is not None:
            self._peer(room, stream_id).ice_generation += 1
        return answer

    def tag(self, room_id: str, stream_id: str) -> str:
        """The entity tag of the session's ICE credentials (RFC 9725, section 4.3.2)."""
        return f'"{self._peer(self._room(room_id), stream_id).ice_generation}"'

    def _room(self, room_id: str) -> LiveRoom:
        room = self._rooms.find(room_id)
        if room is None:
            raise NotFoundError(f"room {room_id}")
        return room

    def _peer(self, room: LiveRoom, stream_id: str) -> Seat | Listener:
        return room.listeners.get(stream_id) or room.seat(stream_id)

    async def expire(self) -> None:
        """Close players whose transport is gone. Encoders are participants: see Departures.expire."""
        now_s = self._rooms.clock.monotonic()
        for room in self._rooms.all():
            if any(self._is_lost(listener, now_s) for listener in room.listeners.values()):
                async with self._rooms.locked(room.id) as current:
                    for listener in [
                        each for each in current.listeners.values() if self._is_lost(each, now_s)
                    ]:
                        await self._close(current, listener.id)

    def _is_lost(self, listener: Listener, now_s: float) -> bool:
        if listener.connect_by_s is not None and now_s >= listener.connect_by_s:
            return True
        return (
            listener.lost_at_s is not None and now_s - listener.lost_at_s >= self._rooms.limits.whip_grace_s
        )


def _is_inside(room: LiveRoom, entry: Entry) -> bool:
    """Whether the bearer sits in the room, or is one of its screens, and proves it: no expiry puts those out."""
    claim = entry.resume
    seat = (
        None if claim is None else next((s for s in room.receivers() if s.id == claim.participant_id), None)
    )
    return (
        claim is not None
        and seat is not None
        and seat.session_id is not None
        and seat.participant.token_id == entry.token_id
        and secret_matches(claim.secret, seat.participant.resume_hash)
    )


def _plays_into_hall(entry: Entry) -> bool:
    """What a hall's operator or its screen plays, its loudspeakers play."""
    return entry.role is Role.VENUE_OPERATOR or entry.entered_by is EntryMeans.SCREEN


def named(entry: Entry, label: str | None) -> Entry:
    """The entry of an encoder under its label, where it brings one."""
    return replace(entry, name=label) if label else entry
