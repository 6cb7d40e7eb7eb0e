"""Venues (会场): making them ready, their operators' links and the entry codes of their halls."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.clock import Clock
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.model.venue import Venue, VenueKind
from conference.services.links import LinkKind, Links
from conference.services.ports import Storage, UnitOfWork
from conference.services.preparing import changes_between, preparable
from conference.services.relisting import Relisting
from conference.services.trace import Bearer

MAX_VENUES: Final = 200
EDITABLE: Final = ("name", "kind", "place", "operator_name", "operator_phone")
_PERSONAL: Final = frozenset({"operator_name"})
_CODE_DIGITS: Final = 6
_DISTINCT_DIGITS: Final = 4  # 111111 and the like are what people try first


@dataclass(frozen=True, slots=True)
class VenueDraft:
    """What is said of a new venue. Empty where nothing is known."""

    name: str
    kind: VenueKind
    place: str = ""
    operator_name: str = ""
    operator_phone: str = ""


class Venues:
    """Every change of a venue goes through here."""

    def __init__(self, storage: Storage, clock: Clock, links: Links, relisting: Relisting) -> None:
        self._storage = storage
        self._clock = clock
        self._links = links
        self._relisting = relisting

    async def list(self, consultation_id: str) -> list[Venue]:
        """By position, without those that were removed."""
        async with self._storage.reading() as unit:
            return await unit.venues.of(consultation_id)

    def link(self, venue: Venue) -> str:
        """The operator's link that is good now."""
        return self._links.address(LinkKind.VENUE, venue)

    async def add(self, consultation_id: str, by: Bearer, draft: VenueDraft) -> Venue:
        """A new one behind the others, with a link and without an entry code."""
        require(by.role, Action.VENUE_EDIT)
        venue_id = new_id("v")
        async with self._storage.transaction() as unit:
            await preparable(unit, consultation_id)
            if len(await unit.venues.of(consultation_id)) >= MAX_VENUES:
                raise ConferenceError("too_large", f"{MAX_VENUES} venues")
            venue = Venue(
                id=venue_id,
                consultation_id=consultation_id,
                position=await unit.venues.next_position(consultation_id),
                name=draft.name,
                kind=draft.kind,
                place=draft.place,
                operator_name=draft.operator_name,
                operator_phone=draft.operator_phone,
                entry_code=None,
                link_revision=1,
                link_hash=self._links.hash(LinkKind.VENUE, venue_id, 1),
                created_at_ms=self._clock.wall_ms(),
            )
            content: dict[str, Value] = {"name": venue.name, "kind": venue.kind.value, "place": venue.place}
            if venue.operator_name:
                content["operator_name"] = Personal(venue.operator_name)
            await self._save(unit, venue, by, "venue.added", content)
        return venue

    async def edit(
        self, consultation_id: str, by: Bearer, venue_id: str, changes: Mapping[str, Any]
    ) -> Venue:
        """Fields of EDITABLE; what is not named stays. Those who sit there are shown with the new name at once."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            before = await self._venue(unit, consultation_id, venue_id)
            venue = replace(before, **{name: changes[name] for name in EDITABLE if name in changes})
            if venue == before:
                return venue
            content = changes_between(before, venue, EDITABLE, _PERSONAL)
            await self._save(unit, venue, by, "venue.edited", content)
        if venue.name != before.name:
            await self._relisting.refresh(consultation_id, by.actor, venue_id=venue.id)
        return venue

    async def remove(self, consultation_id: str, by: Bearer, venue_id: str) -> None:
        """Link and code are dead and its cameras gone; venue_in_use while invitees are to sit there."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            venue = await self._venue(unit, consultation_id, venue_id)
            seated = [each for each in await unit.invitees.of(consultation_id) if each.venue_id == venue_id]
            if seated:
                raise ConferenceError("venue_in_use", f"{len(seated)} invitees", count=len(seated))
            removed = replace(venue, entry_code=None, removed_at_ms=self._clock.wall_ms())
            cameras = [each for each in await unit.cameras.of(consultation_id) if each.venue_id == venue_id]
            await unit.cameras.save([each.retired(self._clock.wall_ms()) for each in cameras])
            await self._save(unit, removed, by, "venue.removed", {"name": venue.name})

    async def new_link(self, consultation_id: str, by: Bearer, venue_id: str) -> Venue:
        """Another link for the operator; the old one, and what it opened, is dead."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            venue = self._links.renewed(LinkKind.VENUE, await self._venue(unit, consultation_id, venue_id))
            await self._save(unit, venue, by, "venue.link", {"revision": venue.link_revision})
        return venue

    async def new_code(self, consultation_id: str, by: Bearer, venue_id: str) -> Venue:
        """Another entry code; who came in by the old one stays."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            venue = await self._venue(unit, consultation_id, venue_id)
            code = _new_code()
            while await unit.venues.by_code(code) is not None:
                code = _new_code()
            venue = replace(venue, entry_code=code)
            await self._save(unit, venue, by, "venue.code", {"valid": True})
        return venue

    async def no_code(self, consultation_id: str, by: Bearer, venue_id: str) -> None:
        """Nobody comes in by a code any more. Repeating it is harmless."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            venue = await self._venue(unit, consultation_id, venue_id)
            if venue.entry_code is not None:
                await self._save(unit, replace(venue, entry_code=None), by, "venue.code", {"valid": False})

    async def _venue(self, unit: UnitOfWork, consultation_id: str, venue_id: str) -> Venue:
        await preparable(unit, consultation_id)
        venue = await unit.venues.get(venue_id)
        if venue is None or venue.consultation_id != consultation_id or venue.removed_at_ms is not None:
            raise NotFoundError(f"venue {venue_id}")
        return venue

    async def _save(
        self, unit: UnitOfWork, venue: Venue, by: Bearer, action: str, content: Mapping[str, Value]
    ) -> None:
        await unit.venues.save([venue])
        now_ms = self._clock.wall_ms()
        await unit.audit.append(
            AuditEntry(venue.consultation_id, now_ms, None, by.actor, action, venue.id, content)
        )


def _new_code() -> str:
    while True:
        code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
        if len(set(code)) >= _DISTINCT_DIGITS:
            return code
