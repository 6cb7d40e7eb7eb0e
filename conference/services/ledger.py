"""All cases of a consultation with what belongs to them, as the rows say: read together, and kept for a moment."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

from conference.clock import Clock
from conference.model.agenda import AgendaItem
from conference.model.comment import Comment
from conference.model.consultation import Consultation
from conference.model.department import Department
from conference.model.response import FollowUp, Rating, Response
from conference.services.consultations import consultation_of
from conference.services.ports import Storage, UnitOfWork

_KNOWN_S: Final = 1.0  # what this node wrote is known at once
_MOST_KNOWN: Final = 256


@dataclass(frozen=True, slots=True)
class Ledger:
    """By id where nothing else is said. `items`: of the agenda, by the promotion that they belong to; `ratings` and
    `follow_ups` by case; `rated`: what each device said of each case."""

    consultation: Consultation
    responses: Mapping[str, Response]
    departments: Mapping[str, Department]
    comments: Mapping[str, Comment]
    items: Mapping[str, AgendaItem]
    ratings: Mapping[str, Counter[Rating]]
    rated: Mapping[tuple[str, str], Rating]
    follow_ups: Mapping[str, Sequence[FollowUp]]

    def comment(self, response: Response) -> Comment:
        """What the case is about."""
        return self.comments[response.comment_id]

    def department(self, response: Response) -> Department | None:
        """Who answers, if anybody was asked to."""
        return None if response.department_id is None else self.departments.get(response.department_id)

    def of_group(self, group_id: str) -> Response | None:
        """The newest case about a group, as its comment stands now."""
        found = (each for each in self.responses.values() if self.comment(each).group_id == group_id)
        return max(found, key=lambda each: each.number, default=None)


@dataclass(slots=True, weakref_slot=True, eq=False)
class _Reading:
    """Of one ledger, by one at a time. `is_outdated`: something was written since it began."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_outdated: bool = False


class Ledgers:
    """The ledgers that were asked for lately."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._known: dict[str, tuple[float, Ledger]] = {}
        self._readings: WeakValueDictionary[str, _Reading] = WeakValueDictionary()

    async def get(self, consultation_id: str) -> Ledger:
        """As of the last second, or consultation_not_found."""
        known = self._fresh(consultation_id)
        if known is not None:
            return known
        reading = self._readings.get(consultation_id)
        if reading is None:
            reading = self._readings[consultation_id] = _Reading()
        async with reading.lock:
            known = self._fresh(consultation_id)
            if known is not None:  # read while we waited
                return known
            reading.is_outdated = False
            now_s = self._clock.monotonic()
            async with self._storage.reading() as unit:
                ledger = await ledger_of(unit, consultation_id)
            if not reading.is_outdated:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[consultation_id] = now_s, ledger
            return ledger

    def _fresh(self, consultation_id: str) -> Ledger | None:
        known = self._known.get(consultation_id)
        if known is None or self._clock.monotonic() - known[0] >= _KNOWN_S:
            return None
        return known[1]

    def forget(self, consultation_id: str) -> None:
        """Something was written, and committed: what was read before counts no more, nor what is being read."""
        self._known.pop(consultation_id, None)
        reading = self._readings.get(consultation_id)
        if reading is not None:
            reading.is_outdated = True


async def ledger_of(unit: UnitOfWork, consultation_id: str) -> Ledger:
    """Read it in this transaction."""
    responses = await unit.responses.of(consultation_id)
    comments = await unit.comments.named([each.comment_id for each in responses])
    rated = {
        (each.response_id, each.device_hash): each.rating
        for each in await unit.responses.ratings(consultation_id)
    }
    ratings: defaultdict[str, Counter[Rating]] = defaultdict(Counter)
    for (response_id, _), rating in rated.items():
        ratings[response_id][rating] += 1
    follow_ups: defaultdict[str, list[FollowUp]] = defaultdict(list)
    for each in await unit.responses.follow_ups(consultation_id):
        follow_ups[each.response_id].append(each)
    agenda = {item.id: item for item in (await unit.agenda.get(consultation_id)).items}
    promotions = await unit.promotions.of(consultation_id)
    return Ledger(
        consultation=await consultation_of(unit, consultation_id),
        responses={each.id: each for each in responses},
        departments={each.id: each for each in await unit.departments.of(consultation_id)},
        comments={each.id: each for each in comments},
        items={each.id: agenda[each.item_id] for each in promotions if each.item_id in agenda},
        ratings=dict(ratings),
        rated=rated,
        follow_ups=dict(follow_ups),
    )
