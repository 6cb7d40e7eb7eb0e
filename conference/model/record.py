"""What a consultation left behind about its people: who was invited, who was there, who spoke."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from conference.model.attendance import AttendanceNote, Marks, Stay, marks, notes, spans
from conference.model.consultation import Consultation, Status
from conference.model.floor import Turn
from conference.model.invitee import Invitee
from conference.model.participant import EntryMeans, Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.statement import Statement
from conference.model.venue import Venue

_OVER: Final = frozenset({Status.ENDED, Status.ARCHIVED})


@dataclass(frozen=True, slots=True)
class HandRaised:
    """A request for the floor."""

    participant_id: str
    at_wall_ms: int


T = TypeVar("T", Stay, Turn, Statement, HandRaised)


@dataclass(frozen=True, slots=True)
class Record:
    """The rows. `now_ms` is the program time of now or of the end, None before going live."""

    consultation: Consultation
    now_ms: int | None
    participants: tuple[Participant, ...]
    stays: tuple[Stay, ...]
    turns: tuple[Turn, ...]
    statements: tuple[Statement, ...]
    requests: tuple[HandRaised, ...]
    invitees: tuple[Invitee, ...]
    venues: tuple[Venue, ...]
    agenda_titles: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        return self.consultation.status in _OVER


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was there, who was expected, or both. Private notes are not among the statements."""

    participant: Participant | None
    invitee: Invitee | None
    venue: str | None
    stays: tuple[Stay, ...]
    turns: tuple[Turn, ...]
    statements: tuple[Statement, ...]
    requests: tuple[HandRaised, ...]
    marks: Marks
    notes: tuple[AttendanceNote, ...]
    present: bool
    spans: tuple[tuple[int, int], ...]
    spoken_ms: int

    @property
    def id(self) -> str:
        known = self.participant or self.invitee
        assert known is not None
        return known.id

    @property
    def name(self) -> str:
        known = self.participant or self.invitee
        assert known is not None
        return known.name

    @property
    def role(self) -> Role:
        known = self.participant or self.invitee
        assert known is not None
        return known.role

    @property
    def title(self) -> str:
        return (self.participant and self.participant.title) or (self.invitee and self.invitee.title) or ""

    @property
    def sector(self) -> str:
        return (self.participant and self.participant.sector) or (self.invitee and self.invitee.sector) or ""

    @property
    def in_hall(self) -> bool:
        """At a venue, and there with a telephone of one's own."""
        return self.participant is not None and self.participant.in_hall

    @property
    def entered_by(self) -> EntryMeans | None:
        return None if self.participant is None else self.participant.entered_by

    @property
    def excused(self) -> bool:
        return self.invitee is not None and self.invitee.excused

    @property
    def counts(self) -> bool:
        """A human being: no encoder, and not the screen of a venue."""
        if self.participant is None:
            return True
        return (
            self.participant.kind is ParticipantKind.CLIENT
            and self.participant.role is not Role.VENUE_OPERATOR
        )


def people(record: Record) -> tuple[Person, ...]:
    """Everyone who was ever there in the order of joining, then those who were expected only, in their order."""
    invited = {each.id: each for each in record.invitees}
    venues = {each.id: each.name for each in record.venues}
    stays = _by_participant(record.stays)
    turns = _by_participant(record.turns)
    statements = _by_participant(each for each in record.statements if not each.private)
    requests = _by_participant(record.requests)
    found, came = [], set()
    for participant in record.participants:
        own = tuple(stays[participant.id])
        if not own:
            continue
        invitee = invited.get(participant.invitee_id or "")
        if invitee is not None and participant.kind is ParticipantKind.CLIENT:
            came.add(invitee.id)
        there = tuple(spans(own, record.now_ms))
        held = tuple(turns[participant.id])
        found.append(
            Person(
                participant=participant,
                invitee=invitee,
                venue=participant.venue,
                stays=own,
                turns=held,
                statements=tuple(statements[participant.id]),
                requests=tuple(requests[participant.id]),
                marks=marks(own, record.now_ms),
                notes=notes(own, record.now_ms, is_over=record.is_over),
                present=bool(there) or record.now_ms is None,
                spans=there,
                spoken_ms=sum(turn.elapsed_ms(record.now_ms) for turn in held),
            )
        )
    for invitee in record.invitees:
        if invitee.id not in came:
            found.append(_missing(invitee, record, venues.get(invitee.venue_id or "")))
    return tuple(found)


def _missing(invitee: Invitee, record: Record, venue: str | None) -> Person:
    said = notes((), record.now_ms, is_over=record.is_over, excused=invitee.excused)
    nothing = marks((), record.now_ms)
    return Person(None, invitee, venue, (), (), (), (), nothing, said, False, (), 0)


def _by_participant(rows: Iterable[T]) -> defaultdict[str, list[T]]:
    found: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        found[row.participant_id].append(row)
    return found
