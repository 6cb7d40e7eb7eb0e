"""Venues and invitees as JSON: what comes in, checked, and what leaves."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conference.model.errors import ConferenceError
from conference.model.folding import PhoneFault, masked, phone_of, tidied, tidied_name
from conference.model.ids import ID_PATTERN
from conference.model.invitee import INVITED_ROLES
from conference.model.permissions import Action, Role, allowed
from conference.model.venue import Venue, VenueKind
from conference.services.invitees import Invitees, Listed
from conference.services.screen_links import ScreenLinks
from conference.services.venues import Venues
from signaling.http.resources import Resource

MAX_NAME_CHARS: Final = 100
_NULLABLE: Final = frozenset({"venue_id"})


def _phone(text: str) -> str:
    """Digits alone; a number of no mobile telephone is taken as it is meant."""
    phone = phone_of(text)
    if phone.fault in (PhoneFault.LETTERS, PhoneFault.SEVERAL):
        raise ValueError("not a telephone number")
    return phone.digits


def filled(text: str) -> str:
    """The text, which must not be empty."""
    if not text:
        raise ValueError("empty")
    return text


def _invited(role: Role) -> Role:
    if role not in INVITED_ROLES:
        raise ValueError("nobody is invited in this role")
    return role


Name = Annotated[str, Field(max_length=MAX_NAME_CHARS), AfterValidator(tidied_name), AfterValidator(filled)]
VenueName = Annotated[str, Field(max_length=100), AfterValidator(tidied), AfterValidator(filled)]
Short = Annotated[str, Field(max_length=100), AfterValidator(tidied)]
Long = Annotated[str, Field(max_length=200), AfterValidator(tidied)]
Phone = Annotated[str, Field(max_length=32), AfterValidator(_phone)]
Invited = Annotated[Role, AfterValidator(_invited)]
VenueId = Annotated[str, Field(pattern=ID_PATTERN)]


class _Changes(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="ignore")

    def said(self) -> dict[str, Any]:
        """The fields that were given; bad_request when one is null that must not be."""
        given = self.model_dump(exclude_unset=True)
        for name, value in given.items():
            if value is None and name not in _NULLABLE:
                raise ConferenceError("bad_request", f"{name} is null")
        return given


class VenueChanges(_Changes):
    name: VenueName | None = None
    kind: VenueKind | None = None
    place: Long | None = None
    operator_name: Long | None = None
    operator_phone: Phone | None = None


class VenueBody(BaseModel):
    name: VenueName
    kind: VenueKind
    place: Long = ""
    operator_name: Long = ""
    operator_phone: Phone = ""


class InviteeChanges(_Changes):
    name: Name | None = None
    title: Long | None = None
    sector: Short | None = None
    role: Invited | None = None
    venue_id: VenueId | None = None
    phone: Phone | None = None
    large_text: bool | None = None
    excused: bool | None = None


class InviteeBody(BaseModel):
    name: Name
    title: Long = ""
    sector: Short = ""
    role: Invited = Role.MEMBER
    venue_id: VenueId | None = None
    phone: Phone = ""
    large_text: bool = False
    excused: bool = False


class VenueResource(Resource):
    """A place of the consultation. Telephone, code and links only for those who may see them."""

    id: str
    position: int
    name: str
    kind: VenueKind
    place: str
    operator_name: str
    operator_phone: str | None
    entry_code: str | None
    link: str | None
    screen_link: str | None

    @classmethod
    def of(cls, venue: Venue, venues: Venues, screens: ScreenLinks, role: Role) -> VenueResource:
        sees_links = allowed(role, Action.LINK_READ)
        return cls(
            id=venue.id,
            position=venue.position,
            name=venue.name,
            kind=venue.kind,
            place=venue.place,
            operator_name=venue.operator_name,
            operator_phone=venue.operator_phone if allowed(role, Action.VENUE_EDIT) else None,
            entry_code=venue.entry_code if sees_links else None,
            link=venues.link(venue) if sees_links else None,
            screen_link=screens.address(venue) if sees_links else None,
        )


class VenueList(Resource):
    """By position."""

    items: list[VenueResource]


class InviteeResource(Resource):
    """Somebody who is expected. The telephone is masked for those who may not edit."""

    id: str
    position: int
    name: str
    title: str
    sector: str
    role: Role
    venue_id: str | None
    venue: str | None
    phone: str
    large_text: bool
    excused: bool
    link: str | None
    last_seen_ms: int | None

    @classmethod
    def of(cls, listed: Listed, invitees: Invitees, role: Role) -> InviteeResource:
        invitee = listed.invitee
        return cls(
            id=invitee.id,
            position=invitee.position,
            name=invitee.name,
            title=invitee.title,
            sector=invitee.sector,
            role=invitee.role,
            venue_id=invitee.venue_id,
            venue=listed.venue,
            phone=invitee.phone if allowed(role, Action.INVITEE_EDIT) else masked(invitee.phone),
            large_text=invitee.large_text,
            excused=invitee.excused,
            link=invitees.link(invitee) if allowed(role, Action.LINK_READ) else None,
            last_seen_ms=listed.last_seen_ms,
        )


class InviteeList(Resource):
    """A page of the list; `next` is the `after` of the next page, `total` counts all that match."""

    items: list[InviteeResource]
    next: str | None
    total: int
