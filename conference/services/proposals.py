"""Better texts that an engine proposes when the session is over: somebody takes or refuses each of them."""

from __future__ import annotations

from collections.abc import Sequence

from conference.model.audit import SYSTEM
from conference.model.second_pass import BetterText, SecondPass, is_still
from conference.model.transcript import RevisionKind
from conference.model.transcript_edit import proposed
from conference.model.transcript_place import Place
from conference.services.rooms import Rooms
from conference.services.transcript_changes import TranscriptChange
from conference.services.transcript_news import TranscriptNews


class Proposals:
    """Writes them beside the texts, which stay as they are, together with how far the second pass is by them: so a
    killed server neither loses nor repeats any."""

    def __init__(self, rooms: Rooms, news: TranscriptNews) -> None:
        self._rooms = rooms
        self._news = news

    async def propose(
        self, run: SecondPass, texts: Sequence[BetterText], *, after: Place, done: int, unheard: int
    ) -> SecondPass | None:
        """The second pass went on to the place `after`, past `done` segments, and this was found. Returns it as it
        stands now, with as many proposals more as there are that differ from what there is; None when another one took
        its place. Segments that are gone, or were split or joined since, are left out.

        invalid_state when the consultation is sealed, bad_request for a text that may not stand in a segment.
        """
        async with self._rooms.storage.transaction() as unit:
            known = await unit.second_passes.locked(run.consultation_id)
            if known != run:
                return None
            wall_ms, time_of = self._rooms.clock.wall_ms(), self._rooms.program_time_ms
            change = await TranscriptChange.begin(unit, run.consultation_id, SYSTEM, wall_ms, time_of)
            held = await change.hold([each.segment_id for each in texts])
            for each in texts:
                segment = held.get(each.segment_id)
                if segment is not None and is_still(segment, each.span):
                    change.put(proposed(segment, each.text, each.words), RevisionKind.SECOND_PASS)
            found = sorted(change.after)
            if found:
                change.note(
                    "transcript.proposed", run.consultation_id, engine=run.engine, heard=done, segments=found
                )
            else:
                change.note("transcript.heard_again", run.consultation_id, engine=run.engine, heard=done)
            now = run.went_on(after, done=done, unheard=unheard, proposals=len(found))
            await unit.second_passes.save(now)
            await change.write()
        self._news.changed(change)
        return now
