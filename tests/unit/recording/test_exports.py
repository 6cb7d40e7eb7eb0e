"""What is made out of recordings, from real files: played again, and FFmpeg has nothing to say against it."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from conference.export_job import CaptionLine, ChapterMark, ExportJob, MadeFile, TrackFile
from recording.exports.__main__ import Request, make
from recording.exports.program_reader import read_lives
from recording.exports.sink import NothingRecordedError, Sink, UnreadableError
from recording.hls.journal import Journal, is_being_written
from recording.segments import DiskError
from recording.track_writer import Format, TrackWriter
from tests.support.encoded import pictures, sounds
from tests.support.program_files import MadeLife, brightness, make_program, pitch

MARKS = (ChapterMark("开场", 0), ChapterMark("发言：张三", 2500), ChapterMark("总结", 8_000))
PROGRAM = ExportJob("program", "c", "协商会", chapters=MARKS)


class Place:
    """Directories of a server, and what is made in them."""

    def __init__(self, path: Path) -> None:
        self.recordings, self.programs = path / "recordings", path / "program"
        self.recordings.mkdir()

    @property
    def program(self) -> Path:
        return self.programs / "c"

    def make(self, job: ExportJob, name: str = "x.mp4", reserve_bytes: int = 1) -> tuple[Path, MadeFile]:
        out = self.recordings / "c" / "exports" / name
        made = make(Request(job, str(self.recordings), str(self.programs), str(out), reserve_bytes))
        assert made.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
        assert made.size_bytes == out.stat().st_size
        assert [each.name for each in out.parent.iterdir() if each.suffix == ".part"] == []
        assert_no_complaint(out)
        return out, made

    def left(self) -> list[str]:
        return sorted(each.name for each in self.recordings.glob("c/exports/*"))

    def track(
        self, source: str, at_ms: int, seconds: int, codec: str = "vp8", size: tuple[int, int] = (320, 240)
    ) -> TrackFile:
        """A file as the recorder makes it."""
        name = f"c/1/p-{source}-{at_ms}.{'mp4' if codec == 'h264' else 'webm'}"
        path = self.recordings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if codec == "opus":
            writer = TrackWriter(path, Format("opus"))
            for number, packet in enumerate(sounds(seconds * 50)):
                writer.write(packet, number * 20_000, is_key=True)
        else:
            encoder = {"vp8": "libvpx", "h264": "libx264"}[codec]
            options = {"deadline": "realtime"} if codec == "vp8" else {"tune": "zerolatency"}
            frames = pictures(encoder, seconds * 30, *size, options={"g": "30", **options})
            writer = TrackWriter(path, Format(codec, *size, frames[0].data))
            for frame in frames:
                writer.write(frame.data, frame.at_us, is_key=frame.is_key)
        return TrackFile(name, source, codec, at_ms, writer.close().duration_ms)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def assert_no_complaint(path: Path) -> None:
    run("ffmpeg", "-v", "warning", "-i", str(path), "-f", "null", "-")
    run("ffprobe", "-v", "warning", "-show_streams", "-show_chapters", str(path))


def probed(path: Path) -> dict[str, Any]:
    command = ("-v", "warning", "-show_streams", "-show_chapters", "-show_format", "-of", "json")
    found: dict[str, Any] = json.loads(run("ffprobe", *command, str(path)))
    return found


def codecs(path: Path) -> list[str]:
    return [each["codec_name"] for each in probed(path)["streams"]]


def brightnesses(path: Path) -> dict[int, float]:
    """By time in milliseconds."""
    with av.open(str(path)) as container:
        return {
            round((frame.time or 0) * 1000): float(frame.to_ndarray(format="gray").mean())
            for frame in container.decode(video=0)
        }


def heard(path: Path) -> np.ndarray[Any, Any]:
    """Samples of the left at their times; what no packet covers is silent."""
    out = np.zeros(48_000 * 60, np.float32)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            at = round((frame.time or 0) * 48_000)
            samples = frame.to_ndarray()[0]
            out[max(0, at) : at + len(samples)] = samples[max(0, -at) :]
    return out


def loudness(samples: np.ndarray[Any, Any], from_ms: int, to_ms: int) -> float:
    return float(np.sqrt(np.mean(samples[from_ms * 48 : to_ms * 48] ** 2)))


def tone(samples: np.ndarray[Any, Any], from_ms: int, to_ms: int) -> float:
    """The loudest pitch in Hz."""
    piece = samples[from_ms * 48 : to_ms * 48]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
    return float(np.argmax(spectrum) * 48_000 / len(piece))


# ── the program ─────────────────────────────────────────────────────────────────────────────────


def test_all_lives_come_on_one_time_line_with_chapters(place: Place) -> None:
    make_program(place.program, [MadeLife(0, 4), MadeLife(7_300, 3)])
    path, made = place.make(PROGRAM)
    assert (made.from_ms, made.duration_ms) == (0, 10_300)
    seen = probed(path)
    assert [each["codec_name"] for each in seen["streams"]] == ["h264", "aac"]
    chapters = [(float(each["start_time"]), each["tags"]["title"]) for each in seen["chapters"]]
    assert chapters == [(0.0, "开场"), (2.5, "发言：张三"), (8.0, "总结")]
    assert float(seen["format"]["duration"]) == pytest.approx(10.3, abs=0.03)
    assert seen["format"]["tags"]["title"] == "协商会"
    pictures_ = brightnesses(path)
    assert len(pictures_) == 7 * 25
    for at_ms in (0, 1000, 3960, 7300, 8300, 10_260):
        life_ms = 0 if at_ms < 7300 else 7300
        assert pictures_[at_ms] == pytest.approx(
            _gray(brightness(life_ms // 1000 + (at_ms - life_ms) // 1000)), abs=3
        )
    sound = heard(path)
    assert tone(sound, 1000, 3000) == pytest.approx(pitch(1), abs=2)
    assert tone(sound, 8000, 10_000) == pytest.approx(pitch(2), abs=2)
    assert loudness(sound, 4100, 7200) < 1e-4


def _gray(luma: int) -> float:
    return (luma - 16) * 255 / 219


def test_the_sound_has_no_hole_where_nothing_was_made(place: Place) -> None:
    """Players that take no notice of one would be out of step behind it."""
    make_program(place.program, [MadeLife(0, 2), MadeLife(5_000, 2)])
    path, _ = place.make(PROGRAM)
    with av.open(str(path)) as container:
        times = [(each.pts or 0, each.duration or 0) for each in container.demux(audio=0) if each.size]
    assert all(0 <= later[0] - sum(first) < 1024 for first, later in pairwise(times))


def test_what_was_said_stands_under_the_picture(place: Place) -> None:
    make_program(place.program, [MadeLife(1_000, 3), MadeLife(6_000, 3)])
    said = (
        CaptionLine("何委员：同时说话", 2_200, 3_000),
        CaptionLine("林委员：村里最缺的，是懂护理的人。", 1_500, 2_600),
        CaptionLine("周主持人：散会。", 8_500, 60_000),
        CaptionLine("谁也没有听见", 0, 900),
    )
    path, made = place.make(replace(PROGRAM, captions=said))
    assert (made.from_ms, made.duration_ms) == (1_000, 8_000)
    seen = probed(path)
    assert [each["codec_name"] for each in seen["streams"]] == ["h264", "aac", "mov_text"]
    assert seen["streams"][2]["tags"]["language"] == "zho"
    assert len(seen["chapters"]) == 3
    shown = run("ffmpeg", "-v", "warning", "-i", str(path), "-map", "0:s", "-f", "srt", "-").strip()
    cues = [each.split("\n", 1)[1] for each in shown.split("\n\n")]
    assert cues == [
        "00:00:00,500 --> 00:00:01,200\n林委员：村里最缺的，是懂护理的人。",
        "00:00:01,200 --> 00:00:01,600\n林委员：村里最缺的，是懂护理的人。\n何委员：同时说话",
        "00:00:01,600 --> 00:00:02,000\n何委员：同时说话",
        "00:00:07,500 --> 00:00:08,000\n周主持人：散会。",
    ]
    assert len(brightnesses(path)) == 6 * 25


def test_a_life_in_another_size_is_decoded_by_its_own_parameters(place: Place) -> None:
    lives = [MadeLife(0, 2), MadeLife(2_000, 2, (400, 224)), MadeLife(4_000, 2)]
    make_program(place.program, lives)
    path, _ = place.make(PROGRAM)
    with av.open(str(path)) as container:
        sizes = [frame.width for frame in container.decode(video=0)]
        assert sizes == [320] * 50 + [400] * 50 + [320] * 50
        container.seek(5_000_000)
        assert next(iter(container.decode(video=0))).width == 320


def test_what_was_not_to_be_kept_is_left_out_and_what_is_gone_is_passed_over(place: Place) -> None:
    facts = make_program(place.program, [MadeLife(500, 8)])
    gone = [fact["file"] for fact in facts if fact["fact"] == "segment"][6]
    (place.program / gone).unlink()
    path, made = place.make(replace(PROGRAM, omitted=((2_600, 3_600),)))
    assert (made.from_ms, made.duration_ms) == (500, 8_000)
    seconds = {at_ms // 1000 for at_ms in brightnesses(path)}
    assert seconds == {0, 1, 4, 5, 7}
    sound = heard(path)
    assert loudness(sound, 2_200, 3_900) < 1e-4
    assert loudness(sound, 4_200, 5_900) > 0.01


def test_a_torn_segment_is_used_as_far_as_it_is_whole(place: Place) -> None:
    facts = make_program(place.program, [MadeLife(0, 3)])
    torn = place.program / [fact["file"] for fact in facts if fact["fact"] == "segment"][1]
    torn.write_bytes(torn.read_bytes()[:-200])
    path, _ = place.make(PROGRAM)
    assert len(brightnesses(path)) == 70


def test_what_a_killed_worker_wrote_last_is_in_it(place: Place) -> None:
    make_program(place.program, [MadeLife(0, 3)])
    journal = place.program / "journal.jsonl"
    *listed, last = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(listed))
    tail = place.program / json.loads(last)["file"]
    tail.write_bytes(tail.read_bytes()[:-200])
    path, made = place.make(PROGRAM)
    assert made.duration_ms == 2_800
    assert len(brightnesses(path)) == 70
    with Journal(place.program):  # a worker that is there still lists it itself
        assert place.make(PROGRAM)[1].duration_ms == 2_800


def test_without_a_program_there_is_nothing_to_make(place: Place) -> None:
    with pytest.raises(NothingRecordedError, match="no program"):
        place.make(PROGRAM)
    make_program(place.program, [MadeLife(0, 1)])
    (place.program / "1/720p/init.mp4").write_bytes(b"\0\0\0\x10ftypnonsense")
    with pytest.raises(UnreadableError):
        place.make(PROGRAM)
    assert place.left() == []


def test_a_journal_that_points_elsewhere_is_not_followed(place: Place) -> None:
    make_program(place.program, [MadeLife(0, 1)])
    with Journal(place.program) as journal:
        (place.programs / "secret").write_text("x")
        for odd in ({"file": "../secret"}, {"file": "1/720p/00000001.m4s", "size": "?"}):
            fact = {"fact": "segment", "life": 1, "rendition": "720p", "size": 1, **odd}
            journal.append({**fact, "program_time_ms": 1000, "duration_ms": 1000})
    (life,) = read_lives(place.program, "720p")
    assert len(life.segments) == 1


def test_whether_somebody_still_writes(place: Place) -> None:
    assert not is_being_written(place.program)
    make_program(place.program, [MadeLife(0, 1)])
    assert not is_being_written(place.program)
    with Journal(place.program):
        assert is_being_written(place.program)
    assert not is_being_written(place.program)


# ── persons ─────────────────────────────────────────────────────────────────────────────────────


def person(*tracks: TrackFile) -> ExportJob:
    return ExportJob("person", "c", "张三", tracks=tracks)


def test_a_person_s_tracks_of_all_lives_are_put_together(place: Place) -> None:
    job = person(
        place.track("microphone", 10_000, 3, "opus"),
        place.track("camera", 10_500, 2),
        place.track("microphone", 16_000, 2, "opus"),
        place.track("camera", 16_000, 2, size=(160, 120)),
    )
    path, made = place.make(job)
    assert made.from_ms == 10_000
    assert made.duration_ms == pytest.approx(8_000, abs=60)
    assert codecs(path) == ["h264", "aac"]
    seen = brightnesses(path)
    assert all(each < 3 for at_ms, each in seen.items() if at_ms < 480 or 3200 < at_ms < 5900)
    assert all(each > 3 for at_ms, each in seen.items() if 1500 < at_ms < 2400)
    sound = heard(path)
    assert tone(sound, 500, 2500) == pytest.approx(440, abs=2)
    assert loudness(sound, 3_200, 5_900) < 1e-3
    assert tone(sound, 6_200, 7_700) == pytest.approx(440, abs=2)


def test_the_shared_screen_is_shown_while_there_is_one(place: Place) -> None:
    path, _ = place.make(
        person(place.track("camera", 0, 4), place.track("screen", 1_000, 1, size=(640, 360)))
    )
    with av.open(str(path)) as container:
        frames = {round((f.time or 0) * 1000): f.to_ndarray(format="gray") for f in container.decode(video=0)}
    assert next(iter(frames.values())).shape == (360, 640)
    edge = {at_ms: frame[180, :40].mean() for at_ms, frame in frames.items()}
    assert edge[1_800] > 8, "the screen goes to the edge"
    assert edge[800] < 3, "the camera stands between black"
    assert edge[3_200] < 3


def test_pictures_in_h264_are_copied_when_nothing_has_to_be_between_them(place: Place) -> None:
    tracks = [place.track("camera", 1_000, 2, "h264"), place.track("camera", 3_400, 2, "h264")]
    path, _ = place.make(person(*tracks, place.track("microphone", 1_000, 4, "opus")))
    with av.open(str(path)) as container:
        times = [round((frame.time or 0) * 1000) for frame in container.decode(video=0)]
    assert len(times) == 120
    assert times[60] == pytest.approx(2_400, abs=2)
    copied = _payloads(path)
    assert copied == [each for track in tracks for each in _payloads(place.recordings / track.path)]


def _payloads(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_who_only_spoke_gets_sound_alone(place: Place) -> None:
    job = person(place.track("microphone", 0, 2, "opus"), place.track("screen_sound", 1_000, 2, "opus"))
    path, made = place.make(job, "x.m4a")
    assert codecs(path) == ["aac"]
    sound = heard(path)
    assert loudness(sound, 1_200, 1_800) > loudness(sound, 300, 900) * 1.2, "both are heard together"
    assert made.duration_ms == pytest.approx(3_000, abs=60)


def test_pictures_are_left_out_of_a_file_of_sound(place: Place) -> None:
    job = person(place.track("microphone", 0, 1, "opus"), place.track("camera", 0, 1))
    assert codecs(place.make(job, "x.m4a")[0]) == ["aac"]


def test_a_broken_track_does_not_take_the_others_with_it(place: Place) -> None:
    broken = place.track("camera", 0, 1)
    (place.recordings / broken.path).write_bytes(b"\x1a\x45\xdf\xa3nothing")
    gone = replace(broken, path="c/1/gone.webm")
    job = person(broken, gone, place.track("microphone", 0, 2, "opus"))
    assert codecs(place.make(job)[0]) == ["aac"]
    with pytest.raises(NothingRecordedError, match="nothing to put in"):
        place.make(person(broken, gone))


# ── clips ───────────────────────────────────────────────────────────────────────────────────────


def clip(from_ms: int, to_ms: int, *tracks: TrackFile) -> ExportJob:
    return ExportJob("clip", "c", "议题一", from_ms=from_ms, to_ms=to_ms, tracks=tracks)


def test_a_clip_is_the_program_s_sound_made_loud(place: Place) -> None:
    make_program(place.program, [MadeLife(0, 4), MadeLife(7_000, 3)])
    path, made = place.make(clip(2_500, 9_000), "x.m4a")
    assert (made.from_ms, made.duration_ms) == (2_500, 6_500)
    assert codecs(path) == ["aac"]
    sound = heard(path)
    assert tone(sound, 200, 1_400) == pytest.approx(pitch(1), abs=2)
    assert tone(sound, 4_700, 6_400) == pytest.approx(pitch(2), abs=2)
    assert loudness(sound, 1_700, 4_300) < 1e-3
    assert np.abs(sound[: 48 * 6_500]).max() == pytest.approx(10 ** (-1 / 20), abs=0.08)


def test_without_a_program_a_clip_is_what_the_microphones_heard(place: Place) -> None:
    tracks = (place.track("microphone", 0, 3, "opus"), place.track("microphone", 1_000, 3, "opus"))
    sound = heard(place.make(clip(500, 3_500, *tracks), "x.m4a")[0])
    assert tone(sound, 200, 2_800) == pytest.approx(440, abs=2)
    assert np.abs(sound).max() <= 1.0
    with pytest.raises(NothingRecordedError, match="nothing was recorded"):
        place.make(clip(5_000, 6_000, *tracks), "x.m4a")


def test_silence_is_not_made_loud(place: Place) -> None:
    make_program(place.program, [MadeLife(0, 1), MadeLife(9_000, 1)])
    sound = heard(place.make(clip(500, 1_500), "x.m4a")[0])
    assert loudness(sound, 600, 1_000) < 1e-3


# ── the disk ────────────────────────────────────────────────────────────────────────────────────


def test_a_half_file_is_never_left(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    make_program(place.program, [MadeLife(0, 3)])
    with pytest.raises(DiskError) as refused:
        place.make(PROGRAM, reserve_bytes=1 << 60)
    assert refused.value.errno == errno.ENOSPC
    assert place.left() == []


@pytest.mark.parametrize("limit_kib", [16, 80, 120, 140])
def test_a_disk_that_is_full_leaves_no_half_file_wherever_it_stops(place: Place, limit_kib: int) -> None:
    make_program(place.program, [MadeLife(0, 4)])
    small = place.recordings / "c"
    small.mkdir(exist_ok=True)
    whole = _size_of_whole(place)
    assert whole > limit_kib << 10
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={limit_kib}k", "none", str(small)], check=True)
    try:
        with pytest.raises(DiskError) as refused:
            place.make(PROGRAM)
        assert refused.value.errno == errno.ENOSPC
        assert place.left() == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _size_of_whole(place: Place) -> int:
    path, made = place.make(PROGRAM)
    path.unlink()
    path.parent.rmdir()
    return made.size_bytes


def test_an_older_file_stays_until_the_new_one_is_whole(place: Place) -> None:
    make_program(place.program, [MadeLife(0, 2)])
    path, _ = place.make(PROGRAM)
    before = path.read_bytes()
    with pytest.raises(DiskError):
        place.make(PROGRAM, reserve_bytes=1 << 60)
    assert path.read_bytes() == before
    Path(f"{path}.part").write_bytes(b"half of an earlier one")
    place.make(replace(PROGRAM, title="改名"))
    assert probed(path)["format"]["tags"]["title"] == "改名"


def test_the_sink_takes_nothing_more_when_it_was_given_up(tmp_path: Path) -> None:
    sink = Sink(tmp_path / "x.mp4", reserve_bytes=1)
    container = sink.begin(10)
    container.add_stream("aac", rate=48_000)
    sink.discard()
    sink.discard()
    assert list(tmp_path.iterdir()) == []
