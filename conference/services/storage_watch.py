"""What the files of each body take on the disks: measured now and then, held against its rules, told to its desks.

Nothing that a meeting records is ever stopped for it: at the limit films are refused, and desks are told so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from conference.desk_views import StorageView
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.rules import Fill, Rules, StorageUse, fill_of
from conference.services.ports import StorageMeter
from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)

_EVERY_S: Final = 300.0
_FRESH_S: Final = 10.0  # what was measured so short a time ago is believed when somebody brings a film
_PATIENCE_S: Final = 5.0  # and how long that film waits for another measurement
_OUTDATED_MS: Final = 2 * 86_400_000  # a node that has not measured for so long is gone, or has another name
_SHARED: Final = (
    "shared:"  # in the place of a node: what all of them see is measured by all of them, and counts once
)
_STEP: Final = 64 << 20  # desks are told again when so much has come or gone


@dataclass(frozen=True, slots=True)
class Used:
    """Of one body on all nodes; `measured_at_ms` (UTC) is the oldest of these measurements."""

    used_bytes: int
    measured_at_ms: int


class StorageWatch:
    """Measurements are rows, for several nodes have a part each; they are nobody's doing and leave no line."""

    def __init__(self, rooms: Rooms, meter: StorageMeter) -> None:
        self._rooms = rooms
        self._meter = meter
        self._measuring = asyncio.Lock()
        self._measured_at_s: float | None = None

    async def tick(self) -> None:
        """Call every few seconds: measures at the first call and every five minutes, and tells desks."""
        if not self._is_fresh(_EVERY_S):
            await self.measure()
        await self.tell()

    def _is_fresh(self, within_s: float) -> bool:
        now_s = self._rooms.clock.monotonic()
        return self._measured_at_s is not None and now_s - self._measured_at_s < within_s

    async def measure(self) -> None:
        """Measure this node's part; where that fails what was measured before holds."""
        async with self._measuring:
            self._measured_at_s = self._rooms.clock.monotonic()
            try:
                sizes = await self._meter.measure()
            except OSError as error:
                log.warning("storage.unmeasured", error=str(error))
                return
            now_ms, node = self._rooms.clock.wall_ms(), self._place
            async with self._rooms.storage.transaction() as unit:
                totals = Counter({each.id: 0 for each in await unit.organizations.all()})
                for consultation_id, owner in (await unit.storage_uses.owners()).items():
                    totals[owner] += sizes.get(consultation_id, 0)
                uses = [StorageUse(owner, node, size, now_ms) for owner, size in totals.items()]
                await unit.storage_uses.measured(node, uses, forget_before_ms=now_ms - _OUTDATED_MS)

    @property
    def _place(self) -> str:
        return _SHARED if self._rooms.shares_files else self._rooms.registry.node

    async def uses(self) -> Mapping[str, Used]:
        """By the id of the body; none before it was measured."""
        async with self._rooms.storage.reading() as unit:
            rows = await unit.storage_uses.since(self._rooms.clock.wall_ms() - _OUTDATED_MS)
        found: dict[str, Used] = {}
        for row in rows:
            if (row.node == _SHARED) is not self._rooms.shares_files:
                continue  # measured before the nodes shared their files, or shared them no longer
            so_far = found.get(row.organization_id, Used(0, row.measured_at_ms))
            oldest_ms = min(so_far.measured_at_ms, row.measured_at_ms)
            found[row.organization_id] = Used(so_far.used_bytes + row.used_bytes, oldest_ms)
        return found

    async def tell(self) -> None:
        """Show the desks of every room here how much space their body has left."""
        rooms = [room for room in self._rooms.all() if room.consultation.organization_id is not None]
        if not rooms:
            return
        async with self._rooms.storage.reading() as unit:
            rules = await unit.rules.all()
        uses = await self.uses()
        for room in rooms:
            owner = room.consultation.organization_id or ""
            room.show_storage(_view(rules.get(owner, Rules()), uses.get(owner)))

    async def require_space(self, consultation: Consultation, size_bytes: int) -> None:
        """storage_quota when the body of this consultation has no space for so much more."""
        owner = consultation.organization_id
        if owner is None:
            return
        async with self._rooms.storage.reading() as unit:
            max_bytes = (await unit.rules.of(owner)).max_storage_bytes
        if max_bytes is None:
            return
        if not self._is_fresh(_FRESH_S):  # what was just deleted must not keep anything out
            try:
                await asyncio.wait_for(self.measure(), _PATIENCE_S)
            except TimeoutError:
                log.warning("storage.measured_slowly")
        used = (await self.uses()).get(owner)
        used_bytes = 0 if used is None else used.used_bytes
        if used_bytes + size_bytes > max_bytes:
            raise ConferenceError(
                "storage_quota", f"{used_bytes} of {max_bytes}", used_bytes=used_bytes, max_bytes=max_bytes
            )


def _view(rules: Rules, used: Used | None) -> StorageView | None:
    """None while there is no limit, or nothing is known."""
    if rules.max_storage_bytes is None or used is None:
        return None
    fill = fill_of(used.used_bytes, rules.max_storage_bytes)
    shown = used.used_bytes if fill is Fill.FULL else used.used_bytes // _STEP * _STEP
    return StorageView(shown, rules.max_storage_bytes, fill)
