"""From frames of a tap to files: order, losses, gates, new streams and sizes, and what a killed life left."""

from __future__ import annotations

import fcntl
import resource
import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conference.sfu import tap_frames
from recording.manifest import Manifest, files_of, read_manifest
from recording.segments import DiskError, Names, Segments, Track
from recording.settle import settle
from recording.track_writer import sha256_of
from recording.tracks import Tracks
from tests.support.encoded import decoded, pictures, sounds

FRAMES = [each.data for each in pictures("libvpx", 60, options={"deadline": "realtime"})]
BIG = [each.data for each in pictures("libvpx", 30, 640, 480, options={"deadline": "realtime"})]
SOUNDS = sounds(100)


class Book:
    """A ledger in memory, and a tap that is written by hand."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.facts: list[dict[str, Any]] = []
        self.asked = 0
        self.tracks = Tracks(Names(directory), self, self._ask)
        self.tracks.take(tap_frames.Clock(1_000_000, 5_000))

    def tell(self, fact: Mapping[str, Any]) -> None:
        self.facts.append({**fact, "wall_ms": 1})

    def tell_hashed(self, fact: Mapping[str, Any], path: Path) -> None:
        self.tell({**fact, "sha256": sha256_of(path)})

    def _ask(self, track: int) -> None:
        self.asked += track

    def open(self, codec: str = "vp8", ssrc: int = 7, cname: str = "x") -> None:
        is_sound = codec == "opus"
        self.tracks.take(
            tap_frames.Open(
                track=1,
                publication_id="pub_1",
                participant_id="p_1",
                kind="audio" if is_sound else "video",
                source="microphone" if is_sound else "camera",
                codec=codec,
                clock_rate=48_000 if is_sound else 90_000,
                ssrc=ssrc,
                cname=cname,
                parameters={},
            )
        )

    def send(
        self,
        number: int,
        data: bytes,
        *,
        codec: str = "vp8",
        at_s: float | None = None,
        astray_s: float = 0.0,
    ) -> None:
        """Frame `number` in one packet, 30 pictures or 50 sounds a second, from one second on.

        Its time stamp may be astray by so many seconds.
        """
        rate, every = (48_000, 960) if codec == "opus" else (90_000, 3_000)
        at_us = int((1 + number * every / rate if at_s is None else at_s) * 1e6)
        timestamp = number * every + int(astray_s * rate) & 0xFFFFFFFF
        head = struct.pack("!BBHII", 0x80, 0x80 | 96, number & 0xFFFF, timestamp, 7)
        descriptor = b"" if codec == "opus" else b"\x10"
        self.tracks.take(tap_frames.Packet(1, at_us, head + descriptor + data))

    def report(self, *, codec: str = "vp8", early_s: float) -> None:
        """What is sent was captured so much earlier than it arrives, says the publisher's clock."""
        rate = 48_000 if codec == "opus" else 90_000
        self.tracks.take(tap_frames.Report(1, 1_000_000, 3_900_000_000 << 32, int(early_s * rate)))

    def named(self, kind: str) -> list[dict[str, Any]]:
        return [fact for fact in self.facts if fact["fact"] == kind]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def plays(book: Book, name: str) -> int:
    count, complaints, _ = decoded(book.directory / name)
    assert complaints == []
    return count


def test_publishing_anew_again_and_again_leaves_one_clock(book: Book) -> None:
    for number in range(50):
        book.open(ssrc=number, cname=f"clock-{number}")
    assert len(book.tracks._groups) == 1
    book.tracks.close("end")
    assert not book.tracks._groups


def test_every_picture_is_kept_with_its_program_time(book: Book) -> None:
    book.open()
    for number, data in enumerate(FRAMES):
        book.send(number, data)
    book.tracks.close("end")
    (opened,), (closed,) = book.named("opened"), book.named("closed")
    assert opened["started_at_ms"] == pytest.approx(5_000, abs=2)
    assert (opened["width"], opened["height"]) == (320, 240)
    assert (closed["frames"], closed["packets_lost"]) == (60, 0)
    assert plays(book, opened["file"]) == 60
    assert closed["sha256"] == sha256_of(book.directory / opened["file"])


def test_packets_out_of_order_are_put_in_order(book: Book) -> None:
    book.open("opus")
    order = [0, 2, 1, 3, 6, 5, 4, *range(7, 100)]
    for number in order:
        book.send(number, SOUNDS[number], codec="opus")
    book.tracks.close("end")
    (closed,) = book.named("closed")
    assert (closed["frames"], closed["packets_lost"]) == (100, 0)
    assert plays(book, closed["file"]) == 100


