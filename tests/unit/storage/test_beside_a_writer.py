"""Commands beside a server that writes all the time: what only reads does not wait for the write lock."""

from __future__ import annotations

import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from typer.testing import CliRunner, Result

from conference.storage import database as storage
from conference.storage.database import PATIENT_MS, Database
from signaling.cli import app
from signaling.data_dir import DataDirectory
from signaling.offline import with_database

_GAP_S = 0.005  # the lock is taken nine tenths of the time


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(data_dir)])


def export(data_dir: Path, name: str) -> Result:
    return run(data_dir, "archive", "export", str(data_dir / name), "--consultation", "water")


@contextmanager
def writing(data_dir: Path, held_s: float) -> Iterator[threading.Event]:
    """A writer that gives the lock up for a moment after `held_s`, and takes it again. The event: it has had it."""
    begun, over = threading.Event(), threading.Event()

    def write() -> None:
        writer = sqlite3.connect(DataDirectory(data_dir).database, isolation_level=None, timeout=60)
        while not over.is_set():
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("UPDATE consultations SET title = title || '。'")
            begun.set()
            over.wait(held_s)
            writer.execute("COMMIT")
            over.wait(_GAP_S)
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(30)
        yield begun
    finally:
        over.set()
        thread.join()


def test_an_archive_is_exported_while_another_process_holds_the_write_lock(tmp_path: Path) -> None:
    assert run(tmp_path, "consultation", "create", "--title", "协商会", "--id", "water").exit_code == 0
    with writing(tmp_path, held_s=600):
        done = export(tmp_path, "held.zip")
        assert done.exit_code == 0, done.stderr
    assert zipfile.is_zipfile(tmp_path / "held.zip")


def test_exports_and_writes_of_commands_get_their_turn_beside_a_busy_writer(tmp_path: Path) -> None:
    assert run(tmp_path, "consultation", "create", "--title", "协商会", "--id", "water").exit_code == 0
    with writing(tmp_path, held_s=0.05):
        for number in range(2):
            for done in (
                export(tmp_path, f"{number}.zip"),
                run(tmp_path, "consultation", "create", "--title", "另一场", "--id", f"other{number}"),
            ):
                assert done.exit_code == 0, done.stderr


def test_commands_are_more_patient_than_a_server(tmp_path: Path) -> None:
    async def patience(database: Database) -> int:
        async with database._engine.connect() as connection:
            return int((await connection.execute(sa.text("PRAGMA busy_timeout"))).scalar_one())

    assert with_database(tmp_path, patience) == PATIENT_MS > storage.BUSY_TIMEOUT_MS
