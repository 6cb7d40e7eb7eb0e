"""The process that writes one archive package to its standard output, a file. Asked by one JSON line."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final

from conference.archive.writer import write_archive
from conference.clock import SystemClock
from conference.model.errors import ConferenceError
from conference.storage.database import Database, open_engine

NOT_FOUND: Final = 3


async def write(url: str, consultation_id: str, out: BinaryIO, files: Path) -> None:
    """Write the package from a database that others may be using."""
    database = Database(open_engine(url))
    try:
        now_ms, software = SystemClock().wall_ms(), f"yuanshang {version('yuanshang')}"
        await write_archive(
            database, consultation_id, out, created_at_ms=now_ms, software=software, files=files
        )
    finally:
        await database.close()


def main() -> int:
    request = json.loads(sys.stdin.readline())
    try:
        files = Path(request["files"])
        asyncio.run(write(request["url"], request["consultation_id"], sys.stdout.buffer, files))
    except ConferenceError as error:
        if error.code != "consultation_not_found":
            raise
        return NOT_FOUND
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
