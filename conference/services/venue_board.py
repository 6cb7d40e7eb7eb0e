"""The board of all venues: how each fares now, over the last hour and over the session, told to desks.

Joined of the list of venues, who of each is in the room, what the inspector saw of their media, cameras and pre-checks.
What was seen is in memory alone, one sample a minute, twelve hours at most, and is gone with a restart: it is for
those who help now, and no record of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from conference.model.errors import NotFoundError
from conference.model.media_report import Path
from conference.model.permissions import Action, Role, allowed, require
from conference.model.precheck import Precheck
from conference.model.venue import Venue
from conference.model.venue_health import Steady, VenueJudgement, VenueReason, judge, need_of
from conference.model.venue_trail import Minute, Sample, VenueEvent, VenueTrail
from conference.services.consultations import consultation_of
from conference.services.insight import Insight
from conference.services.live_room import LiveRoom
from conference.services.rooms import Rooms
from conference.services.venue_signs import (
    Hall,
    halls_of,
    others_in,
    path_of,
    picture_of,
    sample_of,
    seen_in,
    signs_of,
)
from conference.venue_views import (
    CheckedItemView,
    CheckedView,
    OthersView,
    VenueCameraView,
    VenueHealthChanged,
    VenueHealthView,
)

STEP_S: Final = 1.0  # how late a verdict is
_ROWS_S: Final = 5.0  # how late the board learns of another name or pre-check
_TELL_S: Final = 5.0
_SAMPLE_S: Final = 5.0
_NOBODY: Final = OthersView(0, 0)
_KEPT_MS: Final = 6 * 3600 * 1000  # of a room that nobody is in
HOUR: Final = 60  # minutes


class VenueCameras(Protocol):
    """The cameras that the server fetches."""

    async def of_venues(self, consultation_id: str) -> Mapping[str, tuple[VenueCameraView, ...]]:
        """By venue, how each fares now."""


class NoCameras:
    """Where none are fetched."""

    async def of_venues(self, consultation_id: str) -> Mapping[str, tuple[VenueCameraView, ...]]:
        return {}


@dataclass(frozen=True, slots=True)
class Board:
    """All venues of a consultation now, in their order, with the minutes of their last hour."""

    at_ms: int
    is_live: bool
    venues: tuple[VenueHealthView, ...]
    hours: Mapping[str, tuple[Minute, ...]]
    others: OthersView


@dataclass(frozen=True, slots=True)
class VenueSession:
    """One venue over the session."""

    health: VenueHealthView
    minutes: tuple[Minute, ...]
    events: tuple[VenueEvent, ...]


@dataclass(slots=True)
class _Venue:
    """What is remembered of one hall."""

    steady: Steady = field(default_factory=Steady)
    trail: VenueTrail = field(default_factory=VenueTrail)
    sampled_s: float = float("-inf")
    was_here: bool = False
    now: VenueHealthView | None = None
    since_ms: int = 0


@dataclass(slots=True)
class _Seen:
    """What is remembered of one consultation."""

    rows_s: float = float("-inf")
    venues: Sequence[Venue] = ()
    checked: Mapping[str, Precheck] = field(default_factory=dict)
    cameras: Mapping[str, tuple[VenueCameraView, ...]] = field(default_factory=dict)
    halls: dict[str, _Venue] = field(default_factory=dict)
    others: OthersView = _NOBODY
    told: dict[str, VenueHealthView] = field(default_factory=dict)
    told_others: OthersView | None = None
    told_s: float = float("-inf")
    looked_ms: int = 0


class VenueBoard:
    """Owned by signaling.web_process, which calls `tick`."""

    def __init__(self, rooms: Rooms, insight: Insight, cameras: VenueCameras | None = None) -> None:
        self._rooms = rooms
        self._insight = insight
        self._cameras = cameras or NoCameras()
        self._seen: dict[str, _Seen] = {}

    # ── asked ───────────────────────────────────────────────────────────────────────────────────

    async def board(self, consultation_id: str, role: Role) -> Board:
        """All venues now. Also of a consultation in whose room nobody is."""
        require(role, Action.VENUE_WATCH)
        seen = await self._looked(consultation_id)
        venues = tuple(each.now for each in seen.halls.values() if each.now is not None)
        hours = {hall_id: each.trail.minutes(HOUR) for hall_id, each in seen.halls.items()}
        return Board(self._rooms.clock.wall_ms(), self._is_live(consultation_id), venues, hours, seen.others)

    async def session(self, consultation_id: str, role: Role, venue_id: str) -> VenueSession:
        """One venue, with its whole session."""
        require(role, Action.VENUE_WATCH)
        seen = await self._looked(consultation_id)
        hall = seen.halls.get(venue_id)
        if hall is None or hall.now is None:
            raise NotFoundError(f"venue {venue_id}")
        return VenueSession(hall.now, hall.trail.minutes(), hall.trail.events())

    async def _looked(self, consultation_id: str) -> _Seen:
        async with self._rooms.storage.reading() as unit:
            await consultation_of(unit, consultation_id)
        seen = self._seen.setdefault(consultation_id, _Seen())
        await self._read(consultation_id, seen)
        self._look(consultation_id, self._rooms.find(consultation_id), seen)
        return seen

    def _is_live(self, consultation_id: str) -> bool:
        room = self._rooms.find(consultation_id)
        return room is not None and room.consultation.is_running

    # ── followed ────────────────────────────────────────────────────────────────────────────────

    async def tick(self) -> None:
        """Call every STEP_S: look at each room that somebody is in, tell its desks, forget what is long over."""
        for room in self._rooms.all():
            seen = self._seen.setdefault(room.id, _Seen())
            if self._rooms.clock.monotonic() - seen.rows_s >= _ROWS_S:
                await self._read(room.id, seen)
            if not room.closed:
                self._look(room.id, room, seen)
                self._tell(room, seen)
        now_ms = self._rooms.clock.wall_ms()
        for consultation_id, seen in tuple(self._seen.items()):
            if self._rooms.find(consultation_id) is None and now_ms - seen.looked_ms >= _KEPT_MS:
                del self._seen[consultation_id]

    async def _read(self, consultation_id: str, seen: _Seen) -> None:
        """Venues, pre-checks and cameras as they are now."""
        async with self._rooms.storage.reading() as unit:
            seen.venues = await unit.venues.of(consultation_id)
            newest = await unit.prechecks.newest(consultation_id)
        seen.checked = {each.venue_id: each for each in newest}
        seen.cameras = await self._cameras.of_venues(consultation_id)
        seen.rows_s = self._rooms.clock.monotonic()

    def _look(self, consultation_id: str, room: LiveRoom | None, seen: _Seen) -> None:
        """Judge every venue anew."""
        clock = self._rooms.clock
        now_s, now_ms = clock.monotonic(), clock.wall_ms()
        media = seen_in(self._insight.looks().get(consultation_id))
        halls = halls_of(room, seen.venues)
        for hall in halls.values():
            hall.cameras, hall.checked = seen.cameras.get(hall.id, ()), seen.checked.get(hall.id)
        # A hall without a row stays on the board of a session that it was in.
        for hall_id, known in seen.halls.items():
            if hall_id not in halls and known.now is not None and not known.now.prepared:
                halls[hall_id] = Hall(hall_id, None, known.now.name)
        seen.others = others_in(room, halls, media)
        before, seen.halls = seen.halls, {}
        for hall in halls.values():
            venue = seen.halls[hall.id] = before.get(hall.id) or _Venue()
            venue.was_here |= bool(hall.seats)
            signs = replace(signs_of(hall, room, media, now_s), was_here=venue.was_here)
            shown = venue.steady.take(judge(signs), now_s)
            sample, path = sample_of(hall, media), path_of(hall, media)
            if venue.now is None or (venue.now.verdict, venue.now.reason) != (shown.verdict, shown.reason):
                venue.since_ms = now_ms - round((signs.away_s or 0.0) * 1000)
            if shown.reason is not VenueReason.NOT_HERE or venue.was_here:
                venue.trail.judged(now_ms, shown.verdict, shown.reason)
                venue.trail.took_way(now_ms, path)
            if sample is not None and now_s - venue.sampled_s >= _SAMPLE_S:
                venue.sampled_s = now_s
                venue.trail.take(now_ms, sample)
            venue.now = _view(hall, shown, venue.since_ms, sample, path, is_live=signs.is_live)
        seen.looked_ms = now_ms

    def _tell(self, room: LiveRoom, seen: _Seen) -> None:
        """What is different now, to the desks that watch over the venues."""
        desks = [each for each in room.desks.values() if allowed(each.bearer.role, Action.VENUE_WATCH)]
        now_s = self._rooms.clock.monotonic()
        now = {hall_id: each.now for hall_id, each in seen.halls.items() if each.now is not None}
        changed = tuple(each for hall_id, each in now.items() if seen.told.get(hall_id) != each)
        gone = tuple(hall_id for hall_id in seen.told if hall_id not in now)
        if not desks or not (changed or gone or seen.others != seen.told_others):
            return
        is_urgent = any(_verdict(seen.told.get(each.venue_id)) != _verdict(each) for each in changed)
        if not is_urgent and now_s - seen.told_s < _TELL_S:
            return
        seen.told, seen.told_others, seen.told_s = now, seen.others, now_s
        event = VenueHealthChanged(self._rooms.clock.wall_ms(), changed, gone, seen.others)
        for desk in desks:
            self._rooms.publisher.send(desk.session_id, event)


def _verdict(view: VenueHealthView | None) -> object:
    return None if view is None else (view.verdict, view.reason)


def _view(
    hall: Hall,
    shown: VenueJudgement,
    since_ms: int,
    sample: Sample | None,
    path: Path,
    *,
    is_live: bool,
) -> VenueHealthView:
    venue = hall.venue
    return VenueHealthView(
        venue_id=hall.id,
        name=hall.name,
        kind=None if venue is None else venue.kind,
        place="" if venue is None else venue.place,
        operator_name=_operator(hall),
        prepared=venue is not None,
        verdict=shown.verdict,
        reason=shown.reason,
        value=None if shown.value is None else round(shown.value, 3),
        count=shown.count,
        since_ms=since_ms,
        need=need_of(shown.verdict, is_live=is_live),
        steps=shown.steps,
        participant_ids=tuple(seat.id for seat in hall.seats),
        picture_id=picture_of(hall),
        people=hall.people,
        uplink_bps=None if sample is None else sample.uplink_bps,
        uplink_loss=None if sample is None else round(sample.loss, 4),
        rtt_ms=None if sample is None else sample.rtt_ms,
        path=path,
        cameras=hall.cameras,
        checked=None if hall.checked is None else _checked(hall.checked),
    )


def _operator(hall: Hall) -> str:
    if hall.venue is not None and hall.venue.operator_name:
        return hall.venue.operator_name
    names = (seat.participant.name for seat in hall.operators)
    return next((each for each in names if each != hall.name), "")


def _checked(precheck: Precheck) -> CheckedView:
    return CheckedView(
        id=precheck.id,
        number=precheck.number,
        by=precheck.by,
        ended_wall_ms=precheck.ended_wall_ms,
        verdict=precheck.verdict,
        items=tuple(
            CheckedItemView(each.item, each.judgement.verdict, each.judgement.faults)
            for each in precheck.items
        ),
    )
