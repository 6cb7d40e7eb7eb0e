"""What a hall's camera and microphone give, healthy and with one fault each: files for browsers' fake devices."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from tests.support.media import SAMPLE_RATE, cached, speech, write_wav

SIZE: Final = (1280, 720)
FRAMES: Final = 30
FPS: Final = 30
_SENTENCE: Final = "各位代表，大家好。"
_PAUSE_S: Final = 0.8

Camera = Literal["good", "dark", "frozen"]
Microphone = Literal["good", "silent", "clipped"]


def hall_video(kind: Camera = "good") -> Path:
    """A hall with somebody who moves in it, for `--use-file-for-fake-video-capture`."""
    width, height = SIZE

    def make(path: Path) -> None:
        # Not compressed: a busy computer would decode fewer pictures than the camera gives.
        with path.open("wb") as out:
            out.write(f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
            for number in range(FRAMES):
                picture = _hall(0 if kind == "frozen" else number, width, height)
                if kind == "dark":
                    picture = (picture * 0.32).astype(np.uint8)
                frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
                out.write(b"FRAME\n" + frame.to_ndarray().tobytes())

    return cached(f"hall-{kind}", ".y4m", [kind, SIZE, FRAMES, FPS, 1], make)


def hall_sound(kind: Microphone = "good") -> Path:
    """Short sentences with pauses, for `--use-file-for-fake-audio-capture`."""

    def make(path: Path) -> None:
        said = speech(_SENTENCE).astype(np.float32)
        said *= 0.5 * 32767 / max(1.0, float(np.abs(said).max()))
        if kind == "clipped":
            said = np.clip(said * 12, -32767, 32767)
        quiet = np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.float32)
        sentence = np.concatenate([said, quiet])
        if kind == "silent":
            sentence = np.zeros_like(sentence)
        write_wav(path, np.tile(sentence, 4).astype(np.int16))

    return cached(f"hall-{kind}", ".wav", [kind, _SENTENCE, _PAUSE_S, 1], make)


def _hall(number: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """A wall that is lighter above, a table, and a figure that walks."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = np.linspace(190, 90, height).astype(np.uint8)[:, None, None]
    picture[int(height * 0.7) :] = (96, 74, 52)
    left = int(width * (0.1 + 0.6 * number / FRAMES))
    picture[int(height * 0.25) : int(height * 0.75), left : left + width // 8] = (40, 60, 110)
    return picture
