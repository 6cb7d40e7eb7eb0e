"""Clips are taken in whole or not at all, prepared one after the other, and deleted with all that is of them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conference.model.clip import Clip, ClipScope, ClipState
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.services.clips import Clips
from conference.storage.clips import DirectoryClips
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.scripted_clips import ScriptedClipMaker, pieces

DESK = ClipScope(None, is_bound=False)
BRIDGE = ClipScope("v_bridge", is_bound=True)
RIVER = ClipScope("v_river", is_bound=True)


class Stage:
    """The use cases on a directory, with a maker that follows a script."""

    def __init__(self, world: World, directory: Path, *, reserve_bytes: int = 0) -> None:
        self.world = world
        self.directory = directory
        self.maker = ScriptedClipMaker(directory)
        self.store = DirectoryClips(directory, max_bytes=1000, reserve_bytes=reserve_bytes)
        self.clips = Clips(world.database, self.store, self.maker, world.clock)

    async def consultation(self) -> Consultation:
        return await self.world.consultations.get("c")

    async def add(self, name: str = "片.mp4", scope: ClipScope = DESK, content: bytes = b"film") -> Clip:
        self.world.clock.forward(1)
        by = self.world.bearer(Role.VENUE_OPERATOR if scope.is_bound else Role.SECRETARIAT)
        return await self.clips.add(await self.consultation(), by, scope, name, pieces(content), len(content))

    async def next(self) -> Clip:
        async with self.world.database.reading() as unit:
            return (await unit.clips.queued())[0]

    def files(self) -> set[str]:
        return {each.name.partition(".")[2] for each in self.directory.glob("*/*")}


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    return Stage(world, tmp_path / "clips")


async def refused(code: str, asked: object) -> None:
    with pytest.raises(ConferenceError) as error:
        await asked  # type: ignore[misc]
    assert error.value.code == code


async def test_what_was_brought_is_prepared_and_can_be_played(stage: Stage) -> None:
    clip = await stage.add("../暖心\u202e食堂.mov")
    assert (clip.state, clip.name, clip.size_bytes) == (ClipState.QUEUED, "暖心食堂.mov", 4)
    await refused("clip_not_ready", stage.clips.ready("c", clip.id, DESK))
    seen: list[tuple[ClipState, int]] = []

    async def look() -> None:
        seen.extend((each.state, each.progress) for each in await stage.clips.list("c", DESK))

    stage.maker.may_end.clear()
    task = asyncio.create_task(stage.clips.prepare(clip))
    await eventually(lambda: stage.maker.prepared == [clip.id])
    await look()
    stage.maker.may_end.set()
    await task
    await look()
    assert seen == [(ClipState.TRANSCODING, 42), (ClipState.READY, 0)]
    ready = await stage.clips.ready("c", clip.id, DESK)
    assert (ready.duration_ms, ready.width, ready.has_sound) == (60_000, 1280, True)
    assert stage.clips.path(ready).read_text() == "whole"
    assert (await stage.clips.poster("c", clip.id, DESK)).is_file()
    assert stage.files() == {"mp4", "jpg"}  # what was sent is not kept twice
    actions = [line.action for line in await stage.world.trace()]
    assert actions[-2:] == ["clip.added", "clip.prepared"]


async def test_the_desk_sees_how_far_an_upload_is(stage: Stage) -> None:
    gate, seen = asyncio.Event(), asyncio.Event()
    stage.clips.follow(lambda _: seen.set())

    async def slow() -> AsyncIterator[bytes]:
        yield b"half"
        await gate.wait()
        yield b"half"

    by = stage.world.bearer(Role.SECRETARIAT)
    adding = asyncio.create_task(stage.clips.add(await stage.consultation(), by, DESK, "x.mp4", slow(), 8))
    await eventually(lambda: stage.files() != set())

    async def listed() -> list[tuple[ClipState, int]]:
        return [(each.state, each.progress) for each in await stage.clips.list("c", DESK)]

    while await listed() != [(ClipState.UPLOADING, 50)]:
        seen.clear()
        await asyncio.wait_for(seen.wait(), 5)
    gate.set()
    await adding
    assert await listed() == [(ClipState.QUEUED, 0)]


async def test_what_is_too_large_or_broken_off_leaves_nothing(stage: Stage) -> None:
    await refused("too_large", stage.add(content=b"x" * 1001))
    by, consultation = stage.world.bearer(Role.SECRETARIAT), await stage.consultation()
    await refused(
        "too_large", stage.clips.add(consultation, by, DESK, "x", pieces(b"x" * 800, b"x" * 800), None)
    )

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise ConferenceError("bad_request")

    await refused("bad_request", stage.clips.add(consultation, by, DESK, "x", broken(), 9))
    assert stage.files() == set()
    assert await stage.clips.list("c", DESK) == []


async def test_the_reserve_of_the_disk_is_for_meetings(world: World, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    stage = Stage(world, tmp_path / "clips", reserve_bytes=2 * free)
    await refused("disk_full", stage.add())
    assert stage.files() == set()


async def test_an_operator_deals_with_the_clips_of_the_own_venue(stage: Stage) -> None:
    own = await stage.add("桥.mp4", BRIDGE)
    other = await stage.add("河.mp4", RIVER)
    desk = await stage.add("主.mp4")
    assert [each.id for each in await stage.clips.list("c", BRIDGE)] == [own.id]
    assert [each.id for each in await stage.clips.list("c", DESK)] == [own.id, other.id, desk.id]
    by = stage.world.bearer(Role.VENUE_OPERATOR)
    for strange in (other, desk):
        await refused("not_found", stage.clips.remove(await stage.consultation(), by, BRIDGE, strange.id))
    await stage.clips.remove(await stage.consultation(), by, BRIDGE, own.id)
    assert ClipScope.of(Role.VENUE_OPERATOR, "v_1", "桥", "x").venue_id == "v_1"
    assert ClipScope.of(Role.VENUE_OPERATOR, None, "桥", "x").venue_id == "桥"
    assert ClipScope.of(Role.CHAIR, "v_1", "桥", "x").holds(other)


async def test_a_member_brings_none(stage: Stage) -> None:
    by = stage.world.bearer(Role.MEMBER)
    asked = stage.clips.add(await stage.consultation(), by, DESK, "x", pieces(b"x"), 1)
    await refused("forbidden", asked)


async def test_what_is_no_film_is_refused_for_good(stage: Stage) -> None:
    clip = await stage.add()
    stage.maker.reasons = ["not_media"]
    await stage.clips.prepare(await stage.next())
    (seen,) = await stage.clips.list("c", DESK)
    assert (seen.id, seen.state, seen.reason) == (clip.id, ClipState.REFUSED, "not_media")
    assert stage.files() == set()
    assert (await stage.world.trace())[-1].action == "clip.refused"


async def test_a_process_that_dies_is_given_three_tries(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conference.services.clips._AGAIN_S", 0.0)
    await stage.add()
    stage.maker.reasons = ["worker_ended"] * 3
    for _ in range(3):
        await stage.clips.prepare(await stage.next())
    (seen,) = await stage.clips.list("c", DESK)
    assert (seen.state, seen.reason) == (ClipState.REFUSED, "worker_ended")
    assert len(stage.maker.prepared) == 3


async def test_one_that_is_deleted_while_it_is_prepared_is_given_up(stage: Stage) -> None:
    clip = await stage.add()
    stage.maker.may_end.clear()
    task = asyncio.create_task(stage.clips.prepare(clip))
    await eventually(lambda: stage.maker.prepared == [clip.id])
    by = stage.world.bearer(Role.CHAIR)
    await stage.clips.remove(await stage.consultation(), by, DESK, clip.id)
    await task
    assert stage.maker.given_up == 1
    assert stage.files() == set()
    assert await stage.clips.list("c", DESK) == []


async def test_one_that_is_played_is_not_deleted(stage: Stage) -> None:
    clip = await stage.add()
    stage.clips.guard(lambda clip_id: clip_id == clip.id)
    by = stage.world.bearer(Role.CHAIR)
    await refused("clip_playing", stage.clips.remove(await stage.consultation(), by, DESK, clip.id))


async def test_the_queue_goes_on_after_a_restart_and_halves_are_gone(stage: Stage, tmp_path: Path) -> None:
    waiting = await stage.add("a.mp4")
    done = await stage.add("b.mp4")
    await stage.clips.prepare(done)
    (stage.directory / "c" / "k_x.original.1234.part").write_bytes(b"half an upload")
    (stage.directory / "c" / f"{waiting.id}.mp4.part").write_bytes(b"half of what is made")
    (stage.directory / "c" / "k_y.mp4").write_bytes(b"of no row")
    again = Stage(stage.world, stage.directory)
    await again.clips.restore()
    assert {each.name for each in stage.directory.glob("*/*")} == {
        f"{waiting.id}.original",
        f"{done.id}.mp4",
        f"{done.id}.jpg",
    }
    run = asyncio.create_task(again.clips.run())

    async def is_ready() -> bool:
        return all(each.state is ClipState.READY for each in await again.clips.list("c", DESK))

    await eventually(is_ready)
    run.cancel()
    assert again.maker.prepared == [waiting.id]


async def test_a_cue_is_kept_within_the_clip(stage: Stage) -> None:
    clip = await stage.add()
    by, consultation = stage.world.bearer(Role.CHAIR), await stage.consultation()
    await refused("clip_not_ready", stage.clips.cue(consultation, by, DESK, clip.id, 5))
    await stage.clips.prepare(clip)
    assert (await stage.clips.cue(consultation, by, DESK, clip.id, 12_000)).cue_ms == 12_000
    assert (await stage.clips.cue(consultation, by, DESK, clip.id, 10**9)).cue_ms == 59_999
    assert (await stage.clips.ready("c", clip.id, DESK)).cue_ms == 59_999


async def test_retention_takes_all_of_them(stage: Stage) -> None:
    await stage.clips.prepare(await stage.add("a.mp4"))
    await stage.add("b.mp4")
    await stage.clips.clear(await stage.consultation())
    assert await stage.clips.list("c", DESK) == []
    assert not (stage.directory / "c").exists()
    lines = [line for line in await stage.world.trace() if line.action == "clip.removed"]
    assert len(lines) == 2
    assert all('"reason":"retention"' in line.content for line in lines)
    before = len(await stage.world.trace())
    await stage.clips.clear(await stage.consultation())
    assert len(await stage.world.trace()) == before
