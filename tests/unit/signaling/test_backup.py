"""Backups of a data directory and their way back: what is in them, and everything that may go wrong."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from conference.services.consultations import ConsultationDraft, Consultations
from conference.storage import snapshot
from conference.storage.database import newest_version
from signaling.backup import errors, files, manifest, postgres, reader, restorer, writer
from signaling.backup.errors import BackupError
from signaling.backup.manifest import FileEntry, Manifest
from signaling.backup.restorer import check_backup, restore_backup
from signaling.backup.writer import write_backup
from signaling.cli import app
from signaling.data_dir import DataDirectory, DataDirectoryError
from signaling.key_file import KeyFile, new_key
from signaling.offline import with_consultations

MATERIAL = "a" * 64


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: its schema takes a second."""
    made = DataDirectory(tmp_path_factory.mktemp("made"))
    consult(made, "w")
    return made.database


@pytest.fixture
def directory(tmp_path: Path, database: Path) -> DataDirectory:
    """A data directory with a consultation, a recording, a program, material, and what no backup needs."""
    made = DataDirectory(tmp_path / "data")
    made.create()
    snapshot.copy_sqlite(database, made.database)
    made.load_key()
    made.remember_database(None)
    put(made.path / "recordings/w/1/p-microphone-1.webm", b"sound" * 1000)
    put(made.path / "recordings/w/1/manifest.jsonl", b'{"fact":"opened"}\n')
    put(made.path / "program/w/1/720p/00000000.m4s", b"picture" * 1000)
    put(made.path / "program/w/journal.jsonl", b'{"fact":"life"}\n{"fact":"seg')
    put(made.files / MATERIAL, b"material")
    put(made.lan / "ca.pem", b"authority")
    put(made.models / "zh/model.conf", b"model")
    put(made.run / "x.sock", b"")
    put(made.relay / "turnserver.conf", b"secret")
    put(made.path / "server.lock", b"")
    put(made.files / "f.part", b"half")
    return made


def consult(directory: DataDirectory, consultation_id: str) -> None:
    async def create(consultations: Consultations) -> None:
        await consultations.create(ConsultationDraft(title="协商会", id=consultation_id))

    with_consultations(directory.path, create)


