"""What a backup must know of a database at one moment: its version, the heads of the trace, the files rows name."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.recording import FileState
from conference.storage.clips import SqlClips
from conference.storage.database import newest_version, open_engine, sqlite_url
from conference.storage.exports import SqlExports
from conference.storage.files import SqlBriefingFiles
from conference.storage.tables import audit_heads, recordings

_PATIENCE_S: Final = 30.0
_SIDE_FILES: Final = ("-wal", "-shm", "-journal")


class SnapshotError(Exception):
    """The database cannot be read or copied; the text is what it says itself."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a chain of the trace."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one moment. `version` is None without any schema; `named` holds paths below the data directory that rows say
    are there (empty where the schema is not ours: then nobody knows)."""

    version: str | None
    heads: dict[str, Head] = field(default_factory=dict)
    named: frozenset[str] = frozenset()


async def read_facts(connection: AsyncConnection) -> Facts:
    """In the transaction of the connection, which should be of one view."""
    if not await connection.run_sync(lambda sync: sa.inspect(sync).has_table("alembic_version")):
        return Facts(None)
    version = (await connection.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar()
    if version != newest_version():
        return Facts(version)
    rows = await connection.execute(sa.select(audit_heads))
    heads = {row.chain: Head(row.number, row.hash) for row in rows}
    return Facts(version, heads, await _named(connection))


async def _named(connection: AsyncConnection) -> frozenset[str]:
    kept = sa.select(recordings.c.path).where(
        recordings.c.deleted_at_ms.is_(None),
        # A broken one may be a name alone: its worker was killed before it wrote anything.
        sa.or_(recordings.c.state != FileState.BROKEN.value, recordings.c.size_bytes > 0),
    )
    recorded = (await connection.execute(kept)).scalars()
    return frozenset(
        [f"recordings/{each}" for each in recorded]
        + [f"recordings/{each}" for each in await SqlExports(connection).paths()]
        + [f"files/{each}" for each in await SqlBriefingFiles(connection).hashes()]
        + [f"clips/{each}" for each in await SqlClips(connection).paths()]
    )


async def facts_of_sqlite(path: Path) -> Facts:
    """Of a database file that nobody else uses; leaves nothing beside it. SnapshotError."""
    engine = open_engine(sqlite_url(path))
    try:
        async with engine.connect() as connection:
            return await read_facts(connection)
    except sa.exc.DBAPIError as error:
        raise SnapshotError(str(error.orig)) from error
    finally:
        await engine.dispose()
        make_single(path)


def copy_sqlite(source: Path, target: Path) -> None:
    """One consistent moment of a database that others may be writing to, as one file. Anything at `target` is
    replaced. Writers go on meanwhile; `source` is only read. SnapshotError; OSError with the errno of a full disk."""
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=_PATIENCE_S)) as theirs,
            contextlib.closing(sqlite3.connect(target)) as ours,
        ):
            theirs.backup(ours)  # all pages in one step: one read transaction, hence one moment
            _check(ours)
        make_single(target)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, "No space left on device", str(target)) from error
        raise SnapshotError(str(error)) from error


def check_sqlite(path: Path) -> None:
    """SnapshotError when the file is not a whole database."""
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            _check(connection)
    except sqlite3.Error as error:
        raise SnapshotError(str(error)) from error


def _check(connection: sqlite3.Connection) -> None:
    said = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != ("ok",):
        raise SnapshotError(str(said[0]))


def make_single(path: Path) -> None:
    """Bring everything into the one file, without a log beside it; a server makes its log anew."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
