"""Processes that are killed at a chosen point of a chosen write: `python -m tests.unit.storage.crashing DIR STAGE`.

STAGE is a module beside this one. What is there before every write is prepared once and kept; then, for each kind
that is asked for on the standard input, and each point of POINTS, a child goes on from a copy of it, begins the
write and dies there of SIGKILL. It leaves `DIR/NUMBER/POINT` with the database, what else was stored, and
`noted.json`: how far it had come before the write.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from conference.storage.database import Database, open_engine, sqlite_url

POINTS: Final = (
    "first row",
    "line",
    "commit",
    "rest",
    "answer",
)  # before each; rest: what follows the commit
STORED: Final = Path("db.sqlite3")
ROOT: Final = Path(__file__).parents[3]


class _Engines:
    """One engine for one database after the other: it remembers the SQL that it compiled."""

    engine: AsyncEngine | None = None
    path = ""


def opened_at(path: Path) -> Database:
    """That database, once the one before was closed. What holds an older Database comes to it, too."""

    def connect(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
        arguments[0] = _Engines.path

    _Engines.path = str(path)
    if _Engines.engine is None:
        _Engines.engine = open_engine(sqlite_url(path))
        event.listen(_Engines.engine.sync_engine, "do_connect", connect)
    return Database(_Engines.engine)


@asynccontextmanager
async def reopened(left: Path) -> AsyncIterator[Database]:
    """What a killed process left, for the next one."""
    database = opened_at(left / STORED)
    try:
        yield database
    finally:
        await database.close()


class Stage(Protocol):
    """What there is before a write. Everything stored lies in the working directory."""

    @property
    def database(self) -> Database: ...

    async def noted(self) -> dict[str, Any]:
        """What must still be there afterwards."""


StageT = TypeVar("StageT", bound=Stage)


@dataclass(frozen=True)
class Kind:
    """A kind of write by the line that the trace has of it; `first` is done before, and not killed."""

    run: Callable[[Any], Awaitable[object]]
    first: Callable[[Any], Awaitable[object]] | None = None


@dataclass
class Armed:
    """From now on this process dies there."""

    point: str
    has_committed: bool = False

    def arm(self, database: Database) -> None:
        engine = database._engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._execute)
        event.listen(engine, "commit", self._commit)
        event.listen(engine, "checkin", self._done)

    def _execute(self, _connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        writes = statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
        if writes and (self.point == "first row" or (self.point == "line" and "audit_lines" in statement)):
            die()

    def _commit(self, _connection: sa.Connection) -> None:
        self.has_committed = True
        if self.point == "commit":
            die()

    def _done(self, *_: object) -> None:
        if self.has_committed and self.point == "rest":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _crash(stage: Stage, kind: Kind, point: str) -> None:
    opened_at(STORED)
    if kind.first is not None:
        await kind.first(stage)
    noted = {**await stage.noted(), "rows": dumped(Path())}
    Path("noted.json").write_text(json.dumps(noted))  # noqa: ASYNC240 there is nothing else to do
    armed = Armed(point)
    armed.arm(stage.database)
    await kind.run(stage)
    die()


def _kill(stage: Stage, kind: Kind, directory: Path, point: str) -> None:
    """A child begins the write there and dies at that point, or it is a RuntimeError."""
    shutil.copytree("snapshot", directory)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(directory)
            asyncio.run(_crash(stage, kind, point))
        except BaseException:  # noqa: BLE001 it shall not come back into the parent's stack
            traceback.print_exc()
        os._exit(1)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        raise RuntimeError(f"was not killed before {point}")


async def _prepared(prepare: Callable[[Database], Awaitable[Stage]]) -> Stage:
    database = opened_at(STORED)
    await database.migrate()
    stage = await prepare(database)
    await database.close()  # a child opens it anew, in a loop of its own
    return stage


def main() -> None:
    """Answer each number and kind when all of its children died."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is for answers
    module = importlib.import_module(f"tests.unit.storage.{sys.argv[2]}")
    directory = Path(sys.argv[1])
    (directory / "snapshot").mkdir()
    os.chdir(directory / "snapshot")
    stage = asyncio.run(_prepared(module.prepare))
    os.chdir(directory)
    for line in sys.stdin:
        number, kind = json.loads(line)
        Path(str(number)).mkdir()
        try:
            for point in POINTS:
                _kill(stage, module.KINDS[kind], Path(str(number), point), point)
        except RuntimeError as error:
            print(json.dumps({"error": str(error)}), flush=True)
        else:
            print(json.dumps({}), flush=True)


class Crashes:
    """What is left of the writes that were killed."""

    def __init__(self, directory: Path, process: Popen[str]) -> None:
        self._directory = directory
        self._process = process
        self._number = 0

    def of(self, kind: str) -> dict[str, Path]:
        """A directory for each point at which a process died of this kind of write."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        print(json.dumps([self._number, kind]), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        assert not answer, answer
        return {point: self._directory / str(self._number) / point for point in POINTS}


@contextmanager
def crashes(directory: Path, stage: str) -> Iterator[Crashes]:
    """A process that prepares this stage and has its children killed."""
    command = [sys.executable, "-m", "tests.unit.storage.crashing", str(directory), stage]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        yield Crashes(directory, process)
        assert process.stdin is not None
        process.stdin.close()


def dumped(directory: Path) -> str:
    """A hash of all rows there are."""
    with closing(sqlite3.connect(directory / STORED)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def copied(left: Path, name: str) -> Path:
    """What a killed process left, its write-ahead log included, to be opened once."""
    copy = left.with_name(name)
    shutil.copytree(left, copy)
    (copy / f"{STORED}-shm").unlink(missing_ok=True)  # memory of the dead, as after a power cut
    return copy


if __name__ == "__main__":
    main()
