"""Who spoke: whose name stands beside what was said into a microphone, and what was going on then. Pure.

A microphone is known to belong to its participant. One of a hall is shared: what is said into it is said by whoever
of that hall has the floor, else by the hall, until somebody says who it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conference.model.agenda import AgendaItem
from conference.model.floor import Turn
from conference.model.participant import Participant
from conference.model.permissions import Role
from conference.model.timeline import speaker_at
from conference.model.transcript import SpeakerLabel


def is_shared(participant: Participant) -> bool:
    """Whether several people speak into this microphone: that of a hall."""
    if participant.kind.is_encoder:
        return participant.venue is not None or participant.venue_id is not None
    return participant.role is Role.VENUE_OPERATOR


def speaks_for(holder: Participant, microphone: Participant) -> bool:
    """Whether the one who has the floor is who speaks into this microphone."""
    if holder.id == microphone.id:
        return True
    return is_shared(microphone) and not is_shared(holder) and _in_same_hall(holder, microphone)


def _in_same_hall(one: Participant, other: Participant) -> bool:
    if one.venue_id is not None and one.venue_id == other.venue_id:
        return True
    return one.venue is not None and one.venue == other.venue


def speaker_of(microphone: Participant, holder: Participant | None) -> SpeakerLabel:
    """Who speaks into this microphone while `holder` has the floor."""
    speaker = holder if holder is not None and speaks_for(holder, microphone) else microphone
    if not is_shared(speaker):
        return SpeakerLabel(speaker.name, speaker.role, speaker.venue, speaker.title or speaker.sector)
    name = speaker.venue or speaker.name
    return SpeakerLabel(name, speaker.role, speaker.venue, None, is_certain=False)


def item_at(items: Iterable[AgendaItem], at_ms: int) -> AgendaItem | None:
    """What was on the agenda at that moment: of those that had begun the youngest, for one that is interrupted goes
    on behind what interrupts it."""
    begun = (
        each
        for each in items
        if each.started_at_ms is not None
        and each.started_at_ms <= at_ms
        and (each.ended_at_ms is None or at_ms < each.ended_at_ms)
    )
    return max(begun, key=lambda each: each.started_at_ms or 0, default=None)


@dataclass(frozen=True, slots=True)
class Proceedings:
    """What the rows of a consultation say of who spoke when. `people` by id, those who left included."""

    items: Sequence[AgendaItem]
    turns: Sequence[Turn]
    people: Mapping[str, Participant]

    def speaker(self, microphone: Participant, at_ms: int) -> SpeakerLabel:
        """Who spoke into this microphone at that moment."""
        turn = speaker_at(self.turns, at_ms)
        holder = None if turn is None else self.people.get(turn.participant_id)
        return speaker_of(microphone, holder)

    def turn_id(self, microphone: Participant, at_ms: int) -> str | None:
        """The turn that it belongs to; None for what others say meanwhile."""
        turn = speaker_at(self.turns, at_ms)
        holder = None if turn is None else self.people.get(turn.participant_id)
        return turn.id if turn is not None and holder is not None and speaks_for(holder, microphone) else None

    def item_id(self, at_ms: int) -> str | None:
        """The item of the agenda."""
        item = item_at(self.items, at_ms)
        return None if item is None else item.id
