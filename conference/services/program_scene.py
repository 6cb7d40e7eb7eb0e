"""The scene: what of a room the maker of its program is told. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from conference.model.agenda import AgendaItem, AgendaKind
from conference.model.consultation import Consultation, Status
from conference.model.floor import Turn, TurnState
from conference.model.media import Source
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.program import Direction, PersonKind, Phase
from conference.model.venue import Venue, VenueKind
from conference.services.captions import Line
from conference.services.live_room import Seat
from conference.worker_events import Scene, SceneCaption, ScenePerson, ScenePromotion

MAX_PEOPLE: Final = 500  # as many as the maker takes
_SEPARATOR: Final = " · "
_MAIN: Final = "主会场"  # what it is called where nobody prepared venues


def scene_of(
    consultation: Consultation,
    item: AgendaItem | None,
    seats: Iterable[Seat],
    turn: Turn | None,
    venues: Sequence[Venue],
    direction: Direction,
    lines: Sequence[Line] = (),
    mains: Collection[str] = (),
) -> Scene:
    """The whole state. `item`: the current one of the agenda; `venues` in their order; `lines` of captions, the newest
    last; `mains`: those who are the main camera of their venue, fetched by the server."""
    there = tuple(seats)
    standing = _standing(there, mains)
    people = tuple(_person(seat, venues, standing) for seat in there)[:MAX_PEOPLE]
    present = {each.id for each in people}
    holder = turn.participant_id if turn is not None and turn.participant_id in present else None
    phase = _phase(consultation, item)
    promotion = _promotion(item, turn)
    return Scene(
        phase=phase,
        title=consultation.title,
        organization=consultation.organization or "",
        item=None if item is None or promotion is not None else item.title,
        program_started_wall_ms=consultation.started_at_ms,
        starts_wall_ms=consultation.scheduled_at_ms,
        resumes_wall_ms=_resumes(consultation, item) if phase is Phase.BREAK else None,
        venues=_names(venues, people),
        people=people,
        floor=holder,
        floor_ends_ms=None if holder is None else _floor_ends(turn),
        direction=direction,
        promotion=promotion,
        captions=tuple(SceneCaption(each.text, each.speaker_id) for each in lines),
        rehearsal=consultation.status is Status.REHEARSAL,
    )


def _promotion(item: AgendaItem | None, turn: Turn | None) -> ScenePromotion | None:
    """The words of an item that puts a comment to the meeting: on a card, not in the bar. Who got the floor for it
    answers, unless the agenda names somebody."""
    if item is None or item.kind is not AgendaKind.PROMOTION:
        return None
    answers = turn.name if turn is not None and turn.item_id == item.id else None
    return ScenePromotion(
        text=item.words or item.title,
        nickname=item.nickname or "",
        place=item.place,
        answering=item.speaker or answers,
    )


def _phase(consultation: Consultation, item: AgendaItem | None) -> Phase:
    if not consultation.is_running:
        return Phase.ENDED
    return Phase.BREAK if item is not None and item.kind is AgendaKind.BREAK else Phase.LIVE


def _resumes(consultation: Consultation, item: AgendaItem | None) -> int | None:
    """UTC: when a break is over as planned."""
    if item is None or item.planned_minutes is None or item.started_at_ms is None:
        return None
    began_ms = consultation.started_at_ms
    return None if began_ms is None else began_ms + item.started_at_ms + item.planned_minutes * 60_000


def _floor_ends(turn: Turn | None) -> int | None:
    """Program time at which the holder's time is over; None while it does not run, or without a limit."""
    if turn is None or turn.started_at_ms is None or turn.duration_ms is None:
        return None
    if turn.state not in (TurnState.RUNNING, TurnState.OVER):
        return None
    return turn.started_at_ms + turn.duration_ms - turn.spoken_ms


def _names(venues: Sequence[Venue], people: Iterable[ScenePerson]) -> tuple[str, ...]:
    """Of venues, for the title card; without any prepared, of the halls that are here."""
    if venues:
        return tuple(each.name for each in venues)
    halls = (each.name for each in people if each.kind is PersonKind.VENUE)
    return tuple(dict.fromkeys(halls))


def _standing(seats: Iterable[Seat], mains: Collection[str]) -> dict[str, str]:
    """Which main camera is the picture of which hall: where its operator's machine shows none."""
    with_picture = [
        seat
        for seat in seats
        if seat.participant.camera_on
        and seat.lost_at_s is None
        and any(each.source is Source.CAMERA for each in seat.publications)
    ]
    shown = {_hall(seat.participant) for seat in with_picture if _kind(seat.participant) is PersonKind.VENUE}
    halls = {_hall(seat.participant): seat.id for seat in with_picture if seat.id in mains}
    return {hall: camera for hall, camera in halls.items() if hall is not None and hall not in shown}


def _hall(p: Participant) -> str | None:
    return p.venue_id or p.venue


def _person(seat: Seat, venues: Sequence[Venue], standing: Mapping[str, str]) -> ScenePerson:
    p = seat.participant
    venue = next((each for each in venues if each.id == p.venue_id), None)
    sources = {each.source for each in seat.publications}
    kind, camera = _kind(p), standing.get(_hall(p) or "")
    if p.id == camera:
        kind = PersonKind.VENUE
    elif camera is not None and kind is PersonKind.VENUE:
        kind = PersonKind.PERSON  # the operator, who sits in it
    is_hall = kind is PersonKind.VENUE
    return ScenePerson(
        id=p.id,
        name=(p.venue or p.name) if is_hall else p.name,
        line=(venue.place if venue is not None else "") if is_hall else _line(p),
        venue=_hall(p),
        kind=kind,
        is_main=is_hall and _is_main(p, venue),
        camera=p.camera_on and Source.CAMERA in sources,
        microphone=p.sound_open and Source.MICROPHONE in sources,
        connected=seat.lost_at_s is None,
        camera_id=next((each.id for each in seat.publications if each.main), None),
    )


def _kind(p: Participant) -> PersonKind:
    """A hall is what its operator's machine shows; another camera of it comes in by itself."""
    if p.kind is ParticipantKind.CLIP:
        return PersonKind.CLIP
    if p.kind.is_encoder:
        return PersonKind.STREAM
    return PersonKind.VENUE if p.role is Role.VENUE_OPERATOR else PersonKind.PERSON


def _is_main(p: Participant, venue: Venue | None) -> bool:
    return p.venue == _MAIN if venue is None else venue.kind is VenueKind.MAIN


def _line(p: Participant) -> str:
    """A member's sector, others' office; and where they are: 医药卫生界 · 主会场."""
    own = p.sector or p.title if p.role is Role.MEMBER else p.title or p.sector
    if p.role is Role.CHAIR:
        own = own or "主持人"
    where = p.venue if p.venue != p.name else None
    return _SEPARATOR.join(each for each in (own, where) if each)
