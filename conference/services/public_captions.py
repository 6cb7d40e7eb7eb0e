"""What was said, as the public may read it: not ahead of its picture, nothing that was withdrawn or is confidential."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from weakref import WeakValueDictionary

from conference.clock import Clock
from conference.model.errors import ConferenceError
from conference.model.footage import OnAir
from conference.model.transcript import TranscriptSegment
from conference.services.ports import Storage

LONGEST_MS: Final = 600_000  # of one page
_NEWEST: Final = 2
_STAYS_MS: Final = 15_000  # what was said before stands beside the picture no more
_FRESH_S: Final = 0.5
_LISTENED_S: Final = 2.0
_KEPT: Final = 512


@dataclass(frozen=True, slots=True)
class CaptionView:
    """Times are program time. `speaker` is None where nobody knows."""

    speaker: str | None
    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class CaptionPage:
    """By beginning. `until_ms`: how far the public has come; what is said later is told then."""

    items: tuple[CaptionView, ...]
    until_ms: int | None


class Reached(Protocol):
    """How far the public has come with a consultation."""

    async def reached(self, consultation_id: str) -> tuple[OnAir, int | None]:
        """What is kept from it, and the program time up to which it may know; consultation_not_found for what is not
        public."""


def shown(segments: Iterable[TranscriptSegment], on_air: OnAir, at_ms: int) -> list[TranscriptSegment]:
    """Those of them that the public may read at that moment."""
    return [
        each
        for each in segments
        if each.end_ms <= at_ms
        and not each.is_confidential
        and not on_air.hides_some(each.start_ms, max(each.end_ms, each.start_ms + 1))
    ]


def newest(segments: Iterable[TranscriptSegment], on_air: OnAir, at_ms: int) -> tuple[CaptionView, ...]:
    """The last ones, as long as they are of this moment."""
    found = [each for each in shown(segments, on_air, at_ms) if each.end_ms > at_ms - _STAYS_MS]
    return tuple(caption_view(each) for each in found[-_NEWEST:])


def caption_view(segment: TranscriptSegment) -> CaptionView:
    return CaptionView(segment.speaker.name or None, segment.text, segment.start_ms, segment.end_ms)


class PublicCaptions:
    """Pages of the transcript; rows are read at most twice a second for each, however many ask."""

    def __init__(self, storage: Storage, clock: Clock, reached: Reached) -> None:
        self._storage = storage
        self._clock = clock
        self._reached = reached
        self._known: dict[tuple[str, int, int], tuple[float, CaptionPage]] = {}
        self._turns: WeakValueDictionary[tuple[str, int, int], asyncio.Lock] = WeakValueDictionary()
        self._listened: dict[str, tuple[float, bool]] = {}

    async def page(self, consultation_id: str, from_ms: int, to_ms: int) -> CaptionPage:
        """What lies in this stretch of program time; bad_request for one that is too long."""
        if not 0 <= from_ms < to_ms or to_ms - from_ms > LONGEST_MS:
            raise ConferenceError("bad_request", f"{from_ms} to {to_ms}")
        key = (consultation_id, from_ms, to_ms)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = asyncio.Lock()
        async with turn:  # one reads, the others who ask meanwhile get the same
            now_s = self._clock.monotonic()
            known = self._known.get(key)
            if known is not None and now_s - known[0] < _FRESH_S:
                return known[1]
            segments, until_ms = await self.segments(consultation_id, from_ms, to_ms)
            page = CaptionPage(tuple(caption_view(each) for each in segments), until_ms)
            self._known.pop(key, None)
            self._known[key] = (now_s, page)
            if len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
            return page

    async def are_there(self, consultation_id: str) -> bool:
        """Whether anybody listens to this consultation, or did."""
        now_s, known = self._clock.monotonic(), self._listened.get(consultation_id)
        if known is None or now_s - known[0] >= _LISTENED_S:
            async with self._storage.reading() as unit:
                consultation = await unit.consultations.get(consultation_id)
                is_wanted = consultation is not None and consultation.captions
                known = (now_s, is_wanted and bool(await unit.transcript.covered(consultation_id)))
            if len(self._listened) >= _KEPT:
                self._listened.clear()
            self._listened[consultation_id] = known
        return known[1]

    async def inside(self, consultation_id: str, from_ms: int, to_ms: int) -> list[TranscriptSegment]:
        """Rows of what those may read there who see the program as it is now."""
        async with self._storage.reading() as unit:
            rows = await unit.transcript.between(consultation_id, from_ms, to_ms)
        return [each for each in rows if not each.is_confidential]

    async def segments(
        self, consultation_id: str, from_ms: int, to_ms: int
    ) -> tuple[list[TranscriptSegment], int | None]:
        """Rows of what the public may read there, none once captions are switched off, and how far it has come."""
        on_air, at_ms = await self._reached.reached(consultation_id)
        if at_ms is None or from_ms >= at_ms:
            return [], at_ms
        async with self._storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
            if consultation is None or not consultation.captions:
                return [], at_ms
            rows = await unit.transcript.between(consultation_id, from_ms, min(to_ms, at_ms))
        return shown(rows, on_air, at_ms), at_ms
