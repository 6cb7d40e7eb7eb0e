"""Relisting: those in a room, or before its door, are shown as the list has them now."""

from __future__ import annotations

from conference.model.audit import Actor
from conference.model.participant import Participant, ParticipantKind
from conference.services.change import Change
from conference.services.entry import relisted
from conference.services.rooms import Rooms


class Relisting:
    """Follows corrections of venues and invitees into the room."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

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
                    if invitee_id in (None, p.invitee_id) and venue_id in (None, p.venue_id):
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
                    room.show_waiting(waiting, each)
