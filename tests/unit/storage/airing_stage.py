"""Recording, program and broadcast of a live consultation, and each kind of write that is made about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from conference.model.permissions import Role
from conference.model.program import Direction, DirectionMode, Layout
from conference.services.broadcasts import Broadcasts
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.services.programs import Programs
from conference.services.recordings import Recordings
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from conference.worker_events import (
    ProgramReady,
    ProgramTrouble,
    RecordedFile,
    RecorderReady,
    RecorderTrouble,
)
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock, ScriptedMaker, ScriptedRecorder
from tests.unit.storage.crashing import Kind
from tests.unit.storage.proceedings_stage import BEGAN_MS

CHAIR: Final = World.bearer(Role.CHAIR)
STAFF: Final = World.bearer(Role.SECRETARIAT)
OPEN: Final = RecordedFile("c", "c/1/p-camera-1.webm", "p_1", "camera", "vp8", 40, 7)
CLOSED: Final = replace(OPEN, is_ended=True, is_whole=True, duration_ms=9, size_bytes=5, sha256="a" * 64)


@dataclass
class Airing:
    """Somebody is in the room, and a minute of it is over."""

    world: World

    @property
    def database(self) -> Database:
        return self.world.database

    @cached_property
    def recorder(self) -> ScriptedRecorder:
        return ScriptedRecorder()

    @cached_property
    def recordings(self) -> Recordings:
        return Recordings(self.world.rooms, self.recorder)

    @cached_property
    def maker(self) -> ScriptedMaker:
        return ScriptedMaker()

    @cached_property
    def programs(self) -> Programs:
        return Programs(self.world.rooms, self.maker)

    @cached_property
    def broadcasts(self) -> Broadcasts:
        return Broadcasts(self.world.rooms)

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash, "ms": await unit.audit.reached_ms("c")}


async def prepare(database: Database) -> Airing:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    await world.join("主持人", Role.CHAIR)
    await world.life_cycle.start("c", CHAIR)
    world.clock.forward(60)
    await world.rooms.heartbeat()
    on = Airing(world)
    await on.broadcasts.withdraw("c", STAFF, 1_000, 2_000, "试音")
    world.clock.forward(3)  # further than the last heartbeat noted
    await on.broadcasts.withdraw("c", STAFF, 3_000, 4_000, "试音")
    return on


Write = Callable[[Airing], Awaitable[object]]


def _after(*steps: Write) -> Write:
    async def all_of_them(on: Airing) -> None:
        for step in steps:
            await step(on)
            on.world.clock.forward(1)

    return all_of_them


async def _record(on: Airing) -> None:
    await on.recordings.tick()
    on.recorder.emit(RecorderReady("c", "/run/r.sock"))


async def _recorder_dies(on: Airing) -> None:
    on.recorder.emit(RecorderTrouble("c", "worker_ended"))


def _told(file: RecordedFile) -> Write:
    async def tell(on: Airing) -> None:
        on.recordings  # noqa: B018 it listens from here
        on.recorder.emit(file)

    return tell


async def _delete(on: Airing) -> None:
    (file,) = await on.recordings.list("c")
    await on.recordings.delete("c", file.id, STAFF)


async def _download(on: Airing) -> None:
    (file,) = await on.recordings.list("c")
    await on.recordings.open("c", file.id, STAFF)


def _switch(*, on: bool) -> Write:
    async def edit(stage: Airing) -> None:
        world = stage.world
        revision = (await world.consultations.get("c")).revision
        editing = Editing(world.rooms, world.floors, world.waiting)
        await editing.edit("c", STAFF, revision, {"recording": on})

    return edit


def _pause(*, paused: bool) -> Write:
    return lambda on: on.broadcasts.pause("c", CHAIR, paused=paused)


async def _produce(on: Airing) -> None:
    await on.programs.tick()
    on.maker.emit(ProgramReady("c", "/run/p.tap", "/run/p.feed"))


async def _worker_dies(on: Airing) -> None:
    on.maker.emit(ProgramTrouble("c", "worker_ended"))


async def _end(on: Airing) -> None:
    await on.world.life_cycle.end("c", CHAIR)


async def _card_is_over(on: Airing) -> None:
    on.world.clock.forward(5)


async def _erase(on: Airing) -> None:
    await on.programs.restore()
    running = asyncio.create_task(on.programs.run())
    while await _unerased(on):
        assert not running.done()
        await asyncio.sleep(0)
    running.cancel()


async def _unerased(on: Airing) -> int:
    async with on.database.reading() as unit:
        return len(await unit.broadcast_cuts.unerased())


async def _direct(on: Airing) -> None:
    await on.programs.direct("c", CHAIR, Direction(DirectionMode.MANUAL, Layout.GRID))


async def _switch_captions(on: Airing) -> None:
    await on.programs.show_captions("c", CHAIR, on=True)


def _ticked(service: str) -> Write:
    return lambda on: getattr(on, service).tick()


async def _write_rows(on: Airing) -> None:
    await on.recordings.write_rows()


async def _cut(on: Airing) -> None:
    await on.broadcasts.cut("c", STAFF)


async def _restore(on: Airing) -> None:
    await on.broadcasts.restore("c", STAFF)


async def _withdraw(on: Airing) -> None:
    await on.broadcasts.withdraw("c", STAFF, 5_000, 9_000, "涉及个人信息")


async def _reinstate(on: Airing) -> None:
    first = (await on.broadcasts.shown("c")).withdrawn[-1]
    await on.broadcasts.reinstate("c", STAFF, first.id, "误操作")


RECORDED: Final = _after(_told(OPEN), _write_rows, _told(CLOSED), _write_rows)
PAUSED: Final = _after(_pause(paused=True), _pause(paused=False))

KINDS: Final[dict[str, Kind]] = {
    "recording.started": Kind(_ticked("recordings"), first=_record),
    "recording.interrupted": Kind(
        _ticked("recordings"), first=_after(_record, _ticked("recordings"), _recorder_dies)
    ),
    "recording.ended": Kind(_ticked("recordings"), first=_after(_record, _ticked("recordings"), _end)),
    "recording.file_opened": Kind(_write_rows, first=_told(OPEN)),
    "recording.file_closed": Kind(_write_rows, first=_after(_told(OPEN), _write_rows, _told(CLOSED))),
    "recording.downloaded": Kind(_download, first=RECORDED),
    "recording.deleted": Kind(_delete, first=RECORDED),
    "recording.paused": Kind(_pause(paused=True)),
    "recording.resumed": Kind(_pause(paused=False), first=_pause(paused=True)),
    "consultation.edited recording off": Kind(_switch(on=False)),
    "consultation.edited recording off while paused": Kind(_switch(on=False), first=_pause(paused=True)),
    "consultation.edited recording on": Kind(_switch(on=True), first=_switch(on=False)),
    "consultation.ended while paused": Kind(_end, first=_pause(paused=True)),
    "program.started": Kind(_ticked("programs"), first=_produce),
    "program.interrupted": Kind(
        _ticked("programs"), first=_after(_produce, _ticked("programs"), _worker_dies)
    ),
    "program.ended": Kind(
        _ticked("programs"), first=_after(_produce, _end, _ticked("programs"), _card_is_over)
    ),
    "program.directed": Kind(_direct, first=_produce),
    "program.captions_switched": Kind(_switch_captions),
    "program.erased": Kind(_erase, first=_after(PAUSED, _end)),
    "broadcast.cut": Kind(_cut),
    "broadcast.restored": Kind(_restore, first=_cut),
    "broadcast.withdrawn": Kind(_withdraw),
    "broadcast.reinstated": Kind(_reinstate),
}
