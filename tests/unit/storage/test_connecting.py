"""Connections: to a file that several open for the first time, and of those who were cancelled."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from conference.model.errors import ConferenceError
from conference.storage.database import Database, open_engine

FILES = 40
AT_ONCE = 4


async def journal_mode(engine: AsyncEngine) -> str:
    async with engine.connect() as connection:
        return str((await connection.execute(sa.text("PRAGMA journal_mode"))).scalar_one())


async def test_who_opens_a_new_file_at_once_waits_for_the_others(tmp_path: Path) -> None:
    """SQLite refuses the change to WAL while another makes it, whatever busy_timeout says."""
    for number in range(FILES):
        engines = [open_engine(f"sqlite+aiosqlite:///{tmp_path}/{number}.db") for _ in range(AT_ONCE)]
        assert await asyncio.gather(*map(journal_mode, engines)) == ["wal"] * AT_ONCE
        for engine in engines:
            await engine.dispose()


async def test_who_is_cancelled_while_rows_are_on_their_way_keeps_nobody_from_writing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/a.db", busy_timeout_ms=0)
    database = Database(engine)
    await database.migrate()
    under_way, cancelled = threading.Event(), threading.Event()

    def first_row() -> int:
        under_way.set()
        cancelled.wait()
        return 1

    def teach(connection: Any, _record: object) -> None:
        connection.create_function("first_row", 0, first_row)

    async def read() -> None:
        async with engine.begin() as connection:
            await connection.execute(sa.text("SELECT first_row() UNION ALL SELECT 2"))

    await engine.dispose()
    event.listen(engine.sync_engine, "connect", teach)
    task = asyncio.create_task(read())
    await asyncio.to_thread(under_way.wait)
    task.cancel()
    cancelled.set()
    (why,) = await asyncio.gather(
        task, return_exceptions=True
    )  # kept: so are the frames that hold the statement
    assert isinstance(why, asyncio.CancelledError)
    await database.require_writable()
    await database.close()


async def test_a_file_that_is_no_database_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database, but as long as a page of one" * 200)
    database = Database(open_engine(f"sqlite+aiosqlite:///{tmp_path}/a.db"))
    with pytest.raises(ConferenceError) as refused:
        await database.migrate()
    assert refused.value.code == "storage_unavailable"
    assert "not a database" in refused.value.detail
    await database.close()
