"""Retention: what is deleted when, by a clock that is moved by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry
from conference.model.export import VIDEO, Export, ExportKind
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.recording import FileState
from conference.model.rules import Rules
from conference.services.consultations import ConsultationDraft
from conference.services.exports import Exports
from conference.services.retention import Retention
from tests.unit.services.conftest import World
from tests.unit.services.scripted_exports import ScriptedExporter
from tests.unit.services.test_exports import track

DAY_S = 86_400.0
CHAIR = World.bearer(Role.CHAIR)


class Kept:
    """Consultations with files, and the sweep of a server that keeps them for 30 days."""

    def __init__(self, world: World, directory: Path, days: int = 30) -> None:
        self.world = world
        self.maker = ScriptedExporter(directory)
        self.exports = Exports(world.database, world.clock, self.maker, lambda _: False)
        self.retention = Retention(world.database, world.clock, self.maker, self.exports, days=days)

    async def ruled(self, organization_id: str, days: int | None) -> None:
        """A body whose recordings are kept for so long; made when there is none."""
        async with self.world.database.transaction() as unit:
            if await unit.organizations.get(organization_id) is None:
                body = Organization(organization_id, organization_id, Level.COUNTY, None, 1)
                await unit.organizations.add(body)
            await unit.rules.save(organization_id, Rules(retention_days=days))
            entry = AuditEntry(STAFF_CHAIN, 1, None, CLI, "rules.changed", organization_id)
            await unit.audit.append(entry)

    async def held(self, cid: str, *, is_over: bool = True, organization_id: str | None = None) -> None:
        """With a track, an export and a program."""
        world = self.world
        if cid != "c":
            draft = ConsultationDraft(title="另一场", id=cid, organization_id=organization_id)
            await world.consultations.create(draft)
        await world.life_cycle.start(cid, CHAIR)
        world.clock.forward(60)
        if is_over:
            await world.life_cycle.end(cid, CHAIR)
        now_ms = world.clock.wall_ms()
        export = Export(f"x_{cid}", cid, ExportKind.PERSON, "p", "张三", VIDEO, "", now_ms)
        consultation = await world.consultations.get(cid)
        state = FileState.DONE if is_over else FileState.RECORDING
        recording = track(1, "p", id=f"r_{cid}", consultation_id=cid, path=f"{cid}/1/1.webm", state=state)
        async with world.database.transaction() as unit:
            await unit.recordings.save([recording])
            await unit.exports.save([export.done(now_ms, 0, 1, 1, "e" * 64)])
            await unit.audit.append(self.exports._requested(consultation, CHAIR.actor, export))
        self.maker.program(cid)
        for path in (recording.path, export.path):
            self.maker.path(path).parent.mkdir(parents=True, exist_ok=True)
            self.maker.path(path).write_text("x")

    async def later(self, days: float) -> None:
        self.world.clock.forward(days * DAY_S)
        await self.retention.tick()

    async def is_kept(self, cid: str) -> bool:
        async with self.world.database.reading() as unit:
            rows = [*await unit.recordings.of(cid), *await unit.exports.of(cid)]
        places = [(above / cid).exists() for above in (self.maker.recordings, self.maker.programs)]
        assert (len(rows) == 2) == all(places), "rows and files go together"
        assert (len(rows) == 0) == (not any(places))
        return bool(rows)

    async def said(self, cid: str) -> list[str]:
        lines = [line for line in await self.world.trace(cid) if line.action.endswith(".deleted")]
        assert all(json.loads(line.content)["reason"] == "retention" for line in lines)
        assert all(line.actor_kind == "system" for line in lines)
        return sorted(line.action for line in lines)


@pytest.fixture
def kept(world: World, tmp_path: Path) -> Kept:
    return Kept(world, tmp_path)


EVERYTHING = ["export.deleted", "program.deleted", "recording.deleted"]


async def test_so_many_days_after_the_end_it_goes_with_a_trace(kept: Kept) -> None:
    await kept.held("c")
    await kept.later(29)
    assert await kept.is_kept("c")
    await kept.later(1.1)
    assert not await kept.is_kept("c")
    assert await kept.said("c") == EVERYTHING
    lines = [line for line in await kept.world.trace() if line.action == "recording.deleted"]
    assert json.loads(lines[0].content)["sha256"] == "a" * 64
    await kept.later(40)
    assert await kept.said("c") == EVERYTHING, "said once"


async def test_each_by_its_own_end(kept: Kept) -> None:
    await kept.held("c")
    kept.world.clock.forward(20 * DAY_S)
    await kept.held("d")
    await kept.later(11)
    assert (await kept.is_kept("c"), await kept.is_kept("d")) == (False, True)
    await kept.later(20)
    assert not await kept.is_kept("d")


async def test_what_is_live_is_never_touched(kept: Kept) -> None:
    await kept.held("c", is_over=False)
    await kept.later(4_000)
    assert await kept.is_kept("c")
    assert await kept.said("c") == []


async def test_what_is_sealed_stays(kept: Kept) -> None:
    await kept.held("c")
    await kept.world.life_cycle.seal("c", World.bearer(Role.SECRETARIAT))
    await kept.later(4_000)
    assert await kept.is_kept("c")


async def test_zero_days_keep_for_ever(world: World, tmp_path: Path) -> None:
    kept = Kept(world, tmp_path, days=0)
    await kept.held("c")
    await kept.later(4_000)
    assert await kept.is_kept("c")


async def test_each_body_has_its_own_days(kept: Kept) -> None:
    await kept.ruled("short", 10)
    await kept.ruled("long", 90)
    await kept.ruled("ever", 0)
    await kept.ruled("silent", None)
    bodies = ("short", "long", "ever", "silent")
    await kept.held("c")
    for each in bodies:
        await kept.held(each, organization_id=each)
    gone: list[tuple[int, set[str]]] = []
    for days in (9, 2, 18, 2, 58, 2, 4_000):
        await kept.later(days)
        gone.append((days, {each for each in ("c", *bodies) if not await kept.is_kept(each)}))
    short, common, long = {"short"}, {"short", "c", "silent"}, {"short", "c", "silent", "long"}
    found = [each for _, each in gone]
    assert found == [set(), short, short, common, common, long, long], gone
    for each in long:
        assert await kept.said(each) == EVERYTHING
    assert await kept.said("ever") == []


async def test_days_of_a_body_hold_where_the_server_keeps_for_ever(world: World, tmp_path: Path) -> None:
    kept = Kept(world, tmp_path, days=0)
    await kept.ruled("short", 10)
    await kept.held("c")
    await kept.held("d", organization_id="short")
    await kept.later(9)
    assert await kept.is_kept("d")
    await kept.later(2)
    assert (await kept.is_kept("c"), await kept.is_kept("d")) == (True, False)
    await kept.held("e", organization_id="short")
    await kept.ruled("short", 0)
    await kept.later(11)
    assert await kept.is_kept("e"), "the rule was changed in time"


async def test_it_looks_once_a_day(kept: Kept) -> None:
    await kept.later(0)
    await kept.held("c")
    kept.world.clock.epoch_ms += 60 * 86_400_000  # the wall clock jumps, the day goes on
    await kept.later(0.9)
    assert await kept.is_kept("c")
    await kept.later(0.2)
    assert not await kept.is_kept("c")


async def test_a_file_whose_end_is_not_known_yet_is_waited_for(kept: Kept) -> None:
    await kept.held("c")
    consultation = await kept.world.consultations.get("c")
    async with kept.world.database.transaction() as unit:
        (row,) = await unit.recordings.of("c")
        await unit.recordings.save([row.ended(FileState.RECORDING, 0, 0, None)])
        entry = kept.retention._entry(consultation, "recording.file_opened", row.id, {})
        await unit.audit.append(entry)
    await kept.later(31)
    assert await kept.is_kept("c")
    assert await kept.said("c") == []


async def test_a_disk_that_refuses_keeps_the_rest_of_the_sweep_going(kept: Kept) -> None:
    await kept.held("c")
    await kept.held("d")
    kept.maker.is_read_only = True
    await kept.later(31)
    assert (kept.maker.programs / "d").exists()
    kept.maker.is_read_only = False
    await kept.later(1)
    for cid in ("c", "d"):
        assert not await kept.is_kept(cid)
        assert await kept.said(cid) == EVERYTHING


async def test_files_that_a_killed_sweep_left_go_with_the_next(kept: Kept) -> None:
    await kept.held("c")
    await kept.later(31)
    kept.maker.program("c")
    kept.maker.path("c/1/1.webm").parent.mkdir(parents=True)
    await kept.later(1)
    assert not await kept.is_kept("c")
    assert await kept.said("c") == EVERYTHING
