"""What the commands do on a data directory, beside a running server too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from conference.clock import SystemClock
from conference.model.errors import ConferenceError
from conference.storage.database import PATIENT_MS, Database
from signaling.data_dir import DataDirectory, DataDirectoryError
from signaling.database import database_url, open_database
from signaling.terminal import fail

if TYPE_CHECKING:
    from conference.services.consultations import Consultations

Result = TypeVar("Result")


def with_database(data_dir: Path, use: Callable[[Database], Awaitable[Result]]) -> Result:
    """Open the database, migrated, and close it afterwards."""
    directory = DataDirectory(data_dir.resolve())

    async def run() -> Result:
        database = open_database(directory, database_url(directory), busy_timeout_ms=PATIENT_MS)
        try:
            await database.migrate()
            return await use(database)
        finally:
            await database.close()

    try:
        directory.create()
        return asyncio.run(run())
    except DataDirectoryError as error:
        fail(str(error))
    except ConferenceError as error:
        fail(f"{error.text} ({error.detail or error.code})")


def with_consultations(data_dir: Path, use: Callable[[Consultations], Awaitable[Result]]) -> Result:
    """The use cases that work on rows alone."""
    from conference.services.consultations import Consultations  # commands that only read rows do without

    return with_database(data_dir, lambda database: use(Consultations(database, SystemClock())))
