"""The transcript (转写稿): reading it, looking for words in it, and giving it out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.audit import AuditEntry
from conference.model.consultation import Consultation
from conference.model.errors import NotFoundError
from conference.model.permissions import Action, allowed, require
from conference.model.transcript import Revision, TranscriptSegment
from conference.model.transcript_edit import places_of
from conference.model.transcript_place import Place, place_written
from conference.services.consultations import consultation_of
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import Bearer

MAX_PAGE: Final = 500
MAX_BRIEF_PAGE: Final = 5_000
_FOUND: Final = 500  # segments that a search gives, at most
_DIGITS: Final = 9
_READ_AT_ONCE: Final = 100  # some milliseconds: others get their turn in between


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
        """By beginning. A brief page has neither words nor what the engine said, and may be ten times as long.

        bad_request for an `after` that no page named; not_found for the id of a segment that is gone.
        """
        require(by.role, Action.TRANSCRIPT_READ)
        limit = min(max(limit, 1), MAX_BRIEF_PAGE if brief else MAX_PAGE)
        begin = None if after is None else place_written(after)
        rows: list[TranscriptSegment] = []
        async with self._storage.reading() as unit:
            if isinstance(begin, str):
                begin = Place.of(await self._one(unit, consultation_id, begin))
            async for piece in _pieces(unit, consultation_id, begin, limit + 1, brief=brief):
                rows += piece
        page = rows[:limit]
        return SegmentPage(_readable(page, by), str(Place.of(page[-1])) if len(rows) > limit else None)

    async def get(self, consultation_id: str, by: Bearer, segment_id: str) -> TranscriptSegment:
        """One, with its words."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            segment = await self._one(unit, consultation_id, segment_id)
        if not _readable([segment], by):
            raise NotFoundError(f"segment {segment_id}")
        return segment

    async def _one(self, unit: UnitOfWork, consultation_id: str, segment_id: str) -> TranscriptSegment:
        segment = await unit.transcript.get(segment_id)
        if segment is None or segment.consultation_id != consultation_id:
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
        found: list[tuple[TranscriptSegment, list[int]]] = []
        async with self._storage.reading() as unit:
            async for piece in _pieces(unit, consultation_id, None, None, brief=True):
                found += await asyncio.to_thread(_having, _readable(piece, by), wanted)
        return found

    async def search(
        self, consultations: Sequence[Consultation], by: Bearer, words: str, *, after: str | None, limit: int
    ) -> FoundPage:
        """Segments with all these words, in consultations that the caller may see; behind the place `after`.

        not_found for the bare id of a segment that is found no more.
        """
        require(by.role, Action.TRANSCRIPT_READ)
        of = {each.id: each for each in consultations}
        confidential = allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL)
        async with self._storage.reading() as unit:
            rows = await unit.transcript.search(list(of), words, confidential=confidential, limit=_FOUND)
        found = [FoundSegment(of[each.consultation_id], each) for each in rows]
        begin = 0 if after is None else _behind([each.segment.id for each in found], after)
        end = begin + limit
        return FoundPage(
            tuple(found[begin:end]), None if end >= len(found) else f"{end}.{found[end - 1].segment.id}"
        )

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
            consultation = await consultation_of(unit, consultation_id)
            async for piece in _pieces(unit, consultation_id, None, None, brief=False):
                found += piece
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


def _behind(found: Sequence[str], after: str) -> int:
    """`after`: the number of the last one of a page, and its id; where that is gone the next one has its number."""
    number, _, segment_id = after.rpartition(".")
    if segment_id in found:
        return found.index(segment_id) + 1
    if not number.isdecimal() or len(number) > _DIGITS:
        raise NotFoundError(f"segment {segment_id}")
    return min(max(int(number) - 1, 0), len(found))


async def _pieces(
    unit: UnitOfWork, consultation_id: str, after: Place | None, most: int | None, *, brief: bool
) -> AsyncIterator[list[TranscriptSegment]]:
    """Behind a place, so many at most."""
    while most is None or most > 0:
        some = _READ_AT_ONCE if most is None else min(most, _READ_AT_ONCE)
        piece = await unit.transcript.of(consultation_id, after=after, limit=some, brief=brief)
        yield piece
        if len(piece) < some:
            return
        after, most = Place.of(piece[-1]), None if most is None else most - some


def _having(segments: Sequence[TranscriptSegment], wanted: str) -> list[tuple[TranscriptSegment, list[int]]]:
    found = ((each, places_of(each.text, wanted)) for each in segments)
    return [(segment, places) for segment, places in found if places]


def _readable(segments: Sequence[TranscriptSegment], by: Bearer) -> tuple[TranscriptSegment, ...]:
    if allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL):
        return tuple(segments)
    return tuple(each for each in segments if not each.is_confidential)
