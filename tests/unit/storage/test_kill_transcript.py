"""Kill -9 at every point of each kind of write about a transcript: texts are as their revisions tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.services.rooms import RoomLimits
from conference.services.transcript_editing import SegmentPatch
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.transcript_stage import BEGAN_MS, FIRST, KINDS, STAFF, Written

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "transcript_stage") as made:
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
        assert (kind in [each.action for each in lines[noted["number"] :]]) == is_there, point
        async with database.reading() as unit:
            for segment in await unit.transcript.of("c"):
                revisions = await unit.transcript.revisions(segment.id)
                assert segment.revision == max([1, *(each.revision for each in revisions)]), point
                assert not revisions or revisions[-1].after == segment.text, point
                found = await unit.transcript.search(["c"], segment.text, confidential=True, limit=9)
                assert segment.id in [each.id for each in found], "the search knows it as it is"
            first = await unit.transcript.get(FIRST)
        assert first is not None
        edited = SegmentPatch(text="都写完了。")
        again = await Written(world).editing.edit("c", STAFF, FIRST, first.revision, edited)
        assert (again.text, again.revision) == ("都写完了。", first.revision + 1)
