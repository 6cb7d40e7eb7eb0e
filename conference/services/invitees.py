"""Invitees (受邀人): the list of who is expected, and their personal links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.clock import Clock
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.folding import folded_name
from conference.model.ids import new_id
from conference.model.invitee import INVITED_ROLES, Invitee
from conference.model.participant import ParticipantKind
from conference.model.permissions import Action, Role, require
from conference.services.links import LinkKind, Links
from conference.services.ports import Storage, UnitOfWork
from conference.services.preparing import changes_between, preparable
from conference.services.relisting import Relisting
from conference.services.trace import Bearer

MAX_INVITEES: Final = 2_000
EDITABLE: Final = ("name", "title", "sector", "role", "venue_id", "phone", "large_text", "excused")
_PERSONAL: Final = frozenset({"name", "title"})
_SHOWN_IN_ROOM: Final = ("name", "title", "sector", "venue_id")


@dataclass(frozen=True, slots=True)
class InviteeDraft:
    """What is said of somebody new on the list. Empty where nothing is known."""

    name: str
    role: Role = Role.MEMBER
    title: str = ""
    sector: str = ""
    venue_id: str | None = None
    phone: str = ""
    large_text: bool = False
    excused: bool = False

    def invitee(self, consultation_id: str, position: int, links: Links, now_ms: int) -> Invitee:
        """Somebody new at that place of the list, with a first personal link. `now_ms` is UTC."""
        invitee_id = new_id("i")
        return Invitee(
            id=invitee_id,
            consultation_id=consultation_id,
            position=position,
            name=self.name,
            title=self.title,
            sector=self.sector,
            role=self.role,
            venue_id=self.venue_id,
            phone=self.phone,
            large_text=self.large_text,
            excused=self.excused,
            link_revision=1,
            link_hash=links.hash(LinkKind.INVITEE, invitee_id, 1),
            created_at_ms=now_ms,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """An invitee as on the list: with the venue's name, and when it was last connected (UTC ms)."""

    invitee: Invitee
    venue: str | None
    last_seen_ms: int | None


@dataclass(frozen=True, slots=True)
class InviteePage:
    """Some of the list. `next` is the `after` of the following page; `total` counts all that match."""

    items: tuple[Listed, ...]
    next: str | None
    total: int


