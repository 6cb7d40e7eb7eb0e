"""A PostgreSQL 15 of our own, on a unix socket alone; skips where its programs are not installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")


class PostgresServer:
    """It keeps its rows when it is stopped and started again."""

    def __init__(self, directory: Path, options: str) -> None:
        self.url = f"postgresql+asyncpg://yuanshang@/postgres?host={directory}"
        self._control = [str(_PROGRAMS / "pg_ctl"), "-D", str(directory / "data"), "-w"]
        self._start = ["-o", options, "-l", str(directory / "log"), "start"]

    def start(self) -> None:
        _as_nobody([*self._control, *self._start])

    def stop(self, mode: str = "immediate") -> None:
        """`fast` disconnects everybody in order, `immediate` is as if it had crashed."""
        _as_nobody([*self._control, "-m", mode, "stop"])


@contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """`durable`: a commit waits for the disk, as where it counts."""
    if not _PROGRAMS.is_dir():
        pytest.skip("PostgreSQL 15 is not installed")
    directory = Path(tempfile.mkdtemp(prefix="yuanshang-pg-"))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    data = directory / "data"
    _as_nobody([str(_PROGRAMS / "initdb"), "-D", str(data), "-U", "yuanshang", "-A", "trust", "-E", "UTF8"])
    options = f"-c listen_addresses='' -c unix_socket_directories={directory}"
    server = PostgresServer(directory, options if durable else f"{options} -c fsync=off")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """URL of its database while it runs."""
    with running_postgres(durable=durable) as server:
        yield server.url


async def another_database(url: str, name: str) -> str:
    """An empty one of that name beside the one at `url`; its URL."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        await connection.execute(sa.text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


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
