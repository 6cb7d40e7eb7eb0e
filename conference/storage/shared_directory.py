"""The row of the directory that the servers of this database share."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.shared_directory import SharedDirectoryId
from conference.storage.statements import insert
from conference.storage.tables import shared_directories

_ONE = 1


class SqlSharedDirectory:
    """Implements services.ports.SharedDirectoryRow."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self) -> SharedDirectoryId | None:
        return await self._found(sa.select(shared_directories))

    async def begun(self, directory_id: str) -> SharedDirectoryId:
        row = {"number": _ONE, "id": directory_id, "is_marked": False}
        statement = insert(self._connection, shared_directories).values(row)
        await self._connection.execute(statement.on_conflict_do_nothing())
        found = await self._found(sa.select(shared_directories).with_for_update())
        assert found is not None, "it was there, or was written just now"
        return found

    async def marked(self) -> None:
        await self._connection.execute(sa.update(shared_directories).values(is_marked=True))

    async def _found(self, query: sa.Select[tuple[object, ...]]) -> SharedDirectoryId | None:
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else SharedDirectoryId(row["id"], is_marked=row["is_marked"])
