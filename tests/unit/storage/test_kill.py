"""Kill -9 in the middle of writing: every commit that was acknowledged is there, nothing else half-way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from conference.storage.database import Database, open_engine, sqlite_url

_WRITER = """
import asyncio, pathlib, sys
from conference.model.consultation import Consultation, Mode, Status
from conference.storage.database import Database, open_engine, sqlite_url

def made(name):
    return Consultation(name, "t", Status.SCHEDULED, Mode.FREE, True, False, True, created_at_ms=1)

async def main():
    database = Database(open_engine(sqlite_url(pathlib.Path(sys.argv[1]))))
    await database.migrate()
    number = 0
    while True:
        async with database.transaction() as unit:
            for half in "ab":
                await unit.consultations.add(made(f"{number}{half}"))
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""


def killed_writer(path: Path) -> int:
    """Let a process write for a while, kill it, and return the last commit that it reported."""
    last = -1
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        while last < 20:
            last = int(writer.stdout.readline())
        writer.kill()
        rest = writer.stdout.read().split()
    return int(rest[-1]) if rest else last


async def test_acknowledged_commits_survive(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite3"
    last = await asyncio.to_thread(killed_writer, path)
    database = Database(open_engine(sqlite_url(path)))
    await database.migrate()
    async with database.reading() as unit:
        for number in range(last + 1):
            assert await unit.consultations.get(f"{number}a") is not None
            assert await unit.consultations.get(f"{number}b") is not None
        unacknowledged = [await unit.consultations.get(f"{last + 1}{half}") is None for half in "ab"]
        assert unacknowledged[0] == unacknowledged[1]
    await database.close()
