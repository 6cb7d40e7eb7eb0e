"""Recovery: what a node does with what another life left in the rows, its own or another node's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from conference.services.attendance import Attendance
from conference.services.floor_clock import FloorClock
from conference.services.program import ProgramTimes
from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)

# Those connected are noted every five seconds: whose room was marked a shorter time ago than this, that node lives.
ALIVE_MS: Final = 7_000


class Recovery:
    """At a start all rooms, later the single room whose node is gone."""

    def __init__(
        self, rooms: Rooms, programs: ProgramTimes, floor_clock: FloorClock, attendance: Attendance
    ) -> None:
        self._rooms = rooms
        self._programs = programs
        self._floor_clock = floor_clock
        self._attendance = attendance
        self._followers: list[Callable[[str], Awaitable[None]]] = []
        rooms.heir = self

    def follow(self, take_over: Callable[[str], Awaitable[None]]) -> None:
        """Have this called with every room that comes to us from a node that is gone, before it is opened."""
        self._followers.append(take_over)

    async def start(self) -> None:
        """Take up what the rows remember, but for the rooms that another node holds."""
        registry = self._rooms.registry
        await registry.renew({})
        others = set(registry.elsewhere())
        for consultation_id, seen_ms in (await self._last_seen()).items():
            hold = await registry.claim(
                consultation_id, only_ours=registry.is_shared and self._is_fresh(seen_ms)
            )
            if not hold.is_ours:
                others.add(consultation_id)

        def ours(consultation_id: str) -> bool:
            return consultation_id not in others

        await self._programs.restore(ours)
        await self._rooms.restore(ours)
        await self._floor_clock.restore(ours)
        await self._attendance.restore(ours)

    # ── services.rooms.Heir ─────────────────────────────────────────────────────────────────────

    async def is_alive(self, consultation_id: str) -> bool:
        """The rows are asked, because the registry forgets when Redis starts anew."""
        return self._is_fresh((await self._last_seen()).get(consultation_id, 0))

    async def take_over(self, consultation_id: str) -> None:
        for follow in self._followers:
            await follow(consultation_id)
        if consultation_id not in await self._last_seen():
            return
        log.warning("room.taken_over", room=consultation_id)

        def this_one(other_id: str) -> bool:
            return other_id == consultation_id

        self._programs.forget(consultation_id)
        await self._programs.restore(this_one)
        await self._attendance.restore(this_one)
        await self._rooms.restore(this_one)
        room = self._rooms.find(consultation_id)
        if room is None:
            await self._floor_clock.restore(this_one)
            return
        async with room.lock:
            await self._floor_clock.restore(this_one)

    async def adopt(self) -> None:
        """End what nodes left behind that are gone for good, and whose people did not come here."""
        registry = self._rooms.registry
        if not registry.is_shared or not registry.is_up:
            return
        before_ms = self._rooms.clock.wall_ms() - int(self._rooms.limits.grace_s * 1000)
        for consultation_id, seen_ms in (await self._last_seen()).items():
            is_ours = self._rooms.find(consultation_id) is not None
            if seen_ms < before_ms and not is_ours and consultation_id not in registry.elsewhere():
                async with self._rooms.locked(consultation_id):
                    pass  # opening it takes it over

    async def _last_seen(self) -> dict[str, int]:
        """When somebody was last seen in each room that rows say people are in."""
        seen: dict[str, int] = {}
        async with self._rooms.storage.reading() as unit:
            for each in await unit.participants.present():
                cid = each.consultation_id
                seen[cid] = max(seen.get(cid, 0), each.last_seen_ms)
        return seen

    def _is_fresh(self, seen_ms: int) -> bool:
        return self._rooms.clock.wall_ms() - seen_ms < ALIVE_MS
