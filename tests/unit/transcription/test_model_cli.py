"""The commands for speech models."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from signaling.cli import app
from tests.unit.transcription.test_models import vosk_files, zipped


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["model", *arguments, "--data-dir", str(data_dir)])


def test_a_model_is_installed_and_listed_with_the_one_in_use(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x.zip", vosk_files())
    assert run(tmp_path / "data", "list").output == ""
    made = run(tmp_path / "data", "install", str(archive))
    assert (made.exit_code, made.stdout) == (0, "vosk-model-small-cn-0.22\n")
    listed = run(tmp_path / "data", "list")
    assert listed.stdout.split("\t")[:2] == ["vosk-model-small-cn-0.22*", "vosk"]


def test_what_cannot_be_installed_ends_with_a_reason(tmp_path: Path) -> None:
    made = run(tmp_path / "data", "install", str(tmp_path / "nothing"))
    assert made.exit_code == 1
    assert "zh-small" in made.stderr
    assert made.stdout == ""
