"""The meter of what consultations take on the disk, with its real process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from recording.usage import used_bytes
from signaling import storage_meter
from signaling.storage_meter import DirectoryMeter


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


async def test_all_files_of_a_consultation_are_counted_wherever_they_lie(tmp_path: Path) -> None:
    recordings, program, clips = (tmp_path / each for each in ("recordings", "program", "clips"))
    put(recordings / "a" / "1" / "1.webm", 100)
    put(recordings / "a" / "exports" / "x.mp4", 30)
    put(recordings / "b" / "1" / "2.webm", 7)
    put(program / "a" / "1" / "720p" / "00001.m4s", 1000)
    put(recordings / "stray.part", 5000)
    (recordings / "b" / "1" / "link.webm").symlink_to(recordings / "a" / "1" / "1.webm")
    link = (recordings / "b" / "1" / "link.webm").lstat().st_size
    measured = await DirectoryMeter(recordings, program, clips).measure()
    assert measured == {"a": 1130, "b": 7 + link}, "clips are not there yet"


def test_a_folder_that_is_deleted_meanwhile_takes_nothing(tmp_path: Path) -> None:
    assert used_bytes(tmp_path / "gone") == 0


async def test_a_process_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_meter, "_WORKER", "recording.no_such_worker")
    with pytest.raises(OSError, match="measuring ended"):
        await DirectoryMeter(tmp_path).measure()


async def test_nobody_waits_for_it_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_meter, "_WORKER", "http.server")  # runs until it is killed
    measuring = asyncio.ensure_future(DirectoryMeter(Path("0")).measure())
    await asyncio.sleep(0.3)
    measuring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await measuring
