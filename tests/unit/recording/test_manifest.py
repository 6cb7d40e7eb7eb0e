"""The manifest: what was appended is there, whatever happened to its last line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from recording.manifest import NAME, Manifest, files_of, read_manifest

OPENED = {"fact": "opened", "file": "p_1-camera-1.webm", "codec": "vp8", "started_at_ms": 40}


def test_facts_come_back_in_order(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.append(OPENED)
        manifest.append({"fact": "gap", "file": "p_1-camera-1.webm", "packets": 3})
    with Manifest(tmp_path) as manifest:
        manifest.append({"fact": "note", "text": "会场"})
    facts = read_manifest(tmp_path)
    assert [each["fact"] for each in facts] == ["opened", "gap", "note"]
    assert facts[0] == OPENED
    assert facts[2]["text"] == "会场"


def test_nothing_without_a_manifest(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == []


def test_a_torn_line_is_passed_over_and_does_not_swallow_the_next(tmp_path: Path) -> None:
    with Manifest(tmp_path) as manifest:
        manifest.append(OPENED)
    with (tmp_path / NAME).open("ab") as file:
        file.write('{"fact":"closed","file":"会'.encode()[:-1])
    assert read_manifest(tmp_path) == [OPENED]
    with Manifest(tmp_path) as manifest:
        manifest.append({"fact": "closed", "file": "p_1-camera-1.webm", "frames": 2})
    assert [each["fact"] for each in read_manifest(tmp_path)] == ["opened", "closed"]


def test_what_is_no_fact_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'[1]\n"x"\n{"a":1}\n{"fact":7}\n\xff\xfe\n{"fact":"gap"}\n')
    assert read_manifest(tmp_path) == [{"fact": "gap"}]


def test_files_are_closed_by_their_closing_only() -> None:
    second = {**OPENED, "file": "p_1-camera-2.webm"}
    closed = {"fact": "closed", "file": "p_1-camera-1.webm", "frames": 9}
    files = files_of([OPENED, second, closed, {"fact": "closed", "file": "never-opened"}])
    assert {name: each["closed"] for name, each in files.items()} == {
        "p_1-camera-1.webm": True,
        "p_1-camera-2.webm": False,
    }
    assert files["p_1-camera-1.webm"]["frames"] == 9
    assert files["p_1-camera-1.webm"]["codec"] == "vp8"


def test_what_was_appended_outlives_a_kill(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from recording.manifest import Manifest\n"
        "m = Manifest(Path(sys.argv[1])); m.append({'fact': 'note', 'n': 1}); print('said', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"said\n"
        os.kill(child.pid, signal.SIGKILL)
    assert read_manifest(tmp_path) == [{"fact": "note", "n": 1}]
