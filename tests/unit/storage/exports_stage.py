"""A consultation that is over, with tracks, a program and exports of all states, and each kind of write about them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from conference.model.export import Export, ExportKind, ExportState
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from conference.services.exports import ExportRequest, Exports
from conference.services.recordings import Recordings
from conference.services.retention import Retention
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from conference.worker_events import RecordedFile
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock, ScriptedRecorder
from tests.unit.services.scripted_exports import ScriptedExporter
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
DAY_S: Final = 86_400
DAYS: Final = 30
FILES: Final = Path("kept")
BY: Final = World.bearer(Role.SECRETARIAT)
CHAIR: Final = World.bearer(Role.CHAIR)
PROGRAM: Final = ExportRequest(ExportKind.PROGRAM)


@dataclass
class Exported:
    """The speaker's file is made."""

    world: World
    speaker: str

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def maker(self) -> ScriptedExporter:
        return ScriptedExporter(FILES)

    @property
    def exports(self) -> Exports:
        return exports_of(self.world, FILES)

    @property
    def recordings(self) -> Recordings:
        return Recordings(self.world.rooms, ScriptedRecorder(FILES / "recordings"))

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash}


def exports_of(world: World, directory: Path) -> Exports:
    return Exports(world.database, world.clock, ScriptedExporter(directory), lambda _: False)


def retention_of(world: World, directory: Path) -> Retention:
    exports = exports_of(world, directory)
    return Retention(world.database, world.clock, ScriptedExporter(directory), exports, days=DAYS)


async def prepare(database: Database) -> Exported:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    speaker = await world.join("张三")
    await world.life_cycle.start("c", CHAIR)
    world.clock.forward(60)
    await world.life_cycle.end("c", CHAIR)
    stage = Exported(world, speaker)
    recorder = ScriptedRecorder(FILES / "recordings")
    recordings = Recordings(world.rooms, recorder)
    for number, source in enumerate(("microphone", "camera")):
        path = f"c/1/{number}.webm"
        recorder.path(path).parent.mkdir(parents=True, exist_ok=True)
        recorder.path(path).write_text("frames")
        opened = RecordedFile("c", path, speaker, source, "opus" if number == 0 else "vp8", 40, 7)
        recorder.emit(opened)
        recorder.emit(
            replace(opened, is_ended=True, is_whole=True, duration_ms=9, size_bytes=6, sha256="a" * 64)
        )
    await recordings.write_rows()
    stage.maker.program()
    await _ask_person(stage)
    await _make()(stage)
    return stage


Write = Callable[[Exported], Awaitable[object]]


def _after(*writes: Write) -> Write:
    async def write(on: Exported) -> None:
        for each in writes:
            await each(on)

    return write


async def _of(on: Exported, *states: ExportState) -> Export:
    return next(each for each in await on.exports.list("c") if each.state in states)


async def _ask_person(on: Exported) -> None:
    await on.exports.request("c", BY, ExportRequest(ExportKind.PERSON, on.speaker))


async def _ask_program(on: Exported) -> None:
    await on.exports.request("c", BY, PROGRAM)


async def _queue_program(on: Exported) -> None:
    await on.exports.queue_programs()


def _make(reason: str | None = None) -> Write:
    async def make(on: Exported) -> None:
        maker = on.maker
        maker.reasons = [] if reason is None else [reason]
        exports = Exports(on.database, on.world.clock, maker, lambda _: False)
        await exports.make(await _of(on, ExportState.QUEUED))

    return make


async def _download(on: Exported) -> None:
    await on.exports.open("c", (await _of(on, ExportState.DONE)).id, BY)


def _delete(kind: ExportKind) -> Write:
    async def delete(on: Exported) -> None:
        export = next(each for each in await on.exports.list("c") if each.kind is kind)
        await on.exports.delete("c", export.id, BY)

    return delete


async def _delete_recording(on: Exported) -> None:
    row = next(each for each in await on.recordings.list("c") if each.source == "program")
    await on.recordings.delete("c", row.id, BY)


async def _sweep(on: Exported) -> None:
    on.world.clock.forward((DAYS + 1) * DAY_S)
    await retention_of(on.world, FILES).tick()


PROGRAM_MADE: Final = _after(_ask_program, _make())

KINDS: Final[dict[str, Kind]] = {
    "export.requested": Kind(_ask_program),
    "export.requested by itself": Kind(_queue_program),
    "export.requested again": Kind(_ask_program, first=_after(_ask_program, _make("disk_full"))),
    "export.finished": Kind(_make(), first=_ask_program),
    "export.failed": Kind(_make("disk_full"), first=_ask_program),
    "export.downloaded": Kind(_download),
    "export.deleted": Kind(_delete(ExportKind.PERSON)),
    "export.deleted queued": Kind(_delete(ExportKind.PROGRAM), first=_ask_program),
    "export.deleted program": Kind(_delete(ExportKind.PROGRAM), first=PROGRAM_MADE),
    "recording.deleted program": Kind(_delete_recording, first=PROGRAM_MADE),
    "program.deleted": Kind(_sweep),
    "program.deleted with its file": Kind(_sweep, first=PROGRAM_MADE),
}
