"""Lists of terms (词表): of a body and of a consultation. A changed list renders anew what nobody corrected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conference.model.audit import STAFF_CHAIN, AuditEntry, Personal, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, require
from conference.model.terms import Term, checked
from conference.model.transcript import RevisionKind, TranscriptSegment
from conference.model.transcript_edit import Rewrite, followed
from conference.model.transcript_place import Place
from conference.services.consultations import consultation_of
from conference.services.ports import UnitOfWork
from conference.services.preparing import preparable
from conference.services.rewriting import TermRewriter
from conference.services.rooms import Rooms
from conference.services.term_lists import KnownTerms, TermLists
from conference.services.trace import Bearer
from conference.services.transcript_changes import TranscriptChange
from conference.services.transcript_news import TranscriptNews

_AT_ONCE: Final = 100  # segments of one transaction
_TRIES: Final = 5  # while others change the same list
_NAMED: Final = 500  # terms that a line names; with more it counts
_DAY_MS: Final = 86_400_000
_STILL_WORKED_ON_DAYS: Final = 30  # after the end: a body's list changes nothing that is older
_MOST_CONSULTATIONS: Final = 1_000


@dataclass(frozen=True, slots=True)
class AddedTerms:
    """A list after others were put into it. `added`: new ones; `changed`: those that were written otherwise."""

    terms: tuple[Term, ...]
    revision: int
    added: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Change:
    """What becomes of a list, made in a thread: it may be long."""

    terms: tuple[Term, ...]
    gone: frozenset[Term]
    new: frozenset[Term]
    added: int = 0
    changed: int = 0


_Changing = Callable[[Sequence[Term]], _Change]
_Guard = Callable[[UnitOfWork], Awaitable[Consultation | None]]


@dataclass(slots=True)
class _Waiting:
    """A transcript that is to be rendered anew. `after`: up to which segment it was done."""

    by: Bearer
    after: Place | None = None


class Terms:
    """Lists are small enough to be written as a whole; transcripts follow a little later, some hundred segments at a
    time. Writing a list once more renders once more: so a server that was killed meanwhile loses nothing."""

    def __init__(self, rooms: Rooms, lists: TermLists, news: TranscriptNews) -> None:
        self._rooms = rooms
        self._storage = rooms.storage
        self._lists = lists
        self._rewriter = TermRewriter(lists)
        self._news = news
        self._waiting: dict[str, _Waiting] = {}  # by consultation

    # ── of a consultation ───────────────────────────────────────────────────────────────────────

    async def get(self, consultation_id: str, by: Bearer) -> KnownTerms:
        """Its own, in the order of their wrong spelling."""
        require(by.role, Action.TRANSCRIPT_READ)
        return await self._lists.of(consultation_id)

    async def put(
        self, consultation_id: str, by: Bearer, terms: Iterable[Term], seen: int | None = None
    ) -> AddedTerms:
        """The whole list, instead of the one with the revision `seen`. bad_request, too_many_words; edit_conflict when
        somebody changed it since; invalid_state when the consultation is sealed."""
        return await self._of_consultation(consultation_id, by, await _instead(terms), seen)

    async def add(self, consultation_id: str, by: Bearer, terms: Sequence[Term]) -> AddedTerms:
        """Beside those that are there; what is written otherwise is as it is now."""
        return await self._of_consultation(consultation_id, by, _beside(terms), None)

    async def _of_consultation(
        self, consultation_id: str, by: Bearer, changing: _Changing, seen: int | None
    ) -> AddedTerms:
        require(by.role, Action.TRANSCRIPT_EDIT)
        self._rooms.require_here(consultation_id)
        found = await self._change(
            consultation_id, by, changing, seen, lambda unit: preparable(unit, consultation_id)
        )
        self._render_anew([consultation_id], by)
        return found

    # ── of a body ───────────────────────────────────────────────────────────────────────────────

    async def of_body(self, organization_id: str, by: Bearer) -> KnownTerms:
        """Those of an organization, which the caller may see."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            await _organization(unit, organization_id)
        return await self._lists.of(organization_id)

    async def put_of_body(
        self, organization_id: str, by: Bearer, terms: Iterable[Term], seen: int | None = None
    ) -> AddedTerms:
        """The whole list, as for a consultation. Those that are live, or ended in the last thirty days, follow."""
        return await self._of_body(organization_id, by, await _instead(terms), seen)

    async def add_to_body(self, organization_id: str, by: Bearer, terms: Sequence[Term]) -> AddedTerms:
        """Beside those that are there."""
        return await self._of_body(organization_id, by, _beside(terms), None)

    async def _of_body(
        self, organization_id: str, by: Bearer, changing: _Changing, seen: int | None
    ) -> AddedTerms:
        require(by.role, Action.TERMS_EDIT)
        found = await self._change(
            organization_id, by, changing, seen, lambda unit: _organization(unit, organization_id)
        )
        async with self._storage.reading() as unit:
            theirs = await unit.preparation.consultations([organization_id], limit=_MOST_CONSULTATIONS)
        self._render_anew([each.id for each in theirs if self._follows(each, organization_id)], by)
        return found

    def _follows(self, consultation: Consultation, organization_id: str) -> bool:
        if consultation.organization_id != organization_id:
            return False
        since_ms = self._rooms.clock.wall_ms() - _STILL_WORKED_ON_DAYS * _DAY_MS
        ended_lately = consultation.status is Status.ENDED and (consultation.ended_at_ms or 0) >= since_ms
        return consultation.is_running or ended_lately

    # ── of either ───────────────────────────────────────────────────────────────────────────────

    async def _change(
        self, owner_id: str, by: Bearer, changing: _Changing, seen: int | None, guard: _Guard
    ) -> AddedTerms:
        """Compared before the transaction, which only writes what differs: it is written again when somebody else
        changed the list meanwhile, unless the caller named the one that they saw."""
        for tried in range(1, _TRIES + 1):
            known = await self._lists.of(owner_id)
            if seen is not None and known.revision != seen:
                raise ConferenceError("edit_conflict", f"the terms are at revision {known.revision}")
            change = await asyncio.to_thread(changing, known.terms)
            revision = known.revision
            try:
                async with self._storage.transaction() as unit:
                    consultation = await guard(unit)
                    if change.gone or change.new:
                        revision = await unit.terms.change(owner_id, known.revision, change.gone, change.new)
                        await unit.audit.append(self._entry(owner_id, by, change, consultation))
            except ConferenceError as error:
                if error.code != "edit_conflict" or seen is not None or tried == _TRIES:
                    raise
            else:
                return AddedTerms(change.terms, revision, change.added, change.changed)
        raise AssertionError("the last try returns or raises")

    def _entry(
        self, owner_id: str, by: Bearer, change: _Change, consultation: Consultation | None
    ) -> AuditEntry:
        content: dict[str, Value] = {
            "terms": len(change.terms),
            "added": len(change.new),
            "removed": len(change.gone),
        }
        if len(change.new) + len(change.gone) <= _NAMED:
            content["what"] = Personal(
                "\n".join(
                    f"{sign}{each.wrong}→{each.right}"
                    for sign, some in (("-", change.gone), ("+", change.new))
                    for each in sorted(some, key=lambda term: (term.wrong, term.right))
                )
            )
        chain = STAFF_CHAIN if consultation is None else consultation.id
        at_ms = None if consultation is None else self._rooms.program_time_ms(consultation)
        wall_ms = self._rooms.clock.wall_ms()
        return AuditEntry(chain, wall_ms, at_ms, by.actor, "terms.changed", owner_id, content)

    # ── rendering anew ──────────────────────────────────────────────────────────────────────────

    def _render_anew(self, consultation_ids: Sequence[str], by: Bearer) -> None:
        for each in consultation_ids:
            self._waiting[each] = _Waiting(by)

    @property
    def is_rendering(self) -> bool:
        """Whether a transcript is still to follow its terms."""
        return bool(self._waiting)

    async def tick(self) -> None:
        """Call a few times a second: the next hundreds of segments of each transcript that waits.

        Raises storage_unavailable; the next call goes on there.
        """
        for consultation_id, waiting in tuple(self._waiting.items()):
            try:
                last = await self._follow(consultation_id, waiting)
            except ConferenceError as error:
                if error.code == "storage_unavailable":
                    raise
                last = None  # it is gone, or was sealed meanwhile
            if self._waiting.get(consultation_id) is not waiting:
                continue  # the list changed once more: from the beginning
            if last is None:
                del self._waiting[consultation_id]
            waiting.after = last

    async def _follow(self, consultation_id: str, waiting: _Waiting) -> Place | None:
        """The next ones; where the last of them stands, or None when that was all."""
        rewrite = await self._rewriter(consultation_id)
        async with self._storage.reading() as unit:
            await consultation_of(unit, consultation_id)
            page = await unit.transcript.of(consultation_id, after=waiting.after, limit=_AT_ONCE)
        found = await asyncio.to_thread(_rendered, page, rewrite)
        if found:
            async with self._storage.transaction() as unit:
                wall_ms, time_of = self._rooms.clock.wall_ms(), self._rooms.program_time_ms
                change = await TranscriptChange.begin(
                    unit, consultation_id, waiting.by.actor, wall_ms, time_of
                )
                for segment in (await change.hold(list(found))).values():
                    before, after = found[segment.id]
                    if segment != before:  # somebody corrected it meanwhile
                        after = followed(segment, rewrite)
                    change.put(after, RevisionKind.TERMS)
                if change.after:
                    change.note("transcript.rendered", consultation_id, segments=sorted(change.after))
                await change.write()
            self._news.changed(change)
        return Place.of(page[-1]) if len(page) == _AT_ONCE else None


