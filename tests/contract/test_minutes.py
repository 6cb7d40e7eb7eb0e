"""Rows of minutes and of templates, on each storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from conference.model.audit import CLI, AuditEntry
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.minutes import (
    Approval,
    Despite,
    EarlierText,
    KnownGap,
    Letterhead,
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
from tests.support.transcripts import HALL, keep, said

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
    "只差一个字",
)
EARLIER: Final = EarlierText("m_1", "c", 1, (SECTIONS[0],), "钱文", 1 << 41, "李四", 1 << 42)


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
        assert await unit.minutes.version("c", MinutesKind.RECORD, 1) == RECORD
        assert await unit.minutes.version("c", MinutesKind.RECORD, None) == second
        assert await unit.minutes.version("c", MinutesKind.RECORD, 3) is None
        brief = [replace(each, sections=()) for each in (RECORD, second, SUMMARY)]
        assert await unit.minutes.brief("c") == brief


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
    despite = Despite((KnownGap("p_1", 1, 1 << 34),), "只差一个字", 1 << 33)
    reviewed = RECORD.reviewed(1, "钱文", 3, "机器坏了", despite)
    approved = reviewed.approved(2, Letterhead("协商会", None, "ab" * 32))
    async with database.transaction() as unit:
        await unit.minutes.save(reviewed)
        await unit.minutes.save(approved)
        await unit.minutes.seal(approved.sealed(APPROVAL))
    async with database.reading() as unit:
        assert await unit.minutes.get("m_1") == replace(approved, approval=APPROVAL)


async def test_what_stood_there_before_and_how_it_is_printed_are_kept(database: Database) -> None:
    await fill(database, RECORD, SUMMARY)
    later = replace(EARLIER, revision=2, sections=SECTIONS)
    async with database.transaction() as unit:
        for each in (EARLIER, later):
            await unit.minutes.keep(each)
        await unit.minutes.keep_layout(RECORD, b"\x00PK")
    async with database.reading() as unit:
        assert await unit.minutes.earlier("m_1") == [later, EARLIER]
        assert await unit.minutes.earlier("m_1", limit=1) == [later]
        assert await unit.minutes.earlier("m_1", before=2, limit=1) == [EARLIER]
        assert await unit.minutes.earlier("m_1", before=1) == []
        assert await unit.minutes.earlier("m_2") == []
        assert await unit.minutes.layout("m_1") == b"\x00PK"
        assert await unit.minutes.layout("m_2") is None


async def test_they_go_with_their_consultation(database: Database) -> None:
    await fill(database, RECORD)
    async with database.transaction() as unit:
        await unit.minutes.keep(EARLIER)
        await unit.minutes.keep_layout(RECORD, b"PK")
        await unit.consultations.delete("c")
        assert await unit.minutes.of("c") == []
        assert await unit.minutes.earlier("m_1") == []
        assert await unit.minutes.layout("m_1") is None


async def test_what_they_are_made_of_is_counted_in_the_rows(database: Database) -> None:
    await fill(database)
    hall = said(3, "我", "补充", participant_id="p2", speaker=HALL)
    hidden = replace(said(2, "机密", "100%"), is_confidential=True)
    await keep(
        database, [said(1, "建议", "加装", "电梯"), hidden, hall, replace(said(4, "听"), is_unclear=True)]
    )
    async with database.transaction() as unit:
        number = (await unit.audit.head("c")).number
        for action in ("transcript.marked", "transcript.exported", "statement.added", "minutes.made"):
            await unit.audit.append(AuditEntry("c", 1, 0, CLI, action))
        for segments in (0, 10):  # in a stretch of silence nothing becomes another
            await unit.audit.append(
                AuditEntry("d", 1, 0, CLI, "transcript.heard", None, {"segments": segments})
            )
    async with database.reading() as unit:
        sources = unit.minutes_sources
        assert await sources.later_changes("d", 0) == 1
        assert await sources.later_changes("c", number) == 2
        assert await sources.later_changes("c", number + 1) == 1
        assert await sources.doubts("c") == (int(not HALL.is_certain), 1)
        assert await sources.doubts("d") == (0, 0)
        assert await sources.confidential_texts("c") == [hidden.text]
        assert await sources.is_said_openly("c", "加装电梯")
        assert not await sources.is_said_openly("c", "机密")
        assert not await sources.is_said_openly("c", "加%电梯")
        assert [each.id for each in await sources.said_by("c", ["p1"], None)] == [
            "seg_0001",
            "seg_0002",
            "seg_0004",
        ]
        assert [each.id for each in await sources.said_by("c", [], HALL.name)] == ["seg_0003"]
        assert await sources.said_by("d", ["p1"], None) == []


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
