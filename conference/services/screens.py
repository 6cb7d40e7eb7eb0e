"""Big screens: sessions that see and hear a room, and are neither listed nor counted.

A screen has no row. Its resume secret is made from the server's key, so that it is the same one again after both
processes were started anew, also when its token has expired meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conference.model.errors import ConferenceError
from conference.model.ids import new_id
from conference.model.participant import ParticipantKind
from conference.model.permissions import Action, Role, require
from conference.services.arrivals import Arrivals
from conference.services.entry import Entry
from conference.services.links import Links
from conference.services.live_room import LiveRoom, Seat
from conference.services.rooms import Rooms

MAX_SCREENS: Final = 100  # of one room


class Screens:
    """Opening and closing them. They receive as participants do, and may ask for nothing else."""

    def __init__(self, rooms: Rooms, arrivals: Arrivals, links: Links) -> None:
        self._rooms = rooms
        self._arrivals = arrivals
        self._links = links

    async def join(self, entry: Entry, session_id: str) -> str:
        """Send the snapshot, then every event and offers of media; returns the screen's id.

        Any token that opens the room opens a screen. Raises why not, as the room does.
        """
        require(entry.role, Action.ROOM_JOIN)
        proved = self._proved(entry)
        if entry.token_expired and proved is None:
            raise ConferenceError("token_expired")
        async with self._rooms.locked(entry.consultation_id) as room:
            room.consultation.require_open()
            entry = await self._arrivals.require_admitted(room, entry)
            seat = None if proved is None else room.screens.get(proved)
            if seat is None:
                seat = self._made(room, entry, proved)
            await self._arrivals.join_media(room, seat.participant)
            room.screens[seat.id] = seat
            self._arrivals.take_over(seat, session_id)
            seat.warrant = entry.warrant
            await self._arrivals.begin(room, seat, resumed=proved is not None)
            return seat.id

    def _made(self, room: LiveRoom, entry: Entry, screen_id: str | None) -> Seat:
        """A new one, or one that an earlier life of the server knew."""
        if len(room.screens) >= MAX_SCREENS:
            raise ConferenceError("room_full", f"{len(room.screens)} screens")
        screen_id = new_id("s") if screen_id is None else screen_id
        secret = self._secret(screen_id, entry)
        now_ms = self._rooms.clock.wall_ms()
        participant = entry.newcomer(
            room.consultation, ParticipantKind.SCREEN, secret, now_ms=now_ms, joined_at_ms=now_ms
        )
        # Whoever's token it is: what stands in a hall for everybody may see no more than an observer.
        participant = replace(
            participant, id=screen_id, role=Role.OBSERVER, microphone_on=False, camera_on=False
        )
        return Seat(participant, resume_secret=secret)

    def _secret(self, screen_id: str, entry: Entry) -> str:
        return self._links.screen_secret(_proof(screen_id, entry))

    def _proved(self, entry: Entry) -> str | None:
        """The screen that the claim proves: this token had opened it."""
        claim = entry.resume
        if claim is None or not claim.participant_id.startswith("s_"):
            return None
        is_right = self._links.is_screen_secret(_proof(claim.participant_id, entry), claim.secret)
        return claim.participant_id if is_right else None

    async def disconnect(self, room_id: str, screen_id: str, session_id: str) -> bool:
        """The socket closed: what it receives is kept for the grace period. False: it is no screen."""
        room = self._rooms.find(room_id)
        if room is None or screen_id not in room.screens:
            return False
        async with self._rooms.locked(room_id) as current:
            seat = current.screens.get(screen_id)
            if seat is not None and seat.session_id == session_id:
                self._rooms.publisher.exit(session_id)
                seat.session_id = None
                seat.lost_at_s = self._rooms.clock.monotonic()
                if seat.offer is not None:
                    seat.offer.deadline_s = None
        return True

    async def leave(self, room_id: str, screen_id: str) -> bool:
        """It was switched off. False: it is no screen."""
        room = self._rooms.find(room_id)
        if room is None or screen_id not in room.screens:
            return False
        async with self._rooms.locked(room_id) as current:
            seat = current.screens.get(screen_id)
            if seat is not None:
                if seat.session_id is not None:
                    self._rooms.publisher.exit(seat.session_id)
                await self._drop(current, seat)
        return True

    async def expire(self) -> None:
        """Let go of those that did not come back."""
        now_s = self._rooms.clock.monotonic()
        for room in self._rooms.all():
            if any(self._is_lost(seat, now_s) for seat in room.screens.values()):
                async with self._rooms.locked(room.id) as current:
                    for seat in [each for each in current.screens.values() if self._is_lost(each, now_s)]:
                        await self._drop(current, seat)

    async def _drop(self, room: LiveRoom, seat: Seat) -> None:
        del room.screens[seat.id]
        await self._rooms.leave_media(room.id, seat.id)

    def _is_lost(self, seat: Seat, now_s: float) -> bool:
        return seat.lost_at_s is not None and now_s - seat.lost_at_s >= self._rooms.limits.grace_s


def _proof(screen_id: str, entry: Entry) -> str:
    return f"{entry.consultation_id}|{screen_id}|{entry.token_id}"
