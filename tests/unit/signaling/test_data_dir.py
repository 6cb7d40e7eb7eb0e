"""The data directory: one server at a time, one key, private files."""

import stat
import threading
from pathlib import Path

import pytest

from signaling.data_dir import DataDirectory, DataDirectoryError, write_private


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    made = DataDirectory(tmp_path / "data")
    made.create()
    return made


def test_a_second_server_is_refused_until_the_first_is_gone(directory: DataDirectory) -> None:
    lock = directory.lock()
    with pytest.raises(DataDirectoryError, match="another server"):
        directory.lock()
    lock.release()
    lock.release()
    directory.lock().release()


def test_the_key_is_made_once_and_private(directory: DataDirectory) -> None:
    found: set[bytes] = set()
    threads = [threading.Thread(target=lambda: found.add(directory.load_key())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {directory.load_key()}
    assert stat.S_IMODE(directory.token_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700


def test_a_broken_key_is_refused(directory: DataDirectory) -> None:
    directory.token_key.write_bytes(b"short")
    with pytest.raises(DataDirectoryError):
        directory.load_key()


def test_a_secret_is_private_also_where_a_file_of_everybody_was(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
