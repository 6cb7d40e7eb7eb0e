"""Coming in by the entry code of a hall: six digits, so guessing is slowed down three times over."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Final

from conference.clock import Clock
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.folding import folded_name
from conference.model.invitee import Invitee
from conference.model.limit import Limit
from conference.model.participant import EntryMeans
from conference.model.permissions import Action, Role, allowed
from conference.model.venue import Venue
from conference.services.entrances import Issue, Issued, Pass, entered
from conference.services.ports import RateLimits, Storage, UnitOfWork

PER_DEVICE: Final = Limit("entry-code-device", 5, 60.0)
PER_ADDRESS: Final = Limit("entry-code-address", 20, 60.0)
PER_NODE: Final = Limit("entry-code-node", 100, 60.0)  # whoever has many addresses
_ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody with a code. `device`: what the browser calls itself, `address`: where it is."""

    code: str
    device: str
    address: str


class EntryCodes:
    """Only wrong codes count, so that a whole hall behind one address comes in at once."""

    def __init__(self, storage: Storage, clock: Clock, issue: Issue, limits: RateLimits) -> None:
        self._storage = storage
        self._clock = clock
        self._issue = issue
        self._limits = limits
        # So that guesses at the same time are counted before the next is read.
        self._one_by_one = asyncio.Lock()

    async def check(self, knock: Knock) -> tuple[Consultation, Venue]:
        """The hall that the code opens; code_wrong with `attempts_left`, code_locked with `retry_after_s`."""
        async with self._one_by_one:
            await self._require_unlocked(knock)
            async with self._storage.reading() as unit:
                venue = await unit.venues.by_code(knock.code)
                consultation = None if venue is None else await unit.consultations.get(venue.consultation_id)
            if venue is None or consultation is None:
                raise await self._wrong(knock)
        consultation.require_open()
        return consultation, venue

    async def enter(self, knock: Knock, name: str) -> tuple[Issued, bool]:
        """A token, and whether the name is on the hall's list.

        Who is found on it is that invitee. Roles that lead are not found: a name and a code that hangs on the
        wall are no proof of being the chair.
        """
        consultation, venue = await self.check(knock)
        async with self._storage.transaction() as unit:
            invitee = await _found(unit, venue, name)
            given = Pass(
                consultation_id=consultation.id,
                role=Role.MEMBER if invitee is None else invitee.role,
                name=name if invitee is None else invitee.name,
                venue=venue.name,
                via=EntryMeans.CODE,
                invitee_id=None if invitee is None else invitee.id,
                venue_id=venue.id,
                in_hall=True,
            )
            issued = self._issue(given)
            await unit.audit.append(entered(given, issued, "code.used", self._clock.wall_ms()))
        return issued, invitee is not None

    async def _require_unlocked(self, knock: Knock) -> None:
        for limit, key in self._keys(knock):
            if not await self._limits.remaining(limit, key):
                wait_s = await self._limits.hit(limit, key)  # refused hits do not count
                raise ConferenceError("code_locked", limit.name, retry_after_s=math.ceil(wait_s) or 1)

    async def _wrong(self, knock: Knock) -> ConferenceError:
        for limit, key in self._keys(knock):
            await self._limits.hit(limit, key)
        left = [await self._limits.remaining(limit, key) for limit, key in self._keys(knock)]
        return ConferenceError("code_wrong", attempts_left=min(left))

    @staticmethod
    def _keys(knock: Knock) -> tuple[tuple[Limit, str], ...]:
        return (PER_DEVICE, knock.device), (PER_ADDRESS, knock.address), (PER_NODE, _ALL)


async def _found(unit: UnitOfWork, venue: Venue, name: str) -> Invitee | None:
    """The only one in this hall with that name."""
    wanted = folded_name(name)
    same = [
        each
        for each in await unit.invitees.of(venue.consultation_id)
        if each.venue_id == venue.id and folded_name(each.name) == wanted
    ]
    if len(same) != 1 or allowed(same[0].role, Action.DESK_JOIN):
        return None
    return same[0]
