"""Generated files are what the fake devices and decoders accept."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.media import opus_packets, participant_video, speech_wav, vp8_clip
from tests.support.picture_code import Code, read_code


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("container", ["mjpeg", "y4m"])
def test_video_file_decodes(container: str) -> None:
    path = participant_video(2, (320, 180), 10, 0.5, container="mjpeg" if container == "mjpeg" else "y4m")
    with av.open(str(path)) as opened:
        codes = [read_code(frame.to_ndarray(format="rgb24")) for frame in opened.decode(video=0)]
    assert codes == [Code(2, number) for number in range(5)]


def test_files_are_made_once() -> None:
    first = participant_video(1, (64, 36), 5, 0.4)
    made = first.stat().st_mtime_ns
    assert participant_video(1, (64, 36), 5, 0.4) == first
    assert first.stat().st_mtime_ns == made
    assert participant_video(2, (64, 36), 5, 0.4) != first


def test_speech_is_loud_and_pauses() -> None:
    path = speech_wav("一二三", seconds=4.0)
    with wave.open(str(path)) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (48_000, 1, 2)
        samples = np.frombuffer(opened.readframes(opened.getnframes()), np.int16).astype(np.float64)
    assert len(samples) == 4 * 48_000
    levels = np.sqrt((samples[: len(samples) // 4800 * 4800].reshape(-1, 4800) ** 2).mean(axis=1))
    assert (levels > 1000).sum() > 10
    assert (levels < 30).sum() >= 3


def test_opus_packets_are_20_ms() -> None:
    packets = opus_packets(speech_wav("一二三", seconds=1.0))
    assert len(packets) >= 49
    assert max(map(len, packets)) > 40


def test_clip_starts_with_a_keyframe() -> None:
    clip = vp8_clip(4, frames=6)
    assert len(clip) == 6
    assert [frame[0] & 1 for frame in clip] == [0, 1, 1, 1, 1, 1]
