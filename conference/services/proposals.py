"""Better texts that an engine proposes when the session is over: somebody takes or refuses each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conference.model.audit import SYSTEM
from conference.model.transcript import RevisionKind
from conference.model.transcript_edit import proposed
from conference.services.rooms import Rooms
from conference.services.transcript_changes import TranscriptChange
from conference.services.transcript_news import TranscriptNews

_AT_ONCE: Final = 200  # segments of one transaction


class Proposals:
    """Writes them beside the texts, which stay as they are."""

    def __init__(self, rooms: Rooms, news: TranscriptNews) -> None:
        self._rooms = rooms
        self._news = news

    async def propose(self, consultation_id: str, texts: Mapping[str, str], engine: str) -> int:
        """By segment id. Returns how many differ from what there is; segments that are gone are left out.

        invalid_state when the consultation is sealed, bad_request for a text that may not stand in a segment.
        """
        count, wanted = 0, list(texts)
        for first in range(0, len(wanted), _AT_ONCE):
            async with self._rooms.storage.transaction() as unit:
                wall_ms, time_of = self._rooms.clock.wall_ms(), self._rooms.program_time_ms
                change = await TranscriptChange.begin(unit, consultation_id, SYSTEM, wall_ms, time_of)
                for segment in (await change.hold(wanted[first : first + _AT_ONCE])).values():
                    change.put(proposed(segment, texts[segment.id]), RevisionKind.SECOND_PASS)
                if change.after:
                    segments = sorted(change.after)
                    change.note("transcript.proposed", consultation_id, engine=engine, segments=segments)
                await change.write()
            self._news.changed(change)
            count += len(change.after)
        return count
