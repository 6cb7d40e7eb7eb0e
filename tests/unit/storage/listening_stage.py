"""A live consultation that is recorded and listened to, and each kind of write about what is heard in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from conference.model.permissions import Role
from conference.services.catching_up import CatchingUp
from conference.services.consultations import ConsultationDraft
from conference.services.recordings import Recordings
from conference.services.rooms import RoomLimits
from conference.services.transcription import Transcription
from conference.storage.database import Database
from conference.worker_events import Heard, RecordedFile, TranscriberReady
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, ManualClock, ScriptedRecorder, ScriptedTranscriber
from tests.unit.services.test_transcription import as_it_is, said
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
CHAIR: Final = World.bearer(Role.CHAIR)
STAFF: Final = World.bearer(Role.SECRETARIAT)
FIRST, SECOND = said("第一句话", 500), said("第二句话", 12_500)


@dataclass
class Listening:
    """A minute of sound is recorded, and two seconds of it were heard."""

    world: World
    speaker: str

    @property
    def database(self) -> Database:
        return self.world.database

    @cached_property
    def transcriber(self) -> ScriptedTranscriber:
        return ScriptedTranscriber(MODEL)

    @cached_property
    def transcription(self) -> Transcription:
        return Transcription(self.world.rooms, self.transcriber, as_it_is)

    @cached_property
    def catching_up(self) -> CatchingUp:
        return CatchingUp(self.world.rooms, self.transcription, self.transcriber, ScriptedRecorder())

    async def hears(self, from_ms: int, to_ms: int, *utterances: Any, job: str | None = None) -> None:
        rows = self.transcription.rows
        self.transcriber.emit(Heard("c", self.speaker, from_ms, to_ms, utterances, "scripted", job))
        await rows.write(everything=True)

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash, "speaker": self.speaker}


async def prepare(database: Database) -> Listening:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    speaker = await world.join("张三")
    await world.life_cycle.start("c", CHAIR)
    recorder = ScriptedRecorder()
    recordings = Recordings(world.rooms, recorder)
    world.clock.forward(60)
    opened = RecordedFile("c", "c/1/m.webm", speaker, "microphone", "opus", 0, 7)
    recorder.emit(opened)
    recorder.emit(replace(opened, is_ended=True, is_whole=True, duration_ms=60_000, sha256="a" * 64))
    await recordings.write_rows()
    stage = Listening(world, speaker)
    await stage.hears(0, 2_000, FIRST)
    return Listening(world, speaker)


Write = Callable[[Listening], Awaitable[object]]


async def _listen(on: Listening) -> None:
    await on.transcription.tick()
    on.transcriber.emit(TranscriberReady("c", "/run/t.sock"))


async def _begin(on: Listening) -> None:
    await _listen(on)
    await on.transcription.tick()


async def _lose(on: Listening) -> None:
    await _begin(on)
    on.transcriber.becomes(replace(MODEL, reason="worker_ended"))


async def _finish(on: Listening) -> None:
    await _begin(on)
    await on.world.life_cycle.end("c", CHAIR)


async def _tick(on: Listening) -> None:
    await on.transcription.tick()


def _hear(*, job: str | None) -> Write:
    return lambda on: on.hears(10_000, 20_000, SECOND, job=job)


async def _fail(on: Listening) -> None:
    await on.catching_up.tick()
    on.transcriber.end_job(on.transcriber.asked[-1], "unreadable")


async def _fail_twice(on: Listening) -> None:
    await on.catching_up.restore()
    for _ in range(2):
        on.world.clock.forward(6)
        await _fail(on)
        await on.catching_up.tick()
    on.world.clock.forward(6)
    await _fail(on)


async def _catch_up(on: Listening) -> None:
    await on.catching_up.tick()


async def _waive(on: Listening) -> None:
    await on.catching_up.waive("c", STAFF, on.speaker, (2_000, 57_000), "休息")


async def _retry(on: Listening) -> None:
    await on.catching_up.retry("c", STAFF, on.speaker, (2_000, 57_000))


KINDS: Final[dict[str, Kind]] = {
    "captions.started": Kind(_tick, first=_listen),
    "captions.interrupted": Kind(_tick, first=_lose),
    "captions.ended": Kind(_tick, first=_finish),
    "transcript.heard": Kind(_hear(job=None)),
    "transcript.heard from the recording": Kind(_hear(job="j")),
    "transcript.gap_failed": Kind(_catch_up, first=_fail_twice),
    "transcript.gap_waived": Kind(_waive),
    "transcript.gap_retried": Kind(_retry, first=_waive),
}