def put(path: Path, content: bytes) -> Path:
    """As a file that has not been touched for a day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    old = path.stat().st_mtime - 86_400
    os.utime(path, (old, old))
    return path


def tree(root: Path) -> dict[str, bytes]:
    return {
        each.relative_to(root).as_posix(): each.read_bytes() for each in root.rglob("*") if each.is_file()
    }


def consultations_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM consultations ORDER BY id")]


def rows(directory: DataDirectory, *statements: str) -> None:
    with closing(sqlite3.connect(directory.database)) as connection, connection:
        for each in statements:
            connection.execute(each)


def recording(path: str, *, deleted: str = "NULL") -> str:
    return (
        "INSERT INTO recordings (id, consultation_id, participant_id, name, source, codec, path, started_at_ms,"
        " duration_ms, size_bytes, state, created_at_ms, deleted_at_ms) VALUES"
        f" ('{path}', 'w', 'p', '李', 'microphone', 'opus', '{path}', 0, 1, 1, 'done', 0, {deleted})"
    )


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(BackupError) as caught:
        yield
    assert caught.value.code == code, caught.value
    assert any("一" <= each <= "鿿" for each in caught.value.chinese)


def drafts(of: Path) -> list[Path]:
    return list(of.glob(".*.part"))


# ── what a backup holds ─────────────────────────────────────────────────────────────────────────


def test_all_keys_are_in_a_backup_and_no_note_of_where_they_were_shared(
    directory: DataDirectory, tmp_path: Path
) -> None:
    shared = tmp_path / "share.json"
    file = KeyFile(directory, shared)
    keys = file.change(lambda found: found.rotated(new_key(1), 10**15))
    directory.remember_key_file(shared)
    made = write_backup(directory, tmp_path / "backup", database_url=None)
    assert {"data/keys.json", "data/token.key"} <= set(made.files)
    assert not [each for each in made.files if "key_file" in each or "lock" in each]
    other = DataDirectory(tmp_path / "other")
    restore_backup(tmp_path / "backup", other)
    assert KeyFile(other).read() == keys
    assert other.load_key() == keys.signing.secret


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_there_and_back(directory: DataDirectory, tmp_path: Path, name: str) -> None:
    told: list[int] = []
    made = write_backup(directory, tmp_path / name, told=told.append)
    assert set(made.files) == {
        "data/yuanshang.sqlite3",
        "data/token.key",
        "data/recordings/w/1/p-microphone-1.webm",
        "data/recordings/w/1/manifest.jsonl",
        "data/program/w/1/720p/00000000.m4s",
        "data/program/w/journal.jsonl",
        f"data/files/{MATERIAL}",
        "data/lan/ca.pem",
    }
    assert (made.database, made.schema_version, made.missing) == ("sqlite", newest_version(), [])
    assert made.heads is not None
    assert made.heads["w"].number == 1
    assert sum(told) > 0
    assert check_backup(tmp_path / name) == made

    other = DataDirectory(tmp_path / "other")
    assert restore_backup(tmp_path / name, other) == made
    before, after = tree(directory.path), tree(other.path)
    assert after.pop("program/w/journal.jsonl") == b'{"fact":"life"}\n'  # half a line is none
    assert after.pop("server.lock") == b""
    del after["yuanshang.sqlite3"]
    assert set(after) == {name.removeprefix("data/") for name in made.files} - {
        "yuanshang.sqlite3",
        "program/w/journal.jsonl",
    }
    assert all(before[name] == content for name, content in after.items())
    assert consultations_of(other.database) == ["w"]
    assert other.load_key() == directory.load_key()
    other.lock().release()  # a server may start


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_it_is_private_and_nothing_else_is_left(directory: DataDirectory, tmp_path: Path, name: str) -> None:
    write_backup(directory, tmp_path / name)
    made = [tmp_path / name, *(tmp_path / name).rglob("*")]
    assert {stat.S_IMODE(each.stat().st_mode) for each in made if each.is_file()} == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in made if each.is_dir()} <= {0o700}
    assert drafts(tmp_path) == []
    restore_backup(tmp_path / name, DataDirectory(tmp_path / "other"))
    restored = list((tmp_path / "other").rglob("*"))
    assert {stat.S_IMODE(each.stat().st_mode) for each in restored if each.is_file()} == {0o600}
    if name.endswith(".tar"):
        with tarfile.open(tmp_path / name) as package:
            assert package.getnames()[0] == manifest.NAME
            assert {each.mode for each in package.getmembers()} == {0o600}


def test_models_come_when_they_are_asked_for(directory: DataDirectory, tmp_path: Path) -> None:
    made = write_backup(directory, tmp_path / "backup", with_models=True)
    assert "data/models/zh/model.conf" in made.files
    assert made.with_models


def test_a_folder_that_lies_on_another_disk_is_followed(directory: DataDirectory, tmp_path: Path) -> None:
    shutil.move(directory.recordings, tmp_path / "big")
    directory.recordings.symlink_to(tmp_path / "big")
    (tmp_path / "big/loop").symlink_to(tmp_path / "big")
    made = write_backup(directory, tmp_path / "backup")
    assert "data/recordings/w/1/p-microphone-1.webm" in made.files
    assert not any("loop" in name for name in made.files)


def test_a_database_that_is_written_to_is_taken_at_one_moment(
    directory: DataDirectory, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(directory.database)) as writing:
        writing.execute("PRAGMA journal_mode=WAL")
        writing.execute("PRAGMA wal_autocheckpoint=0")
        writing.execute("CREATE TABLE pairs (a)")
        writing.execute("INSERT INTO pairs VALUES (1)")
        writing.commit()  # in the log alone
        writing.execute("INSERT INTO pairs VALUES (2)")  # not committed
        write_backup(directory, tmp_path / "backup")
        writing.rollback()
    copied = tmp_path / "backup/data/yuanshang.sqlite3"
    with closing(sqlite3.connect(copied)) as connection:
        assert connection.execute("SELECT a FROM pairs").fetchall() == [(1,)]
    assert sorted(each.name for each in copied.parent.glob("yuanshang*")) == ["yuanshang.sqlite3"]


# ── while a server works ────────────────────────────────────────────────────────────────────────


def test_what_rows_name_is_there_also_when_it_came_after_the_first_look(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy_database(source: Path, target: Path) -> None:
        put(directory.recordings / "w/1/new.webm", b"new")
        rows(directory, recording("w/1/new.webm"))
        snapshot.copy_sqlite(source, target)
        monkeypatch.setattr(writer, "copy_sqlite", snapshot.copy_sqlite)

    monkeypatch.setattr(writer, "copy_sqlite", copy_database)
    made = write_backup(directory, tmp_path / "backup")
    assert "data/recordings/w/1/new.webm" in made.files
    assert made.missing == []


def test_a_file_that_is_deleted_meanwhile_is_neither_there_nor_named(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows(directory, recording("w/1/p-microphone-1.webm"))
    taken: list[int] = []

    def copy_database(source: Path, target: Path) -> None:
        snapshot.copy_sqlite(source, target)
        if not taken:
            rows(directory, "UPDATE recordings SET deleted_at_ms = 1")
            (directory.recordings / "w/1/p-microphone-1.webm").unlink()
        taken.append(1)

    monkeypatch.setattr(writer, "copy_sqlite", copy_database)
    made = write_backup(directory, tmp_path / "backup")
    assert len(taken) == 2
    assert "data/recordings/w/1/p-microphone-1.webm" not in made.files
    assert not (tmp_path / "backup/data/recordings/w/1/p-microphone-1.webm").exists()
    with closing(sqlite3.connect(tmp_path / "backup/data/yuanshang.sqlite3")) as connection:
        assert connection.execute("SELECT deleted_at_ms FROM recordings").fetchall() == [(1,)]


def test_a_directory_in_which_files_vanish_without_end_is_given_up(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    def copy_database(source: Path, target: Path) -> None:
        snapshot.copy_sqlite(source, target)
        (directory.files / f"{len(taken)}").unlink()
        taken.append(1)

    for number in range(20):
        put(directory.files / f"{number}", b"x")
    monkeypatch.setattr(writer, "copy_sqlite", copy_database)
    with refused("restless"):
        write_backup(directory, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    assert drafts(tmp_path) == []


def test_what_a_journal_names_is_there(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = directory.program / "w/journal.jsonl"
    journal.write_bytes(b'{"fact":"life"}\n')

    def copy(source: Path, target: Path, **options: Any) -> Any:
        if source == journal:  # the worker goes on while it is being read
            put(directory.program / "w/1/720p/00000001.m4s", b"later")
            with journal.open("ab") as file:
                file.write(b'{"fact":"segment","number":1}\n')
        return files.copy(source, target, **options)

    monkeypatch.setattr(writer, "copy", copy)
    made = write_backup(directory, tmp_path / "backup")
    assert b'"number":1' in (tmp_path / "backup/data/program/w/journal.jsonl").read_bytes()
    assert "data/program/w/1/720p/00000001.m4s" in made.files


def test_a_file_that_grows_is_copied_up_to_where_it_was(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b/c"
    source.write_bytes(b"x" * 3_000_000)

    def grow(_done: int) -> None:
        with source.open("ab") as file:
            file.write(b"y" * 1000)

    entry, stamp = files.copy(source, target, whole_lines=False, told=grow)
    assert target.read_bytes() == b"x" * 3_000_000
    assert (entry.size, stamp.size) == (3_000_000, 3_000_000)
    assert files.stamp_of(source) != stamp
    source.write_bytes(b"no end")
    assert files.copy(source, target, whole_lines=True, told=files.quiet)[0].size == 0
    source.write_bytes(b"a\n" + b"b" * 10_000)
    assert files.copy(source, target, whole_lines=True, told=files.quiet)[0].size == 2


def test_what_was_missing_before_is_said(directory: DataDirectory, tmp_path: Path) -> None:
    rows(directory, recording("w/1/lost.webm"), recording("w/1/struck.webm", deleted="7"))
    made = write_backup(directory, tmp_path / "backup")
    assert made.missing == ["recordings/w/1/lost.webm"]
    said = run("restore", tmp_path / "backup", "--check")
    assert "w/1/lost.webm" in said.stdout


# ── a backup that cannot be taken ───────────────────────────────────────────────────────────────


def test_places_that_are_refused(directory: DataDirectory, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(directory.path)
    (tmp_path / "big").mkdir()
    (directory.path / "more").symlink_to(tmp_path / "big")
    for name, code in (
        ("there", "target_exists"),
        ("dangling", "target_exists"),
        ("none/backup", "target_unusable"),
        ("data/backup", "target_inside"),
        ("data/files/backup.tar", "target_inside"),
        ("link/backup", "target_inside"),
        ("big/backup", "target_inside"),
    ):
        with refused(code):
            write_backup(directory, tmp_path / name)
    assert drafts(tmp_path) == []


def test_a_place_that_cannot_be_written(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_path: Path, mode: int = 0) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", fails)
    with refused("target_unusable"):
        write_backup(directory, tmp_path / "backup")


def test_a_disk_that_is_too_small_is_known_before(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 10, 0))
    with refused("disk_full"):
        write_backup(directory, tmp_path / "backup")
    assert drafts(tmp_path) == []


@pytest.mark.parametrize("what", ["files", "database"])
def test_a_disk_that_becomes_full_leaves_nothing(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if what == "files":
        put(directory.recordings / "w/1/long.webm", bytes(3 << 20))
    monkeypatch.setattr(writer, "_SPARE_BYTES", -(1 << 30))
    size = "2m" if what == "files" else "400k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], check=True)
    try:
        with refused("disk_full"):
            write_backup(directory, small / "backup")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_file_that_cannot_be_read(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def fails(path: Any, *arguments: Any, **options: Any) -> int:
        if str(path).endswith(MATERIAL):
            raise OSError(errno.EACCES, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", fails)
    with refused("source_unreadable"):
        write_backup(directory, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    assert drafts(tmp_path) == []


def test_a_directory_without_data(tmp_path: Path) -> None:
    with refused("no_data"):
        write_backup(DataDirectory(tmp_path / "none"), tmp_path / "backup")
    (tmp_path / "empty").mkdir()
    DataDirectory(tmp_path / "empty").load_key()
    with refused("no_data"):
        write_backup(DataDirectory(tmp_path / "empty"), tmp_path / "backup")
    assert not (tmp_path / "empty/yuanshang.sqlite3").exists()


def test_a_broken_database(directory: DataDirectory, tmp_path: Path) -> None:
    directory.database.write_bytes(b"no database at all" * 100)
    for suffix in ("-wal", "-shm"):
        directory.database.with_name(directory.database.name + suffix).unlink(missing_ok=True)
    with refused("database_failed"):
        write_backup(directory, tmp_path / "backup")


def test_a_database_that_is_ahead_of_the_program(directory: DataDirectory, tmp_path: Path) -> None:
    rows(directory, "UPDATE alembic_version SET version_num = '9999'")
    with refused("newer_format"):
        write_backup(directory, tmp_path / "backup")


def test_two_to_the_same_place(directory: DataDirectory, tmp_path: Path) -> None:
    inner: list[BackupError] = []

    def meanwhile(_done: int) -> None:
        if not inner:
            with pytest.raises(BackupError) as caught:
                write_backup(directory, tmp_path / "backup")
            inner.append(caught.value)

    write_backup(directory, tmp_path / "backup", told=meanwhile)
    assert inner[0].code == "target_busy"


def killed_in_the_midst(code: str) -> None:
    """Runs it, and kills it when it says `now`."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


