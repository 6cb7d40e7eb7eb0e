"""The commands `keys …` on a data directory, without a server."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from conference.model.keyset import key_id
from signaling.auth.tokens import TokenKey
from signaling.cli import app
from signaling.data_dir import DataDirectory
from signaling.key_ring import key_ring


def run(data_dir: Path, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["keys", *arguments, "--data-dir", str(data_dir)], input=answer)


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    made = DataDirectory(tmp_path / "data")
    made.create()
    made.load_key()
    return made


def lines(directory: DataDirectory) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(directory.database)) as connection:
        query = "SELECT chain, action, actor_kind FROM audit_lines ORDER BY number"
        return [tuple(each) for each in connection.execute(query)]


def test_the_key_of_an_older_version_is_listed(directory: DataDirectory) -> None:
    listed = run(directory.path, "list")
    assert listed.exit_code == 0
    assert f"{key_id(directory.load_key())}  " in listed.stdout
    assert "0 天" in listed.stdout
    assert "签名" in listed.stdout
    assert not directory.key_set.exists()
    assert not directory.database.exists(), "looking makes nothing"


def test_rotating_and_listing(directory: DataDirectory) -> None:
    first = key_id(directory.load_key())
    done = run(directory.path, "rotate", "--overlap", "5")
    assert done.exit_code == 0, done.stderr
    second = key_id(directory.load_key())
    assert f"用密钥 {second} 签名" in done.stdout
    assert f"原密钥 {first}" in done.stdout
    assert "5 天" in done.stdout
    assert "keys.json 复制" not in done.stdout, "there is one server"
    said = json.loads(run(directory.path, "list", "--json").stdout)
    assert [(each["id"], each["state"]) for each in said["keys"]] == [(second, "signs"), (first, "accepted")]
    assert "secret" not in json.dumps(said)
    assert lines(directory) == [("staff", "key.rotated", "cli")]
    listed = run(directory.path, "list").stdout.splitlines()
    assert [each.split()[0] for each in listed[1:]] == [second, first]
    assert "认可到" in listed[2]
    assert run(directory.path, "rotate", "--overlap", "0").exit_code == 2


def test_a_command_signs_with_the_newest_key(directory: DataDirectory) -> None:
    CliRunner().invoke(
        app, ["consultation", "create", "--title", "x", "--id", "c", "--data-dir", str(directory.path)]
    )
    run(directory.path, "rotate")
    arguments = ["token", "--consultation", "c", "--role", "chair", "--name", "x"]
    made = CliRunner().invoke(app, [*arguments, "--data-dir", str(directory.path)])
    claims = TokenKey(key_ring(directory)).read(made.stdout.strip())
    assert claims.key_id == key_id(directory.load_key())


def test_retiring_says_what_it_does_and_asks(directory: DataDirectory) -> None:
    first = key_id(directory.load_key())
    refused = run(directory.path, "retire", first, answer="n\n")
    assert refused.exit_code == 1
    assert "立即失效" in refused.stderr
    assert key_id(directory.load_key()) == first
    assert lines(directory) == []
    done = run(directory.path, "retire", first, answer="y\n")
    assert done.exit_code == 0, done.stderr
    assert key_id(directory.load_key()) != first
    assert [each[1] for each in lines(directory)] == ["key.rotated", "key.retired"]
    assert "停用，只用来读旧数据" in run(directory.path, "list").stdout
    again = run(directory.path, "retire", first, "--yes")
    assert (again.exit_code, "已经停用" in again.stderr) == (1, True)
    unknown = run(directory.path, "retire", "deadbeef", "--yes")
    assert (unknown.exit_code, "没有密钥 deadbeef" in unknown.stderr) == (1, True)


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for arguments in (("list",), ("rotate",), ("retire", "x", "--yes")):
        refused = run(tmp_path / "none", *arguments)
        assert (refused.exit_code, refused.stdout) == (1, "")
    assert not (tmp_path / "none").exists()


def test_the_shared_file_of_the_server_is_the_one_that_is_changed(
    directory: DataDirectory, tmp_path: Path
) -> None:
    shared = tmp_path / "share.json"
    done = run(directory.path, "rotate", "--key-file", str(shared))
    assert done.exit_code == 0, done.stderr
    directory.remember_key_file(shared)
    before = json.loads(run(directory.path, "list", "--json").stdout)["fingerprint"]
    run(directory.path, "rotate")
    assert len(json.loads(shared.read_text())["keys"]) == 3
    assert json.loads(run(directory.path, "list", "--json").stdout)["fingerprint"] != before
    shared.write_text("{}")
    broken = run(directory.path, "rotate")
    assert (broken.exit_code, "不是密钥文件" in broken.stderr) == (1, True)
