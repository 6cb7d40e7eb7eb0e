"""Rows of clips and of each time that one was played, on each storage."""

from __future__ import annotations

from dataclasses import replace

from conference.model.clip import Clip, ClipState, MadeClip, PlayEnd, Playing, PlayState
from conference.model.consultation import Consultation, Mode, Status
from conference.storage.database import Database

CONSULTATION = Consultation("c", "x", Status.SCHEDULED, Mode.FREE, False, False, True, 1)
FIRST = Clip("k_b", "c", None, "宣传片.mp4", 3 << 30, "a" * 64, 5, "秘书处")
SECOND = Clip("k_a", "c", "v_1", "石桥村.mov", 9, "b" * 64, 6, "石桥村")
OTHER = Clip("k_c", "d", None, "x.mkv", 1, "c" * 64, 1, "秘书处")
PLAYED = Playing("y_1", "c", "k_b", "p_1", "宣传片", "主持人", 50, 60_000, PlayState.STARTING, 0, 1 << 33, 51)


async def fill(database: Database, *rows: Clip) -> None:
    async with database.transaction() as unit:
        for cid in ("c", "d"):
            await unit.consultations.add(replace(CONSULTATION, id=cid))
        await unit.clips.save(rows)


async def test_they_come_in_the_order_of_being_added(database: Database) -> None:
    await fill(database, FIRST, SECOND, OTHER)
    async with database.reading() as unit:
        assert await unit.clips.of("c") == [FIRST, SECOND]
        assert await unit.clips.of("e") == []
        assert await unit.clips.get("k_a") == SECOND
        assert await unit.clips.get("k_z") is None
        assert await unit.clips.queued() == [OTHER, FIRST, SECOND]


async def test_what_became_of_one_is_written_and_progress_is_not(database: Database) -> None:
    await fill(database, FIRST, SECOND, OTHER)
    ready = FIRST.ready(7, MadeClip(125_000, 1280, 720, True, False)).cued(4_000)
    refused = SECOND.refused(8, "not_media")
    async with database.transaction() as unit:
        await unit.clips.save([replace(ready, venue_id="v_9", sha256="z"), refused])
        await unit.clips.save([])
    async with database.transaction() as unit:
        assert await unit.clips.get("k_b") == replace(ready, progress=0)
        assert await unit.clips.get("k_a") == refused
        assert await unit.clips.queued() == [OTHER]
        assert await unit.clips.paths() == {"c/k_b.mp4", "c/k_b.jpg", "d/k_c.original"}
        await unit.clips.save([ready.deleted(9)])
        assert await unit.clips.of("c") == [refused]
        assert await unit.clips.paths() == {"d/k_c.original"}


async def test_each_time_that_one_is_played_is_a_row(database: Database) -> None:
    await fill(database, FIRST)
    shown = PLAYED.now(PlayState.PLAYING, 250, 1 << 34, 60)
    async with database.transaction() as unit:
        await unit.clips.save_play(PLAYED)
        await unit.clips.save_play(replace(PLAYED, id="y_0", started_wall_ms=40))
    async with database.transaction() as unit:
        await unit.clips.save_play(replace(shown, name="别的"))
        assert await unit.clips.unended_plays() == [
            replace(PLAYED, id="y_0", started_wall_ms=40),
            shown,
        ]
        await unit.clips.save_play(shown.over(PlayEnd.STOPPED, 1 << 35, 70))
    async with database.reading() as unit:
        plays = await unit.clips.plays("c")
        assert [each.id for each in plays] == ["y_0", "y_1"]
        assert plays[1] == replace(shown, end=PlayEnd.STOPPED, ended_ms=1 << 35, ended_wall_ms=70)
        assert [each.id for each in await unit.clips.unended_plays()] == ["y_0"]
        assert await unit.clips.plays("d") == []


async def test_they_go_with_their_consultation(database: Database) -> None:
    await fill(database, FIRST)
    async with database.transaction() as unit:
        await unit.clips.save_play(PLAYED)
        await unit.consultations.delete("c")
    async with database.reading() as unit:
        assert await unit.clips.get("k_b") is None
        assert await unit.clips.plays("c") == []


def test_only_what_is_kept_as_a_row_is_a_state_of_rows() -> None:
    kept = {ClipState.QUEUED, ClipState.READY, ClipState.REFUSED}
    assert {FIRST.state, FIRST.refused(1, "broken").state} < kept
