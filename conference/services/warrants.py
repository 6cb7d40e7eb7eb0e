"""What a token stands on: when that is gone, it opens nothing any more, and what it opened is closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from conference.model.invitee import Invitee
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.model.venue import Venue
from conference.services.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Warrant:
    """The token itself, and the link or the account that it was given out for."""

    token_id: str
    role: Role
    via: EntryMeans = EntryMeans.TOKEN
    invitee_id: str | None = None
    venue_id: str | None = None
    link_revision: int | None = None
    user_id: str | None = None
    key_id: str | None = None  # the key that signed it


async def void_among(unit: UnitOfWork, warrants: Collection[Warrant]) -> set[Warrant]:
    """Those that hold no longer."""
    revoked = await unit.revocations.among({each.token_id for each in warrants})
    void = {each for each in warrants if each.token_id in revoked}
    return void | await _without_user(unit, warrants) | await _without_link(unit, warrants)


async def _without_link(unit: UnitOfWork, warrants: Collection[Warrant]) -> set[Warrant]:
    """Those of invitees or venues that are gone, that have a newer link, or of invitees with another role now.

    A hall's code is no link: a newer one voids nobody who came in by the old.
    """
    invitee_ids = {each.invitee_id for each in warrants if each.invitee_id is not None}
    venue_ids = {each.venue_id for each in warrants if each.venue_id is not None}
    invitees = {each.id: each for each in await unit.invitees.among(invitee_ids)} if invitee_ids else {}
    venues = {each.id: each for each in await unit.venues.among(venue_ids)} if venue_ids else {}
    return {each for each in warrants if _lacks_invitee(each, invitees) or _lacks_venue(each, venues)}


def _lacks_invitee(warrant: Warrant, invitees: Mapping[str, Invitee]) -> bool:
    if warrant.invitee_id is None:
        return False
    invitee = invitees.get(warrant.invitee_id)
    if invitee is None or invitee.removed_at_ms is not None or invitee.role is not warrant.role:
        return True
    return warrant.via is EntryMeans.INVITE and invitee.link_revision != warrant.link_revision


def _lacks_venue(warrant: Warrant, venues: Mapping[str, Venue]) -> bool:
    if warrant.venue_id is None or warrant.via is EntryMeans.INVITE:
        return False
    venue = venues.get(warrant.venue_id)
    if venue is None or venue.removed_at_ms is not None:
        return True
    by_link = warrant.via in (EntryMeans.OPERATOR, EntryMeans.SCREEN)
    return by_link and venue.link_revision != warrant.link_revision


async def _without_user(unit: UnitOfWork, warrants: Collection[Warrant]) -> set[Warrant]:
    """Those of accounts that were disabled, or that have another role now."""
    users = {
        user_id: await unit.users.get(user_id)
        for user_id in {each.user_id for each in warrants if each.user_id is not None}
    }
    void = set()
    for each in warrants:
        if each.user_id is None:
            continue
        user = users[each.user_id]
        if user is None or user.disabled_at_ms is not None or user.role is not each.role:
            void.add(each)
    return void
