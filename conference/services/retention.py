"""Retention: so many days after the end of a consultation its recordings are deleted, with a trace.

How many a body says by its rules; where it says nothing, the server does.

A consultation that was archived is sealed: its package names every file by its hash, and what it names stays until
somebody deletes it by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from conference.clock import Clock
from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.export import Export
from conference.model.recording import FileState, Recording
from conference.services.exports import Exports
from conference.services.ports import ExportMaker, OneServer, Storage, UnitOfWork, Works

log = structlog.get_logger(__name__)

_DAY_MS: Final = 86_400_000
_DAY_S: Final = 86_400.0
_PAGE: Final = 500
_REASON: Final = "retention"


class Retention:
    """Rows and lines first, in one transaction, then the files: a kill in between is made good the next time."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        maker: ExportMaker,
        exports: Exports,
        *,
        days: int,
        works: Works | None = None,
    ) -> None:
        """`days` after the end of a consultation whose body has no rule of its own; 0 keeps for ever. `works`: where
        other servers see the same files."""
        self._works: Works = works or OneServer()
        self._storage = storage
        self._clock = clock
        self._maker = maker
        self._exports = exports
        self._days = days
        self._swept_at_s: float | None = None
        self._followers: list[Callable[[Consultation], Awaitable[None]]] = []

    def follow(self, clear: Callable[[Consultation], Awaitable[None]]) -> None:
        """Have this clear away its own of every consultation whose time is over, as often as it likes."""
        self._followers.append(clear)

    async def tick(self) -> None:
        """Call as often: sweeps at the first call and once a day."""
        now_s = self._clock.monotonic()
        if self._swept_at_s is None or now_s - self._swept_at_s >= _DAY_S:
            async with self._works.alone("retention") as is_ours:
                if is_ours:  # else once the other server is done, or gone
                    await self.sweep()
                    self._swept_at_s = now_s

    async def sweep(self) -> None:
        """Every consultation whose time is over; one that cannot be cleared does not keep the others."""
        now_ms = self._clock.wall_ms()
        async with self._storage.reading() as unit:
            rules = await unit.rules.all()
            own = {owner: each.retention_days for owner, each in rules.items()}
            shortest = min(filter(None, (self._days, *own.values())), default=0)
            ended = await unit.consultations.ended_before(now_ms - shortest * _DAY_MS) if shortest else []
        for consultation in ended:
            days = own.get(consultation.organization_id or "")
            days = self._days if days is None else days
            if not days or (consultation.ended_at_ms or now_ms) >= now_ms - days * _DAY_MS:
                continue
            try:
                await self._clear(consultation)
            except ConferenceError as error:
                log.warning("retention.delayed", consultation=consultation.id, code=error.code)

    async def _clear(self, consultation: Consultation) -> None:
        cid = consultation.id
        has_files, has_program = await self._maker.has_files(cid), await self._maker.has_program(cid)
        async with self._storage.reading() as unit:
            recordings, exports = await _recordings(unit, cid), await _exports(unit, cid)
            is_told = bool(await unit.audit.lines(cid, limit=1, action="program.deleted"))
        if any(each.state is FileState.RECORDING for each in recordings):
            return  # its end is not written down yet
        if recordings or exports or (has_program and not is_told):
            async with self._storage.transaction() as unit:
                for export in exports:
                    await self._exports.strike(unit, consultation, export, SYSTEM, _REASON)
                made = {each.id for each in exports}
                await self._strike(unit, consultation, [each for each in recordings if each.id not in made])
                if has_program and not is_told:
                    await unit.audit.append(self._entry(consultation, "program.deleted", cid, {}))
            for export in exports:
                await self._exports.forget(export)
        if has_files:
            await self._maker.clear(cid)
        for clear in self._followers:
            await clear(consultation)

    async def _strike(
        self, unit: UnitOfWork, consultation: Consultation, recordings: list[Recording]
    ) -> None:
        now_ms = self._clock.wall_ms()
        await unit.recordings.save([each.deleted(now_ms) for each in recordings])
        for each in recordings:
            content: dict[str, Value] = {
                "participant": each.participant_id,
                "source": each.source,
                "sha256": each.sha256,
            }
            await unit.audit.append(self._entry(consultation, "recording.deleted", each.id, content))

    def _entry(
        self, consultation: Consultation, action: str, subject: str, content: dict[str, Value]
    ) -> AuditEntry:
        now_ms, at_ms = self._clock.wall_ms(), consultation.program_high_water_ms
        said: dict[str, Value] = {**content, "reason": _REASON}
        return AuditEntry(consultation.id, now_ms, at_ms, SYSTEM, action, subject, said)


async def _recordings(unit: UnitOfWork, consultation_id: str) -> list[Recording]:
    found: list[Recording] = []
    while page := await unit.recordings.of(
        consultation_id, after=found[-1].id if found else None, limit=_PAGE
    ):
        found += page
    return found


async def _exports(unit: UnitOfWork, consultation_id: str) -> list[Export]:
    found: list[Export] = []
    while page := await unit.exports.of(consultation_id, after=found[-1].id if found else None, limit=_PAGE):
        found += page
    return found
