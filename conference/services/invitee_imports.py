"""Lists of invitees from a file: read, shown with what is wrong, mended, taken over.

Nothing is an invitee before `apply`. The preview is kept, so that it survives a closed page and a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.clock import Clock
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.invitee import Invitee
from conference.model.invitee_check import CheckedRow, check
from conference.model.invitee_list import InviteeImport
from conference.model.permissions import Action, require
from conference.model.venue import Venue
from conference.services.invitees import MAX_INVITEES, InviteeDraft, said_of
from conference.services.links import Links
from conference.services.ports import Storage, TableReader, UnitOfWork
from conference.services.preparing import preparable
from conference.services.trace import Bearer

MAX_FILE_BYTES: Final = 5 * 1024 * 1024
_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Mending:
    """What is changed of the row with this number. None: as it was."""

    row: int
    values: Mapping[str, Any]
    separate: bool | None = None
    dropped: bool | None = None


@dataclass(frozen=True, slots=True)
class CheckedImport:
    """A list with the judgement of this moment on every row."""

    source: InviteeImport
    rows: tuple[CheckedRow, ...]

    @property
    def good(self) -> frozenset[int]:
        """Numbers of the rows that can be taken over."""
        return frozenset(each.source.row for each in self.rows if each.ok)


@dataclass(frozen=True, slots=True)
class Applied:
    """How many were taken over, and how many rows stay to be mended."""

    added: int
    left: int


class InviteeImports:
    """One list at a time for a consultation; another one takes its place."""

    def __init__(self, storage: Storage, reader: TableReader, links: Links, clock: Clock) -> None:
        self._storage = storage
        self._reader = reader
        self._links = links
        self._clock = clock

    async def venues(self, cid: str) -> list[Venue]:
        """Those that a list may name."""
        async with self._storage.reading() as unit:
            return await unit.venues.of(cid)

    async def read(self, cid: str, by: Bearer, file_name: str, data: bytes) -> CheckedImport:
        """Read a file and keep what it says; import_… when it cannot be used."""
        require(by.role, Action.INVITEE_EDIT)
        if len(data) > MAX_FILE_BYTES:
            raise ConferenceError("too_large")
        rows = await self._reader.read_invitees(data)
        kept = InviteeImport(cid, file_name, self._clock.wall_ms(), by.name, tuple(rows))
        content: dict[str, Value] = {"rows": len(rows), "file": Personal(file_name)}
        async with self._storage.transaction() as unit:
            await preparable(unit, cid)
            checked = await self._checked(unit, kept)
            await unit.invitee_imports.save(kept, checked.good)
            await unit.audit.append(self._line(cid, by, "import.read", content))
        return checked

    async def get(self, cid: str, by: Bearer) -> CheckedImport:
        """The list that is there, judged anew; not_found when there is none."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.reading() as unit:
            return await self._checked(unit, await _kept(unit, cid))

    async def mend(self, cid: str, by: Bearer, mendings: Sequence[Mending]) -> CheckedImport:
        """Change rows; not_found when the list or one of them is not there."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            await preparable(unit, cid)
            kept = await _kept(unit, cid)
            rows = {each.row: each for each in kept.rows}
            for each in mendings:
                if each.row not in rows:
                    raise NotFoundError(f"row {each.row}")
                rows[each.row] = rows[each.row].mended(each.values, each.separate, each.dropped)
            mended = replace(kept, rows=tuple(rows.values()))
            checked = await self._checked(unit, mended)
            if mended != kept:
                await unit.invitee_imports.save(mended, checked.good)
                changed = [row.row for row, old in zip(mended.rows, kept.rows, strict=True) if row != old]
                await unit.audit.append(self._line(cid, by, "import.mended", {"rows": changed}))
        return checked

    async def drop(self, cid: str, by: Bearer) -> None:
        """Forget the list; not_found when there is none."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            kept = await _kept(unit, cid)
            await unit.invitee_imports.delete(cid)
            await unit.audit.append(self._line(cid, by, "import.dropped", {"rows": len(kept.rows)}))

    async def apply(self, cid: str, by: Bearer) -> Applied:
        """Make invitees of all good rows at once. Rows to be mended stay; with none left the list is gone."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            await preparable(unit, cid)
            kept = await _kept(unit, cid)
            checked = await self._checked(unit, kept)
            good = [row for row in checked.rows if row.ok]
            there = len(await unit.invitees.of(cid))
            if there + len(good) > MAX_INVITEES:
                raise ConferenceError("too_many_invitees", f"{there} and {len(good)}")
            position = await unit.invitees.next_position(cid)
            added = [self._invitee(cid, place, row) for place, row in enumerate(good, start=position)]
            taken = checked.good
            left = [row for row in kept.rows if row.row not in taken and not row.dropped]
            for first in range(0, len(added), _AT_ONCE):  # between these others get their turn
                await unit.invitees.save(added[first : first + _AT_ONCE])
            if left:
                await unit.invitee_imports.save(replace(kept, rows=tuple(left)), frozenset())
            else:
                await unit.invitee_imports.delete(cid)
            numbers: dict[str, Value] = {"added": len(added), "left": len(left)}
            lines = [self._line(cid, by, "invitee.added", said_of(each), each.id) for each in added]
            lines.append(
                self._line(cid, by, "invitees.imported", {**numbers, "file": Personal(kept.file_name)})
            )
            await unit.audit.append_all(lines)
        return Applied(len(added), len(left))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    async def _checked(self, unit: UnitOfWork, kept: InviteeImport) -> CheckedImport:
        cid = kept.consultation_id
        venues, invitees = await unit.venues.of(cid), await unit.invitees.of(cid)
        # In a thread: two thousand rows take longer than the sockets of a meeting may wait.
        return CheckedImport(kept, await asyncio.to_thread(check, kept.rows, venues, invitees))

    def _invitee(self, cid: str, position: int, row: CheckedRow) -> Invitee:
        assert row.role is not None, "a good row has a role"
        values = row.source.values
        draft = InviteeDraft(
            name=values.name,
            role=row.role,
            title=values.title,
            sector=values.sector,
            venue_id=row.venue_id,
            phone=row.phone,
            large_text=values.large_text,
        )
        return draft.invitee(cid, position, self._links, self._clock.wall_ms())

    def _line(
        self, cid: str, by: Bearer, action: str, content: Mapping[str, Value], subject: str | None = None
    ) -> AuditEntry:
        return AuditEntry(cid, self._clock.wall_ms(), None, by.actor, action, subject or cid, content)


async def _kept(unit: UnitOfWork, cid: str) -> InviteeImport:
    kept = await unit.invitee_imports.get(cid)
    if kept is None:
        raise NotFoundError("no list of invitees is open")
    return kept
