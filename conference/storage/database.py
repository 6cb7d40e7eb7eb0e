"""The database: engine, transactions, and the schema at its newest version.

SQLite by default: WAL, a commit is on the disk before anybody is told (`synchronous=FULL`), and a writer
takes the write lock when it begins, so that two processes never fail half-way through.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import event, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from conference.model.errors import ConferenceError
from conference.storage.repositories import SqlUnitOfWork

log = structlog.get_logger(__name__)

BUSY_TIMEOUT_MS = 5000
"""How long a writer of SQLite waits for another process; who asked waits with it."""

PATIENT_MS = 30_000
"""The same of a command beside a busy server: SQLite knows no queue, so an outsider must hit upon a gap."""

MAX_CONNECTIONS = 12  # of SQLite; kept once they were opened
_MAX_LOG_PAGES = 16_384  # 64 MB: only where nobody calls `checkpoint` does a commit do its work
_MIGRATIONS = Path(__file__).parent / "migrations"
_READ_ONLY = "yuanshang_read_only"
_MIGRATION_LOCK = 0x7975616E  # of all servers that migrate one PostgreSQL database at once


def sqlite_url(path: Path) -> str:
    """The URL of a database file."""
    return f"sqlite+aiosqlite:///{path}"


def open_engine(url: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> AsyncEngine:
    """An engine for SQLite or PostgreSQL, with the settings that our promises need."""
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    # SQLite gives the descriptor of a connection back to the system only when no other has the file open: one that
    # is closed again after a rush would be a descriptor less.
    bounds: dict[str, Any] = {"pool_size": MAX_CONNECTIONS, "max_overflow": 0} if is_file else {}
    if parsed.get_backend_name() == "sqlite":
        bounds["connect_args"] = {"factory": _Connection}
    engine = create_async_engine(url, **bounds)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", partial(_configure_sqlite, busy_timeout_ms))
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


class _Connection(sqlite3.Connection):
    """Lets go of its locks when it is closed. SQLite keeps a closed connection, and its locks, for as long as one of
    its statements is under way; who was cancelled while rows were on their way leaves such a statement, which lives
    until the garbage is collected: nobody else could write until then."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cursors: weakref.WeakSet[sqlite3.Cursor] = weakref.WeakSet()

    def cursor(self, factory: Callable[[sqlite3.Connection], Any] | None = None) -> Any:
        made = super().cursor(factory or sqlite3.Cursor)
        self._cursors.add(made)
        return made

    def close(self) -> None:
        for each in list(self._cursors):
            each.close()
        super().close()


def _configure_sqlite(busy_timeout_ms: int, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
    _keep_a_log(connection, cursor)
    for pragma in (
        f"wal_autocheckpoint={_MAX_LOG_PAGES}",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _keep_a_log(connection: Any, cursor: Any) -> None:
    """WAL mode. While another connection brings a new file to it SQLite says that the file is locked, at once: that
    takes milliseconds and is not waited for by busy_timeout."""
    until_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            connection.run_async(lambda _: asyncio.sleep(0.002))  # others of this event loop go on


def _begin_sqlite(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class _Checkpointer:
    """One connection of its own, kept: SQLite cannot give the descriptor of a closed one back to the system while
    others hold locks on the file. The lock is for threads: a call that was cancelled may still run in its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        with self._lock:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, check_same_thread=False)
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


@contextmanager
def _trouble() -> Iterator[None]:
    """A database that is locked, full, read-only, damaged or gone is no fault of the request."""
    try:
        yield
    except (DatabaseError, InterfaceError, PoolTimeoutError, OSError) as error:
        if isinstance(error, DatabaseError) and type(error) not in (DatabaseError, OperationalError):
            raise  # what we asked for was wrong
        cause = error.orig if isinstance(error, DBAPIError) else error
        log.error("storage.unavailable", error=str(cause))
        log.debug("storage.unavailable", exc_info=error)
        raise ConferenceError("storage_unavailable", f"database: {cause}") from error


class Database:
    """Implements services.ports.Storage. Close it once nobody uses it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # SQLite has one writer: queue in the event loop rather than in threads that poll for the lock.
        self._writing = asyncio.Lock() if engine.dialect.name == "sqlite" else None
        path = engine.url.database if engine.dialect.name == "sqlite" else None
        self._checkpointer = _Checkpointer(path) if path else None
        # A view stays as it was at its first statement: SQLite's does so by itself.
        self._reading: dict[str, Any] = (
            {_READ_ONLY: True}
            if engine.dialect.name == "sqlite"
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )

    @property
    def url(self) -> str:
        """What opens it again, password included: not for logs."""
        return self._engine.url.render_as_string(hide_password=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqlUnitOfWork]:
        """Commits when the block ends, rolls back when it raises."""
        with _trouble():
            async with self._turn(), self._engine.begin() as connection:
                yield SqlUnitOfWork(connection)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """The one writer of SQLite. Who waits behind somebody who waits for the disk is told so, too."""
        if self._writing is None:
            yield
            return
        async with asyncio.timeout(BUSY_TIMEOUT_MS / 1000):  # its TimeoutError is an OSError
            await self._writing.acquire()
        try:
            yield
        finally:
            self._writing.release()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlUnitOfWork]:
        """One consistent view, without the write lock."""
        with _trouble():
            async with self._engine.connect() as connection:
                yield SqlUnitOfWork(await connection.execution_options(**self._reading))

    async def ping(self) -> None:
        with _trouble():
            async with self._engine.connect() as connection:
                connection = await connection.execution_options(**self._reading)
                await connection.execute(sa.text("SELECT 1"))

    async def version(self) -> str | None:
        """Of the schema as it is, which `migrate` would bring to the newest; None while there is none."""
        with _trouble():
            async with self._engine.connect() as connection:
                connection = await connection.execution_options(**self._reading)
                return await connection.run_sync(_version)

    async def require_writable(self) -> None:
        """Refused with `storage_unavailable` where a row could not be written, as in a read-only file or on a standby:
        a server that has nothing to write when it starts would else find out in the midst of a session."""
        with _trouble():
            async with self._turn(), self._engine.connect() as connection:
                await connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
                await connection.rollback()

    async def checkpoint(self) -> None:
        """SQLite: bring what was committed from the log into the file. A commit that does this by itself, as by
        default every thousandth page, holds everybody up for as long as the disk takes. Call it now and then."""
        if self._checkpointer is not None:
            await asyncio.to_thread(self._checkpointer.run)

    async def migrate(self) -> str:
        """Bring the schema to the newest version; returns that version."""
        newest = newest_version()
        with _trouble():
            if await self._is_newest(newest):
                return newest
            async with self._turn(), self._engine.connect() as connection:
                if await connection.run_sync(_version) != newest:
                    if connection.dialect.name == "postgresql":  # SQLite has one writer
                        await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                    if await connection.run_sync(_version) != newest:  # no other server was faster
                        await connection.run_sync(_upgrade)
                await connection.commit()
        return newest

    async def _is_newest(self, newest: str) -> bool:
        """Asked without the write lock, for which commands that only read would have to wait beside a busy server."""
        async with self._engine.connect() as connection:
            connection = await connection.execution_options(**self._reading)
            return await connection.run_sync(_version) == newest

    async def close(self) -> None:
        """Idempotent."""
        if self._checkpointer is not None:
            await asyncio.to_thread(self._checkpointer.close)
        await self._engine.dispose()


def newest_version() -> str:
    """The version that the migrations lead to; their files are named by it."""
    return max(path.name[1:5] for path in (_MIGRATIONS / "versions").glob("v[0-9]*.py"))


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # slow to import, and nearly always there is nothing to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
