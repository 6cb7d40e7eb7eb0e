"""Pre-checks of venues (联调单): judging what a page measured, keeping and signing the sheet, telling desks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from conference.model.audit import AuditEntry, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, Role, allowed, require
from conference.model.precheck import CheckedItem, Precheck, require_whole
from conference.model.venue import Venue
from conference.precheck_views import PrecheckUpdated, PrecheckView
from conference.services.consultations import consultation_of
from conference.services.ports import RecordSigner, UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import Bearer

MAX_OF_VENUE: Final = 200  # sheets
_CLOSED: Final = frozenset({Status.ENDED, Status.ARCHIVED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks. A venue's operator has to do with that venue alone: by the id that a link gave, or by the name that
    is in a token of the command line."""

    bearer: Bearer
    venue_id: str | None = None
    venue: str | None = None

    def sees(self, venue: Venue) -> bool:
        if self.bearer.role is not Role.VENUE_OPERATOR:
            return True
        return venue.id == self.venue_id if self.venue_id is not None else venue.name == self.venue


@dataclass(frozen=True, slots=True)
class Opening:
    """What a page needs before it begins. `plates`: names of those who are to sit there."""

    venue: Venue
    consultation: Consultation
    plates: tuple[str, ...]
    last: Precheck | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is handed in."""

    items: Sequence[CheckedItem]
    took_ms: int
    device: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a sheet is as it was signed. `sha256` of the document stands in the trace as well."""

    precheck: Precheck
    valid: bool
    sha256: str


class Prechecks:
    """Rows are written once; a venue that is checked again gets another one."""

    def __init__(self, rooms: Rooms, signer: RecordSigner) -> None:
        self._rooms = rooms
        self._signer = signer

    async def open(self, consultation_id: str, by: Reader, venue_id: str | None) -> Opening:
        """The reader's own venue, or the one that is named; not_found where there is none."""
        require(by.bearer.role, Action.PRECHECK_RUN)
        async with self._rooms.storage.reading() as unit:
            consultation = await consultation_of(unit, consultation_id)
            venues = [each for each in await unit.venues.of(consultation_id) if by.sees(each)]
            if venue_id is not None:
                venues = [each for each in venues if each.id == venue_id]
            if not venues or (venue_id is None and by.bearer.role is not Role.VENUE_OPERATOR):
                raise NotFoundError("no venue to check")
            venue = venues[0]
            invitees = await unit.invitees.of(consultation_id)
            last = await unit.prechecks.of_venue(venue.id, limit=1)
        plates = tuple(each.name for each in invitees if each.venue_id == venue.id and not each.excused)
        return Opening(venue, consultation, plates, last[0] if last else None)

    async def submit(self, consultation_id: str, by: Reader, venue_id: str, sheet: Sheet) -> Precheck:
        """Keep and sign it. bad_request unless it has each item once, invalid_state after the end."""
        require(by.bearer.role, Action.PRECHECK_RUN)
        items = require_whole(sheet.items)
        async with self._rooms.storage.transaction() as unit:
            consultation = await consultation_of(unit, consultation_id)
            if consultation.status in _CLOSED:
                raise ConferenceError("invalid_state", f"status {consultation.status}")
            venue = await self._venue(unit, consultation_id, by, venue_id)
            number = await unit.prechecks.next_number(venue.id)
            if number > MAX_OF_VENUE:
                raise ConferenceError("too_many_prechecks", f"{MAX_OF_VENUE} sheets")
            wall_ms = self._rooms.clock.wall_ms()
            precheck = Precheck(
                id=new_id("pc"),
                consultation_id=consultation_id,
                venue_id=venue.id,
                number=number,
                venue=venue.name,
                by=by.bearer.name,
                device=sheet.device,
                took_ms=sheet.took_ms,
                ended_wall_ms=wall_ms,
                items=items,
            )
            document = precheck.document()
            precheck = replace(precheck, signature=self._signer.sign(document))
            await unit.prechecks.add(precheck)
            content: dict[str, Value] = {
                "venue": venue.id,
                "number": number,
                "verdict": precheck.verdict.value,
                "sha256": _digest(document),
            }
            time_ms = self._rooms.program_time_ms(consultation)
            await unit.audit.append(
                AuditEntry(
                    consultation_id,
                    wall_ms,
                    time_ms,
                    by.bearer.actor,
                    "precheck.submitted",
                    precheck.id,
                    content,
                )
            )
        self._tell(precheck)
        return precheck

    async def newest(self, consultation_id: str, by: Reader) -> list[Precheck]:
        """The last one of each venue that is still on the list, by the position of the venues."""
        require(by.bearer.role, Action.PRECHECK_READ)
        async with self._rooms.storage.reading() as unit:
            venues = [each for each in await unit.venues.of(consultation_id) if by.sees(each)]
            found = {each.venue_id: each for each in await unit.prechecks.newest(consultation_id)}
        return [found[each.id] for each in venues if each.id in found]

    async def of_venue(
        self, consultation_id: str, by: Reader, venue_id: str, *, after: str | None, limit: int
    ) -> list[Precheck]:
        """The history of a venue, newest first; `after`: those before that one."""
        require(by.bearer.role, Action.PRECHECK_READ)
        async with self._rooms.storage.reading() as unit:
            venue = await self._venue(unit, consultation_id, by, venue_id)
            below = None
            if after is not None:
                known = await unit.prechecks.get(after)
                if known is None or known.venue_id != venue.id:
                    return []
                below = known.number
            return await unit.prechecks.of_venue(venue.id, below=below, limit=limit)

    async def get(self, consultation_id: str, by: Reader, venue_id: str, precheck_id: str) -> Precheck:
        """One sheet of a venue."""
        require(by.bearer.role, Action.PRECHECK_READ)
        async with self._rooms.storage.reading() as unit:
            venue = await self._venue(unit, consultation_id, by, venue_id)
            found = await unit.prechecks.get(precheck_id)
        if found is None or found.venue_id != venue.id:
            raise NotFoundError(f"precheck {precheck_id}")
        return found

    async def proof(self, consultation_id: str, by: Reader, venue_id: str, precheck_id: str) -> Proof:
        """Whether the row is what was signed when it was handed in."""
        found = await self.get(consultation_id, by, venue_id, precheck_id)
        document = found.document()
        return Proof(found, self._signer.is_valid(document, found.signature), _digest(document))

    def public_key(self, precheck: Precheck) -> dict[str, str]:
        """By which others can see for themselves."""
        return self._signer.public_key(precheck.document(), precheck.signature)

    @staticmethod
    async def _venue(unit: UnitOfWork, consultation_id: str, by: Reader, venue_id: str) -> Venue:
        venue = await unit.venues.get(venue_id)
        if (
            venue is None
            or venue.consultation_id != consultation_id
            or venue.removed_at_ms is not None
            or not by.sees(venue)
        ):
            raise NotFoundError(f"venue {venue_id}")
        return venue

    def _tell(self, precheck: Precheck) -> None:
        room = self._rooms.find(precheck.consultation_id)
        if room is None or room.closed:
            return
        event = PrecheckUpdated(PrecheckView.of(precheck))
        for desk in room.desks.values():
            if allowed(desk.bearer.role, Action.PRECHECK_READ):
                self._rooms.publisher.send(desk.session_id, event)


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()
