"""A backup and its way back, on SQLite and on PostgreSQL: the same rows, of one moment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conference.clock import SystemClock
from conference.services.consultations import ConsultationDraft, Consultations
from conference.storage.database import Database, open_engine, sqlite_url
from signaling.backup.errors import BackupError
from signaling.backup.manifest import DUMP
from signaling.backup.restorer import check_backup, restore_backup
from signaling.cli import app
from signaling.data_dir import DataDirectory
from tests.support.postgres_server import another_database


@pytest.fixture
async def empty_url(url: str, tmp_path: Path) -> str | None:
    """Another PostgreSQL database beside the one of the test; None for SQLite."""
    return await another_database(url, "restored") if url.startswith("postgresql") else None


async def titles(database: Database) -> list[str]:
    async with database.reading() as unit:
        found = [await unit.consultations.get(each) for each in ("a", "b")]
    return [each.title for each in found if each is not None]


async def test_rows_come_back(
    url: str, empty_url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = DataDirectory(tmp_path / "data")
    directory.create()
    directory.load_key()
    own = url if empty_url is not None else sqlite_url(directory.database)
    database = Database(open_engine(own))
    await database.migrate()
    consultations = Consultations(database, SystemClock())
    await consultations.create(ConsultationDraft(title="水", id="a"))
    directory.remember_database(url if empty_url is not None else None)  # as its server does
    monkeypatch.delenv("YUANSHANG_DATABASE_URL", raising=False)
    command = ["backup", str(tmp_path / "b.tar"), "--data-dir", str(directory.path), "--json"]
    done = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["database"] == ("sqlite" if empty_url is None else "postgresql")
    made = await asyncio.to_thread(check_backup, tmp_path / "b.tar")
    await consultations.create(ConsultationDraft(title="later", id="b"))
    assert (DUMP in made.files) == (empty_url is not None)
    assert made.heads is not None
    assert set(made.heads) == {"a"}

    other = DataDirectory(tmp_path / "other")
    command = ["restore", str(tmp_path / "b.tar"), "--data-dir", str(other.path)]
    command += [] if empty_url is None else ["--database-url", empty_url]
    done = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert done.exit_code == 0, done.output
    assert not any("database.url" in name for name in made.files)  # it would lead back to the first database
    restored = Database(open_engine(empty_url or sqlite_url(other.database)))
    try:
        await restored.migrate()
        await restored.require_writable()
        assert await titles(restored) == ["水"]
        async with restored.reading() as unit:
            (line,) = await unit.audit.lines("a", limit=10)
        assert line.hash == made.heads["a"].hash
    finally:
        await restored.close()
        await database.close()
    if empty_url is not None:
        assert other.remembered_database() == empty_url
        with pytest.raises(BackupError) as caught:
            await asyncio.to_thread(
                restore_backup, tmp_path / "b.tar", DataDirectory(tmp_path / "third"), database_url=empty_url
            )
        assert caught.value.code == "database_not_empty"
        assert not (tmp_path / "third").exists()
