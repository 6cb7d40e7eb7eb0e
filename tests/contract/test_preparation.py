"""What is prepared, counted, and the list of consultations, on each storage."""

from __future__ import annotations

import json
from dataclasses import replace

import sqlalchemy as sa

from conference.model.agenda import Agenda, AgendaItem, AgendaKind, ItemState
from conference.model.consultation import Consultation, Mode, Status
from conference.model.readiness import Prepared
from conference.storage.database import Database, open_engine
from conference.storage.tables import invitee_imports, invitees

PLAIN = Consultation("c", "协商会", Status.DRAFT, Mode.FREE, False, False, True, created_at_ms=100)


async def test_consultations_in_pages_by_their_schedule(database: Database) -> None:
    made = [
        replace(PLAIN, id="c1", scheduled_at_ms=500),
        replace(PLAIN, id="c2", scheduled_at_ms=900, status=Status.SCHEDULED, organization_id="o_1"),
        replace(PLAIN, id="c3", created_at_ms=700),
        replace(PLAIN, id="c4", scheduled_at_ms=500),
        replace(PLAIN, id="c5", scheduled_at_ms=999, organization_id="o_2"),
    ]
    async with database.transaction() as unit:
        for each in made:
            await unit.consultations.add(each)
        rows = unit.preparation
        assert [each.id for each in await rows.consultations(["o_1"])] == ["c2", "c3", "c1", "c4"]
        assert [each.id for each in await rows.consultations([])] == ["c3", "c1", "c4"]
        first = await rows.consultations(["o_1", "o_2"], limit=3)
        assert [each.id for each in first] == ["c5", "c2", "c3"]
        rest = await rows.consultations(["o_1", "o_2"], after="c3")
        assert [each.id for each in rest] == ["c1", "c4"]
        assert [each.id for each in await rows.consultations(["o_1"], after="c1")] == ["c4"]
        assert await rows.consultations(["o_1"], after="c_none") == []
        assert await rows.consultations(["o_1"], status=Status.SCHEDULED) == [made[1]]


async def test_what_is_prepared_is_counted(database: Database, url: str) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(PLAIN)
        await unit.consultations.add(replace(PLAIN, id="other"))
        assert await unit.preparation.prepared("c") == Prepared(0, 0, 0)
        item = AgendaItem("a_1", "通报", AgendaKind.REPORT, None, None, None, ItemState.PENDING)
        await unit.agenda.save("c", Agenda((item,)))
    invitee = {
        "consultation_id": "c",
        "position": 1,
        "name": "王",
        "title": "",
        "sector": "",
        "phone": "",
        "large_text": False,
        "excused": False,
        "link_revision": 1,
        "created_at_ms": 1,
    }
    rows = [{"ok": True, "dropped": False}, {"ok": False, "dropped": True}, {"ok": False, "dropped": False}]
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.execute(
            sa.insert(invitees),
            [
                {**invitee, "id": "i_1", "role": "chair", "link_hash": "1" * 64, "removed_at_ms": None},
                {**invitee, "id": "i_2", "role": "member", "link_hash": "2" * 64, "removed_at_ms": None},
                {**invitee, "id": "i_3", "role": "chair", "link_hash": "3" * 64, "removed_at_ms": 5},
            ],
        )
        await connection.execute(
            sa.insert(invitee_imports).values(
                consultation_id="c",
                file_name="x.xlsx",
                rows=json.dumps(rows),
                created_at_ms=1,
                created_by="李",
            )
        )
    await engine.dispose()
    async with database.reading() as unit:
        assert await unit.preparation.prepared("c") == Prepared(chairs=1, agenda_items=1, bad_rows=1)
        assert await unit.preparation.prepared("other") == Prepared(0, 0, 0)
