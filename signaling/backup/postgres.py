"""PostgreSQL's own programs: a dump of one snapshot, and its way into an empty database."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import make_url

from conference.storage.database import open_engine
from conference.storage.snapshot import Facts, read_facts
from signaling.backup.errors import BackupError
from signaling.backup.files import private

_DEBIAN: Final = Path("/usr/lib/postgresql")
_LONGEST_SAID: Final = 600
_VIEW: Final = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


async def dump(url: str, target: Path) -> Facts:
    """pg_dump in the custom format, of the very snapshot that the facts are read from. Writers go on meanwhile.
    BackupError tool_missing, tool_failed, disk_full, database_failed."""
    program = find_program("pg_dump")
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            view = await connection.execution_options(**_VIEW)
            facts = await read_facts(view)
            name = str((await view.execute(sa.text("SELECT pg_export_snapshot()"))).scalar_one())
            options = [
                "--format=custom",
                f"--snapshot={name}",
                "--no-owner",
                "--no-privileges",
                "--no-password",
            ]
            with private(target) as file:
                await asyncio.to_thread(_run, program, options, url, file.fileno())
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise _trouble(error) from error
    finally:
        await engine.dispose()
    return facts


async def require_empty(url: str) -> None:
    """BackupError database_not_empty, database_failed."""
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            tables = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise _trouble(error) from error
    finally:
        await engine.dispose()
    if tables:
        raise BackupError("database_not_empty", ", ".join(sorted(tables)[:3]))


async def load(url: str, source: Path) -> None:
    """pg_restore, all or nothing. The database must be empty. BackupError tool_missing, tool_failed."""
    program = find_program("pg_restore")
    listed = await asyncio.to_thread(_run, program, ["--list", str(source)], url)
    # The schema itself is there in every database, and a second one of its name is refused.
    wanted = [line for line in listed.splitlines() if " SCHEMA - " not in line and " - SCHEMA " not in line]
    with tempfile.NamedTemporaryFile("w", suffix=".list") as contents:
        contents.write("\n".join(wanted) + "\n")
        contents.flush()
        options = [
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            "--no-privileges",
            "--no-password",
        ]
        options += [f"--use-list={contents.name}", f"--dbname={make_url(url).database or 'postgres'}"]
        await asyncio.to_thread(_run, program, [*options, str(source)], url)


def find_program(name: str) -> str:
    """In the PATH, or Debian's newest. BackupError tool_missing."""
    found = shutil.which(name)
    if found is None and _DEBIAN.is_dir():
        versions = [each for each in _DEBIAN.iterdir() if each.name.isdecimal()]
        for each in sorted(versions, key=lambda path: int(path.name), reverse=True):
            found = found or shutil.which(name, path=str(each / "bin"))
    if found is None:
        raise BackupError("tool_missing", name)
    return found


def _run(program: str, arguments: Sequence[str], url: str, out: int | None = None) -> str:
    done = subprocess.run(  # noqa: S603 a program of the system, arguments of ours
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if out is None else out,
        stderr=subprocess.PIPE,
        env=os.environ | _environment(url),
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        if "No space left on device" in said:
            raise BackupError("disk_full")
        raise BackupError("tool_failed", said[-_LONGEST_SAID:])
    return "" if done.stdout is None else done.stdout.decode(errors="replace")


def _environment(url: str) -> dict[str, str]:
    """How libpq reaches the same database; in the environment, because everybody may read a command line."""
    parsed = make_url(url)
    said = {
        "PGHOST": parsed.host or parsed.query.get("host"),
        "PGPORT": str(parsed.port) if parsed.port else parsed.query.get("port"),
        "PGUSER": parsed.username,
        "PGPASSWORD": parsed.password,
        "PGDATABASE": parsed.database,
        "PGSSLMODE": parsed.query.get("ssl") or parsed.query.get("sslmode"),
        "LC_ALL": "C.UTF-8",
    }
    return {name: str(value) for name, value in said.items() if value}


def _trouble(error: Exception) -> BackupError:
    cause = getattr(error, "orig", None) or error
    return BackupError("database_failed", str(cause)[:_LONGEST_SAID])