def test_behind_a_hole_pictures_wait_for_a_keyframe_which_is_asked_for(book: Book) -> None:
    book.open()
    for number, data in enumerate(FRAMES):
        if number not in (20, 21):
            book.send(number, data)
    book.tracks.tick(10_000_000)
    assert book.asked > 0
    for number, data in enumerate(FRAMES, start=60):
        book.send(number, data, at_s=10 + number / 30)
    book.tracks.close("end")
    (closed,) = book.named("closed")
    assert sum(fact["packets"] for fact in book.named("gap")) == closed["packets_lost"] == 2
    assert plays(book, closed["file"]) == closed["frames"] == 20 + 60


def test_lost_sound_is_counted_and_its_time_stays_empty(book: Book) -> None:
    book.open("opus")
    for number in (*range(50), *range(60, 100)):
        book.send(number, SOUNDS[number], codec="opus")
    book.tracks.close("end")
    (closed,) = book.named("closed")
    assert (closed["frames"], closed["packets_lost"]) == (90, 10)
    assert closed["duration_ms"] == pytest.approx(2000, abs=5)
    assert plays(book, closed["file"]) == 90


def test_a_sound_whose_time_is_astray_is_left_out_and_the_others_stay_where_they_were(book: Book) -> None:
    book.open("opus")
    book.report(codec="opus", early_s=0.4)
    for number, data in enumerate(SOUNDS):
        book.send(number, data, codec="opus", astray_s=3600 if number == 50 else 0)
    book.tracks.close("end")
    (opened,), (closed,) = book.named("opened"), book.named("closed")
    count, complaints, times = decoded(book.directory / opened["file"])
    assert (count, complaints, closed["packets_lost"]) == (99, [], 1)
    assert all(later - earlier > 0.018 for earlier, later in pairwise(times[1:])), (
        "the first is cut by the decoder"
    )
    assert closed["duration_ms"] == pytest.approx(2000, abs=30)


def test_a_picture_whose_time_is_astray_is_left_out_with_all_that_stands_on_it(book: Book) -> None:
    book.open()
    for number, data in enumerate(FRAMES):
        book.send(number, data, astray_s=3600 if number == 20 else 0)
    assert book.asked > 0
    for number, data in enumerate(FRAMES, start=60):
        book.send(number, data)
    book.tracks.close("end")
    (closed,) = book.named("closed")
    assert closed["packets_lost"] == 1
    assert plays(book, closed["file"]) == closed["frames"] == 20 + 60


def test_after_a_clock_that_jumped_times_go_on_forward_as_things_arrive(book: Book) -> None:
    for jump_s in (-3600, 3600, 20_000):
        book.open("opus")
        book.report(codec="opus", early_s=0.4)
        for number, data in enumerate(SOUNDS):
            book.send(number, data, codec="opus", astray_s=0 if number < 50 else jump_s)
        book.tracks.close("end")
        opened, closed = book.named("opened")[-1], book.named("closed")[-1]
        count, complaints, times = decoded(book.directory / opened["file"])
        assert (count, complaints, closed["packets_lost"]) == (99, [], 1)
        assert all(later - earlier > 0.018 for earlier, later in pairwise(times[1:])), (
            "the first is cut by the decoder"
        )
        assert closed["duration_ms"] == pytest.approx(2000, abs=450)


def test_what_the_tap_left_out_is_counted_once(book: Book) -> None:
    book.open("opus")
    for number in range(10):
        book.send(number, SOUNDS[number], codec="opus")
    book.tracks.take(tap_frames.Gap(1, 20))
    for number in range(30, 40):
        book.send(number, SOUNDS[number], codec="opus")
    book.tracks.close("end")
    (closed,) = book.named("closed")
    assert (closed["frames"], closed["packets_lost"]) == (20, 20)


def test_another_size_and_another_stream_begin_another_file(book: Book) -> None:
    book.open()
    for number, data in enumerate(FRAMES[:30]):
        book.send(number, data)
    for number, data in enumerate(BIG, start=30):
        book.send(number, data)
    book.open(ssrc=8)
    for number, data in enumerate(FRAMES):
        book.send(number, data, at_s=4 + number / 30)
    book.tracks.take(tap_frames.Close(1))
    book.tracks.close("end")
    closed = book.named("closed")
    assert [each["reason"] for each in closed] == ["size", "stream_changed", "track_ended"]
    assert [plays(book, each["file"]) for each in closed] == [30, 30, 60]
    assert len({each["file"] for each in closed}) == 3


