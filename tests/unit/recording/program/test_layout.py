"""Layouts as tables and laws: inside the safe area, nothing over anything that must be read."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.program.layout import (
    FRAME,
    HEIGHT,
    MAX_GRID,
    PLATE_HEIGHTS,
    SAFE,
    WHOLE,
    WIDTH,
    Layout,
    Rect,
    Seat,
    Shot,
    lay_out,
)

NAMES = ("speaker", "strip", "grid", "side", "screen")
SIZES = ((1280, 720), (960, 540), (640, 360))


def seats(count: int) -> tuple[Seat, ...]:
    return tuple(Seat(f"p_{n}", (f"p_{n}", "camera")) for n in range(count))


def shot(name: str, count: int) -> Shot:
    screen = ("p_share", "screen") if name == "screen" else None
    return Shot(name, seats(count), screen)  # type: ignore[arg-type]


layouts = st.builds(
    lambda name, count, captions, card: lay_out(shot(name, count), captions=captions, card=card),
    st.sampled_from(NAMES),
    st.integers(0, 12),
    st.booleans(),
    st.booleans(),
)


def read_places(layout: Layout) -> dict[str, Rect]:
    """What must be read: none of it may lie on another, and none in a picture but its own tile's plate."""
    places = {
        name: place
        for name in ("bar", "clock", "captions", "card", "countdown")
        if (place := getattr(layout, name)) is not None
    }
    return places | {f"plate {n}": t.plate for n, t in enumerate(layout.tiles) if t.plate is not None}


@given(layouts)
def test_nothing_that_is_read_covers_another(layout: Layout) -> None:
    for (one, first), (other, second) in combinations(read_places(layout).items(), 2):
        assert not first.overlaps(second), (one, other)


@given(layouts)
def test_everything_that_is_read_is_in_the_safe_area(layout: Layout) -> None:
    for name, place in read_places(layout).items():
        assert SAFE.holds(place), name


@given(layouts)
def test_pictures_stand_apart_from_each_other_and_from_text(layout: Layout) -> None:
    if layout.tiles and layout.tiles[0].rect == WHOLE:
        assert len(layout.tiles) == 1
        assert layout.over
        return
    framed = [
        Rect(t.rect.x - FRAME, t.rect.y - FRAME, t.rect.w + 2 * FRAME, t.rect.h + 2 * FRAME)
        for t in layout.tiles
    ]
    for first, second in combinations(framed, 2):
        assert not first.overlaps(second)
    for tile in layout.tiles:
        assert SAFE.holds(tile.rect)
        for place in (layout.bar, layout.clock, layout.captions, layout.card):
            assert place is None or not tile.rect.overlaps(place)


@given(layouts)
def test_plates_and_countdown_lie_in_their_pictures(layout: Layout) -> None:
    for tile in layout.tiles:
        if tile.plate is not None:
            assert tile.rect.holds(tile.plate)
            assert tile.plate.h == PLATE_HEIGHTS[tile.kind]
    if layout.countdown is not None:
        assert layout.tiles[0].rect.holds(layout.countdown)


@given(layouts, st.sampled_from(SIZES))
def test_pictures_lie_on_even_pixels_of_every_size(layout: Layout, size: tuple[int, int]) -> None:
    whole = Rect(0, 0, *size)
    for tile in layout.tiles:
        place = tile.rect.scaled(size)
        assert whole.holds(place)
        assert not any(value % 2 for value in place)
        assert abs(place.w - tile.rect.w * size[0] / WIDTH) <= 2
        assert abs(place.h - tile.rect.h * size[1] / HEIGHT) <= 2


@given(layouts)
def test_no_picture_is_cropped_much(layout: Layout) -> None:
    for tile in layout.tiles:
        assert 1.4 <= tile.rect.w / tile.rect.h <= 2.07


@pytest.mark.parametrize(
    ("count", "shape"), [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 3), (7, 3), (9, 3), (12, 3)]
)
def test_a_grid_has_columns_for_its_people(count: int, shape: int) -> None:
    layout = lay_out(shot("grid", count), captions=False, card=False)
    assert len(layout.tiles) == min(count, MAX_GRID)
    tops = [tile.rect.y for tile in layout.tiles]
    assert tops.count(tops[0]) == shape
    last = [tile.rect for tile in layout.tiles if tile.rect.y == tops[-1]]
    assert abs(last[0].x + last[-1].right - WIDTH) <= 4  # the last row is in the middle


def test_the_screen_is_the_largest_and_whole_beside_its_speaker() -> None:
    layout = lay_out(shot("screen", 1), captions=True, card=False)
    share, speaker = layout.tiles
    assert share.key == ("p_share", "screen")
    assert share.plate is None  # nothing covers a page
    assert share.rect.w > 2 * speaker.rect.w
    assert abs(share.rect.w / share.rect.h - WIDTH / HEIGHT) < 0.01


def test_the_comment_card_moves_the_pictures_and_nothing_else() -> None:
    for name in NAMES:
        plain = lay_out(shot(name, 4), captions=True, card=False)
        with_card = lay_out(shot(name, 4), captions=True, card=True)
        assert with_card.card is not None
        assert (with_card.bar, with_card.clock) == (plain.bar, plain.clock)
        assert all(tile.rect.right <= with_card.card.x for tile in with_card.tiles)


def test_captions_keep_their_place_when_nobody_speaks() -> None:
    for name in NAMES:
        layout = lay_out(shot(name, 4), captions=True, card=False)
        assert layout.captions is not None
        assert layout.captions.h >= 2 * 48


@pytest.mark.parametrize(
    ("wanted", "given_seats", "got"),
    [("side", 1, "speaker"), ("strip", 1, "speaker"), ("speaker", 0, "title"), ("grid", 0, "title")],
)
def test_a_layout_without_its_people_is_a_simpler_one(wanted: str, given_seats: int, got: str) -> None:
    assert lay_out(shot(wanted, given_seats), captions=False, card=False).name == got


def test_who_joins_a_strip_moves_nobody() -> None:
    two = lay_out(shot("strip", 3), captions=False, card=False).tiles
    four = lay_out(shot("strip", 5), captions=False, card=False).tiles
    assert [tile.rect for tile in two] == [tile.rect for tile in four[:3]]
