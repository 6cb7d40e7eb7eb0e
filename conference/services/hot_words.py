"""Terms told to engines that listen for them: how names and places are written, of rooms that are listened to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.terms import merged
from conference.services.ports import Transcriber
from conference.services.rooms import Rooms

_KNOWN_S: Final = 15.0  # how late an engine hears of a changed list
_MOST: Final = 5_000  # words of one room: no engine gains by more


@dataclass(frozen=True, slots=True)
class _Known:
    read_at_s: float  # monotonic
    words: tuple[str, ...]


class HotWords:
    """Repeats itself: the transcriber passes on only what it has not heard yet."""

    def __init__(self, rooms: Rooms, transcriber: Transcriber, listened: Callable[[], Sequence[str]]) -> None:
        """`listened`: ids of the consultations that are listened to here."""
        self._rooms = rooms
        self._transcriber = transcriber
        self._listened = listened
        self._known: dict[str, _Known] = {}

    async def tick(self) -> None:
        """Call every few seconds."""
        listened, now_s = self._listened(), self._rooms.clock.monotonic()
        for gone in self._known.keys() - set(listened):
            del self._known[gone]
        for consultation_id in listened:
            known = self._known.get(consultation_id)
            if known is None or now_s - known.read_at_s >= _KNOWN_S:
                known = self._known[consultation_id] = _Known(now_s, await self._words(consultation_id))
            self._transcriber.use_terms(consultation_id, known.words)

    async def _words(self, consultation_id: str) -> tuple[str, ...]:
        async with self._rooms.storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
            body_id = None if consultation is None else consultation.organization_id
            own = await unit.terms.of(consultation_id)
            of_body = [] if body_id is None else await unit.terms.of(body_id)
        return tuple(dict.fromkeys(each.right for each in merged(own, of_body)))[:_MOST]
