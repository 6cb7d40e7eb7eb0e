"""Coming in by a personal or an operator's link: looking changes nothing, entering gives a token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conference.clock import Clock
from conference.model.audit import Actor, ActorKind, AuditEntry
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.ids import hash_secret
from conference.model.invitee import Invitee
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.model.venue import Venue
from conference.services.links import LinkKind, Links
from conference.services.ports import Storage, UnitOfWork


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token is to say of somebody who comes by a link or a code."""

    consultation_id: str
    role: Role
    name: str
    venue: str | None
    via: EntryMeans
    invitee_id: str | None
    venue_id: str | None
    link_revision: int | None = None
    in_hall: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was given out. Expiry is UTC ms."""

    token: str
    token_id: str
    consultation_id: str
    expires_at_ms: int


Issue = Callable[[Pass], Issued]


@dataclass(frozen=True, slots=True)
class Linked:
    """Whom a link is for, and where it leads."""

    consultation: Consultation
    venue: Venue | None
    invitee: Invitee | None  # None: the link of the venue's operator

    @property
    def kind(self) -> LinkKind:
        return LinkKind.VENUE if self.invitee is None else LinkKind.INVITEE

    def pass_(self) -> Pass:
        """What the token will say."""
        venue, invitee = self.venue, self.invitee
        if invitee is not None:
            return Pass(
                consultation_id=self.consultation.id,
                role=invitee.role,
                name=invitee.name,
                venue=None if venue is None else venue.name,
                via=EntryMeans.INVITE,
                invitee_id=invitee.id,
                venue_id=invitee.venue_id,
                link_revision=invitee.link_revision,
            )
        assert venue is not None, "a link is an invitee's or a venue's"
        return Pass(
            consultation_id=self.consultation.id,
            role=Role.VENUE_OPERATOR,
            name=venue.operator_name or venue.name,
            venue=venue.name,
            via=EntryMeans.OPERATOR,
            invitee_id=None,
            venue_id=venue.id,
            link_revision=venue.link_revision,
        )


class Entrances:
    """Links. Whoever has one is let look; it is used when somebody enters."""

    def __init__(self, storage: Storage, clock: Clock, links: Links, issue: Issue) -> None:
        self._storage = storage
        self._clock = clock
        self._links = links
        self._issue = issue

    async def look(self, code: str) -> Linked:
        """What a link opens; link_invalid when it is none, or not any more."""
        async with self._storage.reading() as unit:
            return await self._linked(unit, code)

    async def enter(self, code: str) -> Issued:
        """A token for the bearer of the link, while the consultation may be entered."""
        return await self._issued(code, Consultation.require_open)

    async def look_back(self, code: str) -> Issued:
        """A token for the bearer of the link when it is over: no room opens for it. invalid_state before the end."""
        return await self._issued(code, Consultation.require_over)

    async def _issued(self, code: str, require: Callable[[Consultation], None]) -> Issued:
        async with self._storage.transaction() as unit:
            linked = await self._linked(unit, code)
            require(linked.consultation)
            given = linked.pass_()
            issued = self._issue(given)
            await unit.audit.append(entered(given, issued, "link.used", self._clock.wall_ms()))
        return issued

    async def _linked(self, unit: UnitOfWork, code: str) -> Linked:
        link_hash = hash_secret(code)
        invitee = await unit.invitees.by_link(link_hash)
        if invitee is not None:
            venue = None if invitee.venue_id is None else await unit.venues.get(invitee.venue_id)
            is_void = self._links.is_void(LinkKind.INVITEE, invitee)
        else:
            venue = await unit.venues.by_link(link_hash)
            is_void = venue is not None and self._links.is_void(LinkKind.VENUE, venue)
        owner = None if is_void else invitee or venue
        consultation = None if owner is None else await unit.consultations.get(owner.consultation_id)
        if consultation is None:
            raise ConferenceError("link_invalid")
        return Linked(consultation, venue, invitee)


def entered(given: Pass, issued: Issued, action: str, now_ms: int) -> AuditEntry:
    """The line of the trace about a token that was given out at the door."""
    actor = Actor(ActorKind.TOKEN, issued.token_id, given.role.value, given.name)
    subject = given.invitee_id or given.venue_id
    content = {"venue_id": given.venue_id, "invitee_id": given.invitee_id, "revision": given.link_revision}
    return AuditEntry(given.consultation_id, now_ms, None, actor, action, subject, content)
