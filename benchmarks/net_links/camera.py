"""What the publisher's fake camera shows: a picture with so much going on that each layer fills its bit rate."""

from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from tests.support.media import cached
from tests.support.picture_code import BAND, draw

WIDTH, HEIGHT = 1280, 720
FPS = 15
SECONDS = 4.0
_STEP = 6  # pixels by which the background moves on
_GRAIN = 8  # of 255, new in each picture, as a camera in a badly lit room has it


def busy_video() -> Path:
    """A y4m file: the coded picture of participant 1 before a crowd that moves by, with a camera's grain."""
    return cached("busy", ".y4m", [WIDTH, HEIGHT, FPS, SECONDS, _STEP, _GRAIN], _make)


def _make(path: Path) -> None:
    random = np.random.default_rng(7)
    top = round(HEIGHT * BAND) + HEIGHT // 3
    rough = random.integers(-60, 60, ((HEIGHT - top) // 12 + 2, WIDTH // 12 * 2 + 2)).astype(np.float32)
    crowd = np.kron(rough, np.ones((12, 12), np.float32))[: HEIGHT - top]
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(round(FPS * SECONDS)):
            picture = draw(1, number, WIDTH, HEIGHT).astype(np.float32)
            left = number * _STEP
            picture[top:] += crowd[:, left : left + WIDTH, None]
            picture[round(HEIGHT * BAND) :] += random.normal(
                0, _GRAIN, (HEIGHT - round(HEIGHT * BAND), WIDTH, 1)
            )
            rgb = np.clip(picture, 0, 255).astype(np.uint8)
            frame = VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            out.write(b"FRAME\n" + frame.to_ndarray().tobytes())
