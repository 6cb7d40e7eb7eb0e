"""What every storage promises about agenda, floor, statements and attendance."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from conference.model.agenda import Agenda, AgendaDraft, AgendaKind
from conference.model.attendance import Stay
from conference.model.floor import Ending, EndReason, SpokenTime, Turn
from conference.model.participant import Device, FloorGate, ParticipantKind
from conference.model.permissions import Role
from conference.model.statement import Statement
from conference.storage.database import Database
from tests.contract.test_storage import consultation, participant


def turn(turn_id: str, participant_id: str = "p1", item_id: str | None = None, at_ms: int = 1) -> Turn:
    return Turn(
        turn_id,
        "c",
        participant_id,
        "张三",
        Role.MEMBER,
        "分会场",
        item_id,
        "主持人",
        None,
        at_ms,
        300_000,
        Ending.HARD,
    )


def statement(number: int, author: str = "p1", key: str | None = None) -> Statement:
    return Statement(
        f"s{number}", "c", number, author, "张三", Role.MEMBER, None, "正文", 5, 6, key or f"key-{number:04}"
    )


@pytest.fixture
async def stored(database: Database) -> Database:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
        await unit.consultations.add(consultation("d"))
    return database


async def test_an_agenda_is_written_as_a_whole(stored: Database) -> None:
    agenda = Agenda().edited([AgendaDraft(each, AgendaKind.SPEECH, planned_minutes=5) for each in "甲乙丙"])
    shorter = Agenda(agenda.advanced(7).items[::-1][1:])
    for each in (agenda, shorter):
        async with stored.transaction() as unit:
            await unit.agenda.save("c", each)
    async with stored.reading() as unit:
        assert await unit.agenda.get("c") == shorter
        assert await unit.agenda.get("d") == Agenda()


async def test_turns_are_kept_and_summed(stored: Database) -> None:
    ended = turn("f1", item_id="a1").heard(10).ended(EndReason.TIME, 110, 200)
    again = turn("f2", item_id="a1", at_ms=2).heard(200).ended(EndReason.FINISHED, 250, 300)
    running = turn("f3", "p2", at_ms=3).heard(300)
    async with stored.transaction() as unit:
        for each in (turn("f1", item_id="a1"), ended, again, running):
            await unit.floor.save(each)
    async with stored.reading() as unit:
        assert await unit.floor.turns("c") == [ended, again, running]
        assert await unit.floor.open_turn("c") == running
        assert await unit.floor.open_turns() == [running]
        assert await unit.floor.open_turn("d") is None
        assert await unit.floor.spoken("c") == [
            SpokenTime("p1", "张三", "分会场", "a1", 150),
            SpokenTime("p2", "张三", "分会场", None, 0),
        ]


async def test_statements_and_likes(stored: Database) -> None:
    async with stored.transaction() as unit:
        for number in (2, 1, 3):
            await unit.statements.add(statement(number))
        for liked in (True, True):
            await unit.statements.like("s1", "p2", liked)
        await unit.statements.like("s2", "p2", True)
        await unit.statements.like("s2", "p2", False)
        await unit.statements.take("s3", True)
    async with stored.reading() as unit:
        board = await unit.statements.board("c")
        assert list(board.statements.values()) == [
            statement(1),
            statement(2),
            replace(statement(3), taken=True),
        ]
        assert [board.likes(each) for each in board.statements] == [1, 0, 0]
        assert board.with_key("p1", "key-0002") == statement(2)
        assert (await unit.statements.board("d")).statements == {}


@pytest.mark.parametrize("twice", [statement(1, "p9", "other-key"), statement(9, key="key-0001")])
async def test_a_number_and_a_key_are_taken_once(stored: Database, twice: Statement) -> None:
    async def add(one: Statement) -> None:
        async with stored.transaction() as unit:
            await unit.statements.add(one)

    await add(statement(1))
    with pytest.raises(IntegrityError):
        await add(replace(twice, id="s_new"))


async def test_stays_begin_and_end(stored: Database) -> None:
    begun = Stay("y1", "c", "p1", ParticipantKind.CLIENT, Device.PHONE, None, 10)
    other = Stay("y2", "c", "p2", ParticipantKind.WHIP, None, 5, 20)
    ended = begun.ended(7, 30, "left")
    async with stored.transaction() as unit:
        for each in (begun, other, ended):
            await unit.stays.save(each)
    async with stored.reading() as unit:
        assert await unit.stays.of("c") == [ended, other]
        assert await unit.stays.open() == [other]


async def test_the_gate_of_the_floor_and_the_hand_are_part_of_a_participant(stored: Database) -> None:
    one = replace(participant("p1").with_hand(3, 77), floor_gate=FloorGate.LOCKED)
    async with stored.transaction() as unit:
        await unit.participants.save([one, participant("p2", 2)])
    async with stored.reading() as unit:
        assert await unit.participants.of("c") == [one, participant("p2", 2)]


async def test_deleting_a_consultation_takes_all_of_it(stored: Database) -> None:
    async with stored.transaction() as unit:
        await unit.floor.save(turn("f1"))
        await unit.statements.add(statement(1))
        await unit.statements.like("s1", "p2", True)
        await unit.stays.save(Stay("y1", "c", "p1", ParticipantKind.CLIENT, None, None, 10))
        await unit.consultations.delete("c")
    async with stored.reading() as unit:
        assert await unit.floor.turns("c") == []
        assert (await unit.statements.board("c")).statements == {}
        assert await unit.stays.of("c") == []
