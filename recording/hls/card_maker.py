"""The process that encodes the cards of recording.hls.card_segments, with the program's own encoders: `FILE`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import av
import msgspec
import numpy as np
from PIL import Image, ImageDraw

from recording.hls.card_segments import FRAME_MS, VERSION, Card, CardFile
from recording.hls.formats import Format, VideoFormat, init_segment
from recording.program.encoder import AAC_SAMPLES, FRAME_TICKS, AacEncoder, Coding, VideoEncoder
from recording.program.text import Fonts

SIZES: Final[dict[str, tuple[int, int] | None]] = {"720p": (1280, 720), "360p": (640, 360), "audio": None}
_HEAD: Final = "画面暂不播出"
_UNDER: Final = "恢复后会自动播放，不用刷新"
_GROUND: Final = (14, 38, 46)
_RULE: Final = (179, 38, 26)
_TITLE: Final = (246, 241, 227)
_SUBTITLE: Final = (217, 199, 150)
_MAXRATE: Final = 2_500_000
_BITRATES: Final = {"audio": 64_000}
_BITRATE: Final = 128_000
_SETTLED: Final = 8  # frames until silence is coded as silence


def picture(width: int, height: int, fonts: Fonts) -> Image.Image:
    """The card in this size (RGB): flat, so that a keyframe of it is small."""
    image = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(image)
    unit = height / 720
    middle = width / 2
    head, under = fonts.get("sans", 68 * unit, bold=True), fonts.get("sans", 32 * unit)
    draw.text((middle, 300 * unit), _HEAD, _TITLE, head, anchor="mm")
    draw.rectangle((middle - 110 * unit, 374 * unit, middle + 110 * unit, 377 * unit), _RULE)
    draw.text((middle, 424 * unit), _UNDER, _SUBTITLE, under, anchor="mm")
    return image


def make_card(name: str, size: tuple[int, int] | None, fonts: Fonts) -> Card:
    """Pictures for a second, and one frame of silence."""
    audio = AacEncoder(_BITRATES.get(name, _BITRATE))
    silence = b""
    for count in range(_SETTLED):
        for sample in audio.encode(np.zeros((AAC_SAMPLES, 2), np.float32), count * AAC_SAMPLES):
            silence = sample.data
    pictures: list[bytes] = []
    video: VideoFormat | None = None
    if size is not None:
        encoder = VideoEncoder(Coding(*size, maxrate=_MAXRATE, level="3.1" if size[1] > 360 else "3.0"))
        drawn = av.VideoFrame.from_ndarray(np.asarray(picture(*size, fonts)), format="rgb24")
        frame = drawn.reformat(format="yuv420p", dst_colorspace="ITU601")
        for index in range(1000 // FRAME_MS):
            pictures.append(encoder.encode(frame, index * FRAME_TICKS, key=index == 0).file_data)
        video = encoder.format
    return Card(init_segment(Format(name, video, audio.format)), tuple(pictures), silence)


def main() -> None:
    """Write all cards, whole or not at all."""
    os.nice(5)
    path = Path(sys.argv[1])
    fonts = Fonts()
    file = CardFile(VERSION, {name: make_card(name, size, fonts) for name, size in SIZES.items()})
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        beside.write_bytes(msgspec.msgpack.encode(file))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