class Invitees:
    """Every change of an invitee but the import goes through here."""

    def __init__(self, storage: Storage, clock: Clock, links: Links, relisting: Relisting) -> None:
        self._storage = storage
        self._clock = clock
        self._links = links
        self._relisting = relisting

    async def page(
        self, consultation_id: str, *, after: str | None = None, limit: int = 100, query: str = ""
    ) -> InviteePage:
        """By position. `query` is sought in name, title, sector and venue, however it is spelled."""
        async with self._storage.reading() as unit:
            venues = {each.id: each.name for each in await unit.venues.of(consultation_id)}
            invitees = await unit.invitees.of(consultation_id)
            seen = {
                each.invitee_id: each.last_seen_ms
                for each in await unit.participants.of(consultation_id)
                if each.invitee_id is not None and each.kind is ParticipantKind.CLIENT
            }
        wanted = folded_name(query)
        listed = [
            Listed(each, venues.get(each.venue_id or ""), seen.get(each.id))
            for each in invitees
            if not wanted
            or wanted
            in folded_name(f"{each.name}\n{each.title}\n{each.sector}\n{venues.get(each.venue_id or '', '')}")
        ]
        total = len(listed)
        if after is not None:
            ids = [each.invitee.id for each in listed]
            listed = listed[ids.index(after) + 1 :] if after in ids else []
        page = listed[:limit]
        return InviteePage(tuple(page), page[-1].invitee.id if len(listed) > limit else None, total)

    async def listed(self, invitee: Invitee) -> Listed:
        """One invitee as on the list."""
        async with self._storage.reading() as unit:
            venue = None if invitee.venue_id is None else await unit.venues.get(invitee.venue_id)
            was = await unit.participants.same_person(
                invitee.consultation_id, invitee_id=invitee.id, operated_id=None, token_id=""
            )
        return Listed(
            invitee, venue.name if venue is not None else None, was[-1].last_seen_ms if was else None
        )

    def link(self, invitee: Invitee) -> str:
        """The personal link that is good now."""
        return self._links.address(LinkKind.INVITEE, invitee)

    async def add(self, consultation_id: str, by: Bearer, draft: InviteeDraft) -> Invitee:
        """Somebody more at the end of the list; too_many_invitees when it is full."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            await preparable(unit, consultation_id)
            await self._require_sound(unit, consultation_id, draft.role, draft.venue_id)
            if len(await unit.invitees.of(consultation_id)) >= MAX_INVITEES:
                raise ConferenceError("too_many_invitees", f"{MAX_INVITEES} invitees")
            position = await unit.invitees.next_position(consultation_id)
            invitee = draft.invitee(consultation_id, position, self._links, self._clock.wall_ms())
            await self._save(unit, invitee, by, "invitee.added", said_of(invitee))
        return invitee

    async def edit(
        self, consultation_id: str, by: Bearer, invitee_id: str, changes: Mapping[str, Any]
    ) -> Invitee:
        """Fields of EDITABLE; what is not named stays. With another role the link must be opened again."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            before = await self._invitee(unit, consultation_id, invitee_id)
            invitee = replace(before, **{name: changes[name] for name in EDITABLE if name in changes})
            if invitee == before:
                return invitee
            moved_to = invitee.venue_id if invitee.venue_id != before.venue_id else None
            await self._require_sound(unit, consultation_id, invitee.role, moved_to)
            content = changes_between(before, invitee, EDITABLE, _PERSONAL)
            await self._save(unit, invitee, by, "invitee.edited", content)
        if any(getattr(invitee, name) != getattr(before, name) for name in _SHOWN_IN_ROOM):
            await self._relisting.refresh(consultation_id, by.actor, invitee_id=invitee.id)
        return invitee

    async def remove(self, consultation_id: str, by: Bearer, invitee_id: str) -> None:
        """Off the list; the link, and what it opened, is dead."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            invitee = await self._invitee(unit, consultation_id, invitee_id)
            removed = replace(invitee, removed_at_ms=self._clock.wall_ms())
            await self._save(unit, removed, by, "invitee.removed", {"name": Personal(invitee.name)})

    async def new_link(self, consultation_id: str, by: Bearer, invitee_id: str) -> Invitee:
        """Another personal link; the old one, and what it opened, is dead."""
        require(by.role, Action.INVITEE_EDIT)
        async with self._storage.transaction() as unit:
            invitee = await self._invitee(unit, consultation_id, invitee_id)
            invitee = self._links.renewed(LinkKind.INVITEE, invitee)
            content: dict[str, Value] = {"name": Personal(invitee.name), "revision": invitee.link_revision}
            await self._save(unit, invitee, by, "invitee.link", content)
        return invitee

    async def _require_sound(
        self, unit: UnitOfWork, consultation_id: str, role: Role, venue_id: str | None
    ) -> None:
        if role not in INVITED_ROLES:
            raise ConferenceError("bad_request", f"nobody is invited as {role}")
        if venue_id is not None:
            venue = await unit.venues.get(venue_id)
            if venue is None or venue.consultation_id != consultation_id or venue.removed_at_ms is not None:
                raise NotFoundError(f"venue {venue_id}")

    async def _invitee(self, unit: UnitOfWork, consultation_id: str, invitee_id: str) -> Invitee:
        await preparable(unit, consultation_id)
        invitee = await unit.invitees.get(invitee_id)
        if invitee is None or invitee.consultation_id != consultation_id or invitee.removed_at_ms is not None:
            raise NotFoundError(f"invitee {invitee_id}")
        return invitee

    async def _save(
        self, unit: UnitOfWork, invitee: Invitee, by: Bearer, action: str, content: Mapping[str, Value]
    ) -> None:
        await unit.invitees.save([invitee])
        now_ms = self._clock.wall_ms()
        await unit.audit.append(
            AuditEntry(invitee.consultation_id, now_ms, None, by.actor, action, invitee.id, content)
        )


def said_of(invitee: Invitee) -> dict[str, Value]:
    """What the trace holds of somebody who is invited. Telephone numbers are not needed there."""
    return {
        "name": Personal(invitee.name),
        "role": invitee.role.value,
        "venue_id": invitee.venue_id,
        "title": Personal(invitee.title),
        "sector": invitee.sector,
    }
