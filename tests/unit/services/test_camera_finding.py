"""Cameras are found by those who prepare; what opens them goes to the device alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from conference.ingest_events import DeviceDoor, DeviceFound, DeviceStream, IngestReason
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.camera_finding import CameraFinding
from conference.services.venues import VenueDraft
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedDevices

STAFF = World.bearer(Role.SECRETARIAT)
STREAM = DeviceStream("main", "h264", 1920, 1080, 25.0, "rtsp://192.168.1.64/101")


@dataclass
class Stage:
    world: World
    finding: CameraFinding
    devices: ScriptedDevices
    venue: Venue

    async def streams(
        self, address: str = "192.168.1.64", user: str = "admin", password: str = "geheim", **more: Any
    ) -> list[DeviceStream] | IngestReason:
        given = {"by": STAFF, "venue_id": self.venue.id, **more}
        return await self.finding.streams("c", address=address, user=user, password=password, **given)


@pytest.fixture
async def stage(world: World) -> Stage:
    devices = ScriptedDevices()
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡分会场", VenueKind.BRANCH))
    return Stage(world, CameraFinding(world.database, devices), devices, venue)


async def code_of(call: Any) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call
    return caught.value.code


async def test_what_is_found_and_what_a_device_has_is_told_and_leaves_no_line(stage: Stage) -> None:
    before = len(await stage.world.trace())
    stage.devices.found = [DeviceFound("http://192.168.1.64/x", "192.168.1.64", "a", "b")]
    assert await stage.finding.find("c", STAFF, stage.venue.id) == stage.devices.found
    stage.devices.answer = [STREAM]
    assert await stage.streams() == [STREAM]
    assert stage.devices.asked == [DeviceDoor("http://192.168.1.64/onvif/device_service", "admin", "geheim")]
    stage.devices.answer = IngestReason.PASSWORD_WRONG
    assert await stage.streams() is IngestReason.PASSWORD_WRONG
    assert len(await stage.world.trace()) == before
    assert "geheim" not in repr(stage.devices.asked)


async def test_user_and_password_may_stand_in_the_address(stage: Stage) -> None:
    await stage.streams("http://gast:pw%40@192.168.1.64:8000/", "", "")
    await stage.streams("http://gast:pw%40@192.168.1.64:8000/", "admin", "geheim")
    at = "http://192.168.1.64:8000/onvif/device_service"
    assert stage.devices.asked == [DeviceDoor(at, "gast", "pw@"), DeviceDoor(at, "admin", "geheim")]


async def test_what_is_no_address_is_not_asked(stage: Stage) -> None:
    for said in ("", "rtsp://192.168.1.64/x", "file:///etc/passwd", "192.168.1"):
        assert await stage.streams(said) is IngestReason.ADDRESS_WRONG
    assert await code_of(stage.streams(user="a\nb")) == "bad_request"
    assert stage.devices.asked == []


async def test_bounds_and_rights(stage: Stage) -> None:
    chair = World.bearer(Role.CHAIR)
    assert await code_of(stage.finding.find("c", chair, stage.venue.id)) == "forbidden"
    assert await code_of(stage.finding.find("c", STAFF, "v_none")) == "not_found"
    assert await code_of(stage.streams(by=chair)) == "forbidden"
    assert await code_of(stage.streams(venue_id="v_none")) == "not_found"
    assert stage.devices.asked == []


async def test_two_at_once(stage: Stage) -> None:
    stage.devices.may_answer.clear()
    waiting = [asyncio.create_task(stage.streams()) for _ in range(2)]
    await eventually(lambda: len(stage.devices.asked) == 2)
    assert await code_of(stage.streams()) == "camera_busy"
    assert await code_of(stage.finding.find("c", STAFF, stage.venue.id)) == "camera_busy"
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    stage.devices.may_answer.set()
    assert await waiting[1] is IngestReason.UNREACHABLE
    assert await stage.streams() is IngestReason.UNREACHABLE
