"""The database of a data directory."""

from __future__ import annotations

from conference.storage.database import Database, open_engine, sqlite_url
from signaling.data_dir import DataDirectory


def open_database(directory: DataDirectory) -> Database:
    """Opened, not migrated; close it."""
    return Database(open_engine(sqlite_url(directory.database)))
