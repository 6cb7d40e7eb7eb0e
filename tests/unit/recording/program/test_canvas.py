"""Planes, layers and scaled pictures: colours, blending, fitting without distortion, odd sources."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recording.program.canvas import MAX_CROP, POOL, Planes, Pool, Scaler, blank, fit, layer, yuv
from recording.program.layout import Rect
from tests.support.picture_code import draw, read_code
from tests.support.program_pictures import coded, rgb_of

even = st.integers(10, 700).map(lambda value: value * 2)


@given(even, even, even, even, st.booleans())
def test_a_picture_is_never_distorted_and_stays_in_its_place(
    width: int, height: int, place_w: int, place_h: int, whole: bool
) -> None:
    how = fit((width, height), (place_w, place_h), whole=whole)
    assert how.part.x + how.part.w <= how.scaled[0]
    assert how.part.y + how.part.h <= how.scaled[1]
    assert how.x + how.part.w <= place_w
    assert how.y + how.part.h <= place_h
    assert not any(value % 2 for value in (*how.scaled, *how.part, how.x, how.y))
    scale = max(how.scaled[0] / width, how.scaled[1] / height)
    slack = 2 + 2 * max(width / height, height / width)  # even sizes
    assert abs(how.scaled[0] - width * scale) <= slack
    assert abs(how.scaled[1] - height * scale) <= slack
    if whole:
        assert how.part[2:] == how.scaled
    else:
        assert 1 - how.part.w / how.scaled[0] <= MAX_CROP + 0.1  # rounding of tiny pictures
        assert 1 - how.part.h / how.scaled[1] <= MAX_CROP + 0.1


@pytest.mark.parametrize(
    ("picture", "place", "whole", "shown"),
    [
        ((640, 360), (592, 400), False, (0, 0, 592, 400)),  # 16:9 beside each other: cropped at the sides
        ((640, 480), (1280, 720), False, (160, 0, 960, 720)),  # 4:3 would lose a quarter: shown whole
        ((360, 640), (1280, 720), False, (438, 0, 404, 720)),  # a phone held upright
        ((1024, 768), (816, 458), True, (102, 0, 610, 458)),  # a page is never cropped
        ((640, 360), (1280, 720), True, (0, 0, 1280, 720)),
    ],
)
def test_how_pictures_are_fitted(
    picture: tuple[int, int], place: tuple[int, int], whole: bool, shown: tuple[int, int, int, int]
) -> None:
    how = fit(picture, place, whole=whole)
    assert (how.x, how.y, how.part.w, how.part.h) == shown


def test_canvases_are_used_in_turn() -> None:
    pool = Pool((64, 32))
    arrays = [id(pool.take()[0]) for _ in range(POOL + 1)]
    assert len(set(arrays)) == POOL
    assert arrays[0] == arrays[-1]


@pytest.mark.parametrize(
    "colour", [(255, 255, 255), (0, 0, 0), (189, 42, 29), (216, 187, 120), (15, 84, 104)]
)
def test_colours_come_out_as_they_went_in(colour: tuple[int, int, int]) -> None:
    array, planes = blank((32, 16))
    planes.fill(Rect(0, 0, 32, 16), colour)
    assert np.abs(rgb_of(array)[8, 16].astype(int) - colour).max() <= 4


@pytest.mark.parametrize("alpha", [0, 1, 128, 254, 255])
def test_a_layer_lets_as_much_shine_through_as_it_says(alpha: int) -> None:
    array, planes = blank((32, 16))
    planes.fill(Rect(0, 0, 32, 16), (200, 200, 200))
    image = Image.new("RGBA", (16, 8), (100, 0, 0, alpha))
    drawn = layer(image, 8, 4, (32, 16))
    if alpha == 0:
        assert drawn is None
        return
    assert drawn is not None
    drawn.draw(planes)
    expected = 200 + (np.array((100, 0, 0)) - 200) * alpha / 255
    assert np.abs(rgb_of(array)[8, 16].astype(int) - expected).max() <= 5
    assert yuv((200, 200, 200))[0] == array[0, 0]  # nothing beside it


def test_a_layer_that_reaches_over_the_edge_is_cut() -> None:
    _, planes = blank((32, 16))
    planes.fill(Rect(0, 0, 32, 16), (0, 0, 0))
    image = Image.new("RGBA", (40, 40), (255, 255, 255, 200))
    for x, y in ((-7, -9), (25, 11), (-3, 3)):
        drawn = layer(image, x, y, (32, 16))
        assert drawn is not None
        drawn.draw(planes)
    assert layer(image, 32, 0, (32, 16)) is None


def shown(frame: VideoFrame, place: tuple[int, int], rotation: int = 0, whole: bool = False) -> Planes:
    _, planes = blank(place)
    Scaler(place, whole=whole).draw(planes, 0, 0, frame, rotation, True, 0.0)
    return planes


@pytest.mark.parametrize("size", [(160, 90), (640, 360), (1280, 720), (641, 361), (3840, 2160)])
def test_pictures_of_any_size_are_scaled(size: tuple[int, int]) -> None:
    code = read_code(shown(coded(9, size, 77), (640, 360)).y)
    assert code is not None
    assert (code.participant, code.frame) == (9, 77)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_phone_that_lies_is_set_upright(rotation: int) -> None:
    upright = draw(5, 3, 360, 640)
    turned = np.ascontiguousarray(np.rot90(upright, rotation // 90))
    frame = VideoFrame.from_ndarray(turned, format="rgb24").reformat(format="yuv420p")
    planes = shown(frame, (404, 720), rotation)
    code = read_code(planes.y)
    assert code is not None
    assert code.participant == 5


@pytest.mark.parametrize("pixel_format", ["yuvj420p", "nv12", "yuv444p", "rgb24", "yuv420p10le", "gray"])
def test_other_pixel_formats_are_converted(pixel_format: str) -> None:
    frame = VideoFrame.from_ndarray(draw(4, 1, 640, 360), format="rgb24").reformat(format=pixel_format)
    planes = shown(frame, (640, 360))
    code = read_code(planes.y)
    assert code is not None
    assert code.participant == 4
    assert planes.y.min() >= 12  # limited range, also from a full one
    assert planes.y.max() <= 240


def test_beside_a_narrow_picture_lies_its_own_dark_blur() -> None:
    planes = shown(coded(7, (360, 640)), (1280, 720))
    code = read_code(planes.y[:, 438:840])
    assert code is not None
    assert code.participant == 7
    side = planes.y[300:700, :400]
    assert 10 <= side.mean() < 60
    assert np.abs(np.diff(side.astype(int), axis=1)).max() <= 3  # nothing to be seen in it


def test_beside_a_page_lies_the_ground() -> None:
    planes = shown(coded(7, (1024, 768)), (1280, 720), whole=True)
    assert np.all(planes.y[:, :100] == yuv((11, 26, 31))[0])


def test_a_picture_is_scaled_once() -> None:
    scaler = Scaler((320, 180))
    _, planes = blank((320, 180))
    scaler.draw(planes, 0, 0, coded(1, (640, 360)), 0, True, 0.0)
    scaler.draw(planes, 0, 0, coded(2, (640, 360)), 0, False, 0.0)
    code = read_code(planes.y)
    assert code is not None
    assert code.participant == 1
