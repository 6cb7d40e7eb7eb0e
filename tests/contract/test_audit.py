"""The trace on every storage: chains that nobody can fork, and packages that verify."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from conference.archive.verifier import verify_archive
from conference.archive.writer import write_archive
from conference.model.audit import (
    CLI,
    STAFF_CHAIN,
    AuditEntry,
    AuditHead,
    AuditLine,
    AuditPlace,
    AuditSearch,
    Fault,
    Personal,
    Value,
    verify,
)
from conference.model.errors import ConferenceError
from conference.services.ports import UnitOfWork
from conference.storage.archive_rows import NOT_ARCHIVED, SECRETS, belongs
from conference.storage.database import Database, open_engine
from conference.storage.tables import audit_lines, metadata
from tests.contract.test_storage import consultation, participant


def entry(chain: str = "c", action: str = "a", subject: str | None = None, **content: Value) -> AuditEntry:
    return AuditEntry(chain, 1_800_000_000_000, None, CLI, action, subject, content)


async def check(unit: UnitOfWork, chain: str = "c") -> int:
    """Verify the whole chain; returns the number of its lines."""
    lines = await unit.audit.lines(chain, limit=10_000)
    head = await unit.audit.head(chain)
    texts = await unit.audit.texts(chain, 1, head.number)
    assert verify(lines, texts, head) is None
    return len(lines)


async def test_lines_come_back_as_they_were_sealed(database: Database) -> None:
    async with database.transaction() as unit:
        first = await unit.audit.append(entry(name=Personal("张三"), count=2**40))
        second = await unit.audit.append(entry(action="b", subject="p_1"))
        assert await unit.audit.append(entry("d")) == (await unit.audit.lines("d"))[0]
    async with database.reading() as unit:
        assert await unit.audit.lines("c") == [first, second]
        assert await unit.audit.head("c") == AuditHead("c", 2, second.hash)
        assert await unit.audit.head("none") == AuditHead("none", 0, "0" * 64)
        assert [text.text for text in await unit.audit.texts("c", 1, 2)] == ["张三"]
        assert await check(unit) == 2
        assert await check(unit, "d") == 1


async def test_pages_and_filters(database: Database) -> None:
    async with database.transaction() as unit:
        for number in range(6):
            await unit.audit.append(entry(action="ab"[number % 2], subject=f"p{number % 3}"))
    async with database.reading() as unit:
        audit = unit.audit
        assert [line.number for line in await audit.lines("c", 2, 3)] == [3, 4, 5]
        assert [line.number for line in await audit.lines("c", action="b")] == [2, 4, 6]
        assert [line.number for line in await audit.lines("c", subject="p0")] == [1, 4]
        assert [line.number for line in await audit.lines("c", actor="cli", after=4)] == [5, 6]
        assert await audit.lines("c", actor="p_1") == []
        assert [line.number for line in await audit.lines("c", limit=2, newest=True)] == [6, 5]
        assert [line.number for line in await audit.lines("c", action="b", newest=True, before=6)] == [4, 2]
        assert [line.number for line in await audit.lines("c", 2, before=5)] == [3, 4]


async def test_a_block_that_raises_leaves_no_line(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as unit:
            await unit.audit.append(entry())
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await fail()
        async with database.transaction() as unit:
            await unit.audit.append(entry())
    async with database.reading() as unit:
        assert await check(unit) == 2


async def test_two_writers_do_not_fork_a_chain(url: str, database: Database) -> None:
    other = Database(open_engine(url))

    async def write(store: Database) -> None:
        for _ in range(20):
            async with store.transaction() as unit:
                await unit.audit.append(entry(name=Personal("x")))
                await asyncio.sleep(0)  # the other one gets its chance

    await asyncio.gather(write(database), write(other), write(database), write(other))
    async with other.reading() as unit:
        assert await check(unit) == 80
    await other.close()


async def test_deleting_personal_text_leaves_the_chain_whole(database: Database) -> None:
    async with database.transaction() as unit:
        for _ in range(3):
            await unit.audit.append(entry(name=Personal("张三")))
        await unit.audit.forget("c", 2)
    async with database.reading() as unit:
        assert [text.number for text in await unit.audit.texts("c", 1, 3)] == [1, 3]
        assert await check(unit) == 3


async def test_a_line_changed_in_the_database_is_named(url: str, database: Database) -> None:
    async with database.transaction() as unit:
        for number in range(4):
            await unit.audit.append(entry(number=number))
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(audit_lines).where(audit_lines.c.number == 3).values(content='{"number":7}')
        )
    await engine.dispose()
    async with database.reading() as unit:
        breach = verify(await unit.audit.lines("c"))
    assert breach is not None
    assert (breach.number, breach.fault) == (3, Fault.HASH)


async def test_a_view_stays_as_it_was(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.audit.append(entry())
    async with database.reading() as view:
        before = await view.audit.head("c")
        async with database.transaction() as unit:
            await unit.audit.append(entry())
        assert await view.audit.head("c") == before
        assert len(await view.audit.lines("c")) == 1


async def test_a_view_refuses_writing(database: Database) -> None:
    if database.url.startswith("sqlite"):
        pytest.skip("what is written in a view is rolled back")
    with pytest.raises(DBAPIError):
        async with database.reading() as view:
            await view.audit.append(entry())


# ── packages ────────────────────────────────────────────────────────────────────────────────────


async def test_a_package_holds_everything_of_its_consultation_alone(
    database: Database, tmp_path: Path
) -> None:
    async with database.transaction() as unit:
        for consultation_id in ("c", "d"):
            await unit.consultations.add(consultation(consultation_id))
            await unit.participants.save([participant(f"p_{consultation_id}", 1, consultation_id)])
            for number in range(600):  # more than a page
                await unit.audit.append(entry(consultation_id, number=number, name=Personal("张三")))
        await unit.audit.forget("c", 7)
    path = tmp_path / "c.zip"
    with path.open("wb") as file:
        manifest = await write_archive(database, "c", file, created_at_ms=1_800_000_000_000, software="x")
    report = verify_archive(path, manifest.head.hash)
    assert report.findings == []
    assert (report.texts, report.deleted_texts) == (599, 1)
    assert report.intact["audit_lines.jsonl"] == 600
    assert (report.intact["consultations.jsonl"], report.intact["participants.jsonl"]) == (1, 1)
    assert b"p_d" not in path.read_bytes()
    assert (b"0" * 64) not in path.read_bytes().replace(b'"previous":"' + b"0" * 64, b"")


async def test_a_package_made_by_a_clock_that_was_never_set(database: Database, tmp_path: Path) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
    path = tmp_path / "c.zip"
    with path.open("wb") as file:
        await write_archive(database, "c", file, created_at_ms=7, software="x")
    assert verify_archive(path).findings == []


async def test_no_package_of_nothing(database: Database) -> None:
    with pytest.raises(ConferenceError) as caught:
        await write_archive(database, "none", io.BytesIO(), created_at_ms=0, software="x")
    assert caught.value.code == "consultation_not_found"


def test_every_table_is_in_the_package_or_left_out_on_purpose() -> None:
    for table in metadata.sorted_tables:
        if table not in NOT_ARCHIVED:
            belongs(table, "c")
            suspicious = {
                column.name for column in table.c if "secret" in column.name or column.name.endswith("_hash")
            }
            assert suspicious <= SECRETS, f"{table.name}: secret or not?"


async def test_lines_of_all_chains_are_found_page_by_page(database: Database) -> None:
    """By times as they are, beyond 32 bits."""
    async with database.transaction() as unit:
        await unit.consultations.add(consultation("a"))
        for chain, later_ms in (("b", 0), ("a", 0), (STAFF_CHAIN, 1), ("a", 2)):
            line = entry(chain, name=Personal(chain))
            await unit.audit.append(replace(line, at_ms=line.at_ms + later_ms))
    start_ms = entry().at_ms
    search = AuditSearch(organization_ids=frozenset({"o"}), all_staff=True)
    found: list[AuditLine] = []
    before: AuditPlace | None = None
    async with database.reading() as unit:
        for _ in range(10):
            lines, before = await unit.audit.across(search, before, 1, 2)
            found += lines
            if before is None:
                break
        assert [(each.at_ms - start_ms, each.chain, each.number) for each in found] == [
            (2, "a", 2),
            (1, STAFF_CHAIN, 1),
            (0, "a", 1),
        ], "b is no consultation"
        assert await unit.audit.across(search, None, 3, 100) == (found, None)
        places = [AuditPlace(each.at_ms, each.chain, each.number) for each in found[:2]]
        assert sorted(each.text for each in await unit.audit.texts_among(places)) == ["a", STAFF_CHAIN]
        assert await unit.audit.texts_among([]) == []
        own = replace(
            search,
            all_staff=False,
            chain="a",
            action="a",
            actor="cli",
            since_ms=start_ms,
            until_ms=start_ms + 1,
        )
        last = AuditPlace(start_ms + 5, "z", 2**62)
        assert (await unit.audit.across(own, last, 10, 20_000))[0] == [found[2]]
