"""Revoking: a token, a link or an account opens nothing any more, and what it opened is closed."""

from __future__ import annotations

from conference.clock import Clock
from conference.model.audit import CLI, AuditEntry
from conference.model.permissions import Action, require
from conference.services.consultations import consultation_of
from conference.services.departures import Departures
from conference.services.live_room import LiveRoom
from conference.services.ports import Keys, Storage
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.warrants import Warrant, void_among

SECRETARIAT = "会务组"  # whom those are told of who are sent out


async def revoke_token(
    storage: Storage, clock: Clock, consultation_id: str, token_id: str, by: Bearer | None
) -> None:
    """It opens nothing from now on. `by` None: the command line. Repeating it changes nothing."""
    if by is not None:
        require(by.role, Action.TOKEN_REVOKE)
    actor = CLI if by is None else by.actor
    async with storage.transaction() as unit:
        await consultation_of(unit, consultation_id)
        if await unit.revocations.contains(token_id):
            return
        now_ms = clock.wall_ms()
        await unit.revocations.add(token_id, now_ms)
        await unit.audit.append(AuditEntry(consultation_id, now_ms, None, actor, "token.revoked", token_id))


class Revocations:
    """Looks after the live sessions of this node, whichever process revoked what they stand on."""

    def __init__(self, rooms: Rooms, departures: Departures, keys: Keys | None = None) -> None:
        """`keys`: tokens of one that was retired are no longer good, either."""
        self._keys = keys
        self._rooms = rooms
        self._departures = departures

    async def revoke(self, consultation_id: str, token_id: str, by: Bearer) -> None:
        """Revoke a token, and close at once what it opened."""
        await revoke_token(self._rooms.storage, self._rooms.clock, consultation_id, token_id, by)
        await self.sweep()

    async def sweep(self) -> None:
        """Close every session whose token, link or account is no longer good."""
        standing = {room.id: _warrants(room) for room in self._rooms.all()}
        everything = frozenset[Warrant]().union(*standing.values())
        if not everything:
            return
        async with self._rooms.storage.reading() as unit:
            void = await void_among(unit, everything)
        if self._keys is not None:
            void |= {each for each in everything if each.key_id and self._keys.is_retired(each.key_id)}
        for room_id, warrants in standing.items():
            if not void.isdisjoint(warrants):
                await self._departures.revoke(room_id, void, SECRETARIAT)


def _warrants(room: LiveRoom) -> frozenset[Warrant]:
    places = (*room.seats.values(), *room.waiting.values(), *room.screens.values())
    seats = (each.warrant for each in places)
    desks = (each.warrant for each in room.desks.values())
    listeners = (each.warrant for each in room.listeners.values())
    return frozenset(each for each in (*seats, *desks, *listeners) if each is not None)
