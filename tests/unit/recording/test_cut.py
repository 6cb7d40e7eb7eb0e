"""A stretch of a microphone's sound: the same packets, at their times, from files of any state."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from conference.export_job import TrackFile
from recording.exports.cut import cut
from recording.track_writer import Format, TrackWriter
from tests.support.encoded import sounds

SECOND_US = 1_000_000
PACKET_MS = 20


def recorded(
    directory: Path,
    name: str,
    started_at_ms: int,
    seconds: int,
    hole: tuple[int, int] = (0, 0),
    *,
    is_open: bool = False,
) -> tuple[TrackFile, list[bytes]]:
    """A file of so many seconds with a hole between two of them; and its packets, one each 20 ms."""
    packets = sounds(seconds * 50)
    writer = TrackWriter(directory / name, Format("opus"))
    for number, data in enumerate(packets):
        at_us = number * PACKET_MS * 1000
        if not hole[0] * SECOND_US <= at_us < hole[1] * SECOND_US:
            writer.write(data, at_us, is_key=True)
    if is_open:
        writer.sync()
        (directory / f"open-{name}").write_bytes((directory / name).read_bytes())
        name = f"open-{name}"
    writer.close()
    return TrackFile(name, "microphone", "opus", started_at_ms, seconds * 1000), packets


def read(data: bytes) -> list[tuple[int, bytes]]:
    """Milliseconds and packets of a WebM."""
    with av.open(io.BytesIO(data), "r") as container:
        (stream,) = container.streams.audio
        assert (container.format.name, stream.codec_context.name) == ("matroska,webm", "opus")
        return [
            (round(float(packet.pts * packet.time_base) * 1000), bytes(packet))
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None and packet.size
        ]


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "still written"])
@pytest.mark.parametrize("from_s", [0, 7, 17])
def test_the_stretch_and_nothing_else(tmp_path: Path, from_s: int, is_open: bool) -> None:
    file, packets = recorded(tmp_path, "a.webm", 5_000, 20, is_open=is_open)
    made = read(cut(tmp_path, [file], 5_000 + from_s * 1000, 7_000 + from_s * 1000))
    assert [data for _, data in made] == packets[from_s * 50 : from_s * 50 + 100]
    assert made[0][0] <= 1
    assert made[-1][0] == pytest.approx(2000 - PACKET_MS, abs=1)


def test_it_plays(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, "a.webm", 0, 10)
    with av.open(io.BytesIO(cut(tmp_path, [file], 4_000, 6_000)), "r") as container:
        frames = list(container.decode(audio=0))
    assert sum(frame.samples for frame in frames) / 48_000 == pytest.approx(2, abs=0.03)
    assert max(float(np.abs(frame.to_ndarray()).max()) for frame in frames[5:]) > 0.1


def test_a_stretch_over_two_files_and_the_hole_between_them(tmp_path: Path) -> None:
    files = [recorded(tmp_path, "a.webm", 0, 5)[0], recorded(tmp_path, "b.webm", 8_000, 5)[0]]
    times = [at_ms for at_ms, _ in read(cut(tmp_path, files[::-1], 4_000, 9_000))]
    assert times[0] <= 1
    assert [(a, b) for a, b in pairwise(times) if b - a > 2 * PACKET_MS] == [(980, 4000)]
    assert times[-1] == pytest.approx(4980, abs=1)


def test_files_that_lie_one_upon_the_other_are_not_heard_twice(tmp_path: Path) -> None:
    files = [recorded(tmp_path, "a.webm", 0, 5)[0], recorded(tmp_path, "b.webm", 4_000, 5)[0]]
    times = [at_ms for at_ms, _ in read(cut(tmp_path, files, 3_000, 6_000))]
    assert times == sorted(set(times))
    assert len(times) == 150


def test_a_hole_in_a_file_stays_a_hole(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, "a.webm", 0, 12, hole=(3, 9))
    times = [at_ms for at_ms, _ in read(cut(tmp_path, [file], 5_000, 10_000))]
    assert times[0] == pytest.approx(4000, abs=1)
    assert len(times) == 50


def test_where_nothing_was_recorded_there_is_nothing(tmp_path: Path) -> None:
    file, _ = recorded(tmp_path, "a.webm", 0, 12, hole=(3, 9))
    gone = TrackFile("gone.webm", "microphone", "opus", 0, 9_000)
    (tmp_path / "junk.webm").write_bytes(b"no sound")
    junk = TrackFile("junk.webm", "microphone", "opus", 0, 9_000)
    assert cut(tmp_path, [file], 4_000, 6_000) == b""
    assert cut(tmp_path, [file], 60_000, 61_000) == b""
    assert cut(tmp_path, [gone, junk], 0, 1_000) == b""


def test_the_process_answers_with_the_file(tmp_path: Path) -> None:
    file, packets = recorded(tmp_path, "a.webm", 0, 3)
    asked = {
        "recordings": str(tmp_path),
        "files": [
            {
                "path": file.path,
                "source": "microphone",
                "codec": "opus",
                "started_at_ms": 0,
                "duration_ms": 3000,
            }
        ],
        "from_ms": 1_000,
        "to_ms": 2_000,
    }
    for change, code in (({}, 0), ({"to_ms": 1_000}, 1), ({"to_ms": 10_000_000}, 1)):
        done = subprocess.run(
            [sys.executable, "-m", "recording.exports.cut"],
            input=json.dumps(asked | change).encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        if code == 0:
            assert [data for _, data in read(done.stdout)] == packets[50:100]
