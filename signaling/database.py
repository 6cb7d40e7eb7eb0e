"""The database of a data directory."""

from __future__ import annotations

import os

from conference.storage.database import BUSY_TIMEOUT_MS, Database, open_engine, sqlite_url
from signaling.data_dir import DataDirectory


def open_database(
    directory: DataDirectory, url: str | None, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> Database:
    """Opened, not migrated; close it. `url`: PostgreSQL instead of the directory's own file."""
    return Database(open_engine(url or sqlite_url(directory.database), busy_timeout_ms=busy_timeout_ms))


def database_url(directory: DataDirectory) -> str | None:
    """The database of commands beside the server: that of the environment, else what the server last used."""
    given = os.environ.get("YUANSHANG_DATABASE_URL")
    if not given:
        return directory.remembered_database()
    from signaling.settings import Settings  # slow to import, and seldom needed

    return Settings(database_url=given).database_url
