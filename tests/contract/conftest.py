"""Storage on SQLite, and on a PostgreSQL 15 of our own where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from conference.storage.database import Database, open_engine, sqlite_url

_POSTGRES = Path("/usr/lib/postgresql/15/bin")


def _as_nobody(command: list[str]) -> None:
    """PostgreSQL refuses to run as root."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        cwd="/",
        timeout=60,
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a server that listens on a unix socket only; skips where there is none."""
    if not _POSTGRES.is_dir():
        pytest.skip("PostgreSQL 15 is not installed")
    directory = Path(tempfile.mkdtemp(prefix="yuanshang-pg-"))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    data = directory / "data"
    _as_nobody([str(_POSTGRES / "initdb"), "-D", str(data), "-U", "yuanshang", "-A", "trust", "-E", "UTF8"])
    options = f"-c listen_addresses='' -c unix_socket_directories={directory} -c fsync=off"
    control = [str(_POSTGRES / "pg_ctl"), "-D", str(data), "-w"]
    _as_nobody([*control, "-o", options, "-l", str(directory / "log"), "start"])
    try:
        yield f"postgresql+asyncpg://yuanshang@/postgres?host={directory}"
    finally:
        _as_nobody([*control, "-m", "immediate", "stop"])
        shutil.rmtree(directory, ignore_errors=True)


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
