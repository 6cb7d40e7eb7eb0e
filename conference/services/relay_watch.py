"""The relay as desks see it: they are told when it comes or goes, also while nobody looks at the inspector."""

from __future__ import annotations

from conference.services.rooms import Rooms


class RelayWatch:
    """Looks at the relay. Changes memory only."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def tick(self) -> None:
        """Call every few seconds."""
        health = self._rooms.relay.health
        for room in self._rooms.all():
            room.show_relay(health)
