"""Sound of a job from its files: what is not in them was not heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from conference.worker_events import ListenJob, SoundFile
from recording.track_writer import Format, TrackWriter
from tests.support.encoded import sounds
from transcription.files import FileSource
from transcription.line import Skip

SECONDS = 4


def recorded(path: Path, *, pause_after: int | None = None, pause_ms: int = 0) -> None:
    """Of four seconds, with a pause of the microphone before one of its packets."""
    writer = TrackWriter(path, Format("opus"))
    for number, data in enumerate(sounds(SECONDS * 50)):
        paused_ms = pause_ms if pause_after is not None and number >= pause_after else 0
        writer.write(data, (number * 20 + paused_ms) * 1000, is_key=True)
    writer.close()


def read(tmp_path: Path, from_ms: int, to_ms: int, *started_at_ms: int) -> tuple[str, list[Skip]]:
    files = tuple(SoundFile(f"{each}.webm", each) for each in started_at_ms)
    source = FileSource(ListenJob("j", "c", "p", files, from_ms, to_ms), tmp_path)
    found: list[Skip] = []
    while not source.is_over:
        found += [each for each in source.read() if isinstance(each, Skip)]
    return source.reason, found


def test_a_file_that_is_there_is_read_to_its_end(tmp_path: Path) -> None:
    recorded(tmp_path / "0.webm")
    assert read(tmp_path, 0, 4_000, 0) == ("", [])
    assert read(tmp_path, 1_000, 3_000, 0) == ("", [])
    assert read(tmp_path, 0, 4_500, 0) == ("", []), "its last half second may not be on the disk"


def test_what_a_file_lacks_at_its_end_was_not_heard(tmp_path: Path) -> None:
    recorded(tmp_path / "0.webm")
    reason, (skip,) = read(tmp_path, 0, 9_000, 0)
    assert (reason, skip.to_ms) == ("unreadable", 9_000)
    assert skip.from_ms == pytest.approx(4_000, abs=50)


def test_a_file_that_was_cut_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    recorded(tmp_path / "0.webm")
    whole = (tmp_path / "0.webm").read_bytes()
    (tmp_path / "0.webm").write_bytes(whole[: len(whole) // 2])
    recorded(tmp_path / "4000.webm")
    reason, (skip,) = read(tmp_path, 0, 8_000, 0, 4_000)
    assert (reason, skip.to_ms) == ("unreadable", 4_000)
    assert 1_000 < skip.from_ms < 3_000


def test_a_pause_of_the_microphone_is_silence(tmp_path: Path) -> None:
    recorded(tmp_path / "0.webm", pause_after=100, pause_ms=60_000)
    assert read(tmp_path, 0, 64_000, 0) == ("", [])
    assert read(tmp_path, 1_000, 30_000, 0) == ("", []), "the pause lasts longer than what is asked for"
    assert read(tmp_path, 20_000, 40_000, 0) == ("", [])
