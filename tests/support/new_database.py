"""A database at the newest schema, made once and copied: what a new server would make in a second or two."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from conference.storage import migrations
from conference.storage.database import Database, open_engine, sqlite_url
from tests.support.media import cached

Result = TypeVar("Result")


def in_a_thread(work: Callable[[], Result]) -> Result:
    """For what runs an event loop of its own, also where one runs already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def new_database() -> Path:
    """The file; copy it, nobody may write to it."""
    return cached("schema", ".sqlite3", _schema(), lambda path: in_a_thread(lambda: asyncio.run(_make(path))))


def _schema() -> str:
    sources = sorted(Path(*migrations.__path__).rglob("*.py"))
    return hashlib.sha256(b"".join(each.read_bytes() for each in sources)).hexdigest()


async def _make(path: Path) -> None:
    database = Database(open_engine(sqlite_url(path)))
    try:
        await database.migrate()
    finally:
        await database.close()
