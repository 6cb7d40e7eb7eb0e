"""The board of venues: verdicts, the last hour, and when desks are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from conference.model.camera import CameraFault, CameraState
from conference.model.errors import ConferenceError
from conference.model.media import Kind, PublicationInfo, Source
from conference.model.media_report import ConnectionReport, Path
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.model.venue_health import Step, VenueReason, VenueVerdict
from conference.services.insight import STEP_S, Insight
from conference.services.links import LinkKind
from conference.services.venue_board import VenueBoard
from conference.services.venues import VenueDraft
from conference.venue_views import VenueCameraView, VenueHealthChanged, VenueHealthView
from tests.unit.services.conftest import World
from tests.unit.services.test_insight import CAMERA, UDP, connected

LOSING = replace(UDP, loss=0.2)


class Cameras:
    """As the test says."""

    def __init__(self) -> None:
        self.now: dict[str, tuple[VenueCameraView, ...]] = {}

    async def of_venues(self, _consultation_id: str) -> Mapping[str, tuple[VenueCameraView, ...]]:
        return self.now


@dataclass
class Stage:
    """A board whose ticks the test makes, one a second, and the inspector beside it."""

    world: World
    insight: Insight
    cameras: Cameras
    board: VenueBoard

    async def pass_s(self, seconds: int) -> None:
        for _ in range(seconds):
            self.world.clock.forward(1)
            if self.world.clock.now_s % STEP_S == 0:
                await self.insight.tick()
            await self.board.tick()

    async def shown(self) -> dict[str, VenueHealthView]:
        board = await self.board.board("c", Role.SECRETARIAT)
        return {each.name: each for each in board.venues}

    def told(self, session: str = "台") -> list[VenueHealthChanged]:
        return self.world.publisher.of_kind(session, VenueHealthChanged)

    async def venue(self, name: str) -> Venue:
        staff = self.world.bearer(Role.SECRETARIAT)
        return await self.world.venues.add(
            "c", staff, VenueDraft(name, VenueKind.BRANCH, "一楼", operator_name="马干事")
        )

    async def operate(self, venue: Venue, session: str = "马干事") -> str:
        """Its operator comes by its link."""
        links = self.world.links
        linked = await self.world.entrances.look(links.code(LinkKind.VENUE, venue.id, venue.link_revision))
        return await self.world.arrivals.join(self.world.guest(linked.pass_(), f"t_{session}"), session)

    def sends(self, *participants: str, uplink: ConnectionReport = UDP) -> None:
        self.world.media.reports = tuple(
            connected(each, uplink=uplink, sends=(CAMERA,)) for each in participants
        )


@pytest.fixture
def stage(world: World) -> Stage:
    insight, cameras = Insight(world.rooms), Cameras()
    return Stage(world, insight, cameras, VenueBoard(world.rooms, insight, cameras))


async def test_before_anybody_is_there_all_venues_are_on_the_board(stage: Stage) -> None:
    await stage.venue("青禾县分会场")
    board = await stage.board.board("c", Role.CHAIR)
    (shown,) = board.venues
    assert (shown.verdict, shown.reason, shown.need) == (VenueVerdict.ABSENT, VenueReason.NOT_HERE, 0)
    assert (shown.operator_name, shown.place, shown.prepared) == ("马干事", "一楼", True)
    assert (board.is_live, board.hours[shown.venue_id], shown.picture_id) == (False, (), None)
    for role in (Role.MODERATOR, Role.MEMBER, Role.VENUE_OPERATOR):
        with pytest.raises(ConferenceError, match=r"venue\.watch"):
            await stage.board.board("c", role)
    with pytest.raises(ConferenceError) as caught:
        await stage.board.board("none", Role.CHAIR)
    assert caught.value.code == "consultation_not_found"


async def test_who_is_here_and_what_it_sends(stage: Stage) -> None:
    venue = await stage.venue("青禾县分会场")
    operator = await stage.operate(venue)
    room = stage.world.rooms.find("c")
    assert room is not None
    room.seats[operator].publications = (PublicationInfo("v1", Kind.VIDEO, Source.CAMERA, codec="VP8"),)
    entry = replace(stage.world.entry("委员"), venue="青禾县分会场")
    await stage.world.arrivals.join(entry, "委员")
    await stage.world.join("在家")
    stage.sends(operator)
    await stage.pass_s(20)
    (shown,) = (await stage.shown()).values()
    assert (shown.verdict, shown.reason) == (VenueVerdict.LOOK, VenueReason.NOT_CHECKED)
    assert shown.steps == (Step.RUN_PRECHECK, Step.CALL)
    assert (shown.participant_ids, shown.picture_id, shown.people) == ((operator,), operator, 1)
    assert (shown.uplink_bps, shown.uplink_loss, shown.rtt_ms) == (700_000, 0.0, 40)
    assert shown.path is Path.UDP
    board = await stage.board.board("c", Role.SECRETARIAT)
    assert (board.others.well, board.others.weak) == (2, 0)
    await stage.world.life_cycle.start("c", stage.world.bearer(Role.CHAIR))
    await stage.pass_s(20)
    assert (await stage.shown())["青禾县分会场"].reason is VenueReason.WELL


async def test_a_weak_uplink_is_seen_and_stays_for_a_while(stage: Stage) -> None:
    venue = await stage.venue("石桥村连线点")
    operator = await stage.operate(venue)
    await stage.world.life_cycle.start("c", stage.world.bearer(Role.CHAIR))
    stage.sends(operator)
    await stage.pass_s(20)
    assert (await stage.shown())["石桥村连线点"].verdict is VenueVerdict.OK
    stage.sends(operator, uplink=LOSING)
    await stage.pass_s(30)
    shown = (await stage.shown())["石桥村连线点"]
    assert (shown.verdict, shown.reason, shown.need) == (VenueVerdict.ACT, VenueReason.UPLINK_BROKEN, 3)
    assert shown.steps[0] is Step.USE_WIRE
    assert shown.value is not None
    assert 0.1 < shown.value <= 0.2
    stage.sends(operator)
    await stage.pass_s(120)
    assert (await stage.shown())["石桥村连线点"].reason is VenueReason.WELL
    session = await stage.board.session("c", Role.SECRETARIAT, venue.id)
    reasons = [each.reason for each in session.events]
    assert reasons[-1] is VenueReason.WELL
    assert VenueReason.UPLINK_BROKEN in reasons
    assert len(reasons) <= 4, "it goes over a weak uplink at most once each way"
    assert [each.at_ms for each in session.events] == sorted(each.at_ms for each in session.events)


async def test_a_broken_line_and_who_left(stage: Stage) -> None:
    venue = await stage.venue("石桥村连线点")
    operator = await stage.operate(venue)
    await stage.world.join("主持人", Role.CHAIR)
    await stage.world.life_cycle.start("c", stage.world.bearer(Role.CHAIR))
    await stage.pass_s(2)
    await stage.world.departures.disconnect("c", operator, "马干事")
    await stage.pass_s(3)
    shown = (await stage.shown())["石桥村连线点"]
    assert (shown.verdict, shown.reason, shown.need) == (VenueVerdict.ACT, VenueReason.AWAY, 3)
    assert stage.world.clock.wall_ms() - shown.since_ms == 3000
    await stage.world.departures.leave("c", operator)
    await stage.pass_s(1)
    shown = (await stage.shown())["石桥村连线点"]
    assert (shown.verdict, shown.reason, shown.need) == (VenueVerdict.ABSENT, VenueReason.GONE, 2)


async def test_desks_are_told_at_most_every_five_seconds_and_of_verdicts_at_once(stage: Stage) -> None:
    venue = await stage.venue("青禾县分会场")
    other = await stage.venue("石桥村连线点")
    operator = await stage.operate(venue)
    await stage.world.life_cycle.start("c", stage.world.bearer(Role.CHAIR))
    for role, session in ((Role.SECRETARIAT, "台"), (Role.MODERATOR, "审核台")):
        await stage.world.desks.open("c", stage.world.bearer(role), session)
    await stage.pass_s(1)
    (first,) = stage.told()
    assert {each.venue_id for each in first.venues} == {venue.id, other.id}
    for n in range(20):  # another rate each second
        sent = replace(CAMERA, bitrate_bps=500_000 + n)
        stage.world.media.reports = (connected(operator, sends=(sent,)),)
        await stage.insight.look("c")
        await stage.pass_s(1)
    told = stage.told()
    assert 3 <= len(told) <= 5
    assert {each.venue_id for each in told[-1].venues} == {venue.id}, "what is as it was is not told again"
    await stage.world.departures.disconnect("c", operator, "马干事")
    before = len(stage.told())
    await stage.pass_s(1)
    (urgent,) = stage.told()[before:]
    assert [each.reason for each in urgent.venues] == [VenueReason.AWAY]
    assert stage.told("审核台") == stage.told("马干事") == []


async def test_what_was_told_is_the_board(stage: Stage) -> None:
    """Who keeps the newest of each venue holds what a fresh look says."""
    venue, other = await stage.venue("青禾县分会场"), await stage.venue("石桥村连线点")
    await stage.world.desks.open("c", stage.world.bearer(Role.SECRETARIAT), "台")
    await stage.pass_s(6)
    operator = await stage.operate(venue)
    stage.sends(operator)
    await stage.pass_s(12)
    await stage.world.venues.remove("c", stage.world.bearer(Role.SECRETARIAT), other.id)
    await stage.pass_s(12)
    held: dict[str, VenueHealthView] = {}
    for each in stage.told():
        held.update({one.venue_id: one for one in each.venues})
        for gone in each.gone:
            del held[gone]
    fresh = await stage.board.board("c", Role.SECRETARIAT)
    assert tuple(held.values()) == fresh.venues
    assert stage.told()[-1].others == fresh.others


async def test_a_camera_that_does_not_come(stage: Stage) -> None:
    venue = await stage.venue("青禾县分会场")
    await stage.operate(venue)
    await stage.world.life_cycle.start("c", stage.world.bearer(Role.CHAIR))
    broken = VenueCameraView("cm1", "全景", True, CameraState.FAILED, CameraFault.PASSWORD_WRONG)
    running = VenueCameraView("cm2", "发言席", False, CameraState.RUNNING, None)
    stage.cameras.now = {venue.id: (broken, running)}
    await stage.pass_s(6)
    (shown,) = (await stage.shown()).values()
    assert (shown.reason, shown.count, shown.cameras) == (VenueReason.CAMERA_DOWN, 1, (broken, running))


async def test_a_hall_that_is_known_by_its_name_alone(stage: Stage) -> None:
    prepared = await stage.venue("青禾县分会场")
    for venue, session in (("青禾县分会场", "甲"), ("柳塘街道", "乙")):
        entry = replace(stage.world.entry(session, Role.VENUE_OPERATOR), venue=venue)
        await stage.world.arrivals.join(entry, session)
    shown = await stage.shown()
    assert {name: (each.venue_id, each.prepared) for name, each in shown.items()} == {
        "青禾县分会场": (prepared.id, True),
        "柳塘街道": ("柳塘街道", False),
    }
    assert shown["柳塘街道"].reason is VenueReason.WELL
    room = stage.world.rooms.find("c")
    assert room is not None
    away = next(seat.id for seat in room.seats.values() if seat.participant.venue == "柳塘街道")
    await stage.world.departures.leave("c", away)
    assert (await stage.shown())["柳塘街道"].reason is VenueReason.GONE


async def test_one_sample_a_minute_over_the_session(stage: Stage) -> None:
    venue = await stage.venue("青禾县分会场")
    operator = await stage.operate(venue)
    stage.sends(operator)
    await stage.pass_s(60 * 75)
    board = await stage.board.board("c", Role.SECRETARIAT)
    hour = board.hours[venue.id]
    session = await stage.board.session("c", Role.SECRETARIAT, venue.id)
    assert len(hour) == 60
    assert 75 <= len(session.minutes) <= 76
    assert hour == session.minutes[-60:]
    assert {each.uplink_bps for each in hour} == {700_000}
    with pytest.raises(ConferenceError):
        await stage.board.session("c", Role.SECRETARIAT, "v_none")


async def test_a_room_that_was_left_is_forgotten_after_some_hours(stage: Stage) -> None:
    venue = await stage.venue("青禾县分会场")
    operator = await stage.operate(venue)
    stage.sends(operator)
    await stage.pass_s(20)
    await stage.world.departures.leave("c", operator)
    await stage.pass_s(1)
    assert (await stage.board.session("c", Role.CHAIR, venue.id)).minutes, "still there for who asks"
    stage.world.clock.forward(7 * 3600)
    await stage.board.tick()
    assert (await stage.board.session("c", Role.CHAIR, venue.id)).minutes == ()
