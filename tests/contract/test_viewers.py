"""Rows of how many watched, on each storage."""

from __future__ import annotations

from conference.model.comment import CommentState
from conference.model.consultation import Consultation, Mode, Status
from conference.model.viewers import ViewerMinute, ViewerTotals
from conference.storage.database import Database
from tests.contract.test_comments import comment, fill


async def test_minutes_are_added_up(database: Database) -> None:
    async with database.transaction() as unit:
        for cid in ("c", "d"):
            await unit.consultations.add(Consultation(cid, "x", Status.LIVE, Mode.FREE, True, False, True, 1))
        assert await unit.viewers.last("c") is None
        assert await unit.viewers.totals("c") == ViewerTotals()
        await unit.viewers.add([])
        await unit.viewers.add([ViewerMinute("c", 60_000, 12, 12), ViewerMinute("c", 120_000, 9, 3)])
        await unit.viewers.add([ViewerMinute("d", 60_000, 1, 1)])
    async with database.transaction() as unit:
        await unit.viewers.add([ViewerMinute("c", 120_000, 7, 2), ViewerMinute("c", 60_000, 40_000, 0)])
    async with database.reading() as unit:
        assert await unit.viewers.last("c") == ViewerMinute("c", 120_000, 9, 5)
        assert await unit.viewers.totals("c") == ViewerTotals(17, 40_000)
        assert await unit.viewers.totals("d") == ViewerTotals(1, 1)
    async with database.transaction() as unit:
        await unit.consultations.delete("c")
    async with database.reading() as unit:
        assert await unit.viewers.last("c") is None


async def test_comments_that_are_shown_are_counted(database: Database) -> None:
    states = list(CommentState)
    await fill(database, *(comment(number, state=state) for number, state in enumerate(states, 1)))
    await fill_other(database)
    async with database.reading() as unit:
        assert await unit.comments.shown_count("c") == 3
        assert await unit.comments.shown_count("none") == 0


async def fill_other(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(Consultation("e", "x", Status.LIVE, Mode.FREE, True, False, True, 1))
        await unit.comments.add([comment(1, "e", state=CommentState.APPROVED)])
