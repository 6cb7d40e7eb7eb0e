"""Rows of pre-checks on each storage."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from conference.model.precheck import Precheck, require_whole
from conference.model.precheck_figures import PrecheckItem
from conference.storage.database import Database
from tests.contract.test_guests import venue
from tests.contract.test_storage import consultation
from tests.support.prechecks import LOUDSPEAKER, healthy_items

ITEMS = require_whole(
    healthy_items(
        {
            PrecheckItem.LOUDSPEAKER: (replace(LOUDSPEAKER, notes_heard=0, above_noise_db=-3.25), "明天到"),
            PrecheckItem.CLOCK: (None, "没有时间"),
        }
    )
)
FIRST = Precheck("pc_1", "c", "v1", 1, "青禾县分会场", "赵六", "Chromium", 118_000, 2**41, ITEMS, "头..签")


async def prepare(database: Database) -> None:
    async with database.transaction() as unit:
        for each in ("c", "d"):
            await unit.consultations.add(consultation(each))
        await unit.venues.save([venue(1), venue(2), replace(venue(3), consultation_id="d")])


async def test_sheets_come_back_as_they_went_newest_first(database: Database) -> None:
    await prepare(database)
    second = replace(FIRST, id="pc_2", number=2, ended_wall_ms=2**41 + 1)
    third = replace(FIRST, id="pc_3", number=3, ended_wall_ms=2**41 + 2)
    other = replace(FIRST, id="pc_4", venue_id="v2", ended_wall_ms=2**41 + 9)
    elsewhere = replace(FIRST, id="pc_5", consultation_id="d", venue_id="v3")
    async with database.transaction() as unit:
        for each in (second, FIRST, third, other, elsewhere):
            await unit.prechecks.add(each)
    async with database.reading() as unit:
        got = await unit.prechecks.get("pc_1")
        assert got == FIRST
        assert got.document() == FIRST.document(), "or the signature would not fit any more"
        assert await unit.prechecks.get("pc_none") is None
        assert await unit.prechecks.of_venue("v1") == [third, second, FIRST]
        assert await unit.prechecks.of_venue("v1", limit=1) == [third]
        assert await unit.prechecks.of_venue("v1", below=2) == [FIRST]
        assert await unit.prechecks.newest("c") == [other, third]
        assert await unit.prechecks.newest("d") == [elsewhere]


async def test_sheets_that_come_at_once_get_numbers_of_their_own(database: Database) -> None:
    await prepare(database)

    async def hand_in(precheck_id: str) -> None:
        async with database.transaction() as unit:
            number = await unit.prechecks.next_number("v1")
            await asyncio.sleep(0)
            await unit.prechecks.add(replace(FIRST, id=precheck_id, number=number))

    await asyncio.gather(*(hand_in(f"pc_{number}") for number in range(5)))
    async with database.reading() as unit:
        assert [each.number for each in await unit.prechecks.of_venue("v1")] == [5, 4, 3, 2, 1]


async def test_a_number_is_given_once_and_all_goes_with_the_consultation(database: Database) -> None:
    await prepare(database)
    async with database.transaction() as unit:
        await unit.prechecks.add(FIRST)
    with pytest.raises(IntegrityError):
        async with database.transaction() as unit:
            await unit.prechecks.add(replace(FIRST, id="pc_2"))
    async with database.transaction() as unit:
        await unit.consultations.delete("c")
    async with database.reading() as unit:
        assert await unit.prechecks.of_venue("v1") == []
