"""The picture code survives what a call does to pictures."""

import itertools

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from PIL import Image

from tests.support.media import encode_vp8
from tests.support.picture_code import FRAMES, PARTICIPANTS, Code, draw, hue, read_code


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 180), (160, 90), (360, 640)])
def test_reads_what_was_drawn(size: tuple[int, int]) -> None:
    for participant, frame in [(0, 0), (1, 1), (PARTICIPANTS - 1, FRAMES - 1), (7, 4711)]:
        assert read_code(draw(participant, frame, *size)) == Code(participant, frame)


def test_survives_scaling() -> None:
    picture = Image.fromarray(draw(5, 1234, 1280, 720))
    for size in [(960, 540), (213, 120), (160, 90), (333, 187)]:
        assert read_code(np.asarray(picture.resize(size, Image.Resampling.BILINEAR))) == Code(5, 1234), size


@pytest.mark.parametrize("size", [(640, 360), (320, 180)])
def test_survives_vp8_at_300_kbit_s(size: tuple[int, int]) -> None:
    decoder = av.CodecContext.create("vp8", "r")
    assert isinstance(decoder, VideoCodecContext)
    frames = 45
    read: list[Code | None] = []
    coded_bytes = 0
    for packet in encode_vp8(3, size, 15, frames, 300_000):
        coded_bytes += len(packet)
        read += [
            read_code(picture.to_ndarray(format="rgb24")) for picture in decoder.decode(av.Packet(packet))
        ]
    assert coded_bytes * 8 / (frames / 15) < 400_000
    assert read == [Code(3, number) for number in range(frames)]


def test_no_code_in_other_pictures() -> None:
    rng = np.random.default_rng(1)
    black, white = np.zeros((360, 640, 3), np.uint8), np.full((360, 640, 3), 255, np.uint8)
    noise = rng.integers(0, 256, (360, 640, 3), dtype=np.uint8)
    shifted = np.roll(draw(1, 1, 640, 360), 40, axis=1)
    assert [read_code(picture) for picture in (black, white, noise, shifted)] == [None] * 4


def test_a_damaged_cell_is_noticed() -> None:
    rng = np.random.default_rng(2)
    for _ in range(200):
        picture = draw(9, int(rng.integers(FRAMES)), 280, 156).copy()
        row, column = int(rng.integers(2)), int(rng.integers(1, 13))
        cell = picture[row * 26 : row * 26 + 26, column * 20 : column * 20 + 20]
        cell[:] = 255 - cell
        assert read_code(picture) is None


def test_hues_differ() -> None:
    hues = sorted(hue(participant) for participant in range(8))
    assert min(b - a for a, b in itertools.pairwise(hues)) > 0.05
