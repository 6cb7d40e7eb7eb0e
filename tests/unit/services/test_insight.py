"""The room inspector: reports of media and clients joined, smoothed, and kept for a while."""

import json
from dataclasses import replace

import pytest

from conference.model.diagnosis import Finding, Grade
from conference.model.media import Kind, Source, TrackReport
from conference.model.media_report import (
    ConnectionReport,
    LayerReport,
    MediaReport,
    Path,
    ReceivedTrack,
    SentTrack,
)
from conference.model.permissions import Role
from conference.services.insight import KEPT_S, STEP_S, Insight
from conference.services.insight_trail import Trail, unpack
from conference.services.ports import MediaError
from tests.unit.services.conftest import World

UDP = ConnectionReport("connected", Path.UDP, 0.0)
CAMERA = SentTrack(
    "v1", Kind.VIDEO, Source.CAMERA, "VP8", 700_000, 20, True, ("q", "h"), ("q", "h"),
    (LayerReport("q", 320, 180, 15.0, 150_000), LayerReport("h", 640, 360, 25.0, 550_000)),
)  # fmt: skip


def picture(sender: str, layer: str | None = "h", reason: str = "size") -> ReceivedTrack:
    height = {"q": 180, "h": 360, None: 0}[layer]
    return ReceivedTrack(
        "v1", sender, Kind.VIDEO, "camera", "active", layer, height, 360, 360, 2, reason, 550_000, 0.0
    )


def voice(sender: str) -> ReceivedTrack:
    return ReceivedTrack("a1", sender, Kind.AUDIO, "microphone", "active", "", 0, 0, 0, 2, "", 32_000, 0.0)


def connected(participant_id: str, **more: object) -> MediaReport:
    return replace(MediaReport(participant_id, UDP, UDP, 40), **more)  # type: ignore[arg-type]


async def lines(insight: Insight) -> list[dict[str, object]]:
    return [
        json.loads(line) for step in [each async for each in insight.trail("c")] for line in step.splitlines()
    ]


async def test_nobody_there(world: World) -> None:
    insight = Insight(world.rooms)
    assert (await insight.look("c")).participants == ()
    await insight.tick()
    assert await lines(insight) == []
    assert world.media.calls == []


async def test_reports_of_media_and_client_are_joined(world: World) -> None:
    sender, viewer = await world.join("a"), await world.join("b", Role.CHAIR)
    world.media.reports = (
        connected(sender, sends=(CAMERA,)),
        connected(viewer, receives=(picture(sender), voice(sender)), estimate_bps=2_000_000),
    )
    world.media_sessions.report(
        "c", viewer, (TrackReport("v1", 500, 0, 12.0), TrackReport("a1", 0, 100, 0)), 5000
    )
    look = await Insight(world.rooms).look("c")
    first, second = look.participants
    assert (first.id, first.role, first.path, first.found) == (sender, Role.MEMBER, Path.UDP, ())
    seen, heard = second.tracks
    assert (seen.freeze, seen.fps, seen.score) == (0.1, 12.0, 50)
    assert (heard.concealed, heard.score) == (0.02, 71)
    assert second.score == 60
    assert [one.finding for one in second.found] == [Finding.FREEZES, Finding.BROKEN_SOUND]
    assert second.grade is Grade.WARN


async def test_what_a_client_told_long_ago_counts_no_more(world: World) -> None:
    sender, viewer = await world.join("a"), await world.join("b")
    world.media.reports = (connected(viewer, receives=(picture(sender), voice(sender))),)
    world.media_sessions.report("c", viewer, (TrackReport("v1", 5000, 0, 0.0),), 5000)
    insight = Insight(world.rooms)
    world.clock.forward(25)
    viewed = (await insight.look("c")).participants[1]
    assert viewed.tracks[0].freeze is None
    assert [one.finding for one in viewed.found] == [Finding.NOT_REPORTING]
    assert viewed.grade is None, "that needs nothing done"


async def test_a_moment_of_loss_is_no_finding_and_a_sender_who_loses_is_named(world: World) -> None:
    sender, viewer = await world.join("a"), await world.join("b")
    world.clock.forward(20)
    insight = Insight(world.rooms)
    for loss in (0.0, 0.09, 0.0):
        losing = replace(UDP, loss=loss)
        world.media.reports = (connected(sender, uplink=losing), connected(viewer))
        world.clock.forward(1)
        assert (await insight.look("c")).participants[0].found == ()
    world.media.reports = (
        connected(sender, uplink=replace(UDP, loss=0.2)),
        connected(viewer, receives=(picture(sender),)),
    )
    world.media_sessions.report("c", viewer, (TrackReport("v1", 2000, 0, 5.0),), 5000)
    for _ in range(5):
        world.clock.forward(2)
        look = await insight.look("c")
    assert look.participants[0].found[0].finding is Finding.UPLINK_LOSS
    freezes, blamed = look.participants[1].found
    assert (freezes.finding, blamed.finding, blamed.participant_id) == (
        Finding.FREEZES,
        Finding.SENDER,
        sender,
    )


