"""deploy/backup.sh: one backup more each night, and only then the oldest one less."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy" / "backup.sh"
COMMAND = """#!/bin/sh
test "$1" = backup && test "$3" = --data-dir || exit 9
test -z "$FAILS" || exit 1
mkdir "$2" && echo "$4" > "$2/of"
"""


class Installed:
    """The script beside a command that stands for ours."""

    def __init__(self, directory: Path) -> None:
        self.place = directory / "backups"
        self.place.mkdir()
        (directory / "share").mkdir()
        (directory / "bin").mkdir()
        self._script = directory / "share" / "backup.sh"
        shutil.copy(SCRIPT, self._script)
        command = directory / "bin" / "yuanshang"
        command.write_text(COMMAND)
        command.chmod(0o755)

    def has(self, *names: str) -> None:
        for name in names:
            (self.place / name).mkdir()

    def there(self) -> list[str]:
        return sorted(each.name for each in self.place.iterdir())

    def run(self, **environment: str) -> subprocess.CompletedProcess[str]:
        named = {"YUANSHANG_BACKUP_DIR": str(self.place), "YUANSHANG_DATA_DIR": "/the/data"}
        return subprocess.run(
            [str(self._script)],
            env={"PATH": os.environ["PATH"], **named, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed(tmp_path)


OLD = ("nightly-20250101T000000Z", "nightly-20250102T000000Z", "nightly-20250103T000000Z")


def test_a_backup_of_the_data_directory_is_made(installed: Installed) -> None:
    assert installed.run().returncode == 0
    (made,) = installed.there()
    assert made.startswith("nightly-2")
    assert (installed.place / made / "of").read_text() == "/the/data\n"


def test_only_the_newest_of_its_own_are_kept(installed: Installed) -> None:
    installed.has(*OLD, "before-0.1.0", "nightly of somebody")
    assert installed.run(YUANSHANG_BACKUP_KEEP="2").returncode == 0
    assert len(installed.there()) == 4
    assert {"before-0.1.0", "nightly of somebody", OLD[2]} < set(installed.there())


def test_a_backup_that_fails_costs_none(installed: Installed) -> None:
    installed.has(*OLD)
    done = installed.run(YUANSHANG_BACKUP_KEEP="1", FAILS="1")
    assert done.returncode == 1
    assert "备份失败" in done.stderr
    assert installed.there() == sorted(OLD)


def test_a_disk_that_is_not_mounted_is_told_of(installed: Installed, tmp_path: Path) -> None:
    done = installed.run(YUANSHANG_BACKUP_DIR=str(tmp_path / "not mounted"))
    assert done.returncode == 1
    assert "硬盘没有挂载" in done.stderr


@pytest.mark.parametrize("keep", ["0", "-1", "all", "07"])
def test_a_number_that_is_none_is_refused(installed: Installed, keep: str) -> None:
    assert installed.run(YUANSHANG_BACKUP_KEEP=keep).returncode == 2
    assert installed.there() == []
