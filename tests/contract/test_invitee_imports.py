"""What every storage promises about lists of invitees, and about many lines of the trace at once."""

from __future__ import annotations

from dataclasses import replace

from conference.model.audit import SYSTEM, AuditEntry, Personal, verify
from conference.model.consultation import Consultation, Mode, Status
from conference.model.invitee_columns import Column
from conference.model.invitee_list import Formula, ImportRow, InviteeImport, Values
from conference.storage.database import Database

CONSULTATION = Consultation("c", "协商会", Status.DRAFT, Mode.FREE, True, False, True, 0)
ROWS = (
    ImportRow(
        2, Values("何春生", "社", "农业界", "委员", "青禾县", "139", True), (Formula(Column.TITLE, "=B30"),)
    ),
    ImportRow(9, Values("𠮷田·甲"), separate=True, dropped=True),
)


async def test_a_list_comes_back_as_it_was(database: Database) -> None:
    kept = InviteeImport("c", "名单.xlsx", 1, "马干事", ROWS)
    async with database.transaction() as unit:
        await unit.consultations.add(CONSULTATION)
        assert await unit.invitee_imports.get("c") is None
        await unit.invitee_imports.save(kept, {2})
    async with database.reading() as unit:
        assert await unit.invitee_imports.get("c") == kept
        assert (await unit.preparation.prepared("c")).bad_rows == 0
    other = replace(kept, file_name="二.csv", rows=ROWS[:1])
    async with database.transaction() as unit:
        await unit.invitee_imports.save(other, ())
    async with database.reading() as unit:
        assert await unit.invitee_imports.get("c") == other
        assert (await unit.preparation.prepared("c")).bad_rows == 1
    async with database.transaction() as unit:
        await unit.invitee_imports.delete("c")
        await unit.invitee_imports.delete("c")
    async with database.reading() as unit:
        assert await unit.invitee_imports.get("c") is None


async def test_many_lines_make_the_same_chain_as_one_by_one(database: Database) -> None:
    def entry(number: int) -> AuditEntry:
        return AuditEntry(
            "c", number, None, SYSTEM, "test", "c", {"n": number, "name": Personal(f"某{number}")}
        )

    async with database.transaction() as unit:
        await unit.audit.append(entry(0))
        await unit.audit.append_all([])
        await unit.audit.append_all([entry(number) for number in range(1, 130)])
        await unit.audit.append(entry(130))
    async with database.reading() as unit:
        lines = await unit.audit.lines("c", limit=1_000)
        texts = await unit.audit.texts("c", 1, 1_000)
        assert verify(lines, texts, await unit.audit.head("c")) is None
    assert [line.at_ms for line in lines] == list(range(131))
    assert len(texts) == 131
