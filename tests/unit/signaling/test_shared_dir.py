"""The directory that servers share: whose it is, what it must be able to do, and what is told when it goes away."""

from __future__ import annotations

import asyncio
import errno
import fcntl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conference.model.claim import NodeState
from conference.storage.database import Database, open_engine, sqlite_url
from recording.disk import DirectoryDisk
from signaling import shared_dir
from signaling.blocking import in_time
from signaling.data_dir import SHARED_NAMES, DataDirectory
from signaling.shared_dir import MARK, SharedDirectory, SharedDirectoryError, open_shared, read_mark
from signaling.shared_watch import APART, GONE, OK, UNLOCKED, SharedWatch
from tests.unit.services.shared_registry import SharedRegistry


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(open_engine(sqlite_url(tmp_path / "db.sqlite3")))
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    for each in ("data", "shared"):
        (tmp_path / each).mkdir()
    return DataDirectory(tmp_path / "data", tmp_path / "shared")


async def refusal(directory: DataDirectory, database: Database) -> str:
    with pytest.raises(SharedDirectoryError) as refused:
        await open_shared(directory, database)
    return str(refused.value)


def test_what_is_made_of_consultations_lies_there_and_nothing_else(tmp_path: Path) -> None:
    alone, shared = DataDirectory(tmp_path), DataDirectory(tmp_path, tmp_path / "s")
    for each in ("files", "clips", "recordings", "program", "cards"):
        assert getattr(shared, each) == tmp_path / "s" / getattr(alone, each).name
        assert getattr(alone, each).name in SHARED_NAMES
    for each in ("database", "token_key", "models", "run", "relay", "lan", "lock_path"):
        assert getattr(shared, each) == getattr(alone, each)
    assert shared.locate("recordings/c/1/x.webm") == tmp_path / "s/recordings/c/1/x.webm"
    assert shared.locate("token.key") == tmp_path / "token.key"


def test_commands_find_what_the_server_used(directory: DataDirectory) -> None:
    assert DataDirectory.remembered(directory.path).shared is None
    directory.remember_shared()
    assert DataDirectory.remembered(directory.path) == directory
    assert DataDirectory.remembered(directory.path, directory.path / "x").shared == directory.path / "x"
    DataDirectory(directory.path).remember_shared()
    assert DataDirectory.remembered(directory.path).shared is None


async def test_the_first_server_marks_it_and_all_know_it(
    directory: DataDirectory, database: Database, tmp_path: Path
) -> None:
    first = await open_shared(directory, database)
    assert first is not None
    assert read_mark(first.path) == first.id
    other = tmp_path / "other"
    other.mkdir()
    second = DataDirectory(other, directory.shared)
    assert await open_shared(second, database) == first
    assert {each.name for each in first.path.iterdir()} == {MARK, "locks", "servers"}
    first.require()


async def test_one_that_is_empty_is_not_mounted(directory: DataDirectory, database: Database) -> None:
    shared = await open_shared(directory, database)
    assert shared is not None
    (shared.path / MARK).unlink()
    assert "没有挂载" in await refusal(directory, database)
    with pytest.raises(OSError, match="Stale") as gone:
        shared.require()
    assert gone.value.errno == errno.ESTALE


async def test_a_start_that_was_killed_before_the_mark_is_made_good(
    directory: DataDirectory, database: Database
) -> None:
    async with database.transaction() as unit:
        begun = await unit.shared_directory.begun("d_1")
    assert not begun.is_marked
    shared = await open_shared(directory, database)
    assert shared is not None
    assert (shared.id, read_mark(shared.path)) == ("d_1", "d_1")
    async with database.reading() as unit:
        known = await unit.shared_directory.get()
    assert known is not None
    assert known.is_marked


@pytest.mark.parametrize("said", ['{"id": "d_others"}', "not json", "[]"])
async def test_that_of_other_servers_is_refused(
    directory: DataDirectory, database: Database, said: str
) -> None:
    assert directory.shared is not None
    (directory.shared / MARK).write_text(said)
    assert "另一套服务器" in await refusal(directory, database)
    assert (directory.shared / MARK).read_text() == said


