"""Storage on SQLite, and on a PostgreSQL 15 of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from conference.storage.database import Database, open_engine, sqlite_url
from tests.support.postgres_server import postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "db.sqlite3")
        return
    server: str = request.getfixturevalue("postgres")
    engine = create_async_engine(server)
    async with engine.begin() as connection:
        await connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        await connection.execute(sa.text("CREATE SCHEMA public"))
    await engine.dispose()
    yield server


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(open_engine(url))
    await opened.migrate()
    yield opened
    await opened.close()
