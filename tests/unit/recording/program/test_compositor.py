"""Composed pictures: who is to be seen where, what changes on which picture, and what a stalled track looks like."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image

from recording.program.canvas import blank
from recording.program.compositor import STALL_MS, WAIT_MS, Compositor, Key, Picture, Plan
from recording.program.layout import PLATE_HEIGHTS, Rect
from recording.program.overlays import Overlays
from recording.program.scene import Direction, Person, Promotion, Scene, scene_from
from tests.support.picture_code import read_code
from tests.support.program_pictures import (
    EXAMPLES,
    TIME_MS,
    WALL_MS,
    Example,
    coded,
    compose,
    pictures_of,
    rgb_of,
)

TICK_MS = 40.0
PEOPLE = tuple(Person(f"p_{n}", f"委员{n}", "经济界", camera=True) for n in range(6))
PICTURED = [
    name
    for name, example in EXAMPLES.items()
    if example.scene.people and name.split("-")[0] not in {"title", "break", "end"}
]


def seen(picture: np.ndarray[Any, Any], rect: Rect) -> int | None:
    """Whose picture that part shows; None: nobody's."""
    height = picture.shape[0] * 2 // 3
    code = read_code(picture[:height][rect.y : rect.bottom, rect.x : rect.right])
    return None if code is None else code.participant


class Show:
    """A compositor that is fed tick by tick."""

    def __init__(self, people: tuple[Person, ...] = PEOPLE, **scene: Any) -> None:
        self.scene = Scene(phase="live", title="推进县域养老服务", people=people, **scene)
        self.compositor = Compositor()
        self.time_ms = 10_000.0
        self.serial = 0
        self.moving: set[str] = {person.id for person in people}
        self.pictures: dict[Key, Picture | None] = {}
        self.tracks: list[Key] = [(person.id, "camera") for person in people]

    def direct(self, layout: Any, *people: str) -> None:
        self.scene = msgspec.structs.replace(self.scene, direction=Direction("manual", layout, people))

    def choose(self) -> Plan:
        return self.compositor.choose(self.scene, self.tracks, {}, self.time_ms / 1000)

    def tick(self) -> np.ndarray[Any, Any]:
        """One picture; each camera that moves has sent a new one."""
        self.time_ms += TICK_MS
        self.serial += 1
        for index, person in enumerate(self.scene.people):
            if person.id in self.moving:
                self.pictures[person.id, "camera"] = Picture(
                    coded(index, (320, 180), self.serial), self.serial
                )
        return self.compositor.compose(self.choose(), self.scene, self.pictures, self.time_ms, WALL_MS)

    def large(self) -> int | None:
        """Who is seen in a picture of the whole size."""
        return whole(self.tick())


def whole(picture: np.ndarray[Any, Any]) -> int | None:
    """Whose picture fills the canvas, by the colour of its lower part: its code lies under the topic bar."""
    found = [n for n in range(len(PEOPLE)) if np.abs(tint(picture) - tint_of(n)).max() < 6]
    return found[0] if len(found) == 1 else None


