"""Kill -9 at every point of each kind of write of preparing and of staff, then a start at another time of the clock.

Rows, stored files and personal texts are compared with what the traces alone tell.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.model.audit import AuditLine, AuditText
from conference.services.rooms import RoomLimits
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.preparing_stage import BEGAN_MS, BY, CHAINS, FILES, KINDS, PDF, files_of
from tests.unit.storage.preparing_story import Story, stored, told
from tests.unit.storage.test_kill_proceedings import HOUR_MS

STEPS_MS = {"first row": 0, "line": HOUR_MS, "commit": -HOUR_MS, "rest": HOUR_MS, "answer": -HOUR_MS}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "preparing_stage") as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point, STEPS_MS[point])


async def _check(left: Path, kind: str, point: str, step_ms: int) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + step_ms), RoomLimits())
        chains = await _chains(world)
        added = []
        for chain, (number, digest) in noted["heads"].items():
            assert not number or chains[chain][number - 1].hash == digest, "an acknowledged write is gone"
            added += [each.action for each in chains[chain][number:]]
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        story = await _told(world, chains)
        assert await stored(database) == story, point

        for service in (world.programs, world.rooms, world.floor_clock, world.attendance):
            await service.restore()
        assert await stored(database) == await _told(world, await _chains(world)) == story
        await _check_files(world, left / FILES, story)


async def _chains(world: World) -> dict[str, list[AuditLine]]:
    return {chain: await world.trace(chain) for chain in CHAINS}


async def _told(world: World, chains: dict[str, list[AuditLine]]) -> Story:
    """By the traces, of which those texts are gone that a line says were deleted."""
    texts = list[AuditText]()
    async with world.database.reading() as unit:
        for chain, lines in chains.items():
            texts += await unit.audit.texts(chain, 1, len(lines))
    lines = [line for chain in chains.values() for line in chain]
    personal = {(each.chain, each.number) for each in lines if "salted_sha256" in each.content}
    forgotten = {
        (each.chain, json.loads(each.content)["number"]) for each in lines if each.action == "audit.forgotten"
    }
    assert {(each.chain, each.number) for each in texts} == personal - forgotten
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
