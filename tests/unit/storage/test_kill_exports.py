"""Kill -9 at every point of each kind of write about exports and retention, then a start with the clock an hour off.

Rows are compared with what the trace alone tells, files with rows; and then everything goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conference.model.audit import AuditLine
from conference.model.export import ExportKind, ExportState
from conference.services.recordings import Recordings
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock, ScriptedRecorder
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.exports_stage import BEGAN_MS, DAY_S, DAYS, FILES, KINDS, exports_of, retention_of

HOUR_MS = 3_600_000
STEPS_MS = {"first row": 0, "line": HOUR_MS, "commit": -HOUR_MS, "rest": HOUR_MS, "answer": -HOUR_MS}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "exports_stage") as made:
        yield made


@dataclass
class Story:
    """State and hash by id, of exports and of recordings."""

    exports: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    recordings: dict[str, str | None] = field(default_factory=dict)


def told(lines: list[AuditLine]) -> Story:
    story = Story()
    for line in lines:
        content, what = json.loads(line.content), line.subject or ""
        match line.action:
            case "export.requested":
                story.exports[what] = ("queued", None)
            case "export.finished":
                story.exports[what] = ("done", content["sha256"])
                if content["kind"] == ExportKind.PROGRAM:
                    story.recordings[what] = content["sha256"]
            case "export.failed":
                story.exports[what] = ("failed", None)
            case "recording.file_opened":
                story.recordings[what] = None
            case "recording.file_closed":
                story.recordings[what] = content["sha256"]
            case "export.deleted" | "recording.deleted":
                story.exports.pop(what, None)
                story.recordings.pop(what, None)
    return story


async def stored(database: Database) -> Story:
    async with database.reading() as unit:
        exports, recordings = await unit.exports.of("c"), await unit.recordings.of("c")
    return Story(
        {each.id: (each.state.value, each.sha256) for each in exports},
        {each.id: each.sha256 for each in recordings},
    )


def files(left: Path) -> set[str]:
    below = left / FILES / "recordings"
    return {str(each.relative_to(below)) for each in below.rglob("*") if each.is_file()}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point, STEPS_MS[point])


async def _check(left: Path, kind: str, point: str, step_ms: int) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    is_sweep = kind.startswith("program.deleted")
    later_ms = (DAYS + 1) * DAY_S * 1000 if is_sweep else 0
    async with reopened(left) as database:
        world = World(
            database, ManualClock(epoch_ms=BEGAN_MS + 2 * HOUR_MS + step_ms + later_ms), RoomLimits()
        )
        lines = await world.trace()
        assert lines[noted["number"] - 1].hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert bool(added) == (point in ("rest", "answer")), point
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        assert await stored(database) == told(lines), point

        exports = exports_of(world, left / FILES)
        await exports.restore()
        await Recordings(world.rooms, ScriptedRecorder(left / FILES / "recordings")).restore()
        assert await stored(database) == told(await world.trace())
        if is_sweep:
            await retention_of(world, left / FILES).tick()
            assert [each.action for each in await world.trace()].count("program.deleted") == 1
            assert await stored(database) == Story()
            assert files(left) == set()
            assert not (left / FILES / "program" / "c").exists()
            return
        while queued := [each for each in await exports.list("c") if each.state is ExportState.QUEUED]:
            await exports.make(queued[0])
        story = await stored(database)
        assert story == told(await world.trace())
        async with database.reading() as unit:
            rows = {each.path for each in await unit.recordings.of("c")} | await unit.exports.paths()
        assert files(left) == rows, point
