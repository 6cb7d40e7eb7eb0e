"""The agenda: writing it, and walking through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conference.model.agenda import Agenda, AgendaDraft, AgendaItem
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.permissions import Action, require
from conference.services.change import Change
from conference.services.live_room import ChangeMark, LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Bearer, Caller

MAX_ITEMS: Final = 200


class Agendas:
    """`by` is an id in the room, or a token's bearer."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def get(self, room_id: str) -> tuple[AgendaItem, ...]:
        async with self._rooms.locked(room_id) as room:
            return room.agenda.items

    async def edit(
        self, room_id: str, by: str | Bearer, drafts: Sequence[AgendaDraft], version: int | None = None
    ) -> tuple[AgendaItem, ...]:
        """Write the agenda anew; items that began keep their state and may not be left out.

        Here as in the others `version` is the room's as the caller saw it: what another changed since is kept.
        """
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.AGENDA_EDIT)
            if room.consultation.status in (Status.ENDED, Status.ARCHIVED, Status.CANCELLED):
                raise ConferenceError("invalid_state", f"status {room.consultation.status}")
            self._require_seen(room, caller, version)
            if len(drafts) > MAX_ITEMS:
                raise ConferenceError("too_large", f"{len(drafts)} agenda items")
            agenda = room.agenda.edited(drafts)
            entry = self._rooms.entry(room, caller.actor, "agenda.edited", room.id, items=written(agenda))
            return await self._commit(room, caller, agenda, entry)

    async def start(
        self, room_id: str, by: str | Bearer, item_id: str, version: int | None = None
    ) -> tuple[AgendaItem, ...]:
        """Make an item the current one; the one before is done."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, version)
            return await self._step(room, caller, room.agenda.started(item_id, self._now_ms(room)))

    async def advance(
        self, room_id: str, by: str | Bearer, version: int | None = None
    ) -> tuple[AgendaItem, ...]:
        """On to the next item."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, version)
            return await self._step(room, caller, room.agenda.advanced(self._now_ms(room)))

    async def end(self, room_id: str, by: str | Bearer, version: int | None = None) -> tuple[AgendaItem, ...]:
        """End the current item; none is current then."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, version)
            return await self._step(room, caller, room.agenda.ended(self._now_ms(room)))

    def _leader(self, room: LiveRoom, by: str | Bearer, version: int | None) -> Caller:
        caller = room.caller(by)
        require(caller.role, Action.AGENDA_RUN)
        room.consultation.require_open()
        self._require_seen(room, caller, version)
        return caller

    @staticmethod
    def _require_seen(room: LiveRoom, caller: Caller, version: int | None) -> None:
        if room.agenda_mark is not None:
            room.agenda_mark.require_seen(version, caller.actor.id, "议程")

    async def _step(self, room: LiveRoom, caller: Caller, agenda: Agenda) -> tuple[AgendaItem, ...]:
        current = agenda.current
        if current is None:
            entry = self._rooms.entry(room, caller.actor, "agenda.ended", room.id)
        else:
            entry = self._rooms.entry(
                room, caller.actor, "agenda.started", current.id, title=title_of(current)
            )
        return await self._commit(room, caller, agenda, entry)

    async def _commit(
        self, room: LiveRoom, caller: Caller, agenda: Agenda, entry: AuditEntry
    ) -> tuple[AgendaItem, ...]:
        if agenda != room.agenda:
            await self._rooms.commit(room, Change(agenda=agenda), [entry])
            room.agenda_mark = ChangeMark(room.version, caller.actor.id, caller.name)
        return room.agenda.items

    def _now_ms(self, room: LiveRoom) -> int | None:
        return self._rooms.program_time_ms(room.consultation)


def title_of(item: AgendaItem) -> Value:
    """As it stands in a line of the trace: what somebody of the public wrote is personal."""
    return item.title if item.comment_id is None else Personal(item.title)


def written(agenda: Agenda) -> list[Value]:
    """The whole agenda for a line of the trace."""
    return [
        {"id": each.id, "title": title_of(each), "kind": each.kind.value, "minutes": each.planned_minutes}
        for each in agenda.items
    ]
