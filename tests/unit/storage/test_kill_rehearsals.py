"""Kill -9 at every point of each kind of write about rehearsals, then a start with the clock an hour off.

What is rehearsed goes on and can be ended; what was ended leaves neither rows nor files, whenever it was killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.model.agenda import ItemState
from conference.model.audit import AuditLine
from conference.model.consultation import Status
from conference.services.rooms import RoomLimits
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.rehearsals_stage import BEGAN_MS, CHAIR, FILES, KINDS, cleared, rehearsals_of

HOUR_MS = 3_600_000
STEPS_MS = {"first row": 0, "line": HOUR_MS, "commit": -HOUR_MS, "rest": HOUR_MS, "answer": -HOUR_MS}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "rehearsals_stage") as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point, STEPS_MS[point])


def is_rehearsed(lines: list[AuditLine]) -> bool:
    """As the trace alone tells it."""
    steps = [each.action for each in lines if each.action in ("rehearsal.started", "rehearsal.ended")]
    return steps[-1:] == ["rehearsal.started"]


async def _check(left: Path, kind: str, point: str, step_ms: int) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + 2 * HOUR_MS + step_ms), RoomLimits())
        lines = await world.trace()
        assert lines[noted["number"] - 1].hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert bool(added) == (point in ("rest", "answer")), point
        written = "rehearsal.ended" if kind == "rehearsal.kept" else kind
        assert written in added or point != "answer", "this is another kind of write"

        await world.programs.restore()
        await world.rooms.restore()
        await world.attendance.restore()
        rehearsals, _ = rehearsals_of(world, left / FILES)
        await rehearsals.restore()
        assert rehearsals.is_clearing("c") == (await _is_cleared_away(world)), point
        status = (await world.consultations.get("c")).status
        assert status is (Status.REHEARSAL if is_rehearsed(lines) else Status.SCHEDULED), point
        if status is Status.REHEARSAL:
            await rehearsals.end("c", CHAIR)
        await cleared(rehearsals)
        await _is_as_before(world, left)


async def _is_cleared_away(world: World) -> bool:
    """Rows are gone, files are about to be."""
    lines = [each.action for each in await world.trace()]
    return lines.count("rehearsal.ended") > lines.count("rehearsal.cleared")


async def _is_as_before(world: World, left: Path) -> None:
    async with world.database.reading() as unit:
        consultation = await unit.consultations.get("c")
        agenda = await unit.agenda.get("c")
        board = await unit.statements.board("c")
        assert await unit.floor.turns("c") == []
        assert await unit.rehearsals.get("c") is None
        assert [each async for page in unit.comments.pages("c", 10) for each in page] == []
    assert consultation is not None
    assert (consultation.status, consultation.started_at_ms) == (Status.SCHEDULED, None)
    assert [each.text for each in board.statements.values()] == ["会前发言"]
    assert {each.state for each in agenda.items} == {ItemState.PENDING}
    assert not (left / FILES / "recordings" / "c").exists()
