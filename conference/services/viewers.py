"""Counting who watches: signs of life of a sample of pages become an estimate, and rows by minutes with a line each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import structlog

from conference.model.audit import SYSTEM, AuditEntry
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.viewers import Beacon, Crowd, ViewerMinute, ViewerTotals, rounded
from conference.services.ports.airing import Airing
from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)

COUNTED: Final = frozenset({Status.SCHEDULED, Status.LIVE, Status.ENDED})  # what is archived is sealed
_RECENT_MS: Final = 600_000  # a server that was started anew believes rows as old as this
_LIVE_S: Final = 60.0  # between two writes
_QUIET_S: Final = 600.0
_IDLE_S: Final = 1_800.0
_MOST_CROWDS: Final = 256
_MOST_MINUTES: Final = 1_440  # that wait for a database in trouble


@dataclass(slots=True)
class _Counted:
    crowd: Crowd
    written_s: float
    minutes: list[ViewerMinute] = field(default_factory=list)  # that wait to be written


class Viewers:
    """Of the node that holds the room; others count nothing."""

    def __init__(self, rooms: Rooms, airing: Airing) -> None:
        self._rooms = rooms
        self._airing = airing
        self._counted: dict[str, _Counted] = {}

    async def seen(self, consultation_id: str, page_id: str, address: str) -> None:
        """A page says that it is there. consultation_not_found for what is not public; other_node."""
        consultation = (await self._airing.view(consultation_id)).consultation
        if not _is_counted(consultation):
            raise ConferenceError("consultation_not_found", consultation_id)
        self._rooms.require_here(consultation_id)
        crowd = (await self._of(consultation_id)).crowd
        crowd.seen(page_id, address, self._now_s, self._rooms.clock.wall_ms())

    async def told(self, consultation: Consultation) -> tuple[Beacon | None, int | None]:
        """What pages are asked for, and how many watch, as people say it; None where that is not known here."""
        if not _is_counted(consultation):
            return None, None
        try:
            self._rooms.require_here(consultation.id)
            crowd = (await self._of(consultation.id)).crowd
        except ConferenceError:
            return None, None  # the page matters more than its number
        viewers = crowd.viewers(self._now_s)
        return crowd.beacon(self._now_s), None if viewers is None else rounded(viewers)

    @property
    def _now_s(self) -> float:
        return self._rooms.clock.monotonic()

    async def _of(self, consultation_id: str) -> _Counted:
        counted = self._counted.get(consultation_id)
        if counted is not None:
            return counted
        async with self._rooms.storage.reading() as unit:
            last = await unit.viewers.last(consultation_id)
        recent = last is not None and self._rooms.clock.wall_ms() - last.minute_wall_ms < _RECENT_MS
        there = last.viewers if last is not None and recent else 0
        crowd = Crowd(consultation_id, self._now_s, there_before=there)
        return self._counted.setdefault(consultation_id, _Counted(crowd, self._now_s))

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    async def tick(self) -> None:
        """Note minutes that are over, and write what is due. Call every few seconds."""
        now_s = self._now_s
        for consultation_id, counted in tuple(self._counted.items()):
            self._note(counted)
            waited_s = now_s - counted.written_s
            if counted.minutes and waited_s >= _LIVE_S:
                if waited_s >= _QUIET_S or await self._is_live(consultation_id):
                    await self._write(consultation_id, counted)
            elif not counted.minutes and now_s - counted.crowd.last_s >= _IDLE_S:
                self._counted.pop(consultation_id, None)
        if len(self._counted) > _MOST_CROWDS:
            await self._make_room()

    async def _is_live(self, consultation_id: str) -> bool:
        try:
            return (await self._airing.view(consultation_id)).consultation.status is Status.LIVE
        except ConferenceError:
            return False

    async def _make_room(self) -> None:
        """Forget those that nobody has given a sign of for longest."""
        oldest = sorted(self._counted, key=lambda each: self._counted[each].crowd.last_s)
        for consultation_id in oldest[: len(oldest) - _MOST_CROWDS]:
            await self._write(consultation_id, self._counted.pop(consultation_id))

    def _note(self, counted: _Counted, *, unfinished: bool = False) -> None:
        wall_ms = self._rooms.clock.wall_ms()
        minute = counted.crowd.minute(self._now_s, wall_ms, unfinished=unfinished)
        if minute is not None:
            counted.minutes = [*counted.minutes, minute][-_MOST_MINUTES:]

    async def _write(self, consultation_id: str, counted: _Counted) -> None:
        """What cannot be written now waits for the next time."""
        minutes, counted.minutes = counted.minutes, []
        if not minutes:
            return
        counted.written_s = self._now_s
        try:
            async with self._rooms.storage.transaction() as unit:
                consultation = await unit.consultations.get(consultation_id)
                if consultation is not None and _is_counted(consultation):
                    await unit.viewers.add(minutes)
                    await unit.audit.append(self._entry(consultation, minutes))
        except ConferenceError as error:
            log.warning("viewers.delayed", consultation=consultation_id, code=error.code)
            counted.minutes = [*minutes, *counted.minutes][-_MOST_MINUTES:]

    def _entry(self, consultation: Consultation, minutes: list[ViewerMinute]) -> AuditEntry:
        return AuditEntry(
            consultation.id,
            self._rooms.clock.wall_ms(),
            self._rooms.program_time_ms(consultation),
            SYSTEM,
            "viewers.counted",
            None,
            {
                "from_wall_ms": minutes[0].minute_wall_ms,
                "minutes": len(minutes),
                "most": max(each.viewers for each in minutes),
                "arrived": sum(each.arrived for each in minutes),
            },
        )

    async def write_all(self) -> None:
        """Everything, the minute that goes on included: the server ends."""
        for consultation_id, counted in tuple(self._counted.items()):
            self._note(counted, unfinished=True)
            await self._write(consultation_id, counted)

    async def totals(self, consultation_id: str) -> ViewerTotals:
        """Of the whole consultation, up to now."""
        async with self._rooms.storage.reading() as unit:
            written = await unit.viewers.totals(consultation_id)
        counted = self._counted.get(consultation_id)
        if counted is None:
            return written
        waiting, crowd = counted.minutes, counted.crowd
        return ViewerTotals(
            written.total + sum(each.arrived for each in waiting) + crowd.arrived,
            max(written.peak, crowd.viewers(self._now_s) or 0, *(each.viewers for each in waiting)),
        )


def _is_counted(consultation: Consultation) -> bool:
    return consultation.is_public and consultation.status in COUNTED
