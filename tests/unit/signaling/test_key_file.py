"""The file of the keys: made from token.key, changed by many at once, shared by several servers."""

from __future__ import annotations

import json
import multiprocessing
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conference.model.keyset import KeySet, KeyState, key_id
from signaling.data_dir import DataDirectory, DataDirectoryError
from signaling.key_file import KeyFile, Stamp, key_of, new_key
from signaling.key_ring import KeyRing
from tests.support.eventually import eventually
from tests.unit.services.fakes import ManualClock

DAY_MS = 86_400_000


def rotated(until_ms: int = 10**15) -> Callable[[KeySet], KeySet]:
    return lambda found: found.rotated(new_key(5), until_ms)


def named(tmp_path: Path, name: str) -> DataDirectory:
    directory = DataDirectory(tmp_path / name)
    directory.create()
    return directory


def test_a_directory_with_token_key_alone_has_that_key(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    secret = directory.load_key()
    found = KeyFile(directory).read()
    assert [each.secret for each in found.keys] == [secret]
    assert found.signing.made_ms == directory.token_key.stat().st_mtime_ns // 1_000_000
    assert not directory.key_set.exists(), "an upgrade writes nothing"


def test_a_rotation_is_written_privately_and_whole_with_token_key_beside_it(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    file = KeyFile(directory)
    first = file.read().signing
    after = file.change(rotated())
    assert KeyFile(directory).read() == after
    assert after.keys[0].secret == first.secret
    assert directory.load_key() == after.signing.secret, "what older versions read"
    for path in (directory.key_set, directory.token_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [
        each.name
        for each in tmp_path.iterdir()
        if each.name.startswith((".keys.json.", ".token")) and not each.name.endswith(".lock")
    ]


def test_token_key_is_put_right_when_a_command_was_killed_between_the_two(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    file = KeyFile(directory)
    before = directory.load_key()
    after = file.change(rotated())
    directory.token_key.write_bytes(before)
    KeyRing(file, ManualClock())
    assert directory.load_key() == after.signing.secret


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 2, "keys": []}', b'{"format": 1, "keys": []}'])
def test_what_is_no_key_file_is_refused_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    directory = DataDirectory(tmp_path)
    directory.key_set.write_bytes(content)
    with pytest.raises(DataDirectoryError, match=r"keys\.json"):
        KeyFile(directory).read()
    with pytest.raises(DataDirectoryError):
        KeyFile(directory).change(rotated())
    assert directory.key_set.read_bytes() == content


def test_a_damaged_secret_is_noticed(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    KeyFile(directory).change(rotated())
    body = json.loads(directory.key_set.read_text())
    body["keys"][0]["secret"] = body["keys"][1]["secret"]
    directory.key_set.write_text(json.dumps(body))
    with pytest.raises(DataDirectoryError, match="damaged"):
        KeyFile(directory).read()


def _rotate(path: Path) -> None:
    for _ in range(5):
        KeyFile(DataDirectory(path)).change(rotated())


def test_processes_that_rotate_at_once_lose_nothing(tmp_path: Path) -> None:
    first = KeyFile(DataDirectory(tmp_path)).read().signing.id
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_rotate, args=(tmp_path,)) for _ in range(3)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(30)
    assert [each.exitcode for each in processes] == [0, 0, 0]
    found = KeyFile(DataDirectory(tmp_path)).read()
    assert len(found.keys) == 16
    assert found.keys[0].id == first


async def test_a_running_server_notices_and_keeps_what_it_has_when_the_file_is_gone(tmp_path: Path) -> None:
    directory, clock = DataDirectory(tmp_path), ManualClock()
    ring = KeyRing(KeyFile(directory), clock)
    first = ring.signing()
    KeyFile(directory).change(rotated(clock.wall_ms() + DAY_MS))
    assert ring.signing() == first
    await ring.tick()
    assert ring.accepted() == (ring.signing(), first)
    clock.forward(86_400)
    assert (ring.accepted(), ring.ended()) == ((ring.signing(),), (first,))
    signing = ring.signing()
    content = directory.key_set.read_bytes()
    directory.key_set.write_bytes(b"half")
    await ring.tick()
    assert ring.is_lost
    assert ring.signing() == signing
    directory.key_set.write_bytes(content)
    await ring.tick()
    assert not ring.is_lost


def test_a_strange_key_is_looked_for_at_once_but_not_for_each_that_comes(tmp_path: Path) -> None:
    directory, clock = DataDirectory(tmp_path), ManualClock()
    ring = KeyRing(KeyFile(directory), clock)
    assert not ring.refresh()
    KeyFile(directory).change(rotated())
    assert not ring.refresh(), "it has just looked"
    clock.forward(1)
    assert ring.refresh()


class HangingKeyFile(KeyFile):
    """A share whose server is gone: whoever asks it waits."""

    def __init__(self, directory: DataDirectory, elsewhere: Path) -> None:
        super().__init__(directory, elsewhere)
        self.answers = threading.Event()
        self.answers.set()
        self.asked = self.changes = 0

    def stamp(self) -> Stamp | None:
        self.asked += 1
        self.answers.wait()
        return super().stamp()

    def change(self, how: Callable[[KeySet], KeySet]) -> KeySet:
        self.changes += 1
        self.answers.wait()
        return super().change(how)


async def test_a_share_that_hangs_holds_the_event_loop_once_and_for_a_moment(tmp_path: Path) -> None:
    shared, clock = tmp_path / "keys.json", ManualClock()
    directory = named(tmp_path, "a")
    file = HangingKeyFile(directory, shared)
    ring = KeyRing(file, clock, patience_s=0.1)
    directory.remember_key_file(shared)
    kept, asked = ring.signing(), file.asked
    file.answers.clear()
    KeyFile(directory, shared).change(rotated())
    await ring.tick()
    assert ring.is_lost, "readiness and doctor tell of it"
    began_s = time.monotonic()
    for _ in range(20):  # at half a second of waiting each it would be ten
        clock.forward(1)
        assert not ring.refresh()
    assert time.monotonic() - began_s < 5
    for _ in range(3):
        with pytest.raises(DataDirectoryError, match="没有应答"):
            await ring.forget(frozenset({"none of ours"}))
    assert file.changes == 1
    assert (ring.signing(), file.asked) == (kept, asked + 1), "one thread waits, not one for each who asks"
    file.answers.set()
    await eventually(lambda: not ring.is_lost)
    assert ring.signing() != kept


async def test_a_dropped_secret_is_gone_from_the_file_and_its_public_half_stays(tmp_path: Path) -> None:
    directory, clock = DataDirectory(tmp_path), ManualClock()
    ring = KeyRing(KeyFile(directory), clock)
    first = ring.key_set.signing
    KeyFile(directory).change(lambda found: rotated()(found).retired(first.id, clock.wall_ms()))
    await ring.tick()
    assert (ring.retired(), ring.is_retired(first.id)) == ((first.secret,), True)
    await ring.forget(frozenset({first.id}))
    found = KeyFile(directory).read().find(first.id)
    assert found is not None
    assert (found.secret, found.state(0)) == (None, KeyState.RETIRED)
    assert (ring.retired(), ring.former_records()) == ((), (first.record_key,))
    assert ring.is_retired(first.id)


async def test_servers_that_share_a_file_have_the_same_keys_within_a_look(tmp_path: Path) -> None:
    shared, clock = tmp_path / "share" / "keys.json", ManualClock()
    shared.parent.mkdir()
    a, b = named(tmp_path, "a"), named(tmp_path, "b")
    secret = a.load_key()
    first, second = (KeyRing(KeyFile(each, shared), clock) for each in (a, b))
    assert first.signing() == second.signing() == secret, "it begins with the keys of the first"
    for each in (a, b):
        each.remember_key_file(shared)
    KeyFile(a, shared).change(rotated())
    await second.tick()
    assert second.key_set == KeyFile(a, shared).read()
    for each in (a, b):
        KeyRing(KeyFile(each, shared), clock)
        assert KeyFile(each).read() == second.key_set, "its backup holds them"
        assert key_id(each.load_key()) == second.key_set.signing.id


async def test_a_share_that_is_gone_silences_nobody_and_is_not_begun_anew(tmp_path: Path) -> None:
    shared, clock = tmp_path / "share" / "keys.json", ManualClock()
    shared.parent.mkdir()
    directory = named(tmp_path, "a")
    ring = KeyRing(KeyFile(directory, shared), clock)
    directory.remember_key_file(shared)
    kept = ring.key_set
    shared.rename(tmp_path / "elsewhere")
    await ring.tick()
    assert ring.is_lost
    assert ring.key_set == kept
    again = KeyRing(KeyFile(directory, shared), clock)
    assert again.is_lost
    assert again.key_set == kept, "a restart goes on with the copy"
    with pytest.raises(DataDirectoryError, match="不见了"):
        KeyFile(directory, shared).change(rotated())
    assert not shared.exists()
    (tmp_path / "elsewhere").rename(shared)
    await again.tick()
    assert not again.is_lost


def test_another_token_key_beside_the_set_is_told_and_left_alone(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    file = KeyFile(directory)
    found = file.change(rotated())
    assert file.foreign(found) is None
    directory.token_key.write_bytes(b"z" * 32)
    assert file.foreign(found) == key_of(b"z" * 32, 0).id
    assert KeyRing(file, ManualClock()).key_set == found
