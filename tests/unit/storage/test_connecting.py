"""Connections to a file that several open for the first time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from conference.storage.database import open_engine

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
