"""What is written down of what was heard, and what is not: sealed, unrecorded, or refused by the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from conference.model.permissions import Role
from conference.model.transcript import GapState, TranscriptSegment
from conference.services.broadcasts import Broadcasts
from conference.services.consultations import ConsultationDraft
from conference.services.ports import Storage, UnitOfWork
from conference.worker_events import Heard
from tests.unit.services.conftest import World
from tests.unit.services.test_catching_up import Stage
from tests.unit.services.test_transcription import said

CHAIR = World.bearer(Role.CHAIR)


class RefusedError(Exception):
    """As a database says that it does not take a value."""


class ChoosyStorage:
    """Implements services.ports.Storage on a real one that takes no segment with this word."""

    def __init__(self, storage: Storage, word: str) -> None:
        self._storage = storage
        self._word = word
        self.reading = storage.reading
        self.ping = storage.ping

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        async with self._storage.transaction() as unit:
            save = unit.transcript.save

            async def choose(segments: Sequence[TranscriptSegment]) -> None:
                if any(self._word in each.raw for each in segments):
                    raise RefusedError(self._word)
                await save(segments)

            unit.transcript.save = choose  # type: ignore[method-assign]
            yield unit


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


async def refused(stage: Stage, times: int) -> None:
    for _ in range(times):
        with pytest.raises(RefusedError):
            await stage.transcription.rows.write()


async def test_what_the_database_never_takes_becomes_a_gap_and_the_rest_is_written(stage: Stage) -> None:
    await stage.begin()
    await stage.records(0, 9_000)
    stage.world.rooms.storage = ChoosyStorage(stage.world.database, "坏")
    good, bad, last = said("第一句话", 500), said("坏掉的话", 3_500), said("第三句话", 6_500)
    stage.transcriber.emit(Heard("c", stage.member, 0, 9_000, (good, bad, last), "scripted"))
    await refused(stage, 3)
    assert await stage.rows() == []
    await stage.transcription.rows.write()
    assert [each.raw for each in await stage.rows()] == ["第一句话", "第三句话"]
    assert await stage.covered() == [(0, 1_500), (4_500, 9_000)]
    (gap,) = await stage.catching_up.gaps("c")
    assert (gap.state, gap.reason, gap.from_ms, gap.to_ms) == (GapState.FAILED, "refused", 1_500, 4_500)
    assert await stage.noted("transcript.") == ["heard", "gap_failed", "heard"]
    await stage.hears(9_000, 12_000, said("第四句话", 10_000))
    assert len(await stage.rows()) == 3, "the next ones are written as ever"


async def test_what_is_refused_from_the_recording_is_not_covered_by_the_end_of_its_job(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 1_000)
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.catch_up()
    (job,) = stage.transcriber.asked
    stage.world.rooms.storage = ChoosyStorage(stage.world.database, "坏")
    heard = Heard("c", stage.member, 1_000, 30_000, (said("坏掉的话", 5_000),), "scripted", job.id)
    stage.transcriber.emit(heard)
    await refused(stage, 3)
    await stage.transcription.rows.write()
    await stage.does(job)
    assert await stage.gaps() == [("failed", 1_000, 30_000)]


async def test_a_room_that_is_refused_holds_no_other_up(stage: Stage) -> None:
    await stage.begin()
    await stage.world.consultations.create(ConsultationDraft(title="另一场", id="d"))
    stage.world.rooms.storage = ChoosyStorage(stage.world.database, "坏")
    stage.transcriber.emit(Heard("c", stage.member, 0, 2_000, (said("坏掉的话", 500),), "scripted"))
    stage.transcriber.emit(Heard("d", "p", 0, 2_000, (said("别人的话", 500),), "scripted"))
    await refused(stage, 1)
    assert stage.transcription.rows.unwritten("d") == []
    assert len(stage.transcription.rows.unwritten("c")) == 1


async def test_what_is_said_while_nothing_is_recorded_has_no_row(stage: Stage) -> None:
    broadcasts = Broadcasts(stage.world.rooms)
    await stage.begin()
    stage.world.clock.forward(10)
    paused_ms = stage.now_ms()
    await broadcasts.pause("c", CHAIR, paused=True)
    stage.world.clock.forward(10)
    before, within = said("录着的话", paused_ms - 3_000), said("不录的话", paused_ms + 2_000)
    await stage.hears(0, paused_ms + 5_000, before, within)
    assert [each.raw for each in await stage.rows()] == ["录着的话"], "the tap was let go late"
    resumed_ms = stage.now_ms()
    await broadcasts.pause("c", CHAIR, paused=False)
    stage.world.clock.forward(10)
    late, after = said("也不录的", resumed_ms - 2_000), said("又录的话", resumed_ms + 1_000)
    await stage.hears(paused_ms + 5_000, stage.now_ms(), late, after)
    assert [each.raw for each in await stage.rows()] == ["录着的话", "又录的话"]


async def test_what_is_sealed_gets_no_rows(stage: Stage) -> None:
    await stage.begin()
    stage.world.clock.forward(60)
    await stage.end(60_000)
    await stage.world.life_cycle.seal("c", World.bearer(Role.SECRETARIAT))
    sealed = len(await stage.world.trace())
    await stage.hears(0, 5_000, said("太晚的话", 1_000))
    assert (await stage.rows(), len(await stage.world.trace())) == ([], sealed)
    assert stage.transcription.rows.unwritten("c") == []