def test_gates_are_noted(book: Book) -> None:
    book.open("opus")
    book.tracks.take(tap_frames.Gate(1, False))
    book.tracks.take(tap_frames.Gate(1, True))
    assert [fact["open"] for fact in book.named("gate")] == [False, True]
    book.tracks.close("end")
    assert book.named("opened") == []


def test_garbage_makes_no_file_and_hurts_nobody(book: Book) -> None:
    book.open()
    for number in range(50):
        book.send(number, bytes([number]) * number)
    book.tracks.take(tap_frames.Packet(1, 1, b""))
    book.tracks.take(tap_frames.Packet(9, 1, b"nobody's"))
    book.open("av1")
    book.send(1, FRAMES[0])
    book.tracks.close("end")
    assert book.named("opened") == []
    assert list(book.directory.iterdir()) == []


def test_names_stay_in_the_directory(tmp_path: Path) -> None:
    names = Names(tmp_path)
    first = names.next("../../etc", "cam/era", "vp8")
    assert first.parent == tmp_path
    assert first.name == "______etc-cam_era-1.webm"
    assert names.next("../../etc", "cam/era", "vp8").name == "______etc-cam_era-2.webm"


def killed_life(directory: Path) -> Path:
    """What a worker leaves that was killed: one file closed, one open, one of which nothing reached the disk."""
    life = directory / "1"
    life.mkdir(parents=True)
    manifest = Manifest(life)

    class Ledger:
        def tell(self, fact: Mapping[str, Any]) -> None:
            manifest.append({**fact, "wall_ms": 1})

        def tell_hashed(self, fact: Mapping[str, Any], path: Path) -> None:
            self.tell({**fact, "sha256": sha256_of(path)})

    names = Names(life)
    for end in (True, False):
        segments = Segments(Track("p_1", "pub_1", "camera", "vp8", "主席台"), names, Ledger())
        for number, data in enumerate(FRAMES):
            segments.write(data, number * 33_333, is_key=number == 0, size=(320, 240))
        if end:
            segments.close("end")
        else:
            content = segments.writer.path.read_bytes()  # type: ignore[union-attr]
            segments.abandon()
            (life / "p_1-camera-2.webm").write_bytes(content)
    Ledger().tell(
        {
            "fact": "opened",
            "file": "p_1-camera-3.webm",
            "participant_id": "p_1",
            "source": "camera",
            "codec": "vp8",
        }
    )
    manifest.close()
    return life


def test_a_disk_that_takes_half_of_a_cluster_leaves_a_file_that_plays(tmp_path: Path) -> None:
    segments = Segments(Track("p_1", "pub_1", "camera", "vp8"), Names(tmp_path), Book(tmp_path))
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    refused = 0
    try:
        for number, data in enumerate(FRAMES * 4):
            try:
                segments.write(data, number * 33_333, is_key=number % 60 == 0, size=(320, 240))
            except DiskError:
                refused = number
                break
            if number == 100:
                size = (tmp_path / "p_1-camera-1.webm").stat().st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
    assert refused
    segments.close("end")  # there is nothing left to close
    count, complaints, _ = decoded(tmp_path / "p_1-camera-1.webm")
    assert complaints == []
    assert 80 < count < refused


def test_what_a_killed_life_left_is_closed_in_its_manifest_and_not_touched(tmp_path: Path) -> None:
    life = killed_life(tmp_path)
    before = {path.name: path.read_bytes() for path in life.glob("*.webm")}
    settle(tmp_path)
    files = files_of(read_manifest(life))
    assert all(each["closed"] for each in files.values())
    whole, broken, nothing = files.values()
    assert (whole["reason"], whole["frames"]) == ("end", 60)
    assert broken["reason"] == nothing["reason"] == "found"
    assert 30 <= broken["frames"] < 60
    assert broken["sha256"] == sha256_of(life / broken["file"])
    assert (nothing["frames"], nothing["sha256"]) == (0, None)
    assert {path.name: path.read_bytes() for path in life.glob("*.webm")} == before
    facts = read_manifest(life)
    settle(tmp_path)
    assert read_manifest(life) == facts


def test_a_life_that_runs_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = killed_life(tmp_path)
    monkeypatch.setattr("recording.settle._PATIENCE_S", 0.1)
    with Manifest(life) as running:
        fcntl.flock(running.fileno(), fcntl.LOCK_EX)
        facts = read_manifest(life)
        settle(tmp_path)
        assert read_manifest(life) == facts
    settle(tmp_path)
    assert len(read_manifest(life)) == len(facts) + 2
