"""Telling desks what became of the transcript, and everybody what became of a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conference.model.permissions import Action, allowed
from conference.model.transcript import TranscriptSegment
from conference.services.rooms import Rooms
from conference.services.transcript_changes import TranscriptChange
from conference.transcript_views import SecondPassView, TranscriptChanged

_WITH_WORDS: Final = 50  # segments; with more of them words are left out
_AT_ONCE: Final = 500  # segments of one event
_CAPTION_MS: Final = 60_000  # so long after its end a caption may still be read somewhere


class TranscriptNews:
    """Changes nothing. Rooms that nobody is in are told nothing."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def tell(
        self,
        consultation_id: str,
        segments: Sequence[TranscriptSegment],
        removed: Sequence[str] = (),
        by: str = "",
    ) -> None:
        """Rows are there. Who may not read what is confidential is told that such a segment is gone."""
        room = self._rooms.find(consultation_id)
        if room is None or room.closed:
            return
        readers = [each for each in room.desks.values() if allowed(each.bearer.role, Action.TRANSCRIPT_READ)]
        if not readers:
            return
        brief = len(segments) > _WITH_WORDS
        open_ones = [each for each in segments if not each.is_confidential]
        hidden = [each.id for each in segments if each.is_confidential]
        for first in range(0, max(len(segments), 1), _AT_ONCE):
            last, gone = first + _AT_ONCE, removed if first == 0 else ()
            whole = TranscriptChanged.of(segments[first:last], gone, by, brief=brief)
            part = whole
            if hidden:
                gone = [*removed, *hidden] if first == 0 else ()
                part = TranscriptChanged.of(open_ones[first:last], gone, by, brief=brief)
            # All who get the same one after the other: it is put into words once for them.
            for event, wanted in ((whole, True), (part, False)):
                for desk in readers:
                    if allowed(desk.bearer.role, Action.TRANSCRIPT_CONFIDENTIAL) is wanted:
                        self._rooms.publisher.send(desk.session_id, event)

    def second_pass(self, consultation_id: str, view: SecondPassView) -> None:
        """It began, went on or ended."""
        room = self._rooms.find(consultation_id)
        if room is None or room.closed:
            return
        for desk in room.desks.values():
            if allowed(desk.bearer.role, Action.TRANSCRIPT_READ):
                self._rooms.publisher.send(desk.session_id, view)

    def changed(self, change: TranscriptChange) -> None:
        """What somebody did is committed."""
        if not change.after and not change.removed:
            return
        consultation_id = change.consultation.id
        self.tell(consultation_id, list(change.after.values()), change.removed, change.by.name or "")
        room = self._rooms.find(consultation_id)
        if room is None or room.closed:
            return
        since_ms = (self._rooms.program_time_ms(room.consultation) or 0) - _CAPTION_MS
        now_s = self._rooms.clock.monotonic()
        for segment_id, before in change.before.items():
            if before.end_ms < since_ms and not room.captions.shows(segment_id, now_s):
                continue  # nobody reads it as a caption any more
            if segment_id in change.removed:
                after = ""
            elif segment_id in change.after:
                after = _shown(change.after[segment_id])
            else:
                continue
            if after != _shown(before):
                room.correct_caption(segment_id, after)


def _shown(segment: TranscriptSegment) -> str:
    """What captions say of it."""
    return "" if segment.is_confidential else segment.text
