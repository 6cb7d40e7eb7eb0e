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

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[str]:
    """URL of its database while it runs. `durable`: a commit waits for the disk, as where it counts."""
    if not _PROGRAMS.is_dir():
        pytest.skip("PostgreSQL 15 is not installed")
    directory = Path(tempfile.mkdtemp(prefix="yuanshang-pg-"))
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    data = directory / "data"
    _as_nobody([str(_PROGRAMS / "initdb"), "-D", str(data), "-U", "yuanshang", "-A", "trust", "-E", "UTF8"])
    options = f"-c listen_addresses='' -c unix_socket_directories={directory}"
    options += "" if durable else " -c fsync=off"
    control = [str(_PROGRAMS / "pg_ctl"), "-D", str(data), "-w"]
    _as_nobody([*control, "-o", options, "-l", str(directory / "log"), "start"])
    try:
        yield f"postgresql+asyncpg://yuanshang@/postgres?host={directory}"
    finally:
        _as_nobody([*control, "-m", "immediate", "stop"])
        shutil.rmtree(directory, ignore_errors=True)


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
