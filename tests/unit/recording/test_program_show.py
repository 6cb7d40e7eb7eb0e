"""The thread that makes the program: lives that follow each other, and what it does to spare itself."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conference.sfu import tap_frames
from recording.hls.journal import Journal, read_journal
from recording.hls.segmenter import recover
from recording.program import load
from recording.program.compositor import Compositor
from recording.program.disk import Disk
from recording.program.encoding import Encoding
from recording.program.feed import Feed
from recording.program.inputs import Inputs
from recording.program.mixer import Mixer
from recording.program.pictures import Decoding
from recording.program.scene import Person, Scene
from recording.program.show import Show
from tests.support.eventually import eventually_sync
from tests.support.program_media import complaints, joined, packets
from tests.support.program_process import on_time

RENDITIONS = ("720p", "audio")
SCENE = Scene(phase="live", title="协商会", people=(Person("p1", "委员"),))


@dataclass
class Script:
    """Changes the level of load at these pictures, counted from the first."""

    levels: dict[int, int] = field(default_factory=dict)
    level: int = 0
    pictures: int = 0

    def on_picture(self, now_s: float, *, is_late: bool) -> bool:
        self.pictures += 1
        before, self.level = self.level, self.levels.get(self.pictures, self.level)
        return self.level != before


class Stage:
    """A show with everything but sockets around it."""

    def __init__(self, directory: Path, compositor: Compositor | None = None) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.told: list[Any] = []
        self.trouble: list[OSError] = []
        journal = Journal(directory)
        before = recover(directory, journal, self.told.append)
        self.mixer = Mixer()
        self.decoding = Decoding()
        on_time()  # the threads made now go before others; this one does not need to
        try:
            self.disk = Disk(
                directory, journal, before, self.told.append, self.trouble.append, reserve_bytes=0
            )
            self.encoding = Encoding(RENDITIONS, self.disk, Feed(), part_ms=200, segment_ms=1000)
            self.show = Show(
                compositor or Compositor(),
                self.mixer,
                self.encoding,
                self.told.append,
                earliest_ms=before.end_ms or 0,
            )
        finally:
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_OTHER, os.sched_param(0))
        self._journal = journal

    def tap(self, program_time_ms: int) -> Inputs:
        inputs = Inputs(self.mixer, self.decoding, lambda _: None, lambda _track, _height: True)
        inputs.take(tap_frames.Clock(time.monotonic_ns() // 1000, program_time_ms))
        self.show.inputs = inputs
        return inputs

    def named(self, kind: str) -> list[Any]:
        return [fact for fact in list(self.told) if fact["fact"] == kind]

    def wait(self, kind: str, count: int) -> None:
        eventually_sync(lambda: len(self.named(kind)) >= count, timeout_s=60, what=f"{count} {kind}")

    def close(self) -> None:
        self.show.close()
        self.encoding.close()
        self.disk.close()
        self.decoding.close()
        self._journal.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "c")
    yield made
    made.close()


def test_nothing_begins_before_scene_and_clock_are_known(stage: Stage) -> None:
    stage.show.scene = SCENE
    time.sleep(0.3)
    assert stage.told == []
    stage.tap(4_000)
    stage.wait("part", 2)
    (life,) = stage.named("life")
    assert 3_800 <= life["program_time_ms"] <= 60_000


def test_without_a_room_the_wall_clock_says_what_time_it_is(stage: Stage) -> None:
    stage.show.scene = Scene(phase="live", program_started_wall_ms=time.time_ns() // 1_000_000 - 70_000)
    stage.wait("part", 2)
    (life,) = stage.named("life")
    assert life["program_time_ms"] >= 74_000


def test_time_does_not_begin_before_zero(stage: Stage) -> None:
    stage.show.scene = SCENE
    stage.tap(0)
    stage.wait("part", 2)
    (life,) = stage.named("life")
    assert life["program_time_ms"] >= 0


def test_a_life_never_tells_a_time_that_another_has_told(tmp_path: Path) -> None:
    first = Stage(tmp_path / "c")
    first.show.scene = SCENE
    first.tap(50_000)
    first.wait("segment", 2)
    first.close()
    ends_ms = max(f["program_time_ms"] + f["duration_ms"] for f in first.named("segment"))
    second = Stage(tmp_path / "c")
    second.show.scene = SCENE
    second.tap(10_000)  # a clock that was set back
    second.wait("segment", 2)
    second.close()
    (life,) = second.named("life")
    assert (life["life"], life["program_time_ms"]) == (2, ends_ms)
    assert second.named("gap") == []


def test_another_clock_is_another_life(stage: Stage) -> None:
    stage.show.scene = SCENE
    stage.tap(50_000)
    stage.wait("part", 4)
    stage.tap(90_000)
    stage.wait("life", 2)
    stage.wait("segment", 4)
    one, two = stage.named("life")
    assert two["program_time_ms"] >= 89_000
    (gap,) = stage.named("gap")
    assert gap["to_ms"] == two["program_time_ms"]
    assert one["life"] + 1 == two["life"]


def test_it_spares_itself_in_the_stated_order_without_a_gap(tmp_path: Path) -> None:
    compositor = Compositor()
    stage = Stage(tmp_path / "c", compositor)
    stage.show._load = Script({30: 1, 60: 2, 100: 3, 130: 4, 160: 5, 230: 0})  # type: ignore[assignment]
    stage.show.scene = SCENE
    stage.tap(5_000)
    eventually_sync(lambda: compositor.most_tiles, lambda tiles: tiles == 4, timeout_s=60)
    stage.wait("life", 3)
    eventually_sync(lambda: stage.show._load.level, lambda level: level == 0, timeout_s=60)
    end = len(stage.named("part"))
    stage.wait("part", end + 6)
    stage.close()
    assert compositor.most_tiles == 9
    facts = read_journal(stage.directory)
    assert [f for f in facts if f["fact"] == "gap"] == []
    inits = [
        (f["life"], f["width"], f["height"])
        for f in facts
        if f["fact"] == "init" and f["rendition"] == "720p"
    ]
    assert inits[:3] == [(1, 1280, 720), (2, 960, 540), (3, 960, 540)]
    listed = [f for f in facts if f["fact"] == "segment" and f["rendition"] == "720p"]
    assert [f["number"] for f in listed] == list(range(len(listed)))
    for before, after in itertools.pairwise(listed):
        assert after["program_time_ms"] == before["program_time_ms"] + before["duration_ms"]
        assert after["discontinuity"] == (after["life"] != before["life"])
    for life in (1, 2, 3):
        for rendition in RENDITIONS:
            assert complaints(joined(stage.directory, facts, rendition, life, tmp_path)) == ""
    seconds = [float(p["pts_time"]) for p in packets(tmp_path / "3-720p.mp4", "v")]
    times = [round((each - seconds[0]) * 25) for each in seconds]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert set(steps) == {1, 2}
    few = [at for at, step in zip(times, steps, strict=False) if step == 2]
    assert {at % 5 for at in few} == {0, 2}  # every part begins with a picture at its time
    assert 20 <= len(few) <= 30


def test_the_row_of_levels_is_the_stated_one() -> None:
    order = [load.HALF_RATE_TILES, load.SMALLER, load.ULTRAFAST, load.FEWER_TILES, load.FEWER_PICTURES]
    assert order == [1, 2, 3, 4, 5]


class Failing(Compositor):
    """Fails at some pictures."""

    fails = False

    def compose(self, *arguments: Any, **more: Any) -> Any:
        if self.fails:
            raise ValueError("a picture that nobody thought of")
        return super().compose(*arguments, **more)


def test_a_picture_that_cannot_be_composed_is_the_one_before(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    compositor = Failing()
    stage = Stage(tmp_path / "c", compositor)
    stage.show.scene = SCENE
    stage.tap(5_000)
    stage.wait("part", 2)
    compositor.fails = True
    eventually_sync(lambda: stage.show._failures > 3)
    compositor.fails = False
    stage.wait("part", len(stage.named("part")) + 4)
    stage.close()
    assert len(stage.named("life")) == 1
    assert "nobody thought of" in capfd.readouterr().err
