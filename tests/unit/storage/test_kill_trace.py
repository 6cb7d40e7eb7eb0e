"""Kill -9 in the middle of use cases, then a start with the wall clock an hour off: rows, trace and time agree."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from conference.model.audit import AuditLine
from conference.model.participant import Participant
from conference.services.rooms import RoomLimits
from conference.storage.database import Database, open_engine, sqlite_url
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock

_WRITER = """
import asyncio, pathlib, sys
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.storage.database import Database, open_engine, sqlite_url
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock

async def main():
    database = Database(open_engine(sqlite_url(pathlib.Path(sys.argv[1]))))
    await database.migrate()
    world = World(database, ManualClock(), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="t", id="c"))
    chair = await world.join("chair", Role.CHAIR)
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    number = 0
    while True:
        first, second = [await world.join(f"{number}{half}") for half in "ab"]
        await world.moderation.choose("c", first, name=f"n{number}", camera=False)
        await world.floors.request("c", second)
        await world.floors.grant("c", chair, second)
        await world.moderation.mute("c", chair, first, muted=True, hard=True)
        await world.moderation.mute_all("c", chair, muted=True, hard=True)
        await world.moderation.mute_all("c", chair, muted=False, hard=False)
        world.clock.forward(1)
        await world.rooms.heartbeat()
        await world.departures.remove("c", chair, second)
        if number % 2:
            await world.moderation.mute("c", chair, first, muted=False, hard=False)
            await world.departures.leave("c", first)
        print(number, world.programs.marks()["c"], flush=True)
        number += 1

asyncio.run(main())
"""


def killed_writer(path: Path, rounds: int) -> tuple[int, int]:
    """Let it work, kill it, and return the last round that it reported, with its program time."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout is not None
        reported = ["-1 0"]
        while int(reported[-1].split()[0]) < rounds:
            reported.append(writer.stdout.readline())
        writer.kill()
        reported += writer.stdout.read().splitlines()
    number, program_time_ms = reported[-1].split()
    return int(number), int(program_time_ms)


def speaker(lines: Iterable[AuditLine]) -> str | None:
    """Who holds the floor, by the trace alone."""
    holder: str | None = None
    for line in lines:
        if line.action == "floor.granted":
            holder = line.subject
        elif line.action == "floor.ended":
            holder = None
    return holder


def hard_muted(lines: Iterable[AuditLine]) -> set[str]:
    """Who is hard muted, by the trace alone."""
    muted: set[str] = set()
    by_last_mute_all: set[str] = set()
    for line in lines:
        content = json.loads(line.content)
        match line.action:
            case "participant.muted" if content["hard"]:
                muted.add(line.subject or "")
            case "participant.unmuted":
                muted.discard(line.subject or "")
            case "room.muted" if content["hard"]:
                by_last_mute_all = set(content["participants"]) - muted
                muted |= by_last_mute_all
            case "room.unmuted":
                muted -= by_last_mute_all
    return muted


def present(lines: Iterable[AuditLine]) -> set[str]:
    """Who is in the room, by the trace alone."""
    inside: set[str] = set()
    for line in lines:
        if line.action in ("participant.joined", "participant.returned"):
            inside.add(line.subject or "")
        elif line.action in ("participant.left", "participant.lost", "participant.removed"):
            inside.discard(line.subject or "")
    return inside


@pytest.mark.parametrize(("rounds", "step_s"), [(3, 0), (4, 3600), (5, -3600)])
async def test_rows_and_trace_and_time_agree(tmp_path: Path, rounds: int, step_s: int) -> None:
    path = tmp_path / "db.sqlite3"
    _, program_time_ms = await asyncio.to_thread(killed_writer, path, rounds)
    database = Database(open_engine(sqlite_url(path)))
    clock = ManualClock()
    world = World(database, clock, RoomLimits())
    lines = await world.trace()
    async with database.reading() as unit:
        rows: list[Participant] = await unit.participants.present()
    assert {each.id for each in rows} == present(lines)
    assert {each.id for each in rows if each.hard_muted} == hard_muted(lines) & present(lines)

    assert [each.id for each in rows if each.holds_floor] == [each for each in [speaker(lines)] if each]

    clock.epoch_ms += step_s * 1000 + program_time_ms
    await world.programs.restore()
    await world.rooms.restore()
    await world.floor_clock.restore()
    now_ms = world.programs.now_ms(await world.consultations.get("c"))
    assert now_ms is not None
    assert now_ms >= program_time_ms
    room = world.rooms.find("c")
    assert set(room.seats if room else ()) == present(await world.trace())
    await database.close()
