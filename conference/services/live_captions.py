"""What everybody reads while somebody speaks: partials in place, then the final that has a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from conference.events import CaptionFinal, CaptionPartial
from conference.model.participant import Participant
from conference.model.speaking import speaker_of, speaks_for
from conference.services.heard_segments import Written
from conference.services.rooms import Rooms
from conference.worker_events import HeardPartial

_PARTIAL_S: Final = 0.3
_CROWD: Final = 100  # for so many more who read along partials come more seldom


class LiveCaptions:
    """Changes memory only. Rooms that nobody is in have no captions."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._open: defaultdict[str, dict[str, float]] = defaultdict(dict)  # room, microphone: last sent at

    def partial(self, heard: HeardPartial) -> None:
        """What is being said now."""
        room, now_s = self._rooms.find(heard.consultation_id), self._rooms.clock.monotonic()
        seat = None if room is None else room.seats.get(heard.participant_id)
        if room is None or room.closed or seat is None:
            return
        sent = self._open[room.id]
        crowd = (len(room.seats) + len(room.desks)) // _CROWD
        pause_s = _PARTIAL_S * (1 + crowd) if crowd else 0.0  # a small room is told as it comes
        if heard.text and now_s - sent.get(seat.id, float("-inf")) < pause_s:
            return
        if heard.text:
            sent[seat.id] = now_s
        else:
            sent.pop(seat.id, None)
        holder = room.holder(room.turn)
        partial = CaptionPartial(seat.id, speaker_of(seat.participant, holder), heard.text, heard.from_ms)
        room.show_partial(partial, _named(seat.participant, holder), now_s)

    def written(self, consultation_id: str, written: Sequence[Written]) -> None:
        """Rows are there: everybody reads what was just said, in the place of its partial. What came from the recording
        is too old for that."""
        room, now_s = self._rooms.find(consultation_id), self._rooms.clock.monotonic()
        if room is None or room.closed:
            return
        holder = room.holder(room.turn)
        for said in (each.segment for each in written if each.is_live):
            self._open[room.id].pop(said.participant_id, None)
            seat = room.seats.get(said.participant_id)
            named = said.participant_id if seat is None else _named(seat.participant, holder)
            final = CaptionFinal(
                said.id, said.participant_id, said.speaker, said.text, said.start_ms, said.end_ms
            )
            room.show_final(final, named, now_s)

    def end_partials(self, consultation_id: str) -> None:
        """What was being said will not be finished here: it comes from the recording later."""
        room, sent = self._rooms.find(consultation_id), self._open.pop(consultation_id, {})
        if room is None or room.closed:
            return
        holder, now_s = room.holder(room.turn), self._rooms.clock.monotonic()
        for seat in [room.seats[each] for each in sent if each in room.seats]:
            partial = CaptionPartial(seat.id, speaker_of(seat.participant, holder), "", 0)
            room.show_partial(partial, seat.id, now_s)


def _named(microphone: Participant, holder: Participant | None) -> str:
    """Whose name stands in the picture."""
    return holder.id if holder is not None and speaks_for(holder, microphone) else microphone.id
