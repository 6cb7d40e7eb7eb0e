"""What a token stands on: when that is gone, it opens nothing any more, and what it opened is closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from conference.model.participant import EntryMeans
from conference.model.permissions import Role
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


async def void_among(unit: UnitOfWork, warrants: Collection[Warrant]) -> set[Warrant]:
    """Those that hold no longer."""
    revoked = await unit.revocations.among({each.token_id for each in warrants})
    void = {each for each in warrants if each.token_id in revoked}
    return void | await _without_user(unit, warrants)


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
