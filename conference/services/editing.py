"""Editing what a consultation says of itself, before, during and after the meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from conference.model.audit import Value
from conference.model.broadcast import Cut, CutKind, running
from conference.model.consultation import Consultation
from conference.model.identity import IdentityKind, require_offered
from conference.model.participant import Participant
from conference.model.permissions import Action, require
from conference.services.change import Change
from conference.services.floors import Floors
from conference.services.live_room import LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.waiting import WaitingRoom


class Editing:
    """Goes through the room, so that what is in memory of a running one follows."""

    def __init__(
        self,
        rooms: Rooms,
        floors: Floors,
        waiting: WaitingRoom,
        *,
        identity_kinds: Sequence[IdentityKind] = (),
    ) -> None:
        """`identity_kinds`: how viewers may show who they are."""
        self._rooms = rooms
        self._floors = floors
        self._waiting = waiting
        self._identity_kinds = tuple(identity_kinds)

    async def edit(
        self, consultation_id: str, by: Bearer, revision: int, changes: Mapping[str, Any]
    ) -> Consultation:
        """Write new values over the revision that was seen; edit_conflict when somebody was faster,
        identity_not_offered when viewers would have to show who they are and cannot.

        Who may speak in a running room changes by the right to say so alone. Turning the waiting room off lets in
        those who waited only for it.
        """
        require(by.role, Action.CONSULTATION_EDIT)
        require_offered(changes.get("comment_identity"), self._identity_kinds)
        async with self._rooms.locked(consultation_id) as room:
            before = room.consultation
            after = before.edited(revision, changes)
            if after == before:
                return before
            participants: tuple[Participant, ...] = ()
            if after.mode is not before.mode:
                if before.is_running:
                    require(by.role, Action.FLOOR_MODE)
                participants = self._floors.gated(room, after.mode)
            content: dict[str, Value] = {
                "revision": after.revision,
                "changes": {
                    name: {"from": _plain(getattr(before, name)), "to": _plain(getattr(after, name))}
                    for name in changes
                    if getattr(before, name) != getattr(after, name)
                },
            }
            cuts = self._unrecorded(room, by, after)
            if cuts:
                content["pause"] = cuts[0].id
                after = replace(after, recording_paused=False)
            entry = self._rooms.entry(room, by.actor, "consultation.edited", room.id, **content)
            await self._rooms.commit(room, Change(participants, after, cuts=cuts), [entry])
            if before.waiting_room and not after.waiting_room:
                await self._waiting.opened(room, by)
            return after

    def _unrecorded(self, room: LiveRoom, by: Bearer, after: Consultation) -> tuple[Cut, ...]:
        """The stretch without recording that begins or ends with this edit: the program of it is not kept either."""
        before, now_ms = room.consultation, self._rooms.program_time_ms(room.consultation) or 0
        if not before.is_running or after.recording is before.recording:
            return ()
        current = running(room.cuts, CutKind.PAUSE)
        if after.recording:
            return () if current is None else (current.ended(now_ms),)
        at_ms = self._rooms.clock.wall_ms()
        begun = Cut.made(room.id, CutKind.PAUSE, now_ms, None, at_wall_ms=at_ms, by_name=by.name)
        return (current or begun,)


def _plain(value: Any) -> Value:
    plain: Value = value.value if isinstance(value, Enum) else value
    return plain
