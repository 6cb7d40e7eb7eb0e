"""The program worker as a process: real pictures and sound in over its socket, its files looked at by FFmpeg."""

from __future__ import annotations

import hashlib
import itertools
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from conference.rtc.depacketizer import Frame, depacketizer_for
from conference.rtc.jitter_buffer import JitterBuffer
from conference.sfu import tap_frames
from recording.hls.fragments import read_fragments
from recording.hls.journal import read_journal
from recording.program.compositor import Compositor
from recording.program.encoder import Scaler, video_frame
from recording.program.layout import Seat, Shot, lay_out
from recording.program.scene import scene_from
from tests.support.eventually import eventually_sync
from tests.support.inset import apart, beeps, beeps_in, flashes, flashes_in, inset_clip, read_inset
from tests.support.media import opus_packets, speech_wav
from tests.support.program_media import complaints, joined, packets
from tests.support.program_process import ProgramProcess, person, scene, speaking
from tests.support.tap_feeder import Source, TapFeeder

pytestmark = pytest.mark.timeout(180)

RENDITIONS = ("720p", "360p", "audio")
START_MS = 60_000
PEOPLE = [person("p1"), person("p2"), person("p3")]


GOP = 12  # of a camera of 25 pictures a second


def camera(number: int, codec: str = "vp8", fps: int = 25) -> Source:
    """Eight seconds again and again."""
    clip = inset_clip(number, codec, fps, fps * 8, gop=fps * GOP // 25)
    return Source(number * 2, f"p{number}", "camera", codec, clip, fps)


def microphone(number: int) -> Source:
    return Source(number * 2 + 1, f"p{number}", "microphone", "opus", opus_packets(speech_wav()), 50)


@dataclass
class Shown:
    """One output picture: when, in program time, and its brightness."""

    at_ms: float
    grey: npt.NDArray[np.uint8]


def pictures(path: Path) -> Iterator[Shown]:
    """Media time is program time."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.time is not None
            yield Shown(frame.time * 1000, np.asarray(frame.to_ndarray(format="gray"), np.uint8))


def sound(path: Path) -> tuple[npt.NDArray[np.float32], float]:
    """Samples of the left channel, and the time of the first in seconds."""
    pieces, first = [], None
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            first = frame.time if first is None else first
            pieces.append(frame.to_ndarray()[0])
    assert first is not None
    return np.concatenate(pieces), first


def life_of(directory: Path, number: int = 1) -> dict[str, Any]:
    return next(f for f in read_journal(directory) if f["fact"] == "life" and f["life"] == number)


def assert_listed_is_there(directory: Path) -> None:
    for fact in read_journal(directory):
        if fact["fact"] == "segment":
            data = (directory / fact["file"]).read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (fact["size"], fact["sha256"])


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[ProgramProcess]:
    started = ProgramProcess(tmp_path / "c_1")
    yield started
    started.close()


class FeedReader:
    """The media process' end of the feed."""

    def __init__(self, path: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(path)
        self._sock.settimeout(0.2)
        self._decoder = tap_frames.Decoder()
        self.frames: list[tap_frames.Frame] = []
        self.ended = False

    def read(self) -> None:
        try:
            data = self._sock.recv(1 << 20)
        except TimeoutError:
            return
        self.ended = not data
        self.frames += self._decoder.feed(data) if data else []

    def ask(self) -> None:
        self._sock.sendall(tap_frames.encode(tap_frames.Keyframe(1)))

    def coded(self, track: int) -> list[Frame]:
        opened = next(f for f in self.frames if isinstance(f, tap_frames.Open) and f.track == track)
        depacketizer, buffer = depacketizer_for(opened.codec, opened.parameters), JitterBuffer()
        found: list[Frame] = []
        for each in self.frames:
            if isinstance(each, tap_frames.Packet) and each.track == track:
                assert len(each.packet) <= 1200
                buffer.push(each.packet, each.arrival_us / 1e6)
                for item in buffer.pop(each.arrival_us / 1e6):
                    found += depacketizer.push(item)
        return found

    def close(self) -> None:
        self._sock.close()


@dataclass
class Session:
    """What a whole session left."""

    directory: Path
    facts: list[dict[str, Any]]
    feeder: TapFeeder
    sources: dict[int, Source]
    feed: FeedReader
    asked: int
    files: dict[str, Path]

    @property
    def starts_ms(self) -> int:
        at_ms: int = life_of(self.directory)["program_time_ms"]
        return at_ms

    def layouts(self) -> list[tuple[str, list[str], int]]:
        return [(f["name"], f["people"], f["program_time_ms"]) for f in self.facts if f["fact"] == "layout"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Three people, whose pictures differ in codec and rate; one after the other, then all in a grid."""
    directory = tmp_path_factory.mktemp("program") / "c_1"
    sources = {1: camera(1), 2: camera(2, "h264", 15), 3: camera(3, "vp8", 30)}
    sounds = [microphone(number) for number in sources]
    worker = ProgramProcess(directory)
    try:
        worker.wait("ready")
        feeder = TapFeeder(worker.tap_path, START_MS)
        feeder.add(*sources.values(), *sounds)
        feed = FeedReader(worker.feed_path)
        worker.show(speaking("p1", *PEOPLE))
        worker.wait("layout", name="speaker")

        def go_on(ms: int) -> None:
            end = worker.named("layout")[-1]["program_time_ms"] + ms
            while max(f["program_time_ms"] for f in worker.wait("part")) < end:
                feed.read()

        go_on(2_000)
        worker.show(speaking("p2", *PEOPLE))
        worker.wait("layout", people=["p2"])
        go_on(2_000)
        worker.show(
            scene(*PEOPLE, direction={"mode": "manual", "layout": "grid", "people": ["p1", "p2", "p3"]})
        )
        worker.wait("layout", name="grid")
        asked = sum(each.is_keyframe for each in feed.coded(1))
        feed.ask()
        go_on(2_500)
        worker.end()
        while not feed.ended:
            feed.read()
        assert feeder.broken is None or worker.process.poll() is not None
        assert worker.errors == ""
        facts = read_journal(directory)
        files = {name: joined(directory, facts, name, 1, directory.parent) for name in RENDITIONS}
        yield Session(directory, worker.facts, feeder, sources, feed, asked, files)
        feeder.close()
        feed.close()
    finally:
        worker.close()


@pytest.mark.parametrize("rendition", RENDITIONS)
def test_ffmpeg_has_nothing_to_say_against_any_rendition(session: Session, rendition: str) -> None:
    assert complaints(session.files[rendition]) == ""


@pytest.mark.parametrize("rendition", ["720p", "360p"])
def test_every_picture_stands_exactly_40_ms_after_the_one_before(session: Session, rendition: str) -> None:
    times = [float(each["pts_time"]) for each in packets(session.files[rendition], "v")]
    assert len(times) > 150
    assert times == pytest.approx(
        [session.starts_ms / 1000 + number / 25 for number in range(len(times))], abs=1e-5
    )


def test_segments_are_a_second_long_and_begin_with_a_starting_point(session: Session) -> None:
    for rendition in RENDITIONS:
        listed = [f for f in session.facts if f["fact"] == "segment" and f["rendition"] == rendition]
        assert [f["number"] for f in listed] == list(range(len(listed)))
        assert {f["duration_ms"] for f in listed[:-1]} == {1000}
        assert all(f["parts"][0][3] for f in listed)
        assert [f["program_time_ms"] for f in listed] == [
            session.starts_ms + 1000 * number for number in range(len(listed))
        ]
    kinds = [f["fact"] for f in session.facts]
    assert kinds.index("part") < kinds.index("segment")
    assert kinds[-1] == "ended"
    assert_listed_is_there(session.directory)


def test_the_right_picture_is_shown_at_its_time(session: Session) -> None:
    layouts = session.layouts()
    assert [(name, people) for name, people, _ in layouts] == [
        ("title", []), ("speaker", ["p1"]), ("speaker", ["p2"]), ("grid", ["p1", "p2", "p3"]),
    ]  # fmt: skip
    rects = [
        tile.rect
        for tile in lay_out(
            Shot("grid", tuple(map(Seat, ("p1", "p2", "p3")))), captions=False, card=False
        ).tiles
    ]
    right = wrong = 0
    for shown in pictures(session.files["720p"]):
        name, people, _ = [each for each in layouts if each[2] <= shown.at_ms + 1][-1]
        for number, person_id in enumerate(people):
            code = read_inset(shown.grey, rects[number] if name == "grid" else None)
            source = session.sources[int(person_id[1:])]
            began_ms = session.feeder.program_time_ms(source.began_us)
            wanted = int((shown.at_ms + 20 - began_ms) / 1000 * source.fps) % len(source.frames)
            is_right = (
                code is not None and code.participant == int(person_id[1:]) and abs(code.frame - wanted) <= 1
            )
            right, wrong = right + is_right, wrong + (not is_right)
            if code is not None:
                assert code.participant == int(person_id[1:])  # a change of layout falls on one picture
    assert right > 200
    assert wrong <= 0.05 * right


def test_the_small_rendition_shows_the_same(session: Session) -> None:
    large = pictures(session.files["720p"])
    for big, small in itertools.islice(zip(large, pictures(session.files["360p"]), strict=True), 0, None, 10):
        assert small.grey.shape == (360, 640)
        assert np.abs(big.grey[::2, ::2].astype(int) - small.grey).mean() < 12


def test_what_was_said_is_heard(session: Session) -> None:
    for rendition in RENDITIONS:
        samples, first = sound(session.files[rendition])
        assert first == pytest.approx(session.starts_ms / 1000, abs=1e-4)
        assert np.abs(samples[48_000 * 2 :]).max() > 0.05
        assert np.mean(np.abs(samples) > 1) < 1e-3  # AAC overshoots a little


def test_a_still_lies_there(session: Session) -> None:
    stills = [f for f in session.facts if f["fact"] == "still"]
    assert stills
    assert stills[0]["program_time_ms"] == session.starts_ms
    assert (session.directory / stills[0]["file"]).read_bytes()[:3] == b"\xff\xd8\xff"


def test_the_load_is_told(session: Session) -> None:
    loads = [f for f in session.facts if f["fact"] == "load"]
    assert loads
    assert all(f["level"] == 0 and f["core"] > 0 for f in loads)


def test_the_room_gets_the_program_back_and_a_keyframe_when_it_asks(session: Session) -> None:
    opened = [f for f in session.feed.frames if isinstance(f, tap_frames.Open)]
    assert [(f.participant_id, f.source, f.codec) for f in opened] == [
        ("program", "program", "h264"), ("program", "program", "opus"),
    ]  # fmt: skip
    coded = session.feed.coded(1)
    assert coded[0].is_keyframe
    assert not any(each.follows_loss for each in coded[1:])
    assert {
        (later.timestamp - earlier.timestamp) & 0xFFFFFFFF for earlier, later in itertools.pairwise(coded)
    } == {3600}
    keys = [number for number, each in enumerate(coded) if each.is_keyframe]
    steps = {later - earlier for earlier, later in itertools.pairwise(keys)}
    assert steps - {25}, "none beside those at the beginning of segments"
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    shown = [frame for each in coded for frame in decoder.decode(av.Packet(each.data))]
    assert {(frame.width, frame.height) for frame in shown} == {(1280, 720)}
    spoken = session.feed.coded(2)
    assert len(spoken) > 150
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(spoken)} == {960}
    assert [f for f in session.feed.frames if isinstance(f, tap_frames.Report)]
    assert [f.track for f in session.feed.frames if isinstance(f, tap_frames.Close)] == [1, 2]


def test_emblem_and_times_of_day_are_those_it_was_given(tmp_path: Path) -> None:
    emblem = tmp_path / "emblem.png"
    Image.new("RGB", (64, 64), (30, 200, 40)).save(emblem)
    resumes_ms = round(time.time() * 1000) + 20 * 60_000
    worker = ProgramProcess(tmp_path / "c_1", emblem=str(emblem), time_zone="Asia/Urumqi")
    try:
        worker.wait("ready")
        feeder = TapFeeder(worker.tap_path, START_MS)
        shown = scene(*PEOPLE, phase="break", resumes_wall_ms=resumes_ms)
        worker.show(shown)
        (fact,) = worker.wait("still")[:1]
        worker.end()
        feeder.close()
    finally:
        worker.close()
    with Image.open(worker.directory / fact["file"]) as still:
        seen = np.asarray(still.convert("L"), float)

    def drawn(zone: str, picture: Path | None) -> npt.NDArray[np.float64]:
        compositor = Compositor(emblem=picture, time_zone=zone)
        composed = scene_from(shown)
        plan = compositor.choose(composed, [], {}, 0.0)
        canvas = compositor.compose(plan, composed, {}, fact["program_time_ms"], time.time() * 1000)
        small: Image.Image = Scaler(640, 360).scale(video_frame(canvas)).to_image()  # type: ignore[no-untyped-call]
        return np.asarray(small.convert("L"), float)

    given = drawn("Asia/Urumqi", emblem)
    for other in (drawn("Asia/Shanghai", emblem), drawn("Asia/Urumqi", None)):
        differs = np.abs(given - other) > 32  # a few digits of the whole card
        assert differs.any()
        assert np.abs(seen - given)[differs].mean() < np.abs(seen - other)[differs].mean() / 2


def test_flash_and_beep_stay_together(worker: ProgramProcess, tmp_path: Path) -> None:
    worker.wait("ready")
    feeder = TapFeeder(worker.tap_path, START_MS)
    video = Source(2, "p1", "camera", "vp8", flashes("vp8", 30, 12, 1), 30)
    audio = Source(3, "p1", "microphone", "opus", beeps(12, 1), 50)
    feeder.add(video, audio)
    worker.show(speaking("p1", *PEOPLE))
    worker.wait("layout", name="speaker")
    worker.wait_program_time(worker.named("layout")[-1]["program_time_ms"] + 6_000)
    worker.end()
    feeder.close()
    directory = worker.directory
    path = joined(directory, read_journal(directory), "720p", 1, tmp_path)
    lit, heard = flashes_in(path), beeps_in(path)
    began_ms = feeder.program_time_ms(video.began_us)
    for beep in heard:
        assert (beep - began_ms) % 1000 == pytest.approx(0, abs=25) or (beep - began_ms) % 1000 > 975
    offsets = list(apart(lit, heard))
    assert len(offsets) >= 4
    assert len(offsets) == len(lit)
    assert max(map(abs, offsets)) < 40, offsets


def test_a_killed_worker_loses_nothing_that_was_listed(worker: ProgramProcess, tmp_path: Path) -> None:
    worker.wait("ready")
    feeder = TapFeeder(worker.tap_path, START_MS)
    feeder.add(camera(1), microphone(1))
    worker.show(speaking("p1", *PEOPLE))
    worker.wait("segment", 6)
    eventually_sync(lambda: worker.named("part")[-1]["part"] in (2, 3), every_s=0.005)
    worker.kill()
    feeder.close()
    directory = worker.directory
    parts = [f for f in worker.facts if f["fact"] == "part"]
    listed = {f["file"]: f for f in read_journal(directory) if f["fact"] == "segment"}
    before = {name: (directory / name).read_bytes() for name in listed}
    second = ProgramProcess(directory)
    try:
        second.wait("ready")
        later_ms = parts[-1]["program_time_ms"] + 3_000
        feeder = TapFeeder(second.tap_path, later_ms)
        feeder.add(camera(2))
        second.show(speaking("p2", *PEOPLE))
        second.wait("segment", 6, life=2)
        second.end()
        feeder.close()
    finally:
        second.close()
    assert {name: (directory / name).read_bytes() for name in listed} == before
    assert_listed_is_there(directory)
    facts = read_journal(directory)
    recovered = [f for f in facts if f["fact"] == "segment" and f["recovered"]]
    assert {f["rendition"] for f in recovered} == set(RENDITIONS)
    last = max(f["number"] for f in listed.values())
    assert {(f["life"], f["number"]) for f in recovered} == {(1, last + 1)}
    told = [f for f in parts if f["number"] == last + 1 and f["rendition"] == "audio"]
    (tail,) = (f for f in recovered if f["rendition"] == "audio")
    assert len(tail["parts"]) >= len(told)  # every part that anybody could have heard of
    end_ms = tail["program_time_ms"] + tail["duration_ms"]
    (gap,) = (f for f in facts if f["fact"] == "gap")
    assert (gap["from_ms"], gap["to_ms"]) == (end_ms, life_of(directory, 2)["program_time_ms"])
    assert gap["to_ms"] >= end_ms
    for rendition in RENDITIONS:
        numbers = [
            (f["number"], f["discontinuity"])
            for f in facts
            if f["fact"] == "segment" and f["rendition"] == rendition
        ]
        assert [number for number, _ in numbers] == list(range(len(numbers)))
        assert [number for number, is_new in numbers if is_new] == [0, last + 2]
        for life in (1, 2):
            assert complaints(joined(directory, facts, rendition, life, tmp_path)) == ""


def test_a_stalled_camera_keeps_its_picture_and_becomes_a_card_and_comes_back(
    worker: ProgramProcess, tmp_path: Path
) -> None:
    worker.wait("ready")
    feeder = TapFeeder(worker.tap_path, START_MS)
    source = camera(1)
    feeder.add(source)
    worker.show(speaking("p1", *PEOPLE))
    worker.wait("layout", name="speaker")
    worker.wait_program_time(worker.named("layout")[-1]["program_time_ms"] + 1_000)
    source.is_paused = True
    stalled_ms = feeder.program_time_ms(time.monotonic_ns() / 1000)
    worker.wait_program_time(stalled_ms + 4_000)
    # It comes back between two keyframes, which are half a second apart.
    eventually_sync(lambda: 2 <= source.sent % GOP <= 6, every_s=0.005)
    source.is_paused = False
    resumed_ms = feeder.program_time_ms(time.monotonic_ns() / 1000)
    worker.wait_program_time(resumed_ms + 2_500)
    worker.end()
    feeder.close()
    assert source.wanted_keys > 0  # behind the gap a starting point was asked for
    directory = worker.directory
    path = joined(directory, read_journal(directory), "720p", 1, tmp_path)
    read = [(s.at_ms, read_inset(s.grey)) for s in pictures(path)]
    kept = {code for at_ms, code in read if stalled_ms + 300 < at_ms < stalled_ms + 1_700}
    assert len(kept) == 1
    assert None not in kept
    assert {code for at_ms, code in read if stalled_ms + 2_300 < at_ms < resumed_ms} == {None}
    back = [code for at_ms, code in read if at_ms > resumed_ms + 1_500]
    assert None not in back
    assert len(set(back)) > 10


def test_the_worker_ends_within_a_second_of_its_parent(worker: ProgramProcess) -> None:
    worker.wait("ready")
    feeder = TapFeeder(worker.tap_path, START_MS)
    worker.show(scene(*PEOPLE))
    worker.wait("part", 3)
    began_s = time.monotonic()
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    worker.process.wait(10)
    assert time.monotonic() - began_s < 2
    feeder.close()
    assert_listed_is_there(worker.directory)
    last = read_journal(worker.directory)[-1]
    assert last["fact"] == "segment"


def test_the_program_goes_on_without_a_room_and_is_tapped_anew(worker: ProgramProcess) -> None:
    worker.wait("ready")
    feeder = TapFeeder(worker.tap_path, START_MS)
    feeder.add(camera(1), microphone(1))
    worker.show(speaking("p1", *PEOPLE))
    worker.wait("layout", name="speaker")
    now_ms = feeder.program_time_ms(time.monotonic_ns() / 1000)
    feeder.close()
    worker.wait("ready", 2)
    worker.wait_program_time(now_ms + 1_500)
    again = TapFeeder(worker.tap_path, round(feeder.program_time_ms(time.monotonic_ns() / 1000)))
    again.add(camera(2))
    worker.show(speaking("p2", *PEOPLE))
    worker.wait("layout", people=["p2"])
    worker.end()
    again.close()
    assert len(worker.named("life")) == 1
    assert worker.errors == ""


def test_words_that_are_none_and_frames_that_are_none_do_no_harm(worker: ProgramProcess) -> None:
    worker.wait("ready")
    worker.say(b"no json\n")
    worker.say({"do": "dance"})
    worker.say({"do": "scene", "scene": {"phase": "lunch"}})
    feeder = TapFeeder(worker.tap_path, START_MS)
    worker.show(scene(*PEOPLE))
    worker.wait("part", 2)
    feeder.send(b"\xff" * 64)
    worker.wait("ready", 2)
    feeder.close()
    other = TapFeeder(worker.tap_path, START_MS + 2_000)
    worker.wait("part", 10)
    worker.end()
    other.close()
    assert worker.errors.count("not understood") == 3
    assert "the tap broke" in worker.errors


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "small"
    path.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.parametrize("reserve", [0, 400_000])
def test_a_full_disk_is_told_and_what_is_listed_is_whole(small_disk: Path, reserve: int) -> None:
    worker = ProgramProcess(small_disk / "c_1", reserve_bytes=reserve)
    try:
        worker.wait("ready")
        feeder = TapFeeder(worker.tap_path, START_MS)
        feeder.add(camera(1), microphone(1))
        worker.show(speaking("p1", *PEOPLE))
        eventually_sync(lambda: worker.process.poll() is not None, timeout_s=60)
        feeder.close()
        assert worker.process.returncode == 4
        assert worker.wait("trouble") == [{"fact": "trouble", "reason": "disk_full"}]
        assert_listed_is_there(worker.directory)
        assert worker.named("segment")
        whole = [f for f in worker.named("part") if f["rendition"] == "720p"]
        data = (worker.directory / "1/720p" / f"{whole[-1]['number']:08d}.m4s").read_bytes()
        assert read_fragments(data)[-1].size + read_fragments(data)[-1].offset == len(data)
    finally:
        worker.close()
