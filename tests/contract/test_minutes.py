"""Rows of minutes and of templates, on each storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.minutes import (
    Approval,
    Minutes,
    MinutesKind,
    MinutesState,
    MinutesTemplate,
    PrintedGap,
    Section,
)
from conference.model.organization import Level, Organization
from conference.model.transcript import GapState
from conference.storage.database import Database

CONSULTATION: Final = Consultation("c", "x", Status.ENDED, Mode.FREE, False, False, True, 1)
SECTIONS: Final = (
    Section("name", "会议名称", "“改善乡村出行”\n协商会"),
    Section("item:a", "一、发言", "", "a"),
)
RECORD: Final = Minutes("m_1", "c", MinutesKind.RECORD, 1, MinutesState.DRAFT, 1, SECTIONS, "钱文", 1 << 41)
SUMMARY: Final = replace(RECORD, id="m_2", kind=MinutesKind.SUMMARY)
APPROVAL: Final = Approval(
    "周正明",
    5,
    1 << 33,
    "ab" * 32,
    (PrintedGap("石桥村", 1, 1 << 34, GapState.LOST, "断线"),),
    "机器坏了",
)


async def fill(database: Database, *rows: Minutes) -> None:
    async with database.transaction() as unit:
        for cid in ("c", "d"):
            await unit.consultations.add(replace(CONSULTATION, id=cid))
        await unit.organizations.add(Organization("o", "市政协", Level.CITY, None, 1))
        for each in rows:
            await unit.minutes.add(each)


async def test_versions_come_in_order(database: Database) -> None:
    second = replace(RECORD, id="m_0", version=2)
    await fill(database, second, SUMMARY, RECORD, replace(RECORD, id="m_9", consultation_id="d"))
    async with database.reading() as unit:
        assert await unit.minutes.of("c") == [RECORD, second, SUMMARY]
        assert await unit.minutes.newest("c", MinutesKind.RECORD) == second
        assert await unit.minutes.newest("d", MinutesKind.SUMMARY) is None
        assert await unit.minutes.get("m_2") == SUMMARY
        assert await unit.minutes.get("m_x") is None


async def test_a_version_is_there_once(database: Database) -> None:
    await fill(database, RECORD)
    with pytest.raises(ConferenceError, check=lambda error: error.code == "edit_conflict"):
        async with database.transaction() as unit:
            await unit.minutes.add(replace(RECORD, id="m_7"))


async def test_who_comes_second_with_a_revision_writes_nothing(database: Database) -> None:
    await fill(database, RECORD)
    first = RECORD.edited(1, {"name": "一"}, "李四", 7)
    async with database.transaction() as unit:
        await unit.minutes.save(first)
    with pytest.raises(ConferenceError, check=lambda error: error.code == "edit_conflict"):
        async with database.transaction() as unit:
            await unit.minutes.save(RECORD.edited(1, {"name": "二"}, "王五", 8))
    async with database.reading() as unit:
        assert await unit.minutes.get("m_1") == first


async def test_what_is_printed_is_kept(database: Database) -> None:
    await fill(database, RECORD)
    reviewed = RECORD.reviewed(1, "钱文", 3, "机器坏了")
    approved = reviewed.approved(2)
    async with database.transaction() as unit:
        await unit.minutes.save(reviewed)
        await unit.minutes.save(approved)
        await unit.minutes.seal(approved.sealed(APPROVAL))
    async with database.reading() as unit:
        assert await unit.minutes.get("m_1") == replace(approved, approval=APPROVAL)


async def test_they_go_with_their_consultation(database: Database) -> None:
    await fill(database, RECORD)
    async with database.transaction() as unit:
        await unit.consultations.delete("c")
        assert await unit.minutes.of("c") == []


async def test_a_body_has_one_template(database: Database) -> None:
    await fill(database)
    first = MinutesTemplate("o", "纪要.docx", 3, "a" * 64, "管理员", 5)
    second = replace(first, name="新.docx", size_bytes=4, sha256="b" * 64)
    async with database.transaction() as unit:
        assert await unit.minutes_templates.get("o") is None
        assert await unit.minutes_templates.content("o") is None
        await unit.minutes_templates.save(first, b"\x00PK")
        await unit.minutes_templates.save(second, b"\x00\xffPK")
    async with database.transaction() as unit:
        assert await unit.minutes_templates.get("o") == second
        assert await unit.minutes_templates.content("o") == b"\x00\xffPK"
        await unit.minutes_templates.delete("o")
        await unit.minutes_templates.delete("o")
        assert await unit.minutes_templates.get("o") is None