async def _organization(unit: UnitOfWork, organization_id: str) -> None:
    if await unit.organizations.get(organization_id) is None:
        raise NotFoundError(f"organization {organization_id}")


def _rendered(
    page: Sequence[TranscriptSegment], rewrite: Rewrite
) -> dict[str, tuple[TranscriptSegment, TranscriptSegment | None]]:
    """Those that change, as they are and as they are to be."""
    found = {each.id: (each, followed(each, rewrite)) for each in page}
    return {segment_id: each for segment_id, each in found.items() if each[1] is not None}


async def _instead(terms: Iterable[Term]) -> _Changing:
    """Refused before anything is read."""
    wanted = await asyncio.to_thread(checked, terms)
    return lambda there: _to(there, wanted)


def _to(there: Sequence[Term], wanted: Sequence[Term]) -> _Change:
    before, now = frozenset(there), frozenset(wanted)
    return _Change(tuple(wanted), before - now, now - before)


def _beside(added: Sequence[Term]) -> _Changing:
    return lambda there: _together(there, added)


def _together(there: Sequence[Term], added: Sequence[Term]) -> _Change:
    known = {each.wrong: each for each in there if each.wrong}
    hot = {each.right for each in there if not each.wrong}
    wanted = checked(added)
    changed = sum(each.wrong in known and known[each.wrong] != each for each in wanted)
    new = sum(each.wrong not in known if each.wrong else each.right not in hot for each in wanted)
    return replace(_to(there, checked([*there, *wanted])), added=new, changed=changed)
