"""The row of the shared directory on each storage."""

from __future__ import annotations

import asyncio

from conference.model.shared_directory import SharedDirectoryId
from conference.storage.database import Database


async def test_the_first_id_stays(database: Database) -> None:
    async with database.transaction() as unit:
        assert await unit.shared_directory.get() is None
        assert await unit.shared_directory.begun("d_1") == SharedDirectoryId("d_1", is_marked=False)
    async with database.transaction() as unit:
        assert await unit.shared_directory.begun("d_2") == SharedDirectoryId("d_1", is_marked=False)
        await unit.shared_directory.marked()
    async with database.reading() as unit:
        assert await unit.shared_directory.get() == SharedDirectoryId("d_1", is_marked=True)


async def test_servers_that_begin_at_once_agree(database: Database) -> None:
    async def begin(directory_id: str) -> str:
        async with database.transaction() as unit:
            return (await unit.shared_directory.begun(directory_id)).id

    found = await asyncio.gather(*(begin(f"d_{number}") for number in range(5)))
    assert len(set(found)) == 1
