"""Kill -9 at every point of each kind of write, then a start with the wall clock an hour off.

Rows are compared with what the trace alone tells: a write is there whole with its line, or not at all.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conference.model.audit import AuditLine
from conference.services.rooms import RoomLimits
from conference.storage.database import Database, open_engine, sqlite_url
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import BEGAN_MS, KINDS, POINTS

ROOT = Path(__file__).parents[3]
HOUR_MS = 3_600_000
STEPS_MS = {"first row": [0], "line": [HOUR_MS], "commit": [-HOUR_MS], "answer": [0, HOUR_MS, -HOUR_MS]}


@dataclass
class Story:
    """Agenda, statements, floor, attendance, gaps and guests of a consultation."""

    agenda: list[list[str | None]] = field(default_factory=list)  # id, title, state
    statements: dict[str, list[Any]] = field(default_factory=dict)  # private, taken, who likes it
    turns: list[list[Any]] = field(default_factory=list)  # holder, why it ended, spoken ms
    inside: set[str] = field(default_factory=set)  # participants with an open stay
    gaps: list[tuple[int, int]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)  # participants before the door
    links: dict[str, int] = field(default_factory=dict)  # which link of an invitee or a venue is good
    coded: set[str] = field(default_factory=set)  # venues with an entry code


def told(lines: Iterable[AuditLine]) -> Story:
    """By the trace alone."""
    story = Story()
    for line in lines:
        content, who = json.loads(line.content), line.subject or ""
        match line.action:
            case "agenda.edited":
                states = {each[0]: each[2] for each in story.agenda}
                story.agenda = [
                    [each["id"], each["title"], states.get(each["id"], "pending")]
                    for each in content["items"]
                ]
            case "agenda.started" | "agenda.ended":
                for each in story.agenda:
                    if each[2] == "current" or each[0] == who:
                        each[2] = "current" if each[0] == who else "done"
            case "statement.added":
                story.statements[who] = [content["private"], False, set()]
            case "statement.liked":
                story.statements[who][2].add(line.actor_id)
            case "statement.unliked":
                story.statements[who][2].discard(line.actor_id)
            case "statement.taken":
                story.statements[who][1] = True
            case "floor.granted":
                story.turns.append([who, None, None])
            case "floor.ended":
                story.turns[-1][1:] = [content["reason"], content["spoken_ms"]]
            case "participant.joined" | "participant.admitted":
                story.inside.add(who)
                story.waiting.discard(who)
            case "participant.waiting":
                story.waiting.add(who)
            case "participant.disconnected" | "participant.left":
                story.inside.discard(who)
            case "waiting.refused" | "waiting.left" | "participant.lost":
                story.waiting.discard(who)
            case "invitee.added" | "venue.added":
                story.links[who] = 1
            case "invitee.link" | "venue.link":
                story.links[who] = content["revision"]
            case "invitee.removed" | "venue.removed":
                del story.links[who]
            case "venue.code":
                story.coded = story.coded | {who} if content["valid"] else story.coded - {who}
            case "attendance.outage":
                story.inside -= set(content["participants"])
            case "program.gap":
                story.gaps.append((content["from_ms"], content["to_ms"]))
    return story


async def stored(database: Database) -> Story:
    """By the rows alone."""
    async with database.reading() as unit:
        agenda, board = await unit.agenda.get("c"), await unit.statements.board("c")
        turns, stays = await unit.floor.turns("c"), await unit.stays.of("c")
        gaps = await unit.consultations.gaps("c")
        venues, invitees = await unit.venues.of("c"), await unit.invitees.of("c")
        present = await unit.participants.present()
    return Story(
        [[each.id, each.title, each.state.value] for each in agenda.items],
        {
            each.id: [each.private, each.taken, board.likers.get(each.id, set())]
            for each in board.statements.values()
        },
        [
            [each.participant_id, reason and reason.value, each.spoken_ms if reason else None]
            for each in turns
            for reason in [each.end_reason]
        ],
        {each.participant_id for each in stays if each.to_wall_ms is None},
        [(each.from_ms, each.to_ms) for each in gaps],
        {each.id for each in present if each.waiting_since_ms is not None},
        {each.id: each.link_revision for each in venues} | {each.id: each.link_revision for each in invitees},
        {each.id for each in venues if each.entry_code is not None},
    )


async def crash(directory: Path, kind: str) -> None:
    command = [sys.executable, "-m", "tests.unit.storage.crashing", str(directory), kind]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


def copied(path: Path, name: str) -> Path:
    """What the killed process left, its write-ahead log included."""
    copy = path.with_name(name)
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copyfile(source, copy.with_name(copy.name + suffix))
    return copy


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(tmp_path: Path, kind: str) -> None:
    await crash(tmp_path, kind)
    for point in POINTS:
        noted = json.loads((tmp_path / f"{point}.json").read_text())
        for step_ms in STEPS_MS[point]:
            left = copied(tmp_path / f"{point}.sqlite3", f"{point}{step_ms}.sqlite3")
            database = Database(open_engine(sqlite_url(left)))
            clock = ManualClock(now_s=50.0)
            clock.epoch_ms = BEGAN_MS + noted["ms"] + step_ms + 950_000  # it reads now_s from 1000 on
            world = World(database, clock, RoomLimits())
            lines = await world.trace()
            acknowledged = lines[noted["number"] - 1]
            assert acknowledged.hash == noted["hash"], "an acknowledged write is gone"
            assert (len(lines) > noted["number"]) == (point == "answer"), point
            assert await stored(database) == told(lines), point
            assert [each for each in told(lines).agenda if each[2] == "current"] or kind == "agenda.end"

            for service in (world.programs, world.rooms, world.floor_clock, world.attendance):
                await service.restore()
            now_ms = world.programs.now_ms(await world.consultations.get("c"))
            assert now_ms is not None
            assert now_ms >= noted["ms"], f"program time fell back, clock stepped by {step_ms}"
            after = await world.trace()
            assert all((each.program_time_ms or 0) >= noted["ms"] for each in after[len(lines) :])
            story = told(after)
            assert await stored(database) == story
            assert story.inside == set()
            assert all(begin < end <= now_ms for begin, end in story.gaps)
            assert sum(end - begin for begin, end in story.gaps) == now_ms - noted["ms"]
            await database.close()
