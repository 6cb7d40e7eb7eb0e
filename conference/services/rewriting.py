"""What the terms of a consultation and of its body make of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from conference.clock import Clock
from conference.model.consultation import Consultation
from conference.model.terms import Term, merged
from conference.model.transcript_edit import Rewrite
from conference.services.ports import UnitOfWork

_KNOWN_S: Final = 5.0  # how late a changed list is felt by what is being said
_MOST_KNOWN: Final = 64


@dataclass(frozen=True, slots=True)
class _Known:
    read_at_s: float
    terms: tuple[Term, ...]
    rewrite: Rewrite


class TermRewriter:
    """Keeps lists as they were read a moment ago: they may be long, and are asked for with every sentence."""

    def __init__(self, clock: Clock, made: Callable[[Sequence[Term]], Rewrite]) -> None:
        """`made` puts a list to work."""
        self._clock = clock
        self._made = made
        self._known: dict[str, _Known] = {}
        self._changes = 0  # of lists, by this server

    def forget(self) -> None:
        """A list was changed here: the next sentence follows it."""
        self._changes += 1
        self._known.clear()

    async def __call__(self, unit: UnitOfWork, consultation: Consultation) -> Rewrite:
        """The consultation's own terms stand above those of its body."""
        known, now_s = self._known.get(consultation.id), self._clock.monotonic()
        if known is not None and now_s - known.read_at_s < _KNOWN_S:
            return known.rewrite
        body_id, changes = consultation.organization_id, self._changes
        terms = merged(
            await unit.terms.of(consultation.id), [] if body_id is None else await unit.terms.of(body_id)
        )
        is_same = known is not None and known.terms == terms
        rewrite = known.rewrite if known is not None and is_same else self._made(terms)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        if changes == self._changes:  # no list was changed while it was read
            self._known[consultation.id] = _Known(now_s, terms, rewrite)
        return rewrite
