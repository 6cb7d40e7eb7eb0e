"""Files of tracks: every frame in, every frame out, no complaint from FFmpeg; also of one nobody closed."""

from __future__ import annotations

import hashlib
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from recording.track_writer import Format, TrackWriter, UnreadableError, measured, sha256_of
from tests.support.encoded import Picture, decoded, goes_forward, pictures, sounds

X264 = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}


def made(codec: str) -> tuple[list[Picture], str]:
    if codec == "vp8":
        return pictures("libvpx", options={"deadline": "realtime"}), ".webm"
    return pictures("libx264", options=X264), ".mp4"


def write(writer: TrackWriter, frames: list[Picture]) -> None:
    for each in frames:
        writer.write(each.data, each.at_us, is_key=each.is_key)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_pictures_come_out_as_they_went_in(tmp_path: Path, codec: str) -> None:
    frames, suffix = made(codec)
    path = tmp_path / f"p-camera-1{suffix}"
    writer = TrackWriter(path, Format(codec, 320, 240, frames[0].data))
    write(writer, frames)
    finished = writer.close()
    count, complaints, times = decoded(path)
    assert (count, complaints) == (len(frames), [])
    assert times == pytest.approx([each.at_us / 1e6 for each in frames], abs=0.002)
    assert finished.frames == len(frames)
    assert finished.duration_ms == pytest.approx(2000, abs=5)
    assert finished.size_bytes == path.stat().st_size
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_sound_with_a_pause_keeps_its_times(tmp_path: Path) -> None:
    packets = sounds(100)
    path = tmp_path / "p-microphone-1.webm"
    writer = TrackWriter(path, Format("opus"))
    for number, data in enumerate(packets):
        writer.write(data, number * 20_000 + (3_000_000 if number >= 50 else 0), is_key=True)
    assert writer.close().duration_ms == 5000
    count, complaints, times = decoded(path)
    assert (count, complaints) == (100, [])
    assert times[50] - times[49] == pytest.approx(3.02, abs=0.002)


def test_pictures_out_of_order_are_shown_in_order(tmp_path: Path) -> None:
    frames = pictures("libx264", options={"preset": "fast"})
    assert [each.at_us for each in frames] != sorted(each.at_us for each in frames)  # else this tests nothing
    path = tmp_path / "p-camera-1.mp4"
    writer = TrackWriter(path, Format("h264", 320, 240, frames[0].data))
    write(writer, frames)
    writer.close()
    count, complaints, times = decoded(path)
    assert (count, complaints) == (len(frames), [])
    assert goes_forward(times)
    shift_s = writer.shift_us / 1e6
    assert times == pytest.approx([number / 30 + shift_s for number in range(60)], abs=0.002)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_file_that_nobody_closed_holds_all_but_the_open_second(tmp_path: Path, codec: str) -> None:
    frames, suffix = made(codec)
    path, copy = tmp_path / f"p-camera-1{suffix}", tmp_path / f"copy{suffix}"
    writer = TrackWriter(path, Format(codec, 320, 240, frames[0].data))
    write(writer, frames)
    writer.sync()
    shutil.copy(path, copy)  # what a kill would leave
    writer.close()
    count, complaints, _ = decoded(copy)
    assert complaints == []
    assert len(frames) - 30 <= count < len(frames)
    found = measured(copy)
    assert found is not None
    assert found.frames == count
    assert found.size_bytes == copy.stat().st_size
    probe = subprocess.run(["ffprobe", "-v", "warning", str(copy)], capture_output=True, check=True)
    assert probe.stderr == b""


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "p-microphone-1.webm"
    path.write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        TrackWriter(path, Format("opus"))
    assert path.read_bytes() == b"kept"


@pytest.mark.parametrize("first", [b"", b"\x00\x00\x00\x01\x65garbage", bytes(range(256)) * 4])
def test_a_broken_keyframe_makes_no_file(tmp_path: Path, first: bytes) -> None:
    with pytest.raises(UnreadableError):
        TrackWriter(tmp_path / "p-camera-1.mp4", Format("h264", 320, 240, first))
    assert list(tmp_path.iterdir()) == []


def test_time_that_goes_back_is_straightened(tmp_path: Path) -> None:
    path = tmp_path / "p-camera-1.webm"
    frames = pictures("libvpx", 10)
    writer = TrackWriter(path, Format("vp8", 320, 240))
    for number, each in enumerate(frames):
        writer.write(each.data, -50_000 if number == 5 else each.at_us, is_key=each.is_key)
    writer.close()
    count, complaints, _ = decoded(path)
    assert (count, complaints) == (10, [])


def test_nothing_to_measure_in_a_file_without_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "p-camera-1.webm"
    path.write_bytes(b"\x1a\x45\xdf\xa3 torn")
    assert measured(path) is None


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@pytest.mark.parametrize("way", ["close", "abandon"])
def test_a_disk_that_takes_half_of_the_end_leaves_a_file_that_plays(
    tmp_path: Path, codec: str, way: str
) -> None:
    frames, suffix = made(codec)
    path = tmp_path / f"p-camera-1{suffix}"
    writer = TrackWriter(path, Format(codec, 320, 240, frames[0].data))
    write(writer, frames)
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (writer.size_bytes + 500, hard))
    try:
        if way == "close":
            with pytest.raises(OSError, match="File too large"):
                writer.close()
        else:
            writer.abandon()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    count, complaints, _ = decoded(path)
    assert complaints == []
    assert count >= len(frames) // 2


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@pytest.mark.parametrize("room", [0, 200, 1000, 100_000])
def test_a_file_that_is_let_go_of_plays_whether_or_not_the_disk_takes_its_end(
    tmp_path: Path, codec: str, room: int
) -> None:
    frames, suffix = made(codec)
    path = tmp_path / f"p-camera-1{suffix}"
    writer = TrackWriter(path, Format(codec, 320, 240, frames[0].data))
    write(writer, frames)
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (writer.size_bytes + room, hard))
    try:
        writer.abandon()
        writer.abandon()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    count, complaints, _ = decoded(path)
    assert complaints == []
    assert count == len(frames) if room == 100_000 else 30 <= count <= len(frames)
