"""Kill -9 at every point of each kind of write about what is heard: nothing is there twice, and nothing is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.model.transcript import GapState
from conference.services.rooms import RoomLimits
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.listening_stage import BEGAN_MS, FIRST, KINDS, SECOND, Listening

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "listening_stage") as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point)


async def _check(left: Path, kind: str, point: str) -> None:
    noted = json.loads((left / "noted.json").read_text())
    is_there = point in ("rest", "answer")
    assert (dumped(left) == noted["rows"]) == (not is_there), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + HOUR_MS), RoomLimits())
        lines = await world.trace()
        assert lines[noted["number"] - 1].hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert (kind.split()[0] in added) == is_there, point

        # The next server hears the same again, and what lies between from the recording.
        again = Listening(await world.restart(), noted["speaker"])
        await again.hears(0, 2_000, FIRST)
        await again.hears(10_000, 20_000, SECOND)
        async with database.reading() as unit:
            rows = await unit.transcript.of("c")
            covered = await unit.transcript.covered("c")
            decided = {each.state for each in await unit.transcript.gaps_noted("c")}
        assert [each.raw for each in rows] == [FIRST.text, SECOND.text], point
        assert [(each.from_ms, each.to_ms) for each in covered] == [(0, 2_000), (10_000, 20_000)]
        told = [json.loads(each.content) for each in await world.trace() if each.action == "transcript.heard"]
        assert sum(each["segments"] for each in told) == len(rows)
        gaps = await again.catching_up.gaps("c")
        if GapState.WAIVED in decided:
            assert all(not each.is_open or each.from_ms >= 57_000 for each in gaps)
        elif GapState.FAILED in decided:
            assert {each.state for each in gaps} == {GapState.FAILED}
        else:
            assert [(each.from_ms, each.to_ms) for each in gaps] == [(2_000, 10_000), (20_000, 60_000)]
