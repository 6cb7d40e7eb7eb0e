"""Talkback: desk and operators of venues write to each other, beside the meeting."""

from __future__ import annotations

from dataclasses import dataclass

from conference.events import VenueMessageView
from conference.model.audit import Personal
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, allowed, require
from conference.model.venue_message import MAX_MESSAGES, VenueMessage, hall_key
from conference.services.live_room import LiveRoom
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import Bearer, Caller
from conference.services.views import venue_message_view


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Oldest first. `next` leads to the page before it."""

    items: tuple[VenueMessageView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class _Hall:
    id: str
    name: str


class VenueTalk:
    """Who watches over the venues writes to any of them; an operator writes for the own venue."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def send(
        self,
        room_id: str,
        by: str | Bearer,
        text: str,
        *,
        venue_id: str | None = None,
        key: str | None = None,
    ) -> VenueMessageView:
        """Add one at the end; the same key again is the same message.

        Without `venue_id` an operator means the own venue. Raises NotFoundError for a venue that is not of this
        consultation, ForbiddenError for one that is not the operator's, no_venue for an operator without one.
        """
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.VENUE_MESSAGE)
            known = room.talkback.with_key(caller.actor.id or "", key)
            if known is not None:
                return venue_message_view(known)
            room.consultation.require_open()
            if len(room.talkback.messages) >= MAX_MESSAGES:
                raise ConferenceError("too_many_messages")
            from_venue = not allowed(caller.role, Action.VENUE_WATCH)
            async with self._rooms.storage.transaction() as unit:
                if from_venue:
                    hall = await self._own(unit, room, caller, venue_id)
                else:
                    hall = await self._meant(unit, room, venue_id)
                message = VenueMessage(
                    id=new_id("vm"),
                    consultation_id=room.id,
                    number=room.talkback.next_number,
                    venue_id=hall.id,
                    venue=hall.name,
                    from_venue=from_venue,
                    author_id=caller.actor.id or "",
                    name=caller.name,
                    role=caller.role,
                    text=text,
                    at_ms=self._rooms.program_time_ms(room.consultation),
                    at_wall_ms=self._rooms.clock.wall_ms(),
                    key=key,
                )
                await unit.venue_messages.add(message)
                entry = self._rooms.entry(
                    room,
                    caller.actor,
                    "venue.message",
                    message.id,
                    venue_id=hall.id,
                    venue=hall.name,
                    from_venue=from_venue,
                    text=Personal(text),
                )
                await unit.audit.append(entry)
            room.add_venue_message(message)
            return venue_message_view(message)

    async def before(
        self, room_id: str, by: Bearer, venue_id: str, before: str | None, limit: int
    ) -> MessagePage:
        """The newest ones with a venue, or those right before a message."""
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.VENUE_WATCH)
            found = [each for each in room.talkback.messages if each.venue_id == venue_id]
            if before is not None:
                places = [place for place, each in enumerate(found) if each.id == before]
                if not places:
                    raise NotFoundError(f"message {before}")
                found = found[: places[0]]
            page = found[-limit:]
            more = len(found) > len(page)
            return MessagePage(tuple(venue_message_view(each) for each in page), page[0].id if more else None)

    async def _own(self, unit: UnitOfWork, room: LiveRoom, caller: Caller, venue_id: str | None) -> _Hall:
        """The hall of an operator in the room."""
        if caller.participant_id is None:
            raise ForbiddenError("an operator writes from the room")
        p = room.seat(caller.participant_id).participant
        own = hall_key(p)
        if own is None:
            raise ConferenceError("no_venue")
        for each in await unit.venues.of(room.id):
            if p.venue_id == each.id or (p.venue_id is None and p.venue == each.name):
                hall = _Hall(each.id, each.name)
                break
        else:
            hall = _Hall(own, p.venue or own)
        if venue_id not in (None, hall.id, own):
            raise ForbiddenError(f"venue {venue_id} is another operator's")
        return hall

    async def _meant(self, unit: UnitOfWork, room: LiveRoom, venue_id: str | None) -> _Hall:
        """The hall that the desk names: a prepared one, or one that is or was in the room by its name alone."""
        if venue_id is None:
            raise ConferenceError("bad_request", "which venue")
        for each in await unit.venues.of(room.id):
            if each.id == venue_id:
                return _Hall(each.id, each.name)
        seated = {hall_key(seat.participant) for seat in room.seats.values()}
        if venue_id in seated or any(each.venue_id == venue_id for each in room.talkback.messages):
            return _Hall(venue_id, venue_id)
        raise NotFoundError(f"venue {venue_id}")
