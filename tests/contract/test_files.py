"""Rows of background material, on each storage."""

from __future__ import annotations

from conference.model.briefing import BriefingFile
from conference.model.consultation import Consultation, Mode, Status
from conference.storage.database import Database


def file(file_id: str, sha256: str, added_at_ms: int) -> BriefingFile:
    return BriefingFile(file_id, "c", f"{file_id}.pdf", "application/pdf", 3 << 30, sha256, added_at_ms, "李")


async def test_files_come_back_until_they_are_removed(database: Database) -> None:
    first, second, third = file("f_1", "a" * 64, 5), file("f_2", "a" * 64, 3), file("f_3", "b" * 64, 4)
    async with database.transaction() as unit:
        await unit.consultations.add(Consultation("c", "x", Status.DRAFT, Mode.FREE, False, False, True, 1))
        for each in (first, second, third):
            await unit.files.add(each)
        assert await unit.files.of("c") == [second, third, first]
        assert await unit.files.hashes() == {"a" * 64, "b" * 64}
        await unit.files.save(second.removed(9))
        await unit.files.save(third.removed(9))
    async with database.reading() as unit:
        assert await unit.files.of("c") == [first]
        assert await unit.files.get("f_1") == first
        assert await unit.files.get("f_3") is None
        assert await unit.files.of("d") == []
        assert await unit.files.hashes() == {"a" * 64}
