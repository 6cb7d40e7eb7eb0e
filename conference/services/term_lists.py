"""Lists of terms as they were read last: one that has the same revision is never read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.terms import Term, merged
from conference.services.ports import Storage
from conference.text.terms import TermIndex

_MOST_KEPT: Final = 400_000  # terms of all lists together


@dataclass(frozen=True, slots=True)
class KnownTerms:
    """The list of a body or of a consultation, in the order of its wrong spellings."""

    revision: int
    terms: tuple[Term, ...]
    index: TermIndex


def right_words(lists: Sequence[KnownTerms], most: int) -> tuple[str, ...]:
    """What an engine is to expect, each word once: of a consultation, and then of its body. Call in a thread."""
    own, *more = (each.terms for each in lists)
    return tuple(dict.fromkeys(each.right for each in merged(own, more[0] if more else ())))[:most]


class TermLists:
    """Lists may be long, and are asked for with every sentence: they are read and made ready one after the other,
    outside of every writing transaction, and piece by piece."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: dict[str, KnownTerms] = {}  # what was asked for last stands last
        self._reading = asyncio.Lock()

    async def of(self, owner_id: str) -> KnownTerms:
        """As it is now."""
        async with self._storage.reading() as unit:
            revisions = await unit.terms.revisions([owner_id])
        return await self._at(owner_id, revisions[owner_id])

    async def of_consultation(self, consultation_id: str) -> tuple[KnownTerms, ...]:
        """Its own, and then that of its body, where it has one."""
        async with self._storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
            body_id = None if consultation is None else consultation.organization_id
            owners = [consultation_id] if body_id is None else [consultation_id, body_id]
            revisions = await unit.terms.revisions(owners)
        return tuple([await self._at(each, revisions[each]) for each in owners])

    async def _at(self, owner_id: str, revision: int) -> KnownTerms:
        known = self._known.pop(owner_id, None)
        if known is not None:
            self._known[owner_id] = known
        return known if known is not None and known.revision == revision else await self._read(owner_id)

    async def _read(self, owner_id: str) -> KnownTerms:
        async with self._reading:
            while True:
                async with self._storage.reading() as unit:
                    revision = (await unit.terms.revisions([owner_id]))[owner_id]
                    known = self._known.get(owner_id)
                    if known is not None and known.revision == revision:
                        return known
                    terms = tuple(await unit.terms.of(owner_id))
                    is_whole = (await unit.terms.revisions([owner_id]))[owner_id] == revision
                if is_whole:  # nobody changed it between two pieces
                    return await self._made(owner_id, revision, terms)

    async def _made(self, owner_id: str, revision: int, terms: Sequence[Term]) -> KnownTerms:
        made = KnownTerms(revision, tuple(terms), await asyncio.to_thread(TermIndex, terms))
        self._known.pop(owner_id, None)
        self._known[owner_id] = made
        kept = sum(len(each.terms) for each in self._known.values())
        for oldest in tuple(self._known):
            if kept <= _MOST_KEPT or oldest == owner_id:
                break
            kept -= len(self._known.pop(oldest).terms)
        return made