async def test_what_would_not_be_found_any_more_is_told(directory: DataDirectory, database: Database) -> None:
    (directory.path / "recordings" / "c").mkdir(parents=True)
    assert await open_shared(directory, database) is not None, "folders without a file are nothing"
    (directory.path / "recordings" / "c" / "x.webm").touch()
    assert "recordings" in await refusal(directory, database)
    assert directory.shared is not None
    (directory.path / "recordings").rename(directory.shared / "recordings")
    (directory.path / "recordings").symlink_to(directory.shared / "recordings")
    assert await open_shared(directory, database) is not None


async def test_a_missing_one_the_data_directory_itself_and_half_a_restoration_are_refused(
    directory: DataDirectory, database: Database, tmp_path: Path
) -> None:
    assert "不存在" in await refusal(DataDirectory(directory.path, tmp_path / "none"), database)
    assert "数据目录" in await refusal(DataDirectory(directory.path, directory.path), database)
    assert directory.shared is not None
    (directory.shared / ".restore").mkdir()
    assert "恢复" in await refusal(directory, database)


async def test_a_file_system_without_locks_is_refused(
    directory: DataDirectory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    assert "NFS 4" in await refusal(directory, database)

    def refuses(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuses)
    assert "NFS 4" in await refusal(directory, database)
    assert directory.shared is not None
    assert list(directory.shared.iterdir()) == []


async def test_a_disk_that_refuses_the_mark_is_told_and_tried_again(
    directory: DataDirectory, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(shared_dir, "write_private", refuses)
        assert "Read-only" in await refusal(directory, database), "it is not the database that refuses"
    assert await open_shared(directory, database) is not None


async def test_a_disk_that_does_not_answer_holds_nobody() -> None:
    waiting = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hangs() -> None:
        asyncio.run_coroutine_threadsafe(waiting.wait(), loop).result()

    with pytest.raises(TimeoutError):
        await in_time(hangs, 0.05)
    waiting.set()
    assert await in_time(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_time(lambda: 1 // 0)


# ── the watch ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def shared(tmp_path: Path) -> SharedDirectory:
    made = SharedDirectory(tmp_path / "s", "d_1")
    for each in (made.path, made.servers):
        each.mkdir()
    (made.path / MARK).write_text('{"id": "d_1"}')
    return made


def registry(node: str, *others: str) -> SharedRegistry:
    made = SharedRegistry(node)
    made.living = tuple(NodeState(each, None, 0, 0, is_draining=False) for each in others)
    return made


async def test_it_is_told_when_it_goes_away_and_comes_back(shared: SharedDirectory, tmp_path: Path) -> None:
    watch = SharedWatch(shared, registry("a"))
    await watch.tick()
    assert watch.state == OK
    away = tmp_path / "away"
    for empty in (False, True):
        shared.path.rename(away)
        if empty:
            shared.path.mkdir()
        await watch.tick()
        assert watch.state == GONE
        if empty:
            assert list(shared.path.iterdir()) == []
            shared.path.rmdir()
        away.rename(shared.path)
        await watch.tick()
        assert watch.state == OK
    watch.close()


async def test_a_server_without_a_file_in_it_has_another_directory(shared: SharedDirectory) -> None:
    ours = SharedWatch(shared, registry("a", "10.0.0.2:8080"), looks=2)
    theirs = SharedWatch(shared, registry("10.0.0.2:8080", "a"), looks=2)
    await ours.tick()
    assert ours.state == OK, "it may not be seen yet"
    await ours.tick()
    assert ours.state == APART
    await theirs.tick()
    await ours.tick()
    await theirs.tick()
    assert (ours.state, theirs.state) == (OK, OK)
    theirs.close()
    for _ in range(2):  # the file stays, and nobody holds it: locks do not reach here
        await ours.tick()
    assert ours.state == UNLOCKED
    ours.close()


async def test_the_disk_that_is_watched_is_the_shared_one(directory: DataDirectory) -> None:
    assert await DirectoryDisk(directory.stock).free_bytes() > 0
    assert directory.stock == directory.shared
