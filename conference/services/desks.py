"""Desks: sessions that follow and lead a room without a seat in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from conference.events import DeskSnapshot
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.services.live_room import Desk, LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.warrants import Warrant

MAX_DESKS: Final = 100  # of one room


class Desks:
    """Opening and closing them. What a desk asks for goes through the same use cases as in the room."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._followers: list[Callable[[str, str], None]] = []

    def follow(self, left: Callable[[str, str], None]) -> None:
        """Have this called with room and desk whenever a desk is gone."""
        self._followers.append(left)

    async def open(
        self,
        room_id: str,
        bearer: Bearer,
        session_id: str,
        venue: str | None = None,
        warrant: Warrant | None = None,
    ) -> str:
        """Send the snapshot, then every event; returns the desk's id."""
        require(bearer.role, Action.DESK_JOIN)
        async with self._rooms.locked(room_id) as room:
            if len(room.desks) >= MAX_DESKS:
                raise ConferenceError("room_full", f"{len(room.desks)} desks")
            desk = Desk(new_id("d"), session_id, bearer, venue, warrant)
            room.desks[desk.id] = desk
            self._rooms.publisher.enter(session_id, room.id, self._snapshot(room, desk))
            return desk.id

    async def snapshot(self, room_id: str, desk_id: str) -> DeskSnapshot:
        """The room anew."""
        async with self._rooms.locked(room_id) as room:
            desk = room.desks.get(desk_id)
            if desk is None:
                raise NotFoundError(f"desk {desk_id}")
            return self._snapshot(room, desk)

    async def close(self, room_id: str, desk_id: str) -> None:
        """The socket is gone."""
        for left in self._followers:
            left(room_id, desk_id)
        if self._rooms.find(room_id) is None:
            return
        async with self._rooms.locked(room_id) as room:
            desk = room.desks.pop(desk_id, None)
            if desk is not None:
                self._rooms.publisher.exit(desk.session_id)

    def _snapshot(self, room: LiveRoom, desk: Desk) -> DeskSnapshot:
        return room.desk_snapshot(
            desk,
            program_time_ms=self._rooms.program_time_ms(room.consultation),
            server_time_ms=self._rooms.clock.wall_ms(),
        )
