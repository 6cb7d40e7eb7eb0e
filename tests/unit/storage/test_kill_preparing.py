"""Kill -9 at every point of each kind of write of preparing and of staff, then a start at another time of the clock.

Rows, stored files and personal texts are compared with what the traces alone tell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.model.audit import AuditText
from conference.services.rooms import RoomLimits
from conference.storage.database import Database, open_engine, sqlite_url
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import STORED, Crashes, copied, crashes, dumped
from tests.unit.storage.preparing_stage import BEGAN_MS, BY, CHAINS, FILES, KINDS, PDF, files_of
from tests.unit.storage.preparing_story import Story, stored, told
from tests.unit.storage.test_kill_proceedings import STEPS_MS


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "preparing_stage") as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        for step_ms in STEPS_MS[point]:
            await _check(copied(left, f"{point} {step_ms}"), kind, point, step_ms)


async def _check(left: Path, kind: str, point: str, step_ms: int) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("second commit", "answer")), point
    database = Database(open_engine(sqlite_url(left / STORED)))
    world = World(database, ManualClock(epoch_ms=BEGAN_MS + step_ms), RoomLimits())
    added = []
    for chain, (number, digest) in noted["heads"].items():
        lines = await world.trace(chain)
        assert not number or lines[number - 1].hash == digest, "an acknowledged write is gone"
        added += [each.action for each in lines[number:]]
    assert kind.split()[0] in added or point != "answer", "this is another kind of write"
    story = await _told(world)
    assert await stored(database) == story, point

    for service in (world.programs, world.rooms, world.floor_clock, world.attendance):
        await service.restore()
    assert await stored(database) == await _told(world) == story
    await _check_files(world, left / FILES, story)
    await database.close()


async def _told(world: World) -> Story:
    """By the traces, of which those texts are gone that a line says were deleted."""
    lines, texts = [], list[AuditText]()
    for chain in CHAINS:
        of_chain = await world.trace(chain)
        async with world.database.reading() as unit:
            texts += await unit.audit.texts(chain, 1, len(of_chain))
        lines += of_chain
    forgotten = {
        (each.chain, json.loads(each.content)["number"]) for each in lines if each.action == "audit.forgotten"
    }
    there = {(each.chain, each.number) for each in texts}
    assert (
        there == {(each.chain, each.number) for each in lines if "salted_sha256" in each.content} - forgotten
    )
    return told(lines, texts)


async def _check_files(world: World, directory: Path, story: Story) -> None:
    """No row without its file; a file without a row is used again, or swept."""
    named = {sha256 for draft in story.drafts.values() for sha256 in draft.files.values()}
    assert named <= _grown_old(directory)
    files = files_of(world, directory)
    await files.restore()
    assert named == _grown_old(directory)
    if story.drafts["c"].status not in ("archived", "cancelled"):
        added = await files.add(await world.consultations.get("c"), BY, "再来.pdf", PDF + b"other")
        assert (await files.open("c", added.id))[1].read_bytes() == PDF + b"other"


def _grown_old(directory: Path) -> set[str]:
    """Names of what is stored, which nobody can take for something on its way any more."""
    for path in directory.iterdir():
        os.utime(path, (0, 0))
    return {path.name for path in directory.iterdir()}
