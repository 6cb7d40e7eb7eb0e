"""Who is writing where in the transcript: told to the others who look at it, and kept nowhere."""

from __future__ import annotations

from conference.model.errors import NotFoundError
from conference.model.permissions import Action, allowed, require
from conference.services.rooms import Rooms
from conference.transcript_views import TranscriptEditing


class TranscriptPresence:
    """Whoever writes says so again every few seconds; it lasts for twenty, and no longer than the desk."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._names: dict[str, str] = {}  # of desks that said where they write

    def write_at(self, room_id: str, by: str, segment_id: str | None, at: int | None) -> None:
        """`by` writes in this segment, behind the character `at`; nowhere any more without one."""
        room = self._rooms.find(room_id)
        if room is None:
            raise NotFoundError(f"room {room_id}")
        caller = room.caller(by)
        require(caller.role, Action.TRANSCRIPT_EDIT)
        if by in room.desks:
            self._names[by] = caller.name
        self._tell(room_id, by, TranscriptEditing(segment_id, at, caller.name, by))

    def left(self, room_id: str, desk_id: str) -> None:
        """The desk is gone."""
        name = self._names.pop(desk_id, None)
        if name is not None:
            self._tell(room_id, desk_id, TranscriptEditing(None, None, name, desk_id))

    def _tell(self, room_id: str, by: str, event: TranscriptEditing) -> None:
        room = self._rooms.find(room_id)
        for desk in () if room is None else room.desks.values():
            if desk.id != by and allowed(desk.bearer.role, Action.TRANSCRIPT_READ):
                self._rooms.publisher.send(desk.session_id, event)
