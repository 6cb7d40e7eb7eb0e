"""A scheduled consultation with an agenda and somebody in the room, and each kind of write about rehearsals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from conference.services.rehearsals import Rehearsals
from conference.services.rehearsed_comments import RehearsedComments
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.support.eventually import eventually
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.scripted_exports import ScriptedExporter
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
FILES: Final = Path("files")
CHAIR: Final = World.bearer(Role.CHAIR, "主持人")


@dataclass
class Rehearsing:
    """Nothing is rehearsed yet."""

    world: World
    member: str
    rehearsals: Rehearsals
    comments: RehearsedComments

    @property
    def database(self) -> Database:
        return self.world.database

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash}


def rehearsals_of(world: World, directory: Path) -> tuple[Rehearsals, RehearsedComments]:
    audience = Audience(world)
    rehearsals = Rehearsals(
        world.rooms, world.programs, world.floors, audience.broadcasts, audience.boards, world.life_cycle
    )
    rehearsals.see_to(ScriptedExporter(directory))
    return rehearsals, RehearsedComments(audience.boards)


async def cleared(rehearsals: Rehearsals) -> None:
    """Its files are gone, as the server has it done in the background."""
    running = asyncio.create_task(rehearsals.run())
    try:
        await eventually(lambda: not rehearsals.is_clearing("c"))
    finally:
        running.cancel()


async def prepare(database: Database) -> Rehearsing:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    drafts = [AgendaDraft("汇报", AgendaKind.REPORT), AgendaDraft("讨论", AgendaKind.DISCUSSION)]
    await world.agendas.edit("c", CHAIR, drafts)
    member = await world.join("张三")
    await world.statements.add("c", member, "会前发言", key="b" * 20)
    return Rehearsing(world, member, *rehearsals_of(world, FILES))


async def _start(on: Rehearsing) -> None:
    await on.rehearsals.start("c", CHAIR)


async def _rehearse(on: Rehearsing) -> None:
    """Something of everything that is written into the room."""
    await _start(on)
    world = on.world
    world.clock.forward(1.0)
    await world.agendas.advance("c", CHAIR)
    await world.floors.grant("c", CHAIR, on.member)
    await world.floors.end("c", CHAIR)
    await world.statements.add("c", on.member, "演练发言", key="k" * 20)
    await _comment(on)
    tracks = FILES / "recordings" / "c" / "1"
    tracks.mkdir(parents=True)
    (tracks / "sound.webm").write_text("sound")


async def _comment(on: Rehearsing) -> None:
    await on.comments.add("c", CHAIR, "停车太难了")


def _end(*, keep: bool) -> Callable[[Rehearsing], Awaitable[None]]:
    async def end(on: Rehearsing) -> None:
        await on.rehearsals.end("c", CHAIR, keep=keep)

    return end


async def _ended(on: Rehearsing) -> None:
    await _rehearse(on)
    await on.rehearsals.end("c", CHAIR)


async def _clear(on: Rehearsing) -> None:
    await cleared(on.rehearsals)


KINDS: Final[dict[str, Kind]] = {
    "rehearsal.started": Kind(_start),
    "rehearsal.comment_added": Kind(_comment, first=_start),
    "rehearsal.ended": Kind(_end(keep=False), first=_rehearse),
    "rehearsal.kept": Kind(_end(keep=True), first=_rehearse),
    "rehearsal.cleared": Kind(_clear, first=_ended),
}
