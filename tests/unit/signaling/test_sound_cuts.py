"""Cut sound: made in a process, remembered while there is room, and refused in words when it cannot be made."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from conference.export_job import TrackFile
from conference.model.errors import ConferenceError
from recording.track_writer import Format, TrackWriter
from signaling import sound_cuts
from signaling.sound_cuts import SoundCuts
from tests.support.encoded import sounds


@pytest.fixture
def file(tmp_path: Path) -> TrackFile:
    """Ten seconds of a microphone."""
    writer = TrackWriter(tmp_path / "a.webm", Format("opus"))
    for number, data in enumerate(sounds(500)):
        writer.write(data, number * 20_000, is_key=True)
    writer.close()
    return TrackFile("a.webm", "microphone", "opus", 0, 10_000)


async def test_the_same_is_made_once(tmp_path: Path, file: TrackFile) -> None:
    cuts = SoundCuts(tmp_path)
    first = await cuts.cut([file], 1_000, 2_000, keep=True)
    (tmp_path / "a.webm").unlink()
    assert await cuts.cut([file], 1_000, 2_000, keep=True) == first
    assert await cuts.cut([file], 1_000, 2_001, keep=True) == b""


async def test_what_still_grows_is_not_remembered(tmp_path: Path, file: TrackFile) -> None:
    cuts = SoundCuts(tmp_path)
    assert await cuts.cut([file], 1_000, 2_000, keep=False)
    (tmp_path / "a.webm").unlink()
    assert await cuts.cut([file], 1_000, 2_000, keep=False) == b""


async def test_what_was_asked_for_longest_ago_makes_room(
    tmp_path: Path, file: TrackFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = SoundCuts(tmp_path)
    size = len(await cuts.cut([file], 0, 1_000, keep=True))
    monkeypatch.setattr(sound_cuts, "_KEPT_BYTES", 2 * size + size // 2)
    for second in (1, 2):
        await cuts.cut([file], second * 1_000, second * 1_000 + 1_000, keep=True)
    (tmp_path / "a.webm").unlink()
    assert await cuts.cut([file], 2_000, 3_000, keep=True)
    assert await cuts.cut([file], 0, 1_000, keep=True) == b""


async def test_a_process_that_fails_or_takes_too_long(tmp_path: Path, file: TrackFile) -> None:
    for cuts, code in (
        (SoundCuts(tmp_path, worker="tests.no_such_module"), "nothing_recorded"),
        (SoundCuts(tmp_path, patience_s=0.0), "rate_limited"),
    ):
        with pytest.raises(ConferenceError) as error:
            await cuts.cut([file], 0, 1_000, keep=True)
        assert error.value.code == code


async def test_many_at_once_are_turned_away(tmp_path: Path, file: TrackFile) -> None:
    cuts = SoundCuts(tmp_path)
    done = await asyncio.gather(
        *(cuts.cut([file], n, n + 1_000, keep=True) for n in range(20)), return_exceptions=True
    )
    refused = [each for each in done if isinstance(each, ConferenceError)]
    assert len(refused) == 4
    assert {each.code for each in refused} == {"rate_limited"}
