"""How large the pictures of the tap are asked to be, and that nothing is seen of the moves between layers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conference.sfu import tap_frames
from recording.program.inputs import height_for
from tests.support.eventually import eventually_sync
from tests.support.inset import inset_clip
from tests.unit.recording.written_tap import CAMERA, CLIP, START_US, Tap

WIDE, SMALL = (960, 540), (300, 160)
SCREEN = ("p1", "screen")


@pytest.fixture
def tap() -> Iterator[Tap]:
    made = Tap()
    yield made
    made.decoding.close()


def at_us(at_s: float) -> int:
    return START_US + round(at_s * 1e6)


class Drawn:
    """The program's clock: tracks are drawn in some size from a time to another, looked at twenty times a second."""

    def __init__(self, tap: Tap) -> None:
        self.tap = tap
        self.now_s = 0.0

    def go(self, seconds: float, size: tuple[int, int] | None, *, key: tuple[str, str] = CAMERA) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += 0.05
            if size is not None:
                self.tap.want(key, at_us=at_us(self.now_s), size=size)
            else:
                self.tap.inputs.want({}, at_us(self.now_s))
            self.tap.inputs.tick(at_us(self.now_s))


def test_a_tile_may_be_stretched_by_a_third_and_is_filled_in_both_directions() -> None:
    assert height_for((1280, 720)) == 540
    assert height_for((320, 180)) == 135
    assert height_for((800, 400)) == 338, "as wide as 16:9 of 450"
    assert height_for((180, 320)) == 240


def test_what_is_drawn_smaller_is_asked_for_after_a_while_and_larger_at_once(tap: Tap) -> None:
    tap.open()
    drawn = Drawn(tap)
    drawn.go(4.0, SMALL)
    assert tap.heights == [], "the best is what it began with"
    drawn.go(2.0, SMALL)
    assert tap.heights == [(1, height_for(SMALL))]
    drawn.go(0.1, WIDE)
    assert tap.heights[1:] == [(1, height_for(WIDE))]
    for _ in range(4):
        drawn.go(2.0, SMALL)
        drawn.go(2.0, WIDE)
    assert tap.heights[2:] == [], "who is large again soon was never made small"


def test_what_is_not_drawn_comes_as_small_as_it_can(tap: Tap) -> None:
    tap.open()
    drawn = Drawn(tap)
    drawn.go(6.0, WIDE)
    drawn.go(7.0, None)
    assert tap.heights == [(1, height_for(WIDE))], (
        "it is decoded for three seconds more, and five are a while"
    )
    drawn.go(2.0, None)
    assert tap.heights[1:] == [(1, 1)]
    drawn.go(0.1, SMALL)
    assert tap.heights[2:] == [(1, height_for(SMALL))]


def test_who_may_be_drawn_large_soon_and_every_screen_come_as_they_are(tap: Tap) -> None:
    tap.open()
    tap.open(2, source="screen")
    for number in range(200):
        tap.inputs.want({CAMERA: None, SCREEN: SMALL}, at_us(number / 20))
        tap.inputs.tick(at_us(number / 20))
    assert tap.heights == []


def test_what_could_not_be_asked_is_asked_again_and_another_track_begins_anew(tap: Tap) -> None:
    tap.open()
    tap.accepts = False
    drawn = Drawn(tap)
    drawn.go(6.0, SMALL)
    asked = len(tap.heights)
    assert asked > 1
    tap.accepts = True
    drawn.go(1.0, SMALL)
    assert len(tap.heights) == asked + 1
    tap.inputs.take(tap_frames.Close(1))
    tap.open(2)
    drawn.go(4.0, SMALL)
    assert len(tap.heights) == asked + 1
    drawn.go(2.0, SMALL)
    assert tap.heights[-1] == (2, height_for(SMALL))


def test_a_move_to_another_layer_is_neither_a_hole_nor_an_end(tap: Tap) -> None:
    tap.open()
    tap.want()
    for number in range(6):
        tap.send(CLIP[number], number / 25)
    old = tap.inputs._pictures[1]
    eventually_sync(lambda: old.backlog == 0, every_s=0.002)
    tap.open()  # another stream behind the same number; its keyframe is later than all that came
    assert tap.inputs.available() == {CAMERA}
    other = inset_clip(1, "vp8", 25, 50, gop=12)
    for number in range(12, 16):
        tap.send(other[number], number / 25)
    tap.settle()
    assert [tap.code(at_s) for at_s in (0.1, 0.21, 0.4)] == [2, 5, 5], "the old ones have their time"
    assert tap.code(0.5) == 12
    assert tap.code(0.61) == 15


def test_behind_a_move_that_brings_nothing_the_picture_ends_as_any_that_stalls(tap: Tap) -> None:
    tap.open()
    tap.want()
    tap.send(CLIP[0], 0)
    tap.settle()
    assert tap.code(0.1) == 0
    tap.open()
    assert tap.code(0.2) == 0
    assert tap.picture(2.4) is None


def test_of_two_cameras_a_move_of_the_older_does_not_make_it_the_newer(tap: Tap) -> None:
    other = inset_clip(2, "vp8", 25, 50, gop=12)
    tap.open(1)
    tap.open(2)
    tap.want()
    tap.send(other[0], 0, track=2)
    tap.settle()
    tap.open(1)
    tap.send(CLIP[12], 0.1, track=1)
    tap.settle()
    assert tap.code(0.2) == 0
