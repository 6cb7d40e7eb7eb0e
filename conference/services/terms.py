"""Lists of terms (词表): of a body and of a consultation. A changed list renders anew what nobody corrected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.audit import STAFF_CHAIN, AuditEntry, Personal, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, require
from conference.model.terms import Term, checked
from conference.model.transcript import RevisionKind
from conference.model.transcript_edit import followed
from conference.services.consultations import consultation_of
from conference.services.ports import UnitOfWork
from conference.services.preparing import preparable
from conference.services.rewriting import TermRewriter
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.transcript_changes import TranscriptChange
from conference.services.transcript_news import TranscriptNews

_AT_ONCE: Final = 200  # segments of one transaction
_NAMED: Final = 500  # terms that a line names; with more it counts
_DAY_MS: Final = 86_400_000
_STILL_WORKED_ON_DAYS: Final = 30  # after the end: a body's list changes nothing that is older
_MOST_CONSULTATIONS: Final = 1_000


@dataclass(frozen=True, slots=True)
class AddedTerms:
    """A list after others were put into it. `added`: new ones; `changed`: those that were written otherwise."""

    terms: tuple[Term, ...]
    added: int
    changed: int


@dataclass(slots=True)
class _Waiting:
    """A transcript that is to be rendered anew. `after`: up to which segment it was done."""

    by: Bearer
    after: str | None = None


class Terms:
    """Lists are small enough to be written as a whole; transcripts follow a little later, some hundred segments at a
    time. Writing a list once more renders once more: so a server that was killed meanwhile loses nothing."""

    def __init__(self, rooms: Rooms, rewriter: TermRewriter, news: TranscriptNews) -> None:
        self._rooms = rooms
        self._storage = rooms.storage
        self._rewriter = rewriter
        self._news = news
        self._waiting: dict[str, _Waiting] = {}  # by consultation

    # ── of a consultation ───────────────────────────────────────────────────────────────────────

    async def get(self, consultation_id: str, by: Bearer) -> list[Term]:
        """Its own, in the order of their wrong spelling."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            return await unit.terms.of(consultation_id)

    async def put(self, consultation_id: str, by: Bearer, terms: Sequence[Term]) -> list[Term]:
        """The whole list. bad_request, too_many_words; invalid_state when the consultation is sealed."""
        wanted = checked(terms)
        await self._change(consultation_id, by, lambda _: AddedTerms(tuple(wanted), 0, 0))
        return wanted

    async def add(self, consultation_id: str, by: Bearer, terms: Sequence[Term]) -> AddedTerms:
        """Beside those that are there; what is written otherwise is as it is now."""
        return await self._change(consultation_id, by, lambda before: _together(before, terms))

    async def _change(
        self, consultation_id: str, by: Bearer, change: Callable[[list[Term]], AddedTerms]
    ) -> AddedTerms:
        require(by.role, Action.TRANSCRIPT_EDIT)
        self._rooms.require_here(consultation_id)
        async with self._storage.transaction() as unit:
            consultation = await preparable(unit, consultation_id)
            found = await self._write(unit, consultation_id, by, change, consultation)
        self._render_anew([consultation_id], by)
        return found

    # ── of a body ───────────────────────────────────────────────────────────────────────────────

    async def of_body(self, organization_id: str, by: Bearer) -> list[Term]:
        """Those of an organization, which the caller may see."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            if await unit.organizations.get(organization_id) is None:
                raise NotFoundError(f"organization {organization_id}")
            return await unit.terms.of(organization_id)

    async def put_of_body(self, organization_id: str, by: Bearer, terms: Sequence[Term]) -> list[Term]:
        """The whole list. Consultations that are live, or ended in the last thirty days, follow."""
        wanted = checked(terms)
        await self._change_of_body(organization_id, by, lambda _: AddedTerms(tuple(wanted), 0, 0))
        return wanted

    async def add_to_body(self, organization_id: str, by: Bearer, terms: Sequence[Term]) -> AddedTerms:
        """Beside those that are there."""
        return await self._change_of_body(organization_id, by, lambda before: _together(before, terms))

    async def _change_of_body(
        self, organization_id: str, by: Bearer, change: Callable[[list[Term]], AddedTerms]
    ) -> AddedTerms:
        require(by.role, Action.TRANSCRIPT_EDIT)
        async with self._storage.transaction() as unit:
            if await unit.organizations.get(organization_id) is None:
                raise NotFoundError(f"organization {organization_id}")
            found = await self._write(unit, organization_id, by, change, None)
            theirs = await unit.preparation.consultations([organization_id], limit=_MOST_CONSULTATIONS)
        self._render_anew([each.id for each in theirs if self._follows(each, organization_id)], by)
        return found

    def _follows(self, consultation: Consultation, organization_id: str) -> bool:
        if consultation.organization_id != organization_id:
            return False
        since_ms = self._rooms.clock.wall_ms() - _STILL_WORKED_ON_DAYS * _DAY_MS
        ended_lately = consultation.status is Status.ENDED and (consultation.ended_at_ms or 0) >= since_ms
        return consultation.status is Status.LIVE or ended_lately

    async def _write(
        self,
        unit: UnitOfWork,
        owner_id: str,
        by: Bearer,
        change: Callable[[list[Term]], AddedTerms],
        consultation: Consultation | None,
    ) -> AddedTerms:
        """Rows and the line about them, where anything differs."""
        there = await unit.terms.of(owner_id)
        found = change(there)
        before, now = set(there), set(found.terms)
        if before == now:
            return found
        await unit.terms.replace(owner_id, found.terms)
        content: dict[str, Value] = {
            "terms": len(now),
            "added": len(now - before),
            "removed": len(before - now),
        }
        if len(now ^ before) <= _NAMED:
            content["what"] = Personal(
                "\n".join(
                    f"{sign}{each.wrong}→{each.right}"
                    for sign, some in (("-", before - now), ("+", now - before))
                    for each in sorted(some, key=lambda term: (term.wrong, term.right))
                )
            )
        chain = STAFF_CHAIN if consultation is None else consultation.id
        at_ms = None if consultation is None else self._rooms.program_time_ms(consultation)
        wall_ms = self._rooms.clock.wall_ms()
        await unit.audit.append(
            AuditEntry(chain, wall_ms, at_ms, by.actor, "terms.changed", owner_id, content)
        )
        return found

    # ── rendering anew ──────────────────────────────────────────────────────────────────────────

    def _render_anew(self, consultation_ids: Sequence[str], by: Bearer) -> None:
        self._rewriter.forget()
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

    async def _follow(self, consultation_id: str, waiting: _Waiting) -> str | None:
        """The next ones; the last of them, or None when that was all."""
        async with self._storage.reading() as unit:
            consultation = await consultation_of(unit, consultation_id)
            rewrite = await self._rewriter(unit, consultation)
            page = await unit.transcript.of(consultation_id, after=waiting.after, limit=_AT_ONCE)
        found = [each.id for each in page if followed(each, rewrite) is not None]
        if found:
            async with self._storage.transaction() as unit:
                wall_ms, time_of = self._rooms.clock.wall_ms(), self._rooms.program_time_ms
                change = await TranscriptChange.begin(
                    unit, consultation_id, waiting.by.actor, wall_ms, time_of
                )
                for segment in (
                    await change.hold(found)
                ).values():  # somebody may have corrected it meanwhile
                    change.put(followed(segment, rewrite), RevisionKind.TERMS)
                if change.after:
                    change.note("transcript.rendered", consultation_id, segments=sorted(change.after))
                await change.write()
            self._news.changed(change)
        return page[-1].id if len(page) == _AT_ONCE else None


def _together(before: Sequence[Term], added: Sequence[Term]) -> AddedTerms:
    there = {each.wrong: each for each in before if each.wrong}
    hot = {each.right for each in before if not each.wrong}
    wanted = checked(added)
    changed = sum(each.wrong in there and there[each.wrong] != each for each in wanted)
    new = sum(each.wrong not in there if each.wrong else each.right not in hot for each in wanted)
    return AddedTerms(tuple(checked([*before, *wanted])), new, changed)
