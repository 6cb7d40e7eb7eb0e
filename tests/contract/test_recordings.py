"""Rows of recorded files, on each storage."""

from __future__ import annotations

from dataclasses import replace

from conference.model.consultation import Consultation, Mode, Status
from conference.model.recording import FileState, Recording
from conference.storage.database import Database


def recorded(recording_id: str, started_at_ms: int, consultation_id: str = "c") -> Recording:
    return Recording(
        id=recording_id,
        consultation_id=consultation_id,
        participant_id="p_1",
        name="张三",
        source="camera",
        codec="vp8",
        path=f"{consultation_id}/1/{recording_id}.webm",
        started_at_ms=started_at_ms,
        duration_ms=0,
        size_bytes=0,
        sha256=None,
        state=FileState.RECORDING,
        created_at_ms=7,
        label="主席台",
    )


async def fill(database: Database, *rows: Recording) -> None:
    async with database.transaction() as unit:
        for cid in sorted({each.consultation_id for each in rows}):
            await unit.consultations.add(
                Consultation(cid, "x", Status.LIVE, Mode.FREE, False, False, True, 1, recording=cid == "c")
            )
        await unit.recordings.save(rows)


async def test_files_come_by_their_beginning_and_page_by_page(database: Database) -> None:
    rows = [recorded("r_b", 5), recorded("r_a", 5), recorded("r_c", 1), recorded("r_z", 0, "d")]
    await fill(database, *rows)
    async with database.reading() as unit:
        assert [each.id for each in await unit.recordings.of("c")] == ["r_c", "r_a", "r_b"]
        assert [each.id for each in await unit.recordings.of("c", limit=2)] == ["r_c", "r_a"]
        assert [each.id for each in await unit.recordings.of("c", after="r_a")] == ["r_b"]
        assert await unit.recordings.of("c", after="r_z") == []
        assert await unit.recordings.of("e") == []
        assert await unit.recordings.get("r_a") == rows[1]
        assert [(await unit.consultations.get(cid)).recording for cid in "cd"] == [True, False]  # type: ignore[union-attr]


async def test_the_end_is_written_and_nothing_else(database: Database) -> None:
    row = recorded("r_a", 5)
    await fill(database, row, recorded("r_z", 0, "d"))
    ended = row.ended(FileState.DONE, 90 * 60_000, 3 << 30, "a" * 64)
    async with database.transaction() as unit:
        assert await unit.recordings.unfinished() == {"c", "d"}
        assert len(await unit.recordings.unfinished_paths()) == 2
        await unit.recordings.save([replace(ended, name="李四", started_at_ms=9)])
    async with database.reading() as unit:
        assert await unit.recordings.get("r_a") == ended
        assert await unit.recordings.unfinished() == {"d"}
        assert [path.partition("/")[0] for path in await unit.recordings.unfinished_paths()] == ["d"]


async def test_a_deleted_one_is_known_by_its_place_alone(database: Database) -> None:
    row = recorded("r_a", 5)
    await fill(database, row, recorded("r_b", 6))
    async with database.transaction() as unit:
        assert await unit.recordings.deleted_paths() == []
        await unit.recordings.save([row.deleted(9)])
        await unit.recordings.save([])
    async with database.reading() as unit:
        assert await unit.recordings.get("r_a") is None
        assert [each.id for each in await unit.recordings.of("c")] == ["r_b"]
        assert await unit.recordings.unfinished() == {"c"}
        assert await unit.recordings.deleted_paths() == [row.path]
        assert await unit.recordings.at("c", [row.path, "c/1/none"]) == [row.deleted(9)]
        assert await unit.recordings.deleted("c") == [row.deleted(9)]
        assert await unit.recordings.deleted("d") == []
        assert await unit.recordings.at("d", [row.path]) == []