def tint(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Mean Y, U and V where neither text nor the bar that walks is."""
    flat, size = picture.reshape(-1), 1280 * 720
    halves = [flat[size + n * size // 4 : size + (n + 1) * size // 4].reshape(360, 640) for n in (0, 1)]
    planes = [picture[420:480, 900:1240], *(half[210:240, 450:620] for half in halves)]
    means: np.ndarray[Any, Any] = np.array([plane.mean() for plane in planes])
    return means


@functools.cache
def tint_of(participant: int) -> np.ndarray[Any, Any]:
    return tint(frame_of(participant, (1280, 720), 0).to_ndarray())


@functools.cache
def frame_of(participant: int, size: tuple[int, int], number: int) -> VideoFrame:
    return coded(participant, size, number)


@pytest.mark.parametrize("name", PICTURED)
def test_everybody_is_seen_in_their_place(name: str) -> None:
    example = EXAMPLES[name]
    compositor = Compositor()
    picture = compose(example, compositor)
    assert picture.shape == (1080, 1280)
    assert compositor.plan is not None
    assert compositor.plan.layout == name.split("-")[0].replace("comment", "speaker")
    order = [person.id for person in example.scene.people]
    for tile in compositor.plan.places.tiles:
        if tile.key is None or tile.key[1] == "screen" or compositor.plan.places.over:
            continue
        if tile.rect.w / tile.rect.h > 2 or tile.seat.person in example.sizes:
            continue  # cropped, or narrow: the code is not where the reader looks
        width = round(tile.rect.h * 16 / 9) // 2 * 2
        assert abs(width - tile.rect.w) < 0.25 * width
        if abs(width - tile.rect.w) <= 4:
            assert seen(picture, tile.rect) == order.index(tile.key[0]), tile


def test_a_tile_without_camera_is_a_card_with_the_name() -> None:
    compositor = Compositor()
    picture = rgb_of(compose(EXAMPLES["grid-6"], compositor))
    assert compositor.plan is not None
    tent = next(tile for tile in compositor.plan.places.tiles if tile.key is None)
    middle = picture[
        tent.rect.y + tent.rect.h // 3 : tent.rect.y + tent.rect.h * 2 // 3,
        tent.rect.x + 100 : tent.rect.right - 100,
    ]
    assert (middle.min(-1) > 220).mean() > 0.3  # white card
    assert (middle.max(-1) < 60).sum() > 100  # black name


def test_the_plan_names_tracks_and_sizes() -> None:
    show = Show()
    show.direct("grid", "p_1", "p_2")
    plan = show.choose()
    assert plan.layout == "grid"
    assert plan.people == ("p_1", "p_2")
    assert set(plan.wanted) == {("p_1", "camera"), ("p_2", "camera")}
    assert all(width > 500 and height > 300 for width, height in plan.wanted.values())
    assert show.choose() is plan  # the same while nothing changes


def test_a_change_falls_on_one_picture() -> None:
    show = Show()
    show.direct("speaker", "p_1")
    show.tick()
    for _ in range(5):
        show.direct("speaker", "p_2")
        assert show.large() == 2
        show.direct("speaker", "p_1")
        assert show.large() == 1


def test_the_old_picture_stays_until_the_new_one_is_there() -> None:
    show = Show()
    show.direct("speaker", "p_1")
    assert show.large() == 1
    show.moving.discard("p_2")
    show.pictures["p_2", "camera"] = None
    show.direct("speaker", "p_2")
    for _ in range(10):
        assert show.large() == 1
    assert set(show.compositor.wanted()) == {("p_1", "camera"), ("p_2", "camera")}
    show.moving.add("p_2")
    assert show.large() == 2
    assert set(show.compositor.wanted()) == {("p_2", "camera")}


def test_after_a_second_without_picture_there_is_a_card() -> None:
    show = Show()
    show.direct("speaker", "p_1")
    show.tick()
    show.moving.discard("p_2")
    show.pictures.pop(("p_2", "camera"))
    show.direct("speaker", "p_2")
    ticks = 0
    while show.large() == 1:
        ticks += 1
        assert ticks < 100
    assert WAIT_MS - TICK_MS <= ticks * TICK_MS <= WAIT_MS + TICK_MS
    assert show.compositor.plan is not None
    assert show.compositor.plan.people == ("p_2",)
    show.moving.add("p_2")
    assert show.large() == 2  # and the picture as soon as it comes


def test_a_stalled_camera_keeps_its_picture_for_two_seconds() -> None:
    show = Show()
    show.direct("speaker", "p_1")
    show.tick()
    show.moving.discard("p_1")
    stood = 0
    while show.large() == 1:
        stood += 1
        assert stood < 200
    assert STALL_MS - 2 * TICK_MS <= stood * TICK_MS <= STALL_MS
    show.moving.add("p_1")
    assert show.large() == 1


def test_a_track_that_is_taken_away_for_a_moment_is_no_gap() -> None:
    show = Show()
    show.direct("speaker", "p_1")
    show.tick()
    show.moving.discard("p_1")
    show.pictures["p_1", "camera"] = None
    assert [show.large() for _ in range(10)] == [1] * 10


def test_a_page_may_stand_still() -> None:
    example = EXAMPLES["screen"]
    compositor = Compositor()
    first = compose(example, compositor).copy()
    assert compositor.plan is not None
    share = compositor.plan.places.tiles[0].rect
    plan = compositor.choose(example.scene, example.tracks(), {}, 200.0)
    minute_ms = 60_000
    later = compositor.compose(
        plan, example.scene, pictures_of(example), TIME_MS + minute_ms, WALL_MS + minute_ms
    )
    shadow = 24  # of the plate beside it, which is a card later
    where = np.s_[share.y : share.bottom, share.x : share.right - shadow]
    assert np.array_equal(first[where], later[where])


def test_no_picture_in_a_session_is_black() -> None:
    """Joins, leaves, changes of size and of layout, and a track that comes late: something is always shown."""
    show = Show()
    before = msgspec.structs.replace(show.scene, phase="before")
    live, show.scene = show.scene, before
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: setattr(show, "scene", live),
        lambda: show.direct("grid", "p_0", "p_1", "p_2", "p_3"),
        lambda: show.pictures.update({("p_0", "camera"): Picture(coded(0, (160, 90)), -1)}),
        lambda: show.direct("side", "p_1", "p_2"),
        lambda: setattr(show, "scene", msgspec.structs.replace(show.scene, people=show.scene.people[2:])),
        lambda: setattr(show, "scene", msgspec.structs.replace(show.scene, promotion=Promotion("好"))),
        lambda: setattr(show, "scene", msgspec.structs.replace(show.scene, people=())),
        lambda: setattr(show, "scene", msgspec.structs.replace(show.scene, phase="ended")),
    ]
    for step in steps:
        step()
        for _ in range(3):
            picture = show.tick()
            assert picture[:720].std() > 8
            assert (picture[:720] > 60).mean() > 0.005


def test_a_camera_that_changes_its_size_is_shown_all_the_time() -> None:
    show = Show()
    show.direct("grid", "p_0", "p_1", "p_2", "p_3")
    show.moving.discard("p_0")
    for number, size in enumerate([(640, 360), (1280, 720), (320, 180), (640, 360)]):
        show.pictures["p_0", "camera"] = Picture(coded(0, size, number), 1000 + number)
        picture = show.tick()
        assert show.compositor.plan is not None
        assert seen(picture, show.compositor.plan.places.tiles[0].rect) == 0


def test_a_clock_that_is_set_back_stalls_nothing() -> None:
    show = Show()
    show.direct("speaker", "p_1")
    show.tick()
    show.time_ms = 0.0
    assert show.large() == 1


def test_fewer_tiles_when_the_machine_has_too_much_to_do() -> None:
    show = Show()
    show.direct("grid")
    assert len(show.choose().wanted) == 6
    show.compositor.most_tiles = 4
    assert len(show.choose().wanted) == 4


@pytest.mark.parametrize("size", [(960, 540), (640, 360)])
def test_smaller_pictures_are_composed_alike(size: tuple[int, int]) -> None:
    for name in ("comment-long", "grid-9-captions", "title-long", "speaker-long"):
        small = Image.fromarray(rgb_of(compose(EXAMPLES[name], Compositor(size))))
        large = Image.fromarray(rgb_of(compose(EXAMPLES[name]))).resize(size)
        assert np.abs(np.asarray(small).astype(int) - np.asarray(large)).mean() < 12, name


def test_the_emblem_stands_in_place_of_the_mark(tmp_path: Path) -> None:
    emblem = tmp_path / "emblem.png"
    Image.new("RGBA", (200, 300), (30, 200, 40, 255)).save(emblem)
    picture = rgb_of(compose(EXAMPLES["grid-4"], Compositor(emblem=emblem)))
    assert np.abs(picture[50, 60].astype(int) - (30, 200, 40)).max() < 12
    brass = np.abs(picture[24:76, 36:84].astype(int) - (216, 187, 120)).max(-1) < 30
    assert not brass.any()


def test_an_emblem_that_is_no_picture_leaves_the_mark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "emblem.png").write_bytes(b"<svg/>")
    with caplog.at_level(logging.WARNING):
        picture = rgb_of(compose(EXAMPLES["grid-4"], Compositor(emblem=tmp_path / "emblem.png")))
    assert "emblem" in caplog.text
    brass = np.abs(picture[24:76, 36:84].astype(int) - (216, 187, 120)).max(-1) < 30
    assert brass.sum() > 50


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("speaker-long", {"title": "很长的标题" * 300, "item": "很长的议题" * 300}),
        ("grid-9-captions", {"title": "A" * 4000, "item": None}),
        ("title-long", {"title": "标" * 4000, "organization": "某" * 4000, "venues": ("会场" * 999,) * 60}),
        ("comment-long", {"promotion": Promotion("W" * 4000, "N" * 4000, "P" * 4000, "答" * 4000)}),
    ],
)
def test_text_of_any_length_stays_in_the_safe_area(name: str, changes: dict[str, Any]) -> None:
    people = tuple(
        msgspec.structs.replace(p, name=p.name * 50, line=p.line * 50) for p in EXAMPLES[name].scene.people
    )
    scene = msgspec.structs.replace(EXAMPLES[name].scene, people=people, **changes)
    example = EXAMPLES[name]
    long = Example(scene, example.levels, example.sizes, example.screens)
    picture = rgb_of(compose(long)).min(-1)
    if name == "speaker-long":
        picture[56:] = 0  # below the topic bar somebody's picture reaches to the edges
    for beyond in (picture[:, :34], picture[:, 1246:], picture[:20], picture[698:]):
        assert (beyond > 150).sum() == 0  # bright is the text alone


@pytest.mark.parametrize("kind", ["big", "middle", "small"])
@pytest.mark.parametrize("length", [1, 3, 200])
def test_a_plate_is_as_wide_as_its_name_and_no_wider_than_its_place(kind: Any, length: int) -> None:
    place = Rect(100, 300, 300, PLATE_HEIGHTS[kind])
    drawn = Overlays((1280, 720)).plate("林" * length, "医药卫生界 · 主会场" * length, place, kind, True)
    assert drawn is not None
    shadow = 24
    assert Rect(place.x - shadow, place.y - shadow, place.w + 2 * shadow, place.h + 2 * shadow).holds(
        drawn.rect
    )
    array, canvas = blank((1280, 720))
    canvas.fill(Rect(0, 0, 1280, 720), (40, 40, 40))
    drawn.draw(canvas)
    paper = np.argwhere(array[:720] > 200)
    (top, left), (bottom, right) = paper.min(0), paper.max(0)
    assert place.holds(Rect(left, top, right + 1 - left, bottom + 1 - top))
    if length == 200:
        assert right >= place.right - 30


def test_the_digits_of_the_clock_stand_still() -> None:
    show = Show()
    show.direct("grid")
    columns = []
    for time_ms in (0.0, 3_599_000.0, 36_000_000.0, 44_444_000.0):
        show.time_ms = time_ms
        picture = rgb_of(show.tick())[24:76, 1040:1244]
        columns.append(int(np.flatnonzero((picture.min(-1) > 150).any(0)).max()))
    assert max(columns) - min(columns) <= 3


def test_a_scene_is_read_from_json_and_refused_when_it_is_none() -> None:
    scene = scene_from(
        {
            "phase": "live",
            "people": [{"id": "p_1", "name": "林委员", "kind": "person", "camera": True}],
            "direction": {"mode": "manual", "layout": "grid", "people": ["p_1"]},
            "promotion": {"text": "好"},
            "captions": [{"speaker": "p_1", "text": "大家好"}],
            "unknown": 1,
        }
    )
    assert scene.person("p_1") == Person("p_1", "林委员", camera=True)
    assert scene.direction.people == ("p_1",)
    refused: tuple[object, ...] = (
        {"phase": "lunch"},
        {"people": [{"id": 1, "name": ""}]},
        [],
        {"people": [{"id": "x" * 5000, "name": ""}]},
    )
    for wrong in refused:
        with pytest.raises(msgspec.ValidationError):
            scene_from(wrong)


@pytest.mark.parametrize("name", ["grid-4-captions", "break"])
def test_a_rehearsal_is_told_apart_in_every_picture(name: str) -> None:
    example = EXAMPLES[name]
    rehearsed = msgspec.structs.replace(example.scene, rehearsal=True)

    def amber(scene: Scene) -> int:
        drawn = rgb_of(compose(Example(scene, example.levels, example.sizes, example.screens)))
        return int((np.abs(drawn[20:64, 900:1244].astype(int) - (138, 70, 0)).max(-1) < 16).sum())

    assert amber(example.scene) < 50
    assert amber(rehearsed) > 1_000
