"""From packets to voice on a line of program time: the ear, the gate, holes, clocks, and samples' times."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.support.media import opus_packets, speech, write_wav
from tests.support.transcriber_process import Samples, leveled, noise, silence
from transcription.gate import End, Voice
from transcription.line import Line, Part, Skip
from transcription.sound import FRAME_BYTES, Ear
from transcription.timing import TimeMap
from transcription.words import joined


@pytest.fixture(scope="module")
def said() -> Samples:
    return leveled(speech("各位代表大家好"))


def packets(tmp_path: Path, *sounds: Samples) -> list[bytes]:
    write_wav(tmp_path / "x.wav", np.concatenate(sounds))
    return opus_packets(tmp_path / "x.wav")


def pushed(line: Line, data: list[bytes], from_ms: float) -> list[Part]:
    return [part for number, each in enumerate(data) for part in line.push(each, from_ms + 20 * number)]


def bounds(parts: list[Part]) -> list[tuple[float, float]]:
    """From the first to the end of each stretch of voice."""
    found, first = [], None
    for part in parts:
        if isinstance(part, Voice) and first is None:
            first = part.at_ms
        elif isinstance(part, End) and first is not None:
            found.append((first, part.at_ms))
            first = None
    return found


def test_the_ear_keeps_pitch_loudness_and_time(tmp_path: Path) -> None:
    times = np.arange(48_000) / 48_000
    tone = (np.sin(times * 2 * np.pi * 1_000) * 8_000).astype(np.int16)
    ear = Ear()
    frames = [
        frame for n, each in enumerate(packets(tmp_path, tone)) for frame in ear.push(each, 1_000 + 20 * n)
    ]
    assert all(len(frame.pcm) == FRAME_BYTES for frame in frames)
    assert all(after.at_ms - before.at_ms == pytest.approx(20) for before, after in pairwise(frames))
    assert abs(frames[0].at_ms - 1_000) < 25
    heard = np.frombuffer(b"".join(frame.pcm for frame in frames), np.int16)[8_000:]
    loudest = np.abs(np.fft.rfft(heard)).argmax() * 16_000 / len(heard)
    assert abs(loudest - 1_000) < 5
    assert 6_000 < np.abs(heard).max() < 10_000


def test_the_ear_hears_nothing_in_what_is_no_opus() -> None:
    assert Ear().push(b"", 0) == []
    assert Ear().push(b"\xff" * 3, 0) == []


def test_voice_comes_with_what_stands_before_and_behind_it(tmp_path: Path, said: Samples) -> None:
    parts = pushed(Line(), packets(tmp_path, silence(2), said, silence(2), said, silence(2)), 10_000)
    (one, one_end), (two, two_end) = bounds(parts)
    length_ms = len(said) / 48
    assert 11_500 < one < 12_000
    assert 12_000 + length_ms + 500 < one_end < 12_000 + length_ms + 1_400
    assert abs((two - one) - (length_ms + 2_000)) < 100
    assert abs((two_end - one_end) - (length_ms + 2_000)) < 100
    inside = [part for part in parts if isinstance(part, Voice)]
    assert all(after.at_ms > before.at_ms for before, after in pairwise(inside))


@pytest.mark.parametrize("sound", ["silence", "noise"])
def test_silence_and_noise_open_no_gate(tmp_path: Path, sound: str) -> None:
    line = Line()
    samples = silence(5) if sound == "silence" else noise(5, 500)
    assert pushed(line, packets(tmp_path, samples), 0) == []
    assert 4_000 < line.quiet_to_ms <= 5_000


def test_a_hole_is_silence_and_ends_the_utterance(tmp_path: Path, said: Samples) -> None:
    line, data = Line(), packets(tmp_path, silence(1), said)
    parts = pushed(line, data, 0)
    assert line.is_voiced
    parts += pushed(line, data, 30_000)
    parts += line.pause()
    (_, one_end), (two, _) = bounds(parts)
    assert one_end < len(data) * 20 + 1_400
    assert 30_500 < two < 31_000


def test_short_holes_do_not_part_words(tmp_path: Path, said: Samples) -> None:
    line, data = Line(), packets(tmp_path, silence(0.5), said, silence(2))
    parts = [
        part
        for number, each in enumerate(data)
        for part in (line.push(each, number * 20) if number % 25 or number < 5 else [])
    ]
    assert len(bounds(parts)) == 1
    assert sum(part.ms for part in parts if isinstance(part, Voice)) > len(said) / 48


def test_what_was_lost_is_skipped_where_sound_goes_on(tmp_path: Path) -> None:
    line, data = Line(), packets(tmp_path, silence(1))
    assert line.lose() == []  # nothing was heard yet, so nothing is missing
    pushed(line, data, 0)
    assert line.lose() == []
    line.wait_until(5_000)
    (skip,) = pushed(line, data, 8_000)
    assert isinstance(skip, Skip)
    assert (round(skip.from_ms / 50), round(skip.to_ms / 50)) == (20, 160)


def test_a_clock_set_back_is_caught_up_with_in_a_pause(tmp_path: Path, said: Samples) -> None:
    line, data = Line(), packets(tmp_path, silence(0.5), said, silence(3))
    parts = pushed(line, data, 10_000)
    end_ms = line.end_ms
    parts += pushed(line, data, end_ms - 2_000)
    voiced = [part.at_ms for part in parts if isinstance(part, Voice)]
    assert voiced == sorted(voiced)
    assert len(bounds(parts)) == 2
    assert abs(line.end_ms - (end_ms - 2_000 + len(data) * 20)) < 100


def test_time_goes_on_without_sound_when_it_is_told_so(tmp_path: Path) -> None:
    line = Line()
    line.wait_until(9_000)
    assert line.began_ms is None
    pushed(line, packets(tmp_path, silence(1)), 0)
    line.wait_until(9_000)
    assert line.quiet_to_ms == line.end_ms == 9_000
    line.wait_until(4_000)
    assert line.end_ms == 9_000


def test_samples_map_to_the_times_at_which_they_were_heard() -> None:
    times = TimeMap()
    times.add(1_600, 3_200, 10_000)
    times.add(4_800, 3_200, 60_000)
    assert [times.at_ms(each) for each in (0, 1_600, 3_200, 4_799, 4_800, 8_000, 99_000)] == [
        10_000,
        10_000,
        10_100,
        pytest.approx(10_200, abs=0.1),
        60_000,
        60_200,
        60_200,
    ]
    times.forget_before(5_000)
    assert times.at_ms(1_600) == 60_000
    with pytest.raises(IndexError):
        TimeMap().at_ms(0)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["我们", "的", "app", "很", "好"], "我们的app很好"),
        (["오늘", "회의"], "오늘 회의"),
        (["hello", "", "world"], "hello world"),
        ([], ""),
    ],
)
def test_words_are_joined_as_their_script_wants(words: list[str], text: str) -> None:
    assert joined(words) == text
