"""Space of bodies: measured now and then, films that do not fit refused, desks told in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from conference.desk_views import StorageView
from conference.events import StorageUpdated
from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry
from conference.model.clip import ClipState
from conference.model.errors import ConferenceError
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.rules import GB, Fill, Rules
from conference.services import storage_watch
from conference.services.consultations import ConsultationDraft
from conference.services.storage_watch import StorageWatch
from tests.unit.services.conftest import World
from tests.unit.services.scripted_clips import pieces
from tests.unit.services.scripted_meter import ScriptedMeter
from tests.unit.services.shared_registry import SharedRegistry
from tests.unit.storage.clips_stage import BY, DESK, clips_of

NOTED = AuditEntry(STAFF_CHAIN, 1, None, CLI, "organization.added", "o_1")
BODY = Organization("o_1", "临江县政协", Level.COUNTY, None, 1)


class Watched:
    """The consultation `n` of a body that may keep 10 GB."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.meter = ScriptedMeter()
        self.watch = StorageWatch(world.rooms, self.meter)

    async def limited(self, max_storage_gb: int | None) -> None:
        async with self.world.database.transaction() as unit:
            await unit.rules.save(BODY.id, Rules(max_storage_gb=max_storage_gb))
            await unit.audit.append(NOTED)

    async def refused(self, size_bytes: int) -> str:
        with pytest.raises(ConferenceError) as caught:
            await self.require(size_bytes)
        return caught.value.code

    async def require(self, size_bytes: int) -> None:
        await self.watch.require_space(await self.world.consultations.get("n"), size_bytes)

    def said(self, desk: str) -> list[StorageView | None]:
        return [each.storage for each in self.world.publisher.of_kind(desk, StorageUpdated)]


@pytest.fixture
async def watched(world: World) -> Watched:
    made = Watched(world)
    async with world.database.transaction() as unit:
        await unit.organizations.add(BODY)
        await unit.audit.append(NOTED)
    await world.consultations.create(ConsultationDraft(title="会", id="n", organization_id=BODY.id))
    await made.limited(10)
    return made


async def test_a_film_that_does_not_fit_is_refused_and_one_that_does_is_taken(watched: Watched) -> None:
    watched.meter.sizes = {"n": 9 * GB, "c": 50 * GB}
    await watched.require(GB)
    assert await watched.refused(GB + 1) == "storage_quota"
    watched.meter.sizes = {"n": 12 * GB}
    watched.world.clock.forward(11)
    assert await watched.refused(0) == "storage_quota", "nothing was announced, and it is full"


async def test_what_was_deleted_keeps_nothing_out(watched: Watched) -> None:
    watched.meter.sizes = {"n": 10 * GB}
    await watched.watch.tick()
    watched.meter.sizes = {"n": GB}
    watched.world.clock.forward(11)
    await watched.require(GB)
    assert watched.meter.asked == 2
    await watched.require(GB)
    assert watched.meter.asked == 2, "measured a moment ago"


async def test_a_slow_disk_holds_nobody_up(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_watch, "_PATIENCE_S", 0.05)
    watched.meter.sizes = {"n": GB}
    await watched.watch.tick()
    watched.world.clock.forward(11)
    watched.meter.stuck = True
    await watched.require(GB)


async def test_without_a_limit_or_a_body_nothing_is_measured_for_a_film(watched: Watched) -> None:
    await watched.limited(None)
    await watched.require(1 << 50)
    await watched.watch.require_space(await watched.world.consultations.get("c"), 1 << 50)
    assert watched.meter.asked == 0


async def test_it_measures_every_five_minutes_and_keeps_what_it_knew(watched: Watched) -> None:
    watched.meter.sizes = {"n": 4 * GB}
    await watched.watch.tick()
    watched.world.clock.forward(299)
    await watched.watch.tick()
    assert watched.meter.asked == 1
    watched.world.clock.forward(2)
    watched.meter.error = OSError("no such process")
    await watched.watch.tick()
    assert watched.meter.asked == 2
    assert (await watched.watch.uses())[BODY.id].used_bytes == 4 * GB
    watched.world.clock.forward(3 * 86_400)
    assert await watched.watch.uses() == {}, "nobody measures there any more"


async def test_files_that_nodes_share_count_once(watched: Watched) -> None:
    watched.meter.sizes = {"n": 4 * GB}
    await watched.watch.tick()
    watched.world.rooms.shares_files = True
    assert await watched.watch.uses() == {}, "not of this directory"
    for node in "ab":
        watched.world.rooms.registry = SharedRegistry(node)
        await StorageWatch(watched.world.rooms, watched.meter).tick()
    assert (await watched.watch.uses())[BODY.id].used_bytes == 4 * GB


async def test_nodes_add_up_and_the_older_look_is_told(watched: Watched) -> None:
    watched.meter.sizes = {"n": 4 * GB}
    await watched.watch.tick()
    first_ms = watched.world.clock.wall_ms()
    watched.world.clock.forward(60)
    watched.world.rooms.registry = SharedRegistry("other")
    beside = StorageWatch(watched.world.rooms, watched.meter)
    await beside.tick()
    used = (await beside.uses())[BODY.id]
    assert (used.used_bytes, used.measured_at_ms) == (8 * GB, first_ms)


async def test_desks_are_told_as_it_fills_and_when_the_limit_goes(watched: Watched) -> None:
    world = watched.world
    await world.desks.open("n", World.bearer(Role.SECRETARIAT), "台")
    seen = []
    for size in (4 * GB, 9 * GB + 5, 9 * GB + 6, 10 * GB):
        watched.meter.sizes = {"n": size}
        world.clock.forward(301)
        await watched.watch.tick()
        room = world.rooms.find("n")
        assert room is not None
        seen.append(room.storage)
    assert [each.fill for each in seen if each] == [Fill.OK, Fill.NEAR, Fill.NEAR, Fill.FULL]
    assert len(watched.said("台")) == 3, "a few bytes are no news"
    await watched.limited(None)
    await watched.watch.tick()
    assert watched.said("台")[-1] is None


async def test_an_upload_asks_before_anything_is_received(watched: Watched, tmp_path: Path) -> None:
    clips, _ = clips_of(watched.world, tmp_path / "clips")
    clips.bound(watched.watch.require_space)
    consultation = await watched.world.consultations.get("n")
    watched.meter.sizes = {"n": 10 * GB}
    with pytest.raises(ConferenceError) as caught:
        await clips.add(consultation, BY, DESK, "片.mp4", pieces(b"film"), 4)
    assert caught.value.code == "storage_quota"
    assert await clips.list("n", DESK) == []
    assert not (tmp_path / "clips").exists()
    watched.meter.sizes = {}
    watched.world.clock.forward(11)
    clip = await clips.add(consultation, BY, DESK, "片.mp4", pieces(b"film"), 4)
    assert clip.state is ClipState.QUEUED
