"""Cameras run while somebody needs them, sit in the room as participants of their venue, and their faults are told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from conference.desk_views import CameraView
from conference.events import CameraRemoved, CameraUpdated, ParticipantView, Snapshot
from conference.ingest_events import (
    IngestConnecting,
    IngestFailed,
    IngestReady,
    IngestReason,
    IngestRunning,
)
from conference.model.camera import Camera, CameraFault, CameraState
from conference.model.consultation import Mode
from conference.model.participant import EntryMeans, ParticipantKind
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.cameras import CameraDraft, Cameras
from conference.services.entry import Entry
from conference.services.ingests import CameraIngests
from conference.services.venues import VenueDraft
from signaling.auth.tokens import TokenKey
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedIngests

STAFF = World.bearer(Role.SECRETARIAT)
SEALER = TokenKey(b"k" * 32).camera_sealer()


@dataclass
class Stage:
    world: World
    cameras: Cameras
    ingests: ScriptedIngests
    venue: Venue
    service: CameraIngests

    async def add(self, label: str = "主席台", **draft: Any) -> Camera:
        return await self.cameras.add(
            "c", STAFF, self.venue.id, CameraDraft(label, f"rtsp://a:b@h/{label}", **draft)
        )

    async def tick(self, seconds: float = 0.2) -> None:
        self.world.clock.forward(seconds)
        await self.service.tick()

    def running(self, camera: Camera, **facts: Any) -> None:
        """Its process says so."""
        event = IngestRunning(camera.id, 1920, 1080, 25.0, "h264", False, False, 0.021)
        self.ingests.emit(replace(event, **facts))

    async def begin(self, camera: Camera) -> None:
        """From the first need until it is in the room."""
        await self.tick()
        self.ingests.emit(IngestReady(camera.id, f"/run/{camera.id}"))
        self.running(camera)
        await self.tick()

    def seated(self) -> list[ParticipantView]:
        room = self.world.rooms.find("c")
        views = () if room is None else room.views()
        return [each for each in views if each.kind is ParticipantKind.INGEST]

    def view(self, camera: Camera) -> CameraView:
        room = self.world.rooms.find("c")
        assert room is not None
        return room.cameras[camera.id]


@pytest.fixture
async def stage(world: World) -> Stage:
    ingests = ScriptedIngests()
    cameras = Cameras(world.database, world.clock, SEALER, ingests)
    service = CameraIngests(world.rooms, world.arrivals, world.departures, ingests, SEALER)
    cameras.follow(service.changed)
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡分会场", VenueKind.BRANCH))
    return Stage(world, cameras, ingests, venue, service)


async def test_it_runs_while_somebody_is_there_and_a_little_longer(stage: Stage) -> None:
    camera = await stage.add()
    await stage.tick()
    assert stage.ingests.jobs == {}, "nobody is there"
    member = await stage.world.join("张三")
    await stage.begin(camera)
    assert [(each.name, each.venue) for each in stage.seated()] == [("西乡分会场 · 主席台", "西乡分会场")]
    assert stage.ingests.jobs[camera.id].url == "rtsp://a:b@h/主席台"
    await stage.world.departures.leave("c", member)
    await stage.tick()
    await stage.tick(14)
    assert stage.seated()
    await stage.tick(2)
    assert stage.ingests.stopped == [camera.id]
    assert stage.world.rooms.find("c") is None, "a camera alone keeps no room open"


async def test_it_comes_in_when_it_has_a_picture_and_is_read_where_it_says(stage: Stage) -> None:
    camera = await stage.add()
    await stage.world.join("张三")
    await stage.tick()
    stage.ingests.emit(IngestReady(camera.id, "/run/1"))
    stage.ingests.emit(IngestConnecting(camera.id))
    await stage.tick()
    assert stage.seated() == [], "nobody sees an empty tile of a camera that may never come"
    stage.running(camera)
    await stage.tick()
    (seat,) = stage.seated()
    assert stage.world.media.participant_feeds == {("c", seat.id): "/run/1"}
    assert stage.view(camera).participant_id == seat.id
    stage.world.media.calls.clear()
    await stage.tick()
    assert [call for call in stage.world.media.calls if call[0] == "feed"] == [], "once is enough"
    stage.ingests.emit(IngestReady(camera.id, "/run/2"))
    await stage.tick()
    assert stage.world.media.participant_feeds == {("c", seat.id): "/run/2"}


async def test_a_new_media_process_is_told_all_of_it(stage: Stage) -> None:
    camera = await stage.add()
    await stage.world.join("张三")
    await stage.begin(camera)
    (seat,) = stage.seated()
    stage.world.media.failures["feed"] = "feed_unreachable"
    stage.world.media.restart("e2")
    await stage.tick()
    del stage.world.media.failures["feed"]
    await stage.tick(1.1)
    assert stage.world.media.participant_feeds == {("c", seat.id): f"/run/{camera.id}"}
    assert seat.id in stage.world.media.gates
    assert stage.view(camera).state is CameraState.RUNNING


async def test_faults_are_told_to_desk_and_venue_and_to_nobody_else(stage: Stage) -> None:
    camera = await stage.add()
    world = stage.world
    await world.join("张三")
    await world.desks.open("c", World.bearer(Role.CHAIR), "台")
    operator = Entry(
        "c", Role.VENUE_OPERATOR, "赵六", "西乡分会场", "t_o",
        entered_by=EntryMeans.OPERATOR, venue_id=stage.venue.id,
    )  # fmt: skip
    await world.arrivals.join(operator, "操")
    await stage.tick()
    stage.ingests.emit(IngestConnecting(camera.id))
    stage.ingests.emit(IngestFailed(camera.id, IngestReason.PASSWORD_WRONG, 8.0))
    await stage.tick()
    for session in ("台", "操"):
        told = world.publisher.of_kind(session, CameraUpdated)[-1].camera
        assert (told.state, told.reason) == (CameraState.FAILED, CameraFault.PASSWORD_WRONG)
        assert told.retry_wall_ms == world.clock.wall_ms() + 8000 - 200
    assert world.publisher.of_kind("张三", CameraUpdated) == []
    stage.ingests.emit(IngestConnecting(camera.id))
    await stage.tick()
    assert stage.view(camera).state is CameraState.FAILED, "until it is known to be better"
    stage.running(camera, transcoding=True, cpu_share=0.613)
    await stage.tick()
    view = stage.view(camera)
    assert (view.state, view.reason) == (CameraState.RUNNING, None)
    assert view.picture is not None
    assert (view.picture.transcoding, view.picture.cpu_share) == (True, 0.61)
    # Snapshot and events say the same.
    again = await world.arrivals.snapshot("c", world.resume("操").participant_id)
    assert again.cameras == (view,)
    assert world.publisher.of_kind("张三", Snapshot)[0].cameras == ()
    await stage.cameras.remove("c", STAFF, stage.venue.id, camera.id)
    await stage.tick()
    assert world.publisher.of_kind("台", CameraRemoved) == [CameraRemoved(camera.id)]
    assert stage.ingests.jobs == {}


async def test_one_that_stops_keeps_its_seat_for_the_grace_time_and_comes_back(stage: Stage) -> None:
    camera = await stage.add()
    await stage.world.join("张三")
    await stage.begin(camera)
    (seat,) = stage.seated()
    stage.ingests.emit(IngestFailed(camera.id, IngestReason.STOPPED, 1.0))
    await stage.tick()
    assert [(each.id, each.connected) for each in stage.seated()] == [(seat.id, False)]
    stage.running(camera)
    await stage.tick()
    assert [(each.id, each.connected) for each in stage.seated()] == [(seat.id, True)]
    stage.ingests.emit(IngestFailed(camera.id, IngestReason.STOPPED, 1.0))
    await stage.tick()
    await stage.tick(61)
    await stage.world.departures.expire()
    await stage.tick()
    assert stage.seated() == []
    stage.running(camera)
    await stage.tick()
    assert [each.id for each in stage.seated()] == [seat.id], "the same one as before"


async def test_a_hard_mute_outlasts_its_absence(stage: Stage) -> None:
    camera = await stage.add(with_sound=True)
    await stage.world.join("张三")
    chair = await stage.world.join("主持", Role.CHAIR)
    await stage.begin(camera)
    (seat,) = stage.seated()
    assert seat.microphone
    await stage.world.moderation.mute("c", chair, seat.id, muted=True, hard=True)
    await stage.cameras.edit("c", STAFF, stage.venue.id, camera.id, {"enabled": False})
    await stage.tick()
    assert stage.seated() == []
    await stage.cameras.edit("c", STAFF, stage.venue.id, camera.id, {"enabled": True})
    await stage.begin(camera)
    (seat,) = stage.seated()
    assert seat.hard_muted
    assert stage.world.media.gates[seat.id] is False


async def test_one_that_is_sent_out_stays_out(stage: Stage) -> None:
    camera = await stage.add()
    chair = await stage.world.join("主持", Role.CHAIR)
    await stage.begin(camera)
    (seat,) = stage.seated()
    await stage.world.departures.remove("c", chair, seat.id)
    await stage.tick()
    await stage.tick()
    assert stage.ingests.jobs == {}
    assert stage.view(camera).state is CameraState.OFF
    (row,) = await stage.cameras.of_venue("c", stage.venue.id)
    assert not row.enabled
    await stage.cameras.edit("c", STAFF, stage.venue.id, camera.id, {"enabled": True})
    await stage.begin(camera)
    assert [each.id for each in stage.seated()] == [seat.id]


async def test_the_floor_gates_its_sound_as_an_encoders(stage: Stage) -> None:
    world = stage.world
    camera = await stage.add(with_sound=True)
    chair = await world.join("主持", Role.CHAIR)
    speaker = await world.arrivals.join(
        Entry("c", Role.MEMBER, "张三", "西乡分会场", "t_s", venue_id=stage.venue.id), "张三"
    )
    await world.floors.set_mode("c", chair, Mode.CHAIR)
    await stage.begin(camera)
    (seat,) = stage.seated()
    assert not seat.microphone, "nobody has the floor"
    await world.floors.grant("c", chair, speaker)
    assert stage.seated()[0].microphone, "it speaks with whoever of its venue has the floor"


async def test_it_bears_the_names_of_now(stage: Stage) -> None:
    camera = await stage.add(with_sound=True)
    await stage.world.join("张三")
    await stage.begin(camera)
    started = len(stage.ingests.started)
    await stage.world.venues.edit("c", STAFF, stage.venue.id, {"name": "西乡镇"})
    await stage.tick(6)
    assert [(each.name, each.venue) for each in stage.seated()] == [("西乡镇 · 主席台", "西乡镇")]
    assert len(stage.ingests.started) == started, "its process goes on"
    await stage.cameras.edit("c", STAFF, stage.venue.id, camera.id, {"label": "全景", "with_sound": False})
    await stage.tick()
    stage.running(camera)
    await stage.tick()
    (seat,) = stage.seated()
    assert (seat.name, seat.microphone) == ("西乡镇 · 全景", False)
    assert len(stage.ingests.started) == started + 1


async def test_a_full_room_is_said_and_tried_again(stage: Stage) -> None:
    camera = await stage.add()
    others = [await stage.world.join(f"人{number}") for number in range(5)]
    await stage.begin(camera)
    assert stage.seated() == []
    assert stage.view(camera).reason is CameraFault.NOT_SEATED
    await stage.world.departures.leave("c", others[0])
    await stage.tick(1.1)
    assert len(stage.seated()) == 1
    assert stage.view(camera).reason is None


async def test_an_overload_is_a_warning_that_ends(stage: Stage) -> None:
    camera = await stage.add()
    await stage.world.join("张三")
    await stage.begin(camera)
    stage.ingests.emit(IngestFailed(camera.id, IngestReason.OVERLOAD, None))
    stage.running(camera)
    await stage.tick()
    view = stage.view(camera)
    assert (view.state, view.reason) == (CameraState.RUNNING, CameraFault.OVERLOAD)
    await stage.tick(21)
    stage.running(camera)
    await stage.tick()
    assert stage.view(camera).reason is None


async def test_one_that_cannot_be_read_here_says_so(stage: Stage) -> None:
    camera = await stage.add()
    other = CameraIngests(
        stage.world.rooms,
        stage.world.arrivals,
        stage.world.departures,
        stage.ingests,
        TokenKey(b"l" * 32).camera_sealer(),
    )
    await stage.world.join("张三")
    await other.tick()
    assert stage.view(camera).reason is CameraFault.UNREADABLE
    assert stage.ingests.jobs == {}


async def test_a_live_consultation_needs_them_with_nobody_there(stage: Stage) -> None:
    camera = await stage.add()
    await stage.world.life_cycle.start("c", STAFF)
    await stage.begin(camera)
    assert len(stage.seated()) == 1
    await stage.world.life_cycle.end("c", STAFF)
    await stage.tick(1.1)
    assert stage.seated() == []
    assert stage.ingests.jobs == {}


async def test_a_restart_begins_with_the_same_participant(stage: Stage) -> None:
    camera = await stage.add()
    await stage.world.join("张三")
    await stage.begin(camera)
    (seat,) = stage.seated()
    world = await stage.world.restart()
    assert [each.kind for each in world.rooms.find("c").views()] == [ParticipantKind.CLIENT]  # type: ignore[union-attr]
    service = CameraIngests(world.rooms, world.arrivals, world.departures, stage.ingests, SEALER)
    after = Stage(world, stage.cameras, stage.ingests, stage.venue, service)
    await after.begin(camera)
    assert [each.id for each in after.seated()] == [seat.id]
