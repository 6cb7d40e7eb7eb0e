"""The scene of a program: what of a room its maker is told."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from conference.model.agenda import AgendaItem, AgendaKind, ItemState
from conference.model.consultation import Consultation, Mode, Status
from conference.model.floor import Ending, Turn, TurnState
from conference.model.media import Kind, PublicationInfo, Source
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.program import Direction, DirectionMode, Layout, PersonKind, Phase
from conference.model.venue import Venue, VenueKind
from conference.services.live_room import Seat
from conference.services.program_scene import MAX_PEOPLE, scene_of
from conference.worker_events import Scene, ScenePromotion
from recording.program.scene import scene_from

LIVE = Consultation(
    "c",
    "养老服务协商会",
    Status.LIVE,
    Mode.FREE,
    True,
    False,
    True,
    1,
    started_at_ms=1_000_000,
    organization="市政协",
)
CAMERA = PublicationInfo("pub_1", Kind.VIDEO, Source.CAMERA)
MICROPHONE = PublicationInfo("pub_2", Kind.AUDIO, Source.MICROPHONE)


def person(pid: str, **values: Any) -> Participant:
    said = {"name": pid, "role": Role.MEMBER, "venue": None, "kind": ParticipantKind.CLIENT, "device": None}
    return Participant(
        **{
            **said,
            "id": pid,
            "consultation_id": "c",
            "token_id": "t",
            "resume_hash": "",
            "joined_at_ms": 1,
            "last_seen_ms": 1,
            **values,
        }
    )


def venue(vid: str, name: str, kind: VenueKind, place: str = "") -> Venue:
    return Venue(vid, "c", 1, name, kind, place, "", "", None, 1, "", 1)


def item(kind: AgendaKind = AgendaKind.SPEECH, **values: Any) -> AgendaItem:
    return AgendaItem("a", "议题", kind, state=ItemState.CURRENT, **values)


def turn(**values: Any) -> Turn:
    said = Turn("f", "c", "p_1", "某", Role.MEMBER, None, None, "主持人", 0, 0, None, Ending.SOFT)
    return replace(said, **values)


def scene(*seats: Seat, consultation: Consultation = LIVE, **values: Any) -> Scene:
    given = {"item": None, "turn": None, "venues": (), "direction": Direction(), **values}
    return scene_of(
        consultation,
        given["item"],
        seats,
        given["turn"],
        given["venues"],
        given["direction"],
        mains=given.get("mains", ()),
    )


@pytest.mark.parametrize(
    ("who", "line"),
    [
        ({"sector": "医药卫生界", "title": "市医院", "venue": "主会场"}, "医药卫生界 · 主会场"),
        ({"title": "市医院"}, "市医院"),
        ({}, ""),
        ({"role": Role.DEPARTMENT, "title": "民政局副局长", "sector": "x"}, "民政局副局长"),
        ({"role": Role.CHAIR, "venue": "主会场"}, "主持人 · 主会场"),
        ({"role": Role.CHAIR, "title": "副主席"}, "副主席"),
        ({"name": "主会场", "venue": "主会场"}, ""),
    ],
)
def test_what_stands_under_a_name(who: dict[str, Any], line: str) -> None:
    (shown,) = scene(Seat(person("p_1", **who))).people
    assert (shown.line, shown.kind) == (line, PersonKind.PERSON)


def test_halls_people_and_cameras() -> None:
    venues = (venue("v_1", "主会场", VenueKind.MAIN, "市民中心"), venue("v_2", "开发区", VenueKind.BRANCH))
    operator = {"role": Role.VENUE_OPERATOR, "name": "李师傅"}
    shown = scene(
        Seat(person("p_1", **operator, venue="主会场", venue_id="v_1")),
        Seat(person("p_2", **operator, venue="开发区", venue_id="v_2")),
        Seat(person("p_3", **operator, venue="主会场", venue_id="v_1", kind=ParticipantKind.WHIP)),
        Seat(person("p_4", venue="主会场", venue_id="v_1")),
        venues=venues,
    )
    assert [(each.kind, each.name, each.line, each.is_main, each.venue) for each in shown.people] == [
        ("venue", "主会场", "市民中心", True, "v_1"),
        ("venue", "开发区", "", False, "v_2"),
        ("stream", "李师傅", "主会场", False, "v_1"),
        ("person", "p_4", "主会场", False, "v_1"),
    ]
    assert shown.venues == ("主会场", "开发区")


def test_without_venues_prepared_the_main_one_is_known_by_its_name() -> None:
    operators = [
        Seat(person(f"p_{name}", role=Role.VENUE_OPERATOR, venue=name)) for name in ("分会场", "主会场")
    ]
    shown = scene(*operators)
    assert [each.is_main for each in shown.people] == [False, True]
    assert shown.venues == ("分会场", "主会场")


@pytest.mark.parametrize(
    ("state", "publications", "seen"),
    [
        ({}, (CAMERA, MICROPHONE), (True, True)),
        ({}, (), (False, False)),
        ({"camera_on": False, "soft_muted": True}, (CAMERA, MICROPHONE), (False, False)),
    ],
)
def test_what_is_sent_and_not_shut(state: Any, publications: Any, seen: tuple[bool, bool]) -> None:
    seat = Seat(person("p_1", **state), publications=publications, lost_at_s=None)
    (shown,) = scene(seat).people
    assert (shown.camera, shown.microphone) == seen


def test_a_comment_before_the_meeting_stands_on_a_card_and_not_in_the_bar() -> None:
    put = replace(item(AgendaKind.PROMOTION), title="能不能接受现金？", speaker="市民政局")
    shown = scene(item=put)
    assert (shown.item, shown.promotion) == (None, ScenePromotion("能不能接受现金？", answering="市民政局"))
    assert scene_from(asdict(shown)).promotion is not None
    assert scene(item=item()).promotion is None


def test_who_lost_the_line_is_not_connected() -> None:
    (shown,) = scene(Seat(person("p_1"), lost_at_s=3.0)).people
    assert shown.connected is False


def test_the_floor_and_when_it_is_over() -> None:
    seat = Seat(person("p_1"))
    running = turn(state=TurnState.RUNNING, started_at_ms=9_000, duration_ms=60_000, spoken_ms=4_000)
    assert (scene(seat, turn=running).floor, scene(seat, turn=running).floor_ends_ms) == ("p_1", 65_000)
    assert scene(turn=running).floor is None, "somebody who is not here"
    for still in (
        turn(state=TurnState.WAITING, duration_ms=60_000),
        turn(state=TurnState.RUNNING, started_at_ms=9_000),
        turn(state=TurnState.GRACE, spoken_ms=4_000, duration_ms=60_000),
    ):
        assert (scene(seat, turn=still).floor, scene(seat, turn=still).floor_ends_ms) == ("p_1", None)


def test_phases() -> None:
    assert scene().phase is Phase.LIVE
    ended = replace(LIVE, status=Status.ENDED)
    pause = item(AgendaKind.BREAK, planned_minutes=10, started_at_ms=60_000)
    resting = scene(item=pause)
    assert (resting.phase, resting.resumes_wall_ms) == (Phase.BREAK, 1_660_000)
    assert scene(item=replace(pause, planned_minutes=None)).resumes_wall_ms is None
    assert scene(item=item(planned_minutes=10, started_at_ms=0)).resumes_wall_ms is None
    assert scene(item=pause, consultation=ended).phase is Phase.ENDED


def test_the_maker_reads_all_of_it_and_takes_no_more_people() -> None:
    """Field by field: the two sides know each other only by names on a pipe."""
    seats = [Seat(person(f"p_{n}")) for n in range(MAX_PEOPLE + 3)]
    direction = Direction(DirectionMode.MANUAL, Layout.SIDE, ("p_1", "p_2"))
    running = turn(state=TurnState.RUNNING, started_at_ms=0, duration_ms=5)
    made = scene(
        *seats, item=item(), turn=running, direction=direction, venues=(venue("v", "一", VenueKind.MAIN),)
    )
    read = scene_from(asdict(made))
    assert len(read.people) == MAX_PEOPLE
    for name in Scene.__slots__:
        ours = getattr(made, name)
        if name == "people":
            assert [each.id for each in read.people] == [each.id for each in ours]
            assert {name: getattr(read.people[0], name) for name in asdict(ours[0])} == asdict(ours[0])
        elif name == "direction":
            assert (read.direction.mode, read.direction.layout, read.direction.people) == (
                "manual",
                "side",
                ("p_1", "p_2"),
            )
        else:
            assert getattr(read, name) == ours, name


def test_of_several_cameras_the_program_is_told_the_main_one() -> None:
    second = PublicationInfo("pub_3", Kind.VIDEO, Source.CAMERA, "发言席", main=True)
    (shown,) = scene(Seat(person("p_1"), publications=(CAMERA, second))).people
    assert (shown.camera, shown.camera_id) == (True, "pub_3")
    assert (
        scene_from(asdict(scene(Seat(person("p_1"), publications=(CAMERA, second))))).people[0].camera_id
        == "pub_3"
    )


def test_the_main_camera_stands_for_a_hall_whose_operator_shows_none() -> None:
    halls = (venue("v", "青禾县分会场", VenueKind.BRANCH, "委员之家"),)
    there = {"venue": "青禾县分会场", "venue_id": "v", "role": Role.VENUE_OPERATOR}
    camera = person("p_cam", name="青禾县分会场 · 主席台", kind=ParticipantKind.INGEST, **there)
    other = person("p_side", name="青禾县分会场 · 侧面", kind=ParticipantKind.INGEST, **there)
    operator = person("p_op", name="马干事", **there)
    seats = [Seat(each, publications=(CAMERA,)) for each in (camera, other)]

    def kinds(*more: Seat) -> list[tuple[str, PersonKind]]:
        found = scene(*seats, *more, venues=halls, mains={"p_cam"}).people
        return [(each.name, each.kind) for each in found]

    streams = [("青禾县分会场", PersonKind.VENUE), ("青禾县分会场 · 侧面", PersonKind.STREAM)]
    assert kinds() == streams
    assert kinds(Seat(operator, publications=(MICROPHONE,))) == [*streams, ("马干事", PersonKind.PERSON)]
    shown = kinds(Seat(operator, publications=(CAMERA,)))
    assert shown[0][1] is PersonKind.STREAM, "the operator's picture is the hall's"
    assert shown[2] == ("青禾县分会场", PersonKind.VENUE)
    seats[0].lost_at_s = 1.0
    assert kinds()[0] == ("青禾县分会场 · 主席台", PersonKind.STREAM), "it has broken off"
