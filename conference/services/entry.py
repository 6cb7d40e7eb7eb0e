"""Somebody at the door of a room: what they show, and who they are by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from conference.model.admission import must_wait
from conference.model.consultation import Consultation
from conference.model.floor import gate_without_floor
from conference.model.ids import hash_secret, new_id
from conference.model.participant import Device, EntryMeans, Participant, ParticipantKind
from conference.model.permissions import Action, Role, allowed
from conference.services.ports import UnitOfWork
from conference.services.warrants import Warrant


@dataclass(frozen=True, slots=True)
class Resume:
    """The claim to be a participant who was here before."""

    participant_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody at the door, with a token that was checked. `token_expired`: good for coming back only.

    `invitee_id` and `venue_id` say whom and what the token was given out for, `in_hall` that a hall's code was
    used. `take_over`: this device shall stay, and the one that is connected go.
    """

    consultation_id: str
    role: Role
    name: str
    venue: str | None
    token_id: str
    token_expired: bool = False
    device: Device | None = None
    resume: Resume | None = None
    entered_by: EntryMeans = EntryMeans.TOKEN
    invitee_id: str | None = None
    venue_id: str | None = None
    in_hall: bool = False
    warrant: Warrant | None = None
    take_over: bool = False
    title: str | None = None
    sector: str | None = None

    @property
    def is_listed(self) -> bool:
        """Whether venues or invitees say something of it."""
        return self.invitee_id is not None or self.venue_id is not None

    @property
    def user_id(self) -> str | None:
        """Whose account it is, of staff who logged in."""
        return None if self.warrant is None else self.warrant.user_id

    @property
    def may_take_over(self) -> bool:
        """Asked for it, and holds the personal link: a hall's code and a name are no proof of being somebody."""
        return self.take_over and self.entered_by is EntryMeans.INVITE

    async def identified(self, unit: UnitOfWork) -> Entry:
        """With what is on the list now of the invitee and the venue, whatever the token says."""
        return await relisted(unit, self)

    async def before(self, unit: UnitOfWork) -> list[Participant]:
        """The participants that this person was in the consultation."""
        return await _before(unit, self)

    def newcomer(
        self,
        consultation: Consultation,
        kind: ParticipantKind,
        secret: str,
        *,
        now_ms: int,
        joined_at_ms: int,
    ) -> Participant:
        """What somebody becomes who was not here before. `secret` is good for resuming."""
        speaks = allowed(self.role, Action.MEDIA_PUBLISH)
        opens = consultation.microphone_on_join or kind.is_encoder
        return Participant(
            id=new_id("p"),
            consultation_id=consultation.id,
            name=self.name,
            role=self.role,
            venue=self.venue,
            kind=kind,
            device=self.device,
            token_id=self.token_id,
            resume_hash=hash_secret(secret),
            joined_at_ms=joined_at_ms,
            last_seen_ms=now_ms,
            microphone_on=speaks and opens and not self.in_hall,
            camera_on=speaks,
            floor_gate=gate_without_floor(self.role, consultation.mode),
            invitee_id=self.invitee_id,
            venue_id=self.venue_id,
            title=self.title,
            sector=self.sector,
            entered_by=self.entered_by,
            in_hall=self.in_hall,
            user_id=self.user_id,
        )

    def taken_by(self, before: Participant, consultation: Consultation, secret: str) -> Participant:
        """The same participant by this door and on this device; mutes stay."""
        gate = gate_without_floor(self.role, consultation.mode)
        return replace(
            before,
            name=self.name,
            role=self.role,
            venue=self.venue,
            device=self.device,
            token_id=self.token_id,
            resume_hash=hash_secret(secret),
            microphone_on=before.microphone_on and not self.in_hall,
            floor_gate=before.floor_gate if before.holds_floor else gate,
            venue_id=self.venue_id,
            title=self.title,
            sector=self.sector,
            entered_by=self.entered_by,
            in_hall=self.in_hall,
        )

    def waits(self, consultation: Consultation, before: list[Participant]) -> bool:
        """Whether the waiting room comes first."""
        return _waits(self, consultation, before)


async def goes_on_waiting(unit: UnitOfWork, consultation: Consultation, waiting: Participant) -> bool:
    """Whether somebody before the door has to wait there by what the consultation says now."""
    return _waits(waiting, consultation, await _before(unit, waiting))


async def _before(unit: UnitOfWork, guest: Entry | Participant) -> list[Participant]:
    return await unit.participants.same_person(
        guest.consultation_id,
        invitee_id=guest.invitee_id,
        operated_id=guest.venue_id if guest.entered_by is EntryMeans.OPERATOR else None,
        token_id=guest.token_id,
        user_id=guest.user_id,
    )


def _waits(guest: Entry | Participant, consultation: Consultation, before: list[Participant]) -> bool:
    if guest.entered_by is EntryMeans.SCREEN:
        return False  # nobody stands before a screen to be asked who they are
    return must_wait(
        consultation,
        guest.role,
        is_stranger=guest.entered_by is EntryMeans.CODE and guest.invitee_id is None,
        before=before,
        is_staff=guest.user_id is not None,
    )


_Guest = TypeVar("_Guest", Entry, Participant)


async def relisted(unit: UnitOfWork, guest: _Guest) -> _Guest:
    """With name, title, sector and venue as the list has them now."""
    invitee = None if guest.invitee_id is None else await unit.invitees.get(guest.invitee_id)
    if invitee is not None:
        guest = replace(
            guest,
            name=invitee.name,
            title=invitee.title or None,
            sector=invitee.sector or None,
            venue_id=invitee.venue_id,
            venue=None,
        )
    venue = None if guest.venue_id is None else await unit.venues.get(guest.venue_id)
    return guest if venue is None else replace(guest, venue=venue.name)