async def test_paused_hidden_and_waiting_pictures(world: World) -> None:
    sender, viewer = await world.join("a"), await world.join("b")
    paused, waiting = picture(sender, None, "bandwidth"), picture(sender, None)
    world.media.reports = (
        connected(viewer, receives=(paused, waiting), hidden=3, estimate_bps=200_000, sound_only=True),
    )
    viewed = (await Insight(world.rooms).look("c")).participants[1]
    assert [each.score for each in viewed.tracks] == [0, None]
    (found,) = viewed.found
    assert (found.finding, found.value) == (Finding.SOUND_ONLY, 200_000)


async def test_a_camera_that_sends_nothing_is_told_after_some_seconds(world: World) -> None:
    sender = await world.join("a")
    world.clock.forward(20)
    insight = Insight(world.rooms)
    world.media.reports = (connected(sender, sends=(replace(CAMERA, silent_ms=None, layers=()),)),)
    assert (await insight.look("c")).participants[0].found == ()
    world.clock.forward(7)
    assert (await insight.look("c")).participants[0].found[0].finding is Finding.CAMERA_SILENT
    world.media.reports = (connected(sender, sends=(replace(CAMERA, layers=CAMERA.layers[:1]),)),)
    world.clock.forward(2)
    assert (await insight.look("c")).participants[0].found == ()
    world.clock.forward(7)
    (found,) = (await insight.look("c")).participants[0].found
    assert (found.finding, found.value) == (Finding.SMALL_PICTURE, 180)


async def test_who_never_had_media_and_who_is_away(world: World) -> None:
    stuck = await world.join("a")
    world.media.reports = (MediaReport(stuck, downlink=ConnectionReport("new", Path.NONE, 0.0)),)
    insight = Insight(world.rooms)
    assert (await insight.look("c")).participants[0].found == (), "it has only just come"
    world.clock.forward(20)
    assert (await insight.look("c")).participants[0].found[0].finding is Finding.NO_MEDIA
    room = world.rooms.find("c")
    assert room is not None
    room.seats[stuck].lost_at_s = world.clock.monotonic()
    world.clock.forward(4)
    (found,) = (await insight.look("c")).participants[0].found
    assert (found.finding, found.value) == (Finding.AWAY, 4.0)


async def test_several_desks_look_once_and_trouble_is_told(world: World) -> None:
    await world.join("a")
    insight = Insight(world.rooms)
    asked = len(world.media.calls)
    await insight.look("c")
    await insight.look("c")
    assert len(world.media.calls) == asked + 1
    world.clock.forward(2)
    world.media.failures = {"room_report": "media_unavailable"}
    with pytest.raises(MediaError):
        await insight.look("c")
    await insight.tick()
    world.media.failures = {"room_report": "not_found"}
    assert len((await insight.look("c")).participants) == 1, "a media process that is new knows no room yet"


async def test_the_trail_has_ids_and_numbers_and_no_names(world: World) -> None:
    sender, viewer = await world.join("张三丰"), await world.join("b", Role.CHAIR)
    world.media.reports = (
        connected(sender, sends=(CAMERA,)),
        connected(viewer, receives=(picture(sender),)),
    )
    insight = Insight(world.rooms)
    for _ in range(3):
        await insight.tick()
        world.clock.forward(STEP_S)
    kept = await lines(insight)
    assert [line["participant_id"] for line in kept] == [sender, viewer] * 3
    assert kept[1]["role"] == "chair"
    assert kept[1]["receives"][0]["score"] == 100  # type: ignore[index]
    assert "张三丰" not in json.dumps(kept, ensure_ascii=False)
    assert not {"name", "label", "address", "venue"} & set(kept[0])
    assert len(insight.looks()) == 1
    world.clock.forward(KEPT_S + 1)
    room = world.rooms.find("c")
    assert room is not None
    for seat in room.seats.values():
        seat.lost_at_s = world.clock.monotonic()
    await insight.tick()
    assert await lines(insight) == []
    assert not insight.looks()


async def test_a_trail_is_bounded_in_time_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conference.services.insight_trail.MOST_BYTES", 500)
    trail = Trail(60.0)
    for step in range(40):
        await trail.keep(float(step), [{"step": step, "filling": list(range(step, step + 20))}])
        assert trail.octets <= 500
    kept = [json.loads(unpack(each))["step"] for each in trail.steps()]
    assert kept == list(range(kept[0], 40))
    assert len(kept) > 1
    assert not trail.prune(200.0)
    assert trail.octets == 0
