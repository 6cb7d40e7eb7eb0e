"""Kill -9 at every point of each kind of write in a meeting, then a start with the wall clock an hour off.

Rows are compared with what the trace alone tells: a write is there whole with its line, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.model.audit import AuditLine
from conference.services.rooms import RoomLimits
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage import airing_stage, proceedings_stage
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.proceedings_stage import BEGAN_MS
from tests.unit.storage.proceedings_story import Story, stored, told

HOUR_MS = 3_600_000
STEPS_MS = {
    "first row": [0],
    "line": [HOUR_MS],
    "commit": [-HOUR_MS],
    "rest": [0],
    "answer": [HOUR_MS, -HOUR_MS],
}


CASES = [
    *(("proceedings_stage", kind) for kind in proceedings_stage.KINDS),
    *(("airing_stage", kind) for kind in airing_stage.KINDS),
]


@pytest.fixture(scope="module")
def killed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), request.param) as made:
        yield made


async def story_of(world: World, lines: list[AuditLine]) -> Story:
    async with world.database.reading() as unit:
        return told(lines, await unit.audit.texts("c", 1, len(lines)))


@pytest.mark.parametrize(("killed", "kind"), CASES, indirect=["killed"])
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        for step_ms in STEPS_MS[point]:
            await _check(copied(left, f"{point} {step_ms}"), kind, point, step_ms)


async def _check(left: Path, kind: str, point: str, step_ms: int) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        clock = ManualClock(now_s=50.0)
        clock.epoch_ms = BEGAN_MS + noted["ms"] + step_ms + 950_000  # it reads now_s from 1000 on
        world = World(database, clock, RoomLimits())
        lines = await world.trace()
        acknowledged = lines[noted["number"] - 1]
        assert acknowledged.hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert bool(added) == (point in ("rest", "answer")), point
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        story = await story_of(world, lines)
        assert await stored(database) == story, point
        reached_ms = max(each.program_time_ms or 0 for each in lines)
        listed_ms = _length_ms(story)

        for service in (world.programs, world.rooms, world.floor_clock, world.attendance):
            await service.restore()
        now_ms = world.programs.now_ms(await world.consultations.get("c"))
        assert now_ms is not None
        assert now_ms >= reached_ms >= noted["ms"], f"program time fell back, clock stepped by {step_ms}"
        after = await world.trace()
        assert all((each.program_time_ms or 0) >= noted["ms"] for each in after[len(lines) :])
        story = await story_of(world, after)
        assert await stored(database) == story
        assert story.inside == set()
        assert all(begin < end <= now_ms for begin, end in story.gaps)
        assert _length_ms(story) - listed_ms == now_ms - reached_ms


def _length_ms(story: Story) -> int:
    return sum(end - begin for begin, end in story.gaps)
