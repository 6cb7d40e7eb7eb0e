"""Kill -9 at every point of each kind of write about minutes: rows are what the trace alone tells, and all goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conference.model.audit import STAFF_CHAIN, AuditLine
from conference.model.minutes import MinutesKind, MinutesState
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.minutes_stage import CHAIR, STAFF, TEMPLATE, Writing
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.minutes_stage import BEGAN_MS, KINDS

HOUR_MS = 3_600_000
STATES = {
    "minutes.made": "draft",
    "minutes.edited": "draft",
    "minutes.reviewed": "reviewed",
    "minutes.approved": "approved",
    "minutes.reopened": "draft",
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "minutes_stage") as made:
        yield made


@dataclass
class Story:
    """State, revision, digest and the line of the approval, by kind and version; hashes of templates by body."""

    minutes: dict[tuple[str, int], tuple[str, int, str]] = field(default_factory=dict)
    sealed: dict[tuple[str, int], str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)


def told(lines: list[AuditLine]) -> Story:
    story = Story()
    for line in lines:
        content = json.loads(line.content)
        if line.action in STATES:
            key = (content["kind"], content["version"])
            story.minutes[key] = (STATES[line.action], content["revision"], content["sha256"])
            if line.action == "minutes.approved":
                story.sealed[key] = line.hash
        elif line.action == "minutes.template_set":
            story.templates[line.subject or ""] = content["sha256"]
        elif line.action == "minutes.template_removed":
            del story.templates[line.subject or ""]
    return story


async def stored(database: Database) -> Story:
    async with database.reading() as unit:
        found = await unit.minutes.of("c")
        template = await unit.minutes_templates.get("o")
    return Story(
        {(each.kind.value, each.version): (each.state.value, each.revision, each.digest) for each in found},
        {
            (each.kind.value, each.version): each.approval.head_hash
            for each in found
            if each.approval is not None
        },
        {} if template is None else {"o": template.sha256},
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point)


async def _check(left: Path, kind: str, point: str) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + HOUR_MS), RoomLimits())
        added: list[str] = []
        for chain, (number, digest) in noted["heads"].items():
            lines = await world.trace(chain)
            assert number == 0 or lines[number - 1].hash == digest, "an acknowledged write is gone"
            added += [each.action for each in lines[number:]]
        assert bool(added) == (point in ("rest", "answer")), point
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        lines = await world.trace() + await world.trace(STAFF_CHAIN)
        assert await stored(database) == told(lines), point
        await _go_on(Writing(world))
        assert await stored(database) == told(await world.trace() + await world.trace(STAFF_CHAIN)), point


async def _go_on(writing: Writing) -> None:
    """From wherever it was killed the record is brought to an end, and a template put there."""
    desk = writing.desk
    minutes = await desk.version("c", MinutesKind.RECORD, None, STAFF)
    if minutes.state is MinutesState.DRAFT:
        minutes = await desk.review("c", minutes.id, minutes.revision, STAFF)
    if minutes.state is MinutesState.REVIEWED:
        minutes = await desk.approve("c", minutes.id, minutes.revision, CHAIR)
    assert minutes.approval is not None
    await desk.set_template("o", "新.docx", TEMPLATE, STAFF)
