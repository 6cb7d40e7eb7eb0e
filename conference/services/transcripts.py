"""The transcript (转写稿): reading it, looking for words in it, and giving it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.audit import AuditEntry
from conference.model.consultation import Consultation
from conference.model.errors import NotFoundError
from conference.model.permissions import Action, allowed, require
from conference.model.transcript import Revision, TranscriptSegment
from conference.model.transcript_edit import places_of
from conference.services.consultations import consultation_of
from conference.services.rooms import Rooms
from conference.services.trace import Bearer

MAX_PAGE: Final = 500
MAX_BRIEF_PAGE: Final = 5_000
_FOUND: Final = 500  # segments that a search gives, at most
_READ_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """`next` is the `after` of the following page."""

    items: tuple[TranscriptSegment, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """A segment that was found, and whose it is."""

    consultation: Consultation
    segment: TranscriptSegment


@dataclass(frozen=True, slots=True)
class FoundPage:
    items: tuple[FoundSegment, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class GivenOut:
    """What is put into a file. `left_out`: how many confidential segments the caller may not read."""

    consultation: Consultation
    segments: tuple[TranscriptSegment, ...]
    left_out: int


class Transcripts:
    """Who may not read what is confidential is shown a transcript without it."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._storage = rooms.storage

    async def page(
        self, consultation_id: str, by: Bearer, *, after: str | None = None, limit: int, brief: bool = False
    ) -> SegmentPage:
        """By beginning. A brief page has neither words nor what the engine said, and may be ten times as long."""
        require(by.role, Action.TRANSCRIPT_READ)
        limit = min(max(limit, 1), MAX_BRIEF_PAGE if brief else MAX_PAGE)
        rows: list[TranscriptSegment] = []
        async with self._storage.reading() as unit:
            while len(rows) <= limit:  # others get their turn in between
                some = min(limit + 1 - len(rows), _READ_AT_ONCE)
                last = rows[-1].id if rows else after
                found = await unit.transcript.of(consultation_id, after=last, limit=some, brief=brief)
                rows += found
                if len(found) < some:
                    break
        page = rows[:limit]
        return SegmentPage(_readable(page, by), page[-1].id if len(rows) > limit else None)

    async def get(self, consultation_id: str, by: Bearer, segment_id: str) -> TranscriptSegment:
        """One, with its words."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            segment = await unit.transcript.get(segment_id)
        if segment is None or segment.consultation_id != consultation_id or not _readable([segment], by):
            raise NotFoundError(f"segment {segment_id}")
        return segment

    async def revisions(self, consultation_id: str, by: Bearer, segment_id: str) -> list[Revision]:
        """What was done to it, in order; also what was parted from it and may be confidential now."""
        await self.get(consultation_id, by, segment_id)
        require(by.role, Action.TRANSCRIPT_CONFIDENTIAL)
        async with self._storage.reading() as unit:
            return await unit.transcript.revisions(segment_id)

    async def find(
        self, consultation_id: str, by: Bearer, wanted: str
    ) -> list[tuple[TranscriptSegment, list[int]]]:
        """Segments that have this very text, with its places."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            segments = await unit.transcript.of(consultation_id, brief=True)
        found = ((each, places_of(each.text, wanted)) for each in _readable(segments, by))
        return [(segment, places) for segment, places in found if places]

    async def search(
        self, consultations: Sequence[Consultation], by: Bearer, words: str, *, after: str | None, limit: int
    ) -> FoundPage:
        """Segments with all these words, in consultations that the caller may see; behind the segment `after`."""
        require(by.role, Action.TRANSCRIPT_READ)
        of = {each.id: each for each in consultations}
        confidential = allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL)
        async with self._storage.reading() as unit:
            rows = await unit.transcript.search(list(of), words, confidential=confidential, limit=_FOUND)
        found = [FoundSegment(of[each.consultation_id], each) for each in rows]
        begin = 0
        if after is not None:
            begin = next((at + 1 for at, each in enumerate(found) if each.segment.id == after), len(found))
        page = found[begin : begin + limit]
        is_last = begin + limit >= len(found)
        return FoundPage(tuple(page), None if is_last else page[-1].segment.id)

    async def given_out(
        self, consultation_id: str, by: Bearer, what: str
    ) -> tuple[Consultation, list[TranscriptSegment]]:
        """What `for_file` gives, for whoever does not say what is missing."""
        given = await self.for_file(consultation_id, by, what)
        return given.consultation, list(given.segments)

    async def for_file(self, consultation_id: str, by: Bearer, what: str) -> GivenOut:
        """Everything that the caller may read, for a file; noted in the trace. `what`: which kind of file."""
        require(by.role, Action.TRANSCRIPT_READ)
        found: list[TranscriptSegment] = []
        async with self._storage.reading() as unit:
            consultation, after = await consultation_of(unit, consultation_id), None
            while True:  # others get their turn between two pages
                page = await unit.transcript.of(consultation_id, after=after, limit=_READ_AT_ONCE)
                found += page
                if len(page) < _READ_AT_ONCE:
                    break
                after = page[-1].id
        readable = _readable(found, by)
        entry = AuditEntry(
            consultation_id,
            self._rooms.clock.wall_ms(),
            self._rooms.program_time_ms(consultation),
            by.actor,
            "transcript.exported",
            consultation_id,
            {"format": what, "segments": len(readable), "left_out": len(found) - len(readable)},
        )
        async with self._storage.transaction() as unit:
            await unit.audit.append(entry)
        return GivenOut(consultation, readable, len(found) - len(readable))


def _readable(segments: Sequence[TranscriptSegment], by: Bearer) -> tuple[TranscriptSegment, ...]:
    if allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL):
        return tuple(segments)
    return tuple(each for each in segments if not each.is_confidential)
