"""Kill -9 at every point of each kind of write about clips, then a start with the clock an hour off.

Rows are compared with what the trace alone tells, files with rows; what was played has an end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conference.model.audit import AuditLine
from conference.model.clip import ClipState
from conference.services.clip_shows import ClipShows
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock, ScriptedIngests
from tests.unit.storage.clips_stage import BEGAN_MS, DESK, FILES, KINDS, clips_of
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened

HOUR_MS = 3_600_000
STEPS_MS = {"first row": 0, "line": HOUR_MS, "commit": -HOUR_MS, "rest": HOUR_MS, "answer": -HOUR_MS}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "clips_stage") as made:
        yield made


@dataclass
class Story:
    """State and cue of each clip; of each showing its beginning and why it ended."""

    clips: dict[str, tuple[str, int]] = field(default_factory=dict)
    plays: dict[str, tuple[int | None, str | None]] = field(default_factory=dict)


def told(lines: list[AuditLine]) -> Story:
    story = Story()
    for line in lines:
        what = line.subject or ""
        content = json.loads(line.content)
        match line.action:
            case "clip.added":
                story.clips[what] = ("queued", 0)
            case "clip.prepared":
                story.clips[what] = ("ready", 0)
            case "clip.refused":
                story.clips[what] = ("refused", 0)
            case "clip.cued":
                story.clips[what] = ("ready", content["cue_ms"])
            case "clip.removed":
                del story.clips[what]
            case "clip.started":
                story.plays[content["play"]] = (None, None)
            case "clip.began":
                story.plays[content["play"]] = (content["at_ms"], None)
            case "clip.ended":
                story.plays[content["play"]] = (story.plays[content["play"]][0], content["end"])
    return story


async def stored(database: Database) -> Story:
    async with database.reading() as unit:
        clips, plays = await unit.clips.of("c"), await unit.clips.plays("c")
    return Story(
        {each.id: (each.state.value, each.cue_ms) for each in clips},
        {each.id: (each.began_ms, None if each.end is None else each.end.value) for each in plays},
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point, STEPS_MS[point])


async def _check(left: Path, kind: str, point: str, step_ms: int) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + 2 * HOUR_MS + step_ms), RoomLimits())
        lines = await world.trace()
        assert lines[noted["number"] - 1].hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert bool(added) == (point in ("rest", "answer")), point
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        assert await stored(database) == told(lines), point

        clips, _ = clips_of(world, left / FILES)
        await clips.restore()
        await ClipShows(world.rooms, clips, ScriptedIngests(), world.departures).restore()
        story = await stored(database)
        assert story == told(await world.trace())
        assert all(end is not None for _, end in story.plays.values()), "nothing is played any more"
        async with database.reading() as unit:
            queued, wanted = await unit.clips.queued(), await unit.clips.paths()
        below = left / FILES
        kept = {str(each.relative_to(below)) for each in below.rglob("*") if each.is_file()}
        assert kept == wanted, point
        for each in queued:
            await clips.prepare(each)
            assert (await clips.ready("c", each.id, DESK)).state is ClipState.READY
