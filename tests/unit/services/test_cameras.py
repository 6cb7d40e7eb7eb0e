"""Cameras are written down with what opens them sealed, and changed by those who prepare."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from conference.ingest_events import IngestFailed, IngestReason
from conference.model.camera import MAX_CAMERAS, Camera
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.cameras import CameraDraft, Cameras
from conference.services.venues import VenueDraft
from conference.storage.archive_rows import SqlArchiveRows
from conference.storage.tables import metadata
from signaling.auth.tokens import TokenKey
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedIngests

STAFF = World.bearer(Role.SECRETARIAT)
SEALER = TokenKey(b"k" * 32).camera_sealer()
URL = "rtsp://admin:geheim%40@192.168.1.64:554/live/a?token=auchgeheim"
SECRETS = ("geheim", "admin", "auchgeheim")


@dataclass
class Stage:
    world: World
    cameras: Cameras
    ingests: ScriptedIngests
    venue: Venue

    async def add(self, label: str = "主席台", **draft: Any) -> Camera:
        draft = {"address": URL, **draft}
        return await self.cameras.add("c", STAFF, self.venue.id, CameraDraft(label, **draft))

    async def edit(self, camera: Camera, **changes: Any) -> Camera:
        return await self.cameras.edit("c", STAFF, self.venue.id, camera.id, changes)

    async def mains(self) -> list[str]:
        return [each.label for each in await self.cameras.of_venue("c", self.venue.id) if each.is_main]


@pytest.fixture
async def stage(world: World) -> Stage:
    ingests = ScriptedIngests()
    cameras = Cameras(world.database, world.clock, SEALER, ingests)
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡分会场", VenueKind.BRANCH))
    return Stage(world, cameras, ingests, venue)


async def code_of(call: Any) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call
    return caught.value.code


async def test_what_opens_it_is_in_no_row_trace_or_archive(stage: Stage) -> None:
    camera = await stage.add()
    await stage.edit(camera, password="neuesgeheim", label="全景")
    await stage.edit(camera, address="rtsp://192.168.1.65/live/b", user="admin", password="geheim")
    await stage.add("侧面", address="rtmp://h/live/geheimkey")
    async with stage.world.database.reading() as unit:
        tables = [sa.select(table) for table in metadata.sorted_tables]
        rows = [str((await unit.cameras._connection.execute(each)).all()) for each in tables]
        archive = SqlArchiveRows(unit.cameras._connection)
        archived = [row async for row in archive.rows("cameras", "c")]
    for secret in SECRETS:
        assert not any(secret in each for each in rows), secret
    assert {"address", "sealed_address"}.isdisjoint(archived[0])
    written = "".join(line.content for line in await stage.world.trace())
    assert "rtsp://192.168.1.64:554" in written, "the trace says which machine"
    assert "live/" not in written


async def test_what_was_written_is_what_is_fetched(stage: Stage) -> None:
    camera = await stage.add()
    assert camera.address == "rtsp://192.168.1.64:554/live/a?token=***"
    assert camera.has_password
    await stage.cameras.look("c", STAFF, stage.venue.id, camera.id)
    assert stage.ingests.looked[0].url == URL


async def test_the_first_is_the_main_one_and_another_one_can_be(stage: Stage) -> None:
    first, second = await stage.add("一"), await stage.add("二")
    assert await stage.mains() == ["一"]
    await stage.edit(second, is_main=True)
    assert await stage.mains() == ["二"]
    await stage.edit(second, is_main=False)
    assert await stage.mains() == ["二"], "one of them is, until another one is named"
    await stage.cameras.remove("c", STAFF, stage.venue.id, second.id)
    assert await stage.mains() == ["一"]
    await stage.cameras.remove("c", STAFF, stage.venue.id, first.id)
    assert await stage.cameras.of_venue("c", stage.venue.id) == []


async def test_a_removed_one_keeps_nothing_that_opens_it(stage: Stage) -> None:
    first, second = await stage.add("一"), await stage.add("二")
    await stage.cameras.remove("c", STAFF, stage.venue.id, first.id)
    await stage.world.venues.remove("c", STAFF, stage.venue.id)
    async with stage.world.database.reading() as unit:
        for each in (first, second):
            row = await unit.cameras.get(each.id)
            assert row is not None
            assert (row.sealed_address, row.removed_at_ms) == ("", stage.world.clock.wall_ms())


async def opened(stage: Stage, camera: Camera) -> str:
    async with stage.world.database.reading() as unit:
        row = await unit.cameras.get(camera.id)
    assert row is not None
    return SEALER.open(row.sealed_address)


async def test_the_password_stays_with_its_machine(stage: Stage) -> None:
    camera = await stage.add()
    camera = await stage.edit(camera, address="rtsp://192.168.1.64/live/c?token=***")
    assert await opened(stage, camera) == "rtsp://admin:geheim%40@192.168.1.64/live/c?token=auchgeheim"
    camera = await stage.edit(camera, user="gast")
    assert (await opened(stage, camera)).startswith("rtsp://gast:geheim%40@")
    camera = await stage.edit(camera, address="rtsp://boese.example/live")
    assert await opened(stage, camera) == "rtsp://boese.example/live", "it went nowhere else"
    assert not camera.has_password
    camera = await stage.edit(camera, password="x")
    camera = await stage.edit(camera, user="", password="")
    assert not camera.has_password


async def test_one_of_another_server_is_written_anew(stage: Stage) -> None:
    camera = await stage.add()
    other = Cameras(
        stage.world.database, stage.world.clock, TokenKey(b"l" * 32).camera_sealer(), stage.ingests
    )
    change = {"password": "x"}
    assert await code_of(other.edit("c", STAFF, stage.venue.id, camera.id, change)) == "camera_address_wrong"
    assert (await other.edit("c", STAFF, stage.venue.id, camera.id, {"label": "全景"})).label == "全景"
    change = {"address": "rtsp://h/x"}
    assert (await other.edit("c", STAFF, stage.venue.id, camera.id, change)).address == "rtsp://h/x"


async def test_an_edit_that_changes_nothing_leaves_no_line(stage: Stage) -> None:
    camera = await stage.add()
    before = len(await stage.world.trace())
    same = {"label": camera.label, "address": camera.address, "enabled": True}
    assert await stage.edit(camera, **same) == camera
    assert len(await stage.world.trace()) == before


async def test_whoever_follows_hears_of_every_change(stage: Stage) -> None:
    heard: list[str] = []
    stage.cameras.follow(heard.append)
    camera = await stage.add()
    await stage.edit(camera, enabled=False)
    await stage.cameras.remove("c", STAFF, stage.venue.id, camera.id)
    assert heard == ["c"] * 3


async def test_bounds_and_rights(stage: Stage) -> None:
    for number in range(MAX_CAMERAS):
        await stage.add(f"{number}")
    assert await code_of(stage.add()) == "too_many_cameras"
    assert await code_of(stage.cameras.of_venue("c", "v_none")) == "not_found"
    chair, draft = World.bearer(Role.CHAIR), CameraDraft("x", "rtsp://h")
    assert await code_of(stage.cameras.add("c", chair, stage.venue.id, draft)) == "forbidden"
    assert await code_of(stage.cameras.add("c", STAFF, "v_none", draft)) == "not_found"
    assert await code_of(stage.cameras.look("c", STAFF, stage.venue.id, "m_none")) == "not_found"
    wrong = CameraDraft("x", "file:///etc/passwd")
    assert await code_of(stage.cameras.add("c", STAFF, stage.venue.id, wrong)) == "camera_address_wrong"


async def test_two_are_looked_at_at_once(stage: Stage) -> None:
    camera = await stage.add()
    stage.ingests.may_look.clear()
    looks = [asyncio.create_task(stage.cameras.look("c", STAFF, stage.venue.id, camera.id)) for _ in range(2)]
    await eventually(lambda: len(stage.ingests.looked) == 2)
    assert await code_of(stage.cameras.look("c", STAFF, stage.venue.id, camera.id)) == "camera_busy"
    stage.ingests.may_look.set()
    for each in await asyncio.gather(*looks):
        assert isinstance(each, IngestFailed)
        assert each.reason is IngestReason.UNREACHABLE
