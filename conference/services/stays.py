"""Stays: the connections that attendance is made of, noted beside the participant's own row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from conference.model.attendance import Stay
from conference.model.ids import new_id
from conference.model.participant import Participant
from conference.services.live_room import LiveRoom, Seat
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms


class Stays:
    """Makes the values; whoever changes the participant writes them (`noting`)."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def begun(self, room: LiveRoom, participant: Participant) -> Stay:
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

    def ended(self, room: LiveRoom, seat: Seat, reason: str) -> Stay | None:
        """The seat's connection, over now or since it was lost; None when it has none."""
        stay, now_ms = seat.stay, self._rooms.program_time_ms(room.consultation)
        if stay is None:
            return None
        to_ms = None if now_ms is None else max(stay.from_ms or 0, now_ms - self._lost_for_ms(seat))
        return stay.ended(to_ms, self.seen_wall_ms(seat), reason)

    def seen_wall_ms(self, seat: Seat) -> int:
        """When the seat's connection was last there."""
        return self._rooms.clock.wall_ms() - self._lost_for_ms(seat)

    def _lost_for_ms(self, seat: Seat) -> int:
        if seat.lost_at_s is None:
            return 0
        return int((self._rooms.clock.monotonic() - seat.lost_at_s) * 1000)


def noting(*stays: Stay | None) -> Callable[[UnitOfWork], Awaitable[None]] | None:
    """Writes them in a transaction of `Rooms.save`; None when there is nothing to write."""
    written = [each for each in stays if each is not None]

    async def note(unit: UnitOfWork) -> None:
        for each in written:
            await unit.stays.save(each)

    return note if written else None
