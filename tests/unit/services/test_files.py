"""Background material: rows and contents follow each other, whatever happens in between."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.services.audit import Trace
from conference.services.files import Files
from conference.services.trace import Bearer
from conference.storage.files import DirectoryFiles
from tests.unit.services.conftest import World

BY = Bearer(Role.ORGANIZER, "u_1", "周", "u_1")
PDF = b"%PDF-1.4 " + b"x" * 100


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "files"


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()} if directory.exists() else set()


@pytest.fixture
def files(world: World, directory: Path) -> Files:
    return Files(world.database, DirectoryFiles(directory), world.clock)


async def test_a_content_stays_while_any_row_names_it(world: World, files: Files, directory: Path) -> None:
    c = await world.consultations.get("c")
    first = await files.add(c, BY, "甲.pdf", PDF)
    second = await files.add(c, BY, "乙.pdf", PDF)
    assert names(directory) == {first.sha256}
    assert (directory / first.sha256).stat().st_mode & 0o777 == 0o600
    await files.remove(c, BY, first.id)
    assert (await files.open("c", second.id))[1].read_bytes() == PDF
    await files.remove(c, BY, second.id)
    assert names(directory) == set()
    assert [line.action for line in await world.trace()][-4:] == ["file.added"] * 2 + ["file.removed"] * 2


async def test_adding_and_removing_the_same_content_at_once(world: World, files: Files) -> None:
    c = await world.consultations.get("c")
    before = await files.add(c, BY, "甲.pdf", PDF)
    after, _ = await asyncio.gather(files.add(c, BY, "乙.pdf", PDF), files.remove(c, BY, before.id))
    assert (await files.open("c", after.id))[1].read_bytes() == PDF


async def test_what_is_refused_leaves_no_trace(world: World, files: Files, directory: Path) -> None:
    c = await world.consultations.get("c")
    lines = len(await world.trace())
    for by, name, content, code in (
        (world.bearer(Role.CHAIR), "x.pdf", PDF, "forbidden"),
        (BY, "x.pdf", b"no", "file_type_refused"),
    ):
        with pytest.raises(ConferenceError) as caught:
            await files.add(c, by, name, content)
        assert caught.value.code == code
    for attempt in (files.remove(c, BY, "f_none"), files.open("c", "f_none")):
        with pytest.raises(ConferenceError) as caught:
            await attempt
        assert caught.value.code == "not_found"
    cancelled = await world.life_cycle.cancel("c", BY, "x")
    with pytest.raises(ConferenceError) as caught:
        await files.add(cancelled, BY, "x.pdf", PDF)
    assert caught.value.code == "invalid_state"
    assert len(await world.trace()) == lines + 1
    assert names(directory) == set()


async def test_a_disk_that_takes_nothing_is_said_and_changes_nothing(
    world: World, files: Files, tmp_path: Path
) -> None:
    (tmp_path / "files").write_bytes(b"a file stands where the directory should be")
    with pytest.raises(ConferenceError) as caught:
        await files.add(await world.consultations.get("c"), BY, "x.pdf", PDF)
    assert caught.value.code == "storage_unavailable"
    assert await files.list("c") == []


async def test_a_start_takes_away_what_no_row_names(world: World, files: Files, directory: Path) -> None:
    c = await world.consultations.get("c")
    kept = await files.add(c, BY, "甲.pdf", PDF)
    for name, age_s in (("old.part", 7200), ("0" * 64, 7200), ("young.part", 60)):
        (directory / name).write_bytes(b"x")
        written_s = world.clock.wall_ms() / 1000 - age_s
        os.utime(directory / name, (written_s, written_s))
    await files.restore()
    assert names(directory) == {kept.sha256, "young.part"}


async def test_a_start_beside_another_server(world: World, files: Files, directory: Path) -> None:
    await files.add(await world.consultations.get("c"), BY, "甲.pdf", PDF)
    (directory / "vanished").symlink_to(directory / "nothing")  # listed, and gone when it is looked at
    await files.restore()
    (directory / "stranger").mkdir()
    os.utime(directory / "stranger", (0, 0))
    with pytest.raises(ConferenceError) as caught:
        await files.restore()
    assert caught.value.code == "storage_unavailable"


async def test_names_in_the_trace_may_be_forgotten(world: World, files: Files) -> None:
    trace = Trace(world.database, world.clock)
    await files.add(await world.consultations.get("c"), BY, "张三的情况.pdf", PDF)
    number = (await world.trace())[-1].number
    admin = Bearer(Role.ADMINISTRATOR, "u_2", "王", "u_2")
    with pytest.raises(ConferenceError) as caught:
        await trace.forget("c", number, BY)
    assert caught.value.code == "forbidden"
    for missing in (0, number + 1, 2**62):
        with pytest.raises(ConferenceError) as caught:
            await trace.forget("c", missing, admin)
        assert caught.value.code == "not_found"
    for _ in range(2):
        await trace.forget("c", number, admin)
    assert [line.action for line in await world.trace()][-2:] == ["file.added", "audit.forgotten"]
    async with world.database.reading() as unit:
        assert await unit.audit.texts("c", number, number) == []
