"""Packages on demand: one at a time, nothing left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from conference.clock import SystemClock
from conference.model.errors import ConferenceError
from conference.services.consultations import ConsultationDraft, Consultations
from conference.storage.database import Database, open_engine, sqlite_url
from signaling.archive import ArchiveBuilder


@pytest.fixture
async def builder(tmp_path: Path) -> ArchiveBuilder:
    database = Database(open_engine(sqlite_url(tmp_path / "db.sqlite3")))
    await database.migrate()
    await Consultations(database, SystemClock()).create(ConsultationDraft(title="协商会", id="c"))
    await database.close()
    (tmp_path / "files").mkdir()
    return ArchiveBuilder(database.url, tmp_path / "files", tmp_path / "contents")


async def test_a_package_has_no_name(builder: ArchiveBuilder, tmp_path: Path) -> None:
    with await builder.build("c") as package:
        assert package.read(2) == b"PK"
        assert not list((tmp_path / "files").iterdir())


async def test_refusals_have_their_codes(builder: ArchiveBuilder, tmp_path: Path) -> None:
    with pytest.raises(ConferenceError) as caught:
        await builder.build("none")
    assert caught.value.code == "consultation_not_found"
    broken = ArchiveBuilder(sqlite_url(tmp_path / "no" / "db.sqlite3"), tmp_path, tmp_path / "contents")
    with pytest.raises(ConferenceError) as caught:
        await broken.build("c")
    assert caught.value.code == "internal"


async def test_few_may_wait(builder: ArchiveBuilder) -> None:
    waiting = [asyncio.create_task(builder.build("c")) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(ConferenceError) as caught:
        await builder.build("c")
    assert caught.value.code == "rate_limited"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    (await builder.build("c")).close()