STOP = "def stop(_):\n    print('now', flush=True)\n    signal.pause()\n"


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_killed_backup_is_none_and_in_nobodys_way(
    directory: DataDirectory, tmp_path: Path, name: str
) -> None:
    killed_in_the_midst(
        "import signal\nfrom pathlib import Path\nfrom signaling.data_dir import DataDirectory\n"
        f"from signaling.backup.writer import write_backup\n{STOP}"
        f"write_backup(DataDirectory(Path({str(directory.path)!r})), Path({str(tmp_path / name)!r}), told=stop)"
    )
    assert not (tmp_path / name).exists()
    (draft,) = drafts(tmp_path)
    with refused("not_a_backup"):
        check_backup(draft)
    write_backup(directory, tmp_path / name)
    assert drafts(tmp_path) == []
    check_backup(tmp_path / name)


def test_one_who_interrupts_it_by_hand_leaves_nothing(directory: DataDirectory, tmp_path: Path) -> None:
    def interrupt(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_backup(directory, tmp_path / "backup", told=interrupt)
    assert [each.name for each in tmp_path.iterdir()] == ["data"]


# ── one that cannot be put in place ─────────────────────────────────────────────────────────────


@pytest.fixture
def made(directory: DataDirectory, tmp_path: Path) -> Path:
    write_backup(directory, tmp_path / "backup")
    return tmp_path / "backup"


def test_only_an_empty_directory_is_taken(made: Path, directory: DataDirectory, tmp_path: Path) -> None:
    with refused("not_empty"):
        restore_backup(made, directory)
    lock = directory.lock()
    with refused("in_use"):
        restore_backup(made, directory)
    lock.release()
    mine = tmp_path / "mine"
    put(mine / "letter.txt", b"dear")
    with refused("not_empty"):
        restore_backup(made, DataDirectory(mine))
    assert tree(mine) == {"letter.txt": b"dear"}  # not even a lock is left there
    empty = DataDirectory(tmp_path / "empty")
    empty.create()
    restore_backup(made, empty)


def test_what_is_no_backup(made: Path, tmp_path: Path, directory: DataDirectory) -> None:
    put(tmp_path / "letter.txt", b"dear")
    put(tmp_path / "strange/manifest.json", b'{"kind": "something else"}')
    put(tmp_path / "torn/manifest.json", (made / "manifest.json").read_bytes()[:-20])
    for name in ("none", "letter.txt", "data", "strange", "torn"):
        with refused("not_a_backup"):
            restore_backup(tmp_path / name, DataDirectory(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def rewrite(made: Path, **changes: Any) -> None:
    said = json.loads((made / "manifest.json").read_bytes())
    (made / "manifest.json").write_text(json.dumps({**said, **changes}))


def test_a_newer_backup_is_refused(made: Path, tmp_path: Path) -> None:
    other = DataDirectory(tmp_path / "other")
    rewrite(made, schema_version="9999")
    with refused("newer_format"):
        restore_backup(made, other)
    with refused("newer_format"):
        check_backup(made)
    rewrite(made, format=manifest.FORMAT + 1)
    with refused("newer_format"):
        restore_backup(made, other)
    assert not other.path.exists()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: flip(made / "data/recordings/w/1/p-microphone-1.webm"),
        lambda made: flip(made / "data/yuanshang.sqlite3"),
        lambda made: (made / "data/token.key").unlink(),
        lambda made: (made / "data/lan/ca.pem").write_bytes(b"authority and more"),
        lambda made: rewrite(made, files={"../../etc/passwd": {"size": 1, "sha256": "0"}}),
        lambda made: rewrite(made, files={"data/../../x": {"size": 1, "sha256": "0"}}),
        lambda made: rewrite(made, files={"/data/x": {"size": 1, "sha256": "0"}}),
        lambda made: rewrite(made, files="none"),
        lambda made: rewrite(made, heads={"w": {"number": 7, "hash": "0"}}),
        lambda made: rewrite(made, schema_version="0001"),
        lambda made: rewrite(made, files={}),
    ],
)
def test_a_damaged_backup_puts_nothing_in_place(
    made: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    damage(made)
    other = DataDirectory(tmp_path / "other")
    with refused("damaged"):
        restore_backup(made, other)
    assert not other.path.exists()


def test_a_damaged_package_puts_nothing_in_place(directory: DataDirectory, tmp_path: Path) -> None:
    package = tmp_path / "backup.tar"
    write_backup(directory, package)
    whole = package.read_bytes()
    package.write_bytes(whole.replace(b"sound" * 1000, b"sound" * 999 + b"noise"))
    with refused("damaged"):
        restore_backup(package, DataDirectory(tmp_path / "other"))
    package.write_bytes(whole[: len(whole) // 2])
    with refused("damaged"):
        check_backup(package)
    assert not (tmp_path / "other").exists()


def test_a_disk_that_is_too_small_for_it(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 10, 0))
    with refused("disk_full"):
        restore_backup(made, DataDirectory(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_a_killed_restoration_is_done_again(made: Path, tmp_path: Path) -> None:
    other = DataDirectory(tmp_path / "other")
    killed_in_the_midst(
        "import signal\nfrom pathlib import Path\nfrom signaling.data_dir import DataDirectory\n"
        f"from signaling.backup.restorer import restore_backup\n{STOP}"
        f"restore_backup(Path({str(made)!r}), DataDirectory(Path({str(other.path)!r})), told=stop)"
    )
    assert not other.database.exists()
    with pytest.raises(DataDirectoryError, match="恢复备份没有完成"):
        other.lock()  # no server starts on it
    with refused("unfinished_restore"):
        write_backup(other, tmp_path / "second")
    restore_backup(made, other)
    assert consultations_of(other.database) == ["w"]
    other.lock().release()


def test_one_that_was_killed_while_putting_in_place_is_neither_started_nor_overwritten(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(directory: DataDirectory, stage: Path, _url: str | None) -> None:
        (stage / "data/files").rename(directory.files)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(restorer, "_put_in_place", half)
    other = DataDirectory(tmp_path / "other")
    with refused("target_unusable"):
        restore_backup(made, other)
    with refused("not_empty"):
        restore_backup(made, other)
    with pytest.raises(DataDirectoryError):
        other.lock()


def test_an_older_schema_is_restored_as_it_is_and_migrated_later(
    directory: DataDirectory, tmp_path: Path
) -> None:
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    from conference.storage import database as module
    from conference.storage.database import open_engine, sqlite_url

    old = DataDirectory(tmp_path / "old")
    old.create()
    old.load_key()

    def upgrade(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")

    async def prepare() -> None:
        engine = open_engine(sqlite_url(old.database))
        async with engine.begin() as connection:
            await connection.run_sync(upgrade)
        await engine.dispose()

    asyncio.run(prepare())
    made = write_backup(old, tmp_path / "backup")
    assert (made.schema_version, made.heads, made.missing) == ("0009", None, [])
    other = DataDirectory(tmp_path / "other")
    restore_backup(tmp_path / "backup", other)
    assert run("migrate", "--data-dir", other.path).stdout.strip() == newest_version()


# ── PostgreSQL, without one ─────────────────────────────────────────────────────────────────────


def test_kinds_of_databases_are_not_mixed(made: Path, tmp_path: Path) -> None:
    other = DataDirectory(tmp_path / "other")
    with refused("database_unwanted"):
        restore_backup(made, other, database_url="postgresql+asyncpg://u@/x")
    rewrite(made, database="postgresql")
    with refused("database_wanted"):
        restore_backup(made, other)


def test_programs_that_are_not_installed(
    directory: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "_DEBIAN", tmp_path / "none")
    with refused("tool_missing"):
        write_backup(directory, tmp_path / "backup", database_url="postgresql+asyncpg://u@/x")
    said = str(BackupError("tool_missing", "pg_dump"))
    assert "apt install postgresql-client" in said
    assert "pg_dump" in said


def test_programs_that_fail(tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    for says, code in (("server version mismatch", "tool_failed"), ("No space left on device", "disk_full")):
        program.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
        program.chmod(0o700)
        with refused(code):
            postgres._run(str(program), [], "postgresql+asyncpg://u@/x")


def test_a_database_that_does_not_answer(directory: DataDirectory, tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://u@/x?host={tmp_path}"
    with refused("database_failed"):
        write_backup(directory, tmp_path / "backup", database_url=url)
    assert drafts(tmp_path) == []


def test_no_password_stands_on_a_command_line() -> None:
    said = postgres._environment("postgresql+asyncpg://clerk:geheim@db.example:5433/yuan?ssl=require")
    assert said == {
        "PGHOST": "db.example",
        "PGPORT": "5433",
        "PGUSER": "clerk",
        "PGPASSWORD": "geheim",
        "PGDATABASE": "yuan",
        "PGSSLMODE": "require",
        "LC_ALL": "C.UTF-8",
    }


# ── the commands ────────────────────────────────────────────────────────────────────────────────


def test_the_commands_in_words(directory: DataDirectory, tmp_path: Path) -> None:
    made = run("backup", tmp_path / "b", "--data-dir", directory.path)
    assert made.exit_code == 0
    assert "备份完成" in made.stdout
    again = run("backup", tmp_path / "b", "--data-dir", directory.path)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "目标已经存在" in again.stderr
    checked = run("restore", tmp_path / "b", "--check")
    assert (checked.exit_code, "备份完好" in checked.stdout) == (0, True)
    restored = run("restore", tmp_path / "b", "--data-dir", tmp_path / "other")
    assert restored.exit_code == 0
    assert "恢复完成" in restored.stdout
    assert f"yuanshang serve --data-dir {tmp_path / 'other'}" in restored.stdout


def test_the_commands_for_programs(directory: DataDirectory, tmp_path: Path) -> None:
    made = json.loads(run("backup", tmp_path / "b.tar", "--json", "--data-dir", directory.path).stdout)
    assert (made["ok"], made["path"], made["files"]) == (True, str(tmp_path / "b.tar"), 8)
    refusal = run("restore", tmp_path / "b.tar", "--json", "--data-dir", directory.path)
    assert refusal.exit_code == 1
    assert json.loads(refusal.stdout)["error"]["code"] == "not_empty"
    wrong = run("backup", tmp_path / "c", "--database-url", "mysql://x", "--data-dir", directory.path)
    assert wrong.exit_code == 2


def test_every_code_is_tested() -> None:
    tested = Path(__file__).read_text() + Path(__file__).with_name("test_backup.py").read_text()
    beside = Path(__file__).parents[2] / "contract/test_backup.py"
    tested += beside.read_text()
    assert {code for code in errors.codes() if f'"{code}"' not in tested} == set()


def test_the_manifest_reads_as_it_was_written() -> None:
    entry = FileEntry(1, "ab")
    made = Manifest(
        manifest.KIND, 1, "x", 5, 6, "sqlite", "0001", False, None, ["files/a"], {"data/x": entry}
    )
    assert manifest.decode(manifest.encode(made)) == made
    assert reader.TAR == ".tar"


# ── a directory that servers share ──────────────────────────────────────────────────────────────


@pytest.fixture
def shared(directory: DataDirectory, tmp_path: Path) -> DataDirectory:
    """The same data, what is made of consultations in a shared directory."""
    made = DataDirectory(directory.path, tmp_path / "shared")
    (tmp_path / "shared").mkdir()
    for name in ("recordings", "program", "files"):
        (directory.path / name).rename(tmp_path / "shared" / name)
    put(tmp_path / "shared/shared-directory.json", b'{"id": "d_1"}')
    put(tmp_path / "shared/locks/export-x.lock", b"")
    put(tmp_path / "shared/servers/a", b"{}")
    made.remember_shared()
    return made


def test_a_backup_holds_the_shared_directory(shared: DataDirectory, tmp_path: Path) -> None:
    """Without a word: the server's own is known. And what only running servers need is left out."""
    assert run("backup", tmp_path / "b", "--data-dir", shared.path).exit_code == 0
    made = check_backup(tmp_path / "b")
    found = {name.removeprefix("data/") for name in made.files}
    assert {"recordings/w/1/p-microphone-1.webm", f"files/{MATERIAL}", "shared-directory.json"} <= found
    assert not [name for name in found if name.startswith(("locks", "servers", "shared.path"))]
    restored = run("restore", tmp_path / "b", "--data-dir", tmp_path / "one")
    assert restored.exit_code == 0
    assert (tmp_path / "one/recordings/w/1/p-microphone-1.webm").is_file()
    assert DataDirectory.remembered(tmp_path / "one").shared is None


def test_a_backup_comes_back_into_a_shared_directory(shared: DataDirectory, tmp_path: Path) -> None:
    write_backup(shared, tmp_path / "b")
    again = DataDirectory(tmp_path / "new", tmp_path / "place")
    (tmp_path / "place").mkdir()
    restore_backup(tmp_path / "b", again)
    assert {each.name for each in (tmp_path / "place").iterdir()} == {
        "files",
        "program",
        "recordings",
        "shared-directory.json",
    }
    assert (again.files / MATERIAL).read_bytes() == b"material"
    assert not (again.path / "recordings").exists()
    assert (again.path / "token.key").read_bytes() == (shared.path / "token.key").read_bytes()
    assert DataDirectory.remembered(again.path) == again
    assert not [each for each in again.unfinished_restores if each.exists()]


def test_a_shared_directory_that_is_not_empty_is_left_as_it_is(shared: DataDirectory, tmp_path: Path) -> None:
    write_backup(shared, tmp_path / "b")
    put(tmp_path / "place/recordings/x", b"other")
    with pytest.raises(BackupError) as refused:
        restore_backup(tmp_path / "b", DataDirectory(tmp_path / "new", tmp_path / "place"))
    assert refused.value.code == "not_empty"
    assert not (tmp_path / "new").exists()
    assert [each.name for each in (tmp_path / "place").iterdir()] == ["recordings"]


def test_a_shared_directory_that_is_not_mounted_is_no_backup(shared: DataDirectory, tmp_path: Path) -> None:
    assert shared.shared is not None
    shared.shared.rename(tmp_path / "away")
    shared.shared.mkdir()
    with pytest.raises(BackupError) as refused:
        write_backup(shared, tmp_path / "b")
    assert refused.value.code == "shared_dir_gone"
    assert not (tmp_path / "b").exists()


def test_a_backup_does_not_lie_in_the_shared_directory(shared: DataDirectory) -> None:
    assert shared.shared is not None
    with pytest.raises(BackupError) as refused:
        write_backup(shared, shared.shared / "b")
    assert refused.value.code == "target_inside"
