"""What the room shows of each venue: its seats, and what the inspector last saw of their media."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from conference.model.camera import CameraState
from conference.model.diagnosis import Found, Grade
from conference.model.media import Source
from conference.model.media_report import Path
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.precheck import Precheck, Verdict
from conference.model.venue import Venue
from conference.model.venue_health import VenueSigns
from conference.model.venue_trail import Sample
from conference.services.insight import Inspected, Look
from conference.services.live_room import LiveRoom, Seat
from conference.venue_views import OthersView, VenueCameraView

_RUNS = frozenset({CameraState.CONNECTING, CameraState.RUNNING, CameraState.FAILED})


@dataclass(slots=True)
class Hall:
    """A venue on the list, or a hall that is known by the name in its operator's token alone."""

    id: str
    venue: Venue | None
    name: str
    operators: list[Seat] = field(default_factory=list)
    equipment: list[Seat] = field(default_factory=list)
    people: int = 0
    cameras: tuple[VenueCameraView, ...] = ()
    checked: Precheck | None = None

    @property
    def seats(self) -> list[Seat]:
        return [*self.operators, *self.equipment]


def halls_of(room: LiveRoom | None, venues: Sequence[Venue]) -> dict[str, Hall]:
    """By id, prepared ones first in their order, with who of them is in the room. A hall is known by its equipment;
    members who merely say where they sit make none."""
    halls = {each.id: Hall(each.id, each, each.name) for each in venues}
    by_name = {each.name: each.id for each in reversed(venues)}
    if room is None:
        return halls
    people: list[Participant] = []
    for seat in room.seats.values():
        p = seat.participant
        is_operator = p.kind is ParticipantKind.CLIENT and p.role is Role.VENUE_OPERATOR
        if not is_operator and p.kind is ParticipantKind.CLIENT:
            people.append(p)
            continue
        hall_id = _hall_id(p, halls, by_name)
        if hall_id is None:
            continue
        hall = halls.setdefault(hall_id, Hall(hall_id, None, p.venue or hall_id))
        (hall.operators if is_operator else hall.equipment).append(seat)
    for p in people:
        hall_id = _hall_id(p, halls, by_name)
        if hall_id in halls:
            halls[hall_id].people += 1
    return halls


def _hall_id(p: Participant, halls: Mapping[str, Hall], by_name: Mapping[str, str]) -> str | None:
    if p.venue_id is not None and p.venue_id in halls:
        return p.venue_id
    return None if p.venue is None else by_name.get(p.venue, p.venue)


def signs_of(hall: Hall, room: LiveRoom | None, seen: Mapping[str, Inspected], now_s: float) -> VenueSigns:
    """What is known of a hall now. `seen`: participants by id, as the inspector last saw them."""
    operators = [each for each in hall.operators if each.lost_at_s is None]
    away = [each.lost_at_s for each in hall.operators if each.lost_at_s is not None]
    running = [each for each in hall.cameras if each.state in _RUNS]
    checked = hall.checked
    return VenueSigns(
        is_live=room is not None and room.consultation.is_running,
        operators=len(operators),
        equipment=sum(each.lost_at_s is None for each in hall.equipment),
        away_s=max(0.0, now_s - min(away)) if away and not operators else None,
        found=tuple(_found(hall.seats, seen)),
        cameras=len(running),
        cameras_down=sum(each.state is CameraState.FAILED for each in running),
        failed_items=None
        if checked is None
        else sum(each.judgement.verdict is Verdict.FAILED for each in checked.items),
        needs_precheck=hall.venue is not None,
    )


def _found(seats: Iterable[Seat], seen: Mapping[str, Inspected]) -> Iterable[Found]:
    for seat in seats:
        if seat.lost_at_s is None and seat.id in seen:
            yield from seen[seat.id].found


def sample_of(hall: Hall, seen: Mapping[str, Inspected]) -> Sample | None:
    """What the hall sends, all its seats together; None while nothing is known."""
    found = [seen[seat.id] for seat in hall.seats if seat.lost_at_s is None and seat.id in seen]
    if not found:
        return None
    times = [each.rtt_ms for each in found if each.rtt_ms is not None]
    return Sample(
        uplink_bps=sum(track.bitrate_bps for each in found for track in each.media.sends),
        loss=max(each.uplink_loss for each in found),
        rtt_ms=max(times) if times else None,
    )


def path_of(hall: Hall, seen: Mapping[str, Inspected]) -> Path:
    """How its operator's media comes, else that of its equipment."""
    for seat in hall.seats:
        one = seen.get(seat.id)
        if one is not None and seat.lost_at_s is None and one.path is not Path.NONE:
            return one.path
    return Path.NONE


def picture_of(hall: Hall) -> str | None:
    """Whose camera stands for it: the operator's, else the first of its equipment that has one."""
    for seat in hall.seats:
        if seat.lost_at_s is None and any(each.source is Source.CAMERA for each in seat.publications):
            return seat.id
    return None


def others_in(room: LiveRoom | None, halls: Mapping[str, Hall], seen: Mapping[str, Inspected]) -> OthersView:
    """How those fare who are not a venue's equipment."""
    if room is None:
        return OthersView(0, 0)
    equipment = {seat.id for hall in halls.values() for seat in hall.seats}
    connected = [
        seat.id for seat in room.seats.values() if seat.lost_at_s is None and seat.id not in equipment
    ]
    weak = sum(each in seen and seen[each].grade in (Grade.BAD, Grade.WARN) for each in connected)
    return OthersView(len(connected) - weak, weak)


def seen_in(look: Look | None) -> dict[str, Inspected]:
    """By participant."""
    return {} if look is None else {each.id: each for each in look.participants}
