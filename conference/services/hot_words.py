"""Terms told to engines that listen for them: how names and places are written, of rooms that are listened to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from conference.services.ports import Transcriber
from conference.services.term_lists import KnownTerms, TermLists, right_words

_MOST: Final = 5_000  # words of one room: no engine gains by more


@dataclass(frozen=True, slots=True)
class _Known:
    lists: tuple[KnownTerms, ...]
    words: tuple[str, ...]


class HotWords:
    """Repeats itself: the transcriber passes on only what it has not heard yet."""

    def __init__(
        self, lists: TermLists, transcriber: Transcriber, listened: Callable[[], Sequence[str]]
    ) -> None:
        """`listened`: ids of the consultations that are listened to here."""
        self._lists = lists
        self._transcriber = transcriber
        self._listened = listened
        self._known: dict[str, _Known] = {}

    async def tick(self) -> None:
        """Call every few seconds: so late an engine hears of a changed list."""
        listened = self._listened()
        for gone in self._known.keys() - set(listened):
            del self._known[gone]
        for consultation_id in listened:
            lists = await self._lists.of_consultation(consultation_id)
            known = self._known.get(consultation_id)
            if known is None or not _same(known.lists, lists):
                known = _Known(lists, await asyncio.to_thread(right_words, lists, _MOST))
                self._known[consultation_id] = known
            self._transcriber.use_terms(consultation_id, known.words)


def _same(before: Sequence[KnownTerms], now: Sequence[KnownTerms]) -> bool:
    return len(before) == len(now) and all(map(lambda one, other: one is other, before, now))
