"""A process that is killed at a chosen point of a chosen write: `python -m tests.unit.storage.crashing DIR KIND`.

For each point of POINTS a child of its own prepares a consultation, notes how far it came in `POINT.json`, begins
the write and dies of SIGKILL there. What it leaves is the database `POINT.sqlite3`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.model.venue import VenueKind
from conference.services.consultations import ConsultationDraft
from conference.services.entrances import Pass
from conference.services.rooms import RoomLimits
from conference.services.venues import VenueDraft
from conference.storage.database import Database, open_engine, sqlite_url
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock

POINTS: Final = ("first row", "line", "commit", "answer")  # before each of them
BEGAN_MS: Final = 1_700_000_000_000


@dataclass
class Stage:
    """A live consultation in the middle of everything: an item runs, somebody speaks, a statement was liked,
    a stranger waits before the door."""

    world: World
    chair: str
    speaker: str
    other: str
    statement: str
    items: list[str]
    stranger: str
    venue: str
    invitee: str

    @classmethod
    async def prepare(cls, database: Database) -> Stage:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
        await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
        chair = await world.join("主持人", Role.CHAIR)
        speaker, other = await world.join("张三"), await world.join("李四")
        await world.life_cycle.start("c", world.bearer(Role.CHAIR))
        drafts = [AgendaDraft(title, AgendaKind.SPEECH) for title in ("一", "二", "三")]
        items = await world.agendas.edit("c", chair, drafts)
        await world.agendas.advance("c", chair)
        world.clock.forward(6)
        await world.rooms.heartbeat()
        statement = await world.statements.add("c", other, "建议", key="k" * 8)
        await world.statements.like("c", chair, statement.id, True)
        await world.floors.grant("c", chair, speaker, duration_ms=60_000)
        venue = await world.venues.add("c", STAFF, VenueDraft("分会场", VenueKind.BRANCH))
        invitee, _ = await world.invited("赵六")
        stranger = await world.arrivals.join(world.guest(_in_hall(venue.id)), "路人")
        world.clock.forward(3)  # further than the last heartbeat noted
        await world.agendas.advance("c", chair)
        items_of = [each.id for each in items]
        return cls(world, chair, speaker, other, statement.id, items_of, stranger, venue.id, invitee.id)


def _in_hall(venue_id: str) -> Pass:
    return Pass("c", Role.MEMBER, "路人", "分会场", EntryMeans.CODE, None, venue_id, in_hall=True)


async def _edit(on: Stage) -> None:
    drafts = [AgendaDraft(f"改{n}", AgendaKind.REPORT, id=each) for n, each in enumerate(on.items[:2])]
    await on.world.agendas.edit("c", on.chair, [*drafts, AgendaDraft("新", AgendaKind.SUMMARY)])


STAFF: Final = World.bearer(Role.SECRETARIAT)

Write = Callable[[Stage], Awaitable[object]]

KINDS: Final[dict[str, Write]] = {
    "agenda.edit": _edit,
    "agenda.start": lambda on: on.world.agendas.start("c", on.chair, on.items[2]),
    "agenda.next": lambda on: on.world.agendas.advance("c", on.chair),
    "agenda.end": lambda on: on.world.agendas.end("c", on.chair),
    "statement.add": lambda on: on.world.statements.add("c", on.speaker, "又一条", key="n" * 8),
    "statement.add private": lambda on: on.world.statements.add(
        "c", on.speaker, "请关空调", key="n" * 8, private=True
    ),
    "statement.like": lambda on: on.world.statements.like("c", on.speaker, on.statement, True),
    "statement.unlike": lambda on: on.world.statements.like("c", on.chair, on.statement, False),
    "statement.take": lambda on: on.world.statements.take("c", on.chair, on.statement, True),
    "floor.grant": lambda on: on.world.floors.grant("c", on.chair, on.other),
    "floor.withdraw": lambda on: on.world.floors.withdraw("c", on.speaker, on.speaker),
    "floor.end": lambda on: on.world.floors.end("c", on.chair),
    "stay begins": lambda on: on.world.join("王五"),
    "stay ends": lambda on: on.world.departures.disconnect("c", on.other, "李四"),
    "somebody waits": lambda on: on.world.arrivals.join(on.world.guest(_in_hall(on.venue), "t_2"), "路人二"),
    "participant.admit": lambda on: on.world.waiting.admit("c", on.chair, on.stranger),
    "participant.refuse": lambda on: on.world.waiting.refuse("c", on.chair, on.stranger),
    "invitee.add": lambda on: on.world.invited("钱七"),
    "invitee.link": lambda on: on.world.invitees.new_link("c", STAFF, on.invitee),
    "invitee.remove": lambda on: on.world.invitees.remove("c", STAFF, on.invitee),
    "venue.code": lambda on: on.world.venues.new_code("c", STAFF, on.venue),
    "venue.link": lambda on: on.world.venues.new_link("c", STAFF, on.venue),
    "participant leaves": lambda on: on.world.departures.leave("c", on.other),
}


def arm(database: Database, point: str) -> None:
    """From now on this process dies there."""
    engine = database._engine.sync_engine

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def execute(_connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        writes = statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
        if writes and (point == "first row" or (point == "line" and "audit_lines" in statement)):
            die()

    if point in ("first row", "line"):
        event.listen(engine, "before_cursor_execute", execute)
    elif point == "commit":
        event.listen(engine, "commit", lambda _: die())


async def _crash(path: Path, kind: str, point: str) -> None:
    database = Database(open_engine(sqlite_url(path)))
    stage = await Stage.prepare(database)
    async with database.reading() as unit:
        head = await unit.audit.head("c")
    consultation = await stage.world.consultations.get("c")
    noted = {"number": head.number, "hash": head.hash, "ms": stage.world.programs.now_ms(consultation)}
    path.with_suffix(".json").write_text(json.dumps(noted))
    arm(database, point)
    await KINDS[kind](stage)
    os.kill(os.getpid(), signal.SIGKILL)


async def _empty(path: Path) -> None:
    database = Database(open_engine(sqlite_url(path)))
    await database.migrate()
    await database.close()


def main() -> None:
    """A child for each point; it must have died there and not of anything else."""
    directory, kind = Path(sys.argv[1]), sys.argv[2]
    child = os.fork()
    if child == 0:
        asyncio.run(_empty(directory / "empty.sqlite3"))
        os._exit(0)
    os.waitpid(child, 0)
    for point in POINTS:
        path = directory / f"{point}.sqlite3"
        shutil.copyfile(directory / "empty.sqlite3", path)
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_crash(path, kind, point))
            except Exception:  # noqa: BLE001 it shall not come back into the parent's stack
                traceback.print_exc()
            os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"{kind} was not killed before {point}")


if __name__ == "__main__":
    main()
