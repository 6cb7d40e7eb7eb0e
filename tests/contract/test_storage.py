"""What every storage promises; the same tests run on each."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conference.model.consultation import Consultation, Mode, ProgramGap, Status
from conference.model.errors import ConferenceError
from conference.model.participant import Device, LeaveReason, MuteAllMark, Participant, ParticipantKind
from conference.model.permissions import Role
from conference.storage.database import Database, open_engine
from tests.support.schema import differences


def consultation(consultation_id: str = "c") -> Consultation:
    return Consultation(
        consultation_id, "水环境治理协商会", Status.SCHEDULED, Mode.FREE, True, False, True, created_at_ms=1
    )


def participant(participant_id: str, joined_at_ms: int = 1, consultation_id: str = "c") -> Participant:
    return Participant(
        id=participant_id,
        consultation_id=consultation_id,
        name="张三",
        role=Role.MEMBER,
        venue=None,
        kind=ParticipantKind.CLIENT,
        device=None,
        token_id="t",
        resume_hash="0" * 64,
        joined_at_ms=joined_at_ms,
        last_seen_ms=joined_at_ms,
    )


async def test_consultations_come_back_as_they_went(database: Database) -> None:
    full = replace(
        consultation(),
        mode=Mode.CHAIR,
        scheduled_at_ms=1_800_000_000_000,
        organization="县政协",
        started_at_ms=2,
        program_high_water_ms=2**40,
    )
    async with database.transaction() as unit:
        await unit.consultations.add(full)
        assert await unit.consultations.get("c") == full
    async with database.reading() as unit:
        assert await unit.consultations.get("c") == full
        assert await unit.consultations.get("d") is None


async def test_an_id_is_taken_once(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
    with pytest.raises(ConferenceError) as caught:
        async with database.transaction() as unit:
            await unit.consultations.add(consultation())
    assert caught.value.code == "consultation_exists"


async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as unit:
            await unit.consultations.add(consultation())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.reading() as unit:
        assert await unit.consultations.get("c") is None


async def test_participants_are_inserted_and_overwritten(database: Database) -> None:
    second, first = participant("p2", 2), participant("p1", 1)
    changed = replace(
        second,
        name="李四",
        venue="分会场",
        device=Device.WALL,
        soft_muted=True,
        hard_muted=True,
        muted_by="主持人",
        mute_all_mark=MuteAllMark.HARD,
        hand_order=7,
    )
    gone = participant("p3", 3).left(4, LeaveReason.REMOVED)
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
        await unit.participants.save([second, first, gone])
        await unit.participants.save([changed])
        await unit.participants.save([])
    async with database.reading() as unit:
        assert await unit.participants.present() == [first, changed]
        assert await unit.participants.get("p3") == gone
        assert await unit.participants.get("p9") is None


async def test_touch_moves_last_seen(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
        await unit.participants.save([participant("p1"), participant("p2", 2)])
        await unit.participants.touch(["p1"], 99)
        await unit.participants.touch([], 100)
    async with database.reading() as unit:
        assert [each.last_seen_ms for each in await unit.participants.present()] == [99, 2]


async def test_the_high_water_mark_only_rises(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation().started(5))
        await unit.consultations.add(consultation("d"))
    for mark in (50, 20):
        async with database.transaction() as unit:
            await unit.consultations.raise_high_water({"c": mark})
    async with database.reading() as unit:
        assert [each.program_high_water_ms for each in await unit.consultations.live()] == [50]


async def test_gaps_and_revocations_may_be_repeated(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
        for to_ms in (20, 30):
            await unit.consultations.add_gap(ProgramGap("c", 10, to_ms))
        await unit.revocations.add("t", 1)
        await unit.revocations.add("t", 2)
    async with database.reading() as unit:
        assert await unit.consultations.gaps("c") == [ProgramGap("c", 10, 30)]
        assert await unit.revocations.contains("t")
        assert not await unit.revocations.contains("u")


async def test_deleting_a_consultation_takes_what_belongs_to_it(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
        await unit.participants.save([participant("p1")])
        await unit.consultations.add_gap(ProgramGap("c", 1, 2))
        await unit.consultations.delete("c")
    async with database.reading() as unit:
        assert await unit.participants.get("p1") is None
        assert await unit.consultations.gaps("c") == []


async def test_many_writers_at_once(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as unit:
            await unit.consultations.add(consultation(f"c{number}"))

    await asyncio.gather(*(write(number) for number in range(40)))
    async with database.reading() as unit:
        assert all([await unit.consultations.get(f"c{number}") for number in range(40)])


async def test_two_processes_write_to_the_same_database(url: str, database: Database) -> None:
    other = Database(open_engine(url))

    async def write(store: Database, name: str) -> None:
        for number in range(10):
            async with store.transaction() as unit:
                await unit.consultations.add(consultation(f"{name}{number}"))

    await asyncio.gather(write(database, "a"), write(other, "b"), other.migrate())
    async with other.reading() as unit:
        assert await unit.consultations.get("a9") is not None
        assert await unit.consultations.get("b9") is not None
    await other.close()


async def test_migrations_make_the_tables(url: str, database: Database) -> None:
    engine = open_engine(url)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_ping(database: Database) -> None:
    await database.ping()
