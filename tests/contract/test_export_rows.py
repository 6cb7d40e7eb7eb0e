"""Rows of exports, on each storage."""

from __future__ import annotations

from dataclasses import replace

from conference.model.consultation import Consultation, Mode, Status
from conference.model.export import SOUND, VIDEO, Export, ExportKind, ExportState
from conference.storage.database import Database

CONSULTATION = Consultation("c", "x", Status.ENDED, Mode.FREE, False, False, True, 1, ended_at_ms=1000)
PROGRAM = Export("x_a", "c", ExportKind.PROGRAM, None, "协商会", VIDEO, "", 5)
CLIP = Export("x_b", "c", ExportKind.CLIP, "a_1", "议题", SOUND, "秘书处", 5, from_ms=1 << 33, to_ms=1 << 34)
OTHER = Export("x_z", "d", ExportKind.PERSON, "p_1", "张三", VIDEO, "秘书处", 1)


async def fill(database: Database, *rows: Export) -> None:
    async with database.transaction() as unit:
        for cid in ("c", "d"):
            await unit.consultations.add(replace(CONSULTATION, id=cid))
        await unit.exports.save(rows)


async def test_the_newest_come_first_and_page_by_page(database: Database) -> None:
    newest = replace(CLIP, id="x_0", requested_at_ms=9)
    await fill(database, PROGRAM, CLIP, OTHER, newest)
    async with database.reading() as unit:
        assert await unit.exports.of("c") == [newest, CLIP, PROGRAM]
        assert await unit.exports.of("c", limit=1) == [newest]
        assert await unit.exports.of("c", after="x_b") == [PROGRAM]
        assert await unit.exports.of("c", after="x_z") == []
        assert await unit.exports.of("e") == []
        assert await unit.exports.get("x_b") == CLIP
        assert await unit.exports.like(replace(PROGRAM, id="x_new")) == PROGRAM
        assert await unit.exports.like(replace(CLIP, id="x_new", requested_by="别人")) == newest
        assert await unit.exports.like(replace(CLIP, subject="a_2")) is None
        assert await unit.exports.like(replace(OTHER, media_type=SOUND)) is None
        assert await unit.exports.like(replace(OTHER, consultation_id="c")) is None


async def test_what_became_of_it_is_written_and_nothing_else(database: Database) -> None:
    await fill(database, PROGRAM, CLIP, OTHER)
    done = PROGRAM.done(7, 40, 90 * 60_000, 3 << 30, "a" * 64)
    failed = OTHER.failed(8, "disk_full")
    async with database.transaction() as unit:
        assert await unit.exports.queued() == [OTHER, PROGRAM, CLIP]
        await unit.exports.save([replace(done, title="别的", kind=ExportKind.CLIP), failed])
        await unit.exports.save([])
    async with database.transaction() as unit:
        assert await unit.exports.get("x_a") == replace(done, progress=0)
        assert await unit.exports.get("x_z") == failed
        assert await unit.exports.queued() == [CLIP]
        assert await unit.exports.paths() == {"c/exports/x_a.mp4"}
        await unit.exports.save([failed.again(9, "李四")])
        assert (await unit.exports.queued())[-1] == replace(
            OTHER, requested_at_ms=9, requested_by="李四", state=ExportState.QUEUED
        )


async def test_a_deleted_one_is_not_found_and_its_program_not_made_again(database: Database) -> None:
    await fill(database, PROGRAM)
    async with database.transaction() as unit:
        assert [each.id for each in await unit.exports.without_program(0)] == ["d"]
        await unit.exports.save([PROGRAM.done(7, 0, 1, 1, "b" * 64).deleted(9)])
    async with database.reading() as unit:
        assert await unit.exports.get("x_a") is None
        assert await unit.exports.of("c") == []
        assert await unit.exports.paths() == set()
        assert [each.id for each in await unit.exports.without_program(0)] == ["d"]


async def test_whose_program_is_to_be_made(database: Database) -> None:
    given = {
        "live": replace(CONSULTATION, id="live", status=Status.LIVE, ended_at_ms=None),
        "archived": replace(CONSULTATION, id="archived", status=Status.ARCHIVED, ended_at_ms=900),
        "without": replace(CONSULTATION, id="without", program=False),
        "old": replace(CONSULTATION, id="old", ended_at_ms=100),
    }
    await fill(database, replace(CLIP, consultation_id="c"))
    async with database.transaction() as unit:
        for each in given.values():
            await unit.consultations.add(each)
    async with database.reading() as unit:
        assert [each.id for each in await unit.exports.without_program(900)] == [
            "archived",
            "c",
            "d",
            "without",
        ]
        assert [each.id for each in await unit.consultations.ended_before(1000)] == ["old"]
        assert [each.id for each in await unit.consultations.ended_before(1001)] == [
            "old", "c", "d", "without",
        ]  # fmt: skip


async def test_they_go_with_their_consultation(database: Database) -> None:
    await fill(database, PROGRAM)
    async with database.transaction() as unit:
        await unit.consultations.delete("c")
        assert await unit.exports.of("c") == []
