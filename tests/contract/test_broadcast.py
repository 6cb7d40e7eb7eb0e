"""Rows of what the public may not see, on each storage."""

from __future__ import annotations

from dataclasses import replace

from conference.model.broadcast import Cut, CutKind
from conference.model.consultation import Consultation, Mode, Status
from conference.storage.database import Database

PAUSE = Cut("b_pause", "c", CutKind.PAUSE, 4 << 32, None, 7, "主持人")


def cut(cut_id: str, at_wall_ms: int, consultation_id: str = "c") -> Cut:
    return Cut(cut_id, consultation_id, CutKind.CUT, 5_000, None, at_wall_ms, "王审核")


async def fill(database: Database, *rows: Cut) -> None:
    async with database.transaction() as unit:
        for cid in sorted({each.consultation_id for each in rows}):
            consultation = Consultation(cid, "x", Status.LIVE, Mode.FREE, False, False, True, 1)
            delayed = replace(consultation, public_delay_s=40, program=False, recording_paused=True)
            await unit.consultations.add(delayed if cid == "c" else consultation)
        await unit.broadcast_cuts.save(rows)


async def test_cuts_come_in_the_order_in_which_they_were_said(database: Database) -> None:
    rows = [cut("b_2", 9), cut("b_1", 9), PAUSE, cut("b_z", 1, "d")]
    await fill(database, *rows)
    async with database.reading() as unit:
        assert await unit.broadcast_cuts.of("c") == [PAUSE, rows[1], rows[0]]
        assert await unit.broadcast_cuts.of("e") == []
        shown = [await unit.consultations.get(cid) for cid in "cd"]
    assert [(c.public_delay_s, c.program, c.recording_paused) for c in shown if c] == [
        (40, False, True),
        (0, True, False),
    ]


async def test_what_comes_later_is_written_and_nothing_else(database: Database) -> None:
    await fill(database, cut("b_1", 9), PAUSE)
    over = cut("b_1", 9).ended(7_000).reinstated(11)
    async with database.transaction() as unit:
        await unit.broadcast_cuts.save([replace(over, by_name="另一人", from_ms=0)])
        await unit.broadcast_cuts.save([])
        assert await unit.broadcast_cuts.unerased() == [], "it goes on"
        await unit.broadcast_cuts.save([PAUSE.ended(5 << 32)])
    async with database.transaction() as unit:
        assert await unit.broadcast_cuts.of("c") == [PAUSE.ended(5 << 32), over]
        assert await unit.broadcast_cuts.unerased() == [PAUSE.ended(5 << 32)]
        await unit.broadcast_cuts.save([PAUSE.ended(5 << 32).erased(12)])
        assert await unit.broadcast_cuts.unerased() == []


async def test_they_go_with_their_consultation(database: Database) -> None:
    await fill(database, cut("b_1", 9))
    async with database.transaction() as unit:
        await unit.consultations.delete("c")
        assert await unit.broadcast_cuts.of("c") == []
