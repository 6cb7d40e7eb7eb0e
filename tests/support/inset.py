"""The coded picture inside a grey one, so that no overlay of the program covers its cells; and flashes with beeps.

`flashes_in` and `beeps_in` find those again in a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from tests.support.media import SAMPLE_RATE, cached
from tests.support.picture_code import Code, draw, read_code

SIZE = (320, 180)
SHARE = 0.7  # of each side
_ENCODERS = {"vp8": "libvpx", "h264": "libx264"}
_OPTIONS = {
    "vp8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"},
    "h264": {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "repeat-headers=1:scenecut=0"},
}


def encode(
    codec: str,
    pictures: list[npt.NDArray[np.uint8]],
    fps: int,
    *,
    gop: int,
    options: dict[str, str] | None = None,
) -> list[bytes]:
    """RGB pictures as a live sender codes them, in the order of decoding."""
    encoder = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt, encoder.bit_rate, encoder.gop_size = "yuv420p", 800_000, gop
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.options = {**_OPTIONS[codec], **(options or {})}
    coded = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        coded += encoder.encode(frame)
    return [bytes(each) for each in (*coded, *encoder.encode(None))]


def inset(participant: int, number: int, size: tuple[int, int] = SIZE) -> npt.NDArray[np.uint8]:
    """One picture."""
    width, height = size
    picture = np.full((height, width, 3), 110, np.uint8)
    left, top = round(width * (1 - SHARE) / 2), round(height * (1 - SHARE) / 2)
    inner = draw(participant, number, width - 2 * left, height - 2 * top)
    picture[top : height - top, left : width - left] = inner
    return picture


def inset_clip(participant: int, codec: str, fps: int, frames: int, gop: int) -> list[bytes]:
    """Coded pictures with running numbers; cached."""

    def make(path: Path) -> None:
        coded = encode(codec, [inset(participant, number) for number in range(frames)], fps, gop=gop)
        path.write_bytes(b"".join(len(each).to_bytes(4, "big") + each for each in coded))

    raw = cached(
        f"inset-{participant}", f".{codec}", [SIZE, SHARE, codec, fps, frames, gop], make
    ).read_bytes()
    clip = []
    while raw:
        length = int.from_bytes(raw[:4], "big")
        clip.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return clip


def read_inset(grey: npt.NDArray[np.uint8], rect: tuple[int, int, int, int] | None = None) -> Code | None:
    """What is shown in this rectangle (left, top, width, height) of a grey picture, else in the whole."""
    if rect is not None:
        left, top, width, height = rect
        grey = grey[top : top + height, left : left + width]
    height, width = grey.shape
    left, top = round(width * (1 - SHARE) / 2), round(height * (1 - SHARE) / 2)
    return read_code(grey[top : height - top, left : width - left])


def flashes(codec: str, fps: int, seconds: int, every_s: int) -> list[bytes]:
    """Dark, and white for 0.2 s at each multiple of `every_s` but 0."""
    pictures = []
    for number in range(fps * seconds):
        at, within = divmod(number, fps * every_s)
        bright = at > 0 and within < fps // 5
        pictures.append(np.full((SIZE[1], SIZE[0], 3), 235 if bright else 20, np.uint8))
    return encode(codec, pictures, fps, gop=fps)


def beeps(seconds: int, every_s: int) -> list[bytes]:
    """Opus packets: 1 kHz for 0.2 s when there is a flash."""
    times = np.arange(seconds * SAMPLE_RATE)
    is_on = (times // (every_s * SAMPLE_RATE) > 0) & (times % (every_s * SAMPLE_RATE) < SAMPLE_RATE // 5)
    tone = np.where(is_on, np.sin(times * 2 * np.pi * 1_000 / SAMPLE_RATE) * 10_000, 0).astype(np.int16)
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", "s16"
    encoder.options = {"frame_duration": "20", "application": "lowdelay"}
    packets = []
    for start in range(0, len(tone), 960):
        frame = av.AudioFrame.from_ndarray(tone[None, start : start + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, start
        packets += [bytes(each) for each in encoder.encode(frame)]
    return packets


def flashes_in(path: Path, from_s: float | None = None, to_s: float | None = None) -> list[float]:
    """When the picture turned bright, in ms of the file's time; all of it, or of a part."""
    seen: list[tuple[float, bool]] = []
    with av.open(str(path)) as container:
        _seek(container, from_s)
        for frame in container.decode(video=0):
            assert frame.time is not None
            if to_s is not None and frame.time > to_s:
                break
            if from_s is None or frame.time >= from_s:
                grey = frame.to_ndarray(format="gray")
                band = grey[len(grey) * 2 // 7 : len(grey) * 5 // 7]  # between the overlays
                seen.append((frame.time * 1000, float(band.mean()) > 120))
    return [at_ms for (_, before), (at_ms, now) in pairwise(seen) if now and not before]


def beeps_in(path: Path, from_s: float | None = None, to_s: float | None = None) -> list[float]:
    """When a sound began after some silence, in ms of the file's time; all of it, or of a part."""
    pieces: list[npt.NDArray[np.float32]] = []
    first_s: float | None = None
    with av.open(str(path)) as container:
        _seek(container, from_s)
        for frame in container.decode(audio=0):
            assert frame.time is not None
            if to_s is not None and frame.time > to_s:
                break
            if from_s is None or frame.time >= from_s:
                first_s = frame.time if first_s is None else first_s
                pieces.append(frame.to_ndarray()[0])
    assert first_s is not None, "no sound"
    steps = np.flatnonzero(np.abs(np.concatenate(pieces)) > 0.02)
    onsets = steps[np.flatnonzero(np.diff(steps, prepend=0) > SAMPLE_RATE // 2)]
    return [first_s * 1000 + int(onset) * 1000 / SAMPLE_RATE for onset in onsets]


def _seek(container: av.container.InputContainer, from_s: float | None) -> None:
    if from_s is not None:
        container.seek(max(0, int((from_s - 2) * 1_000_000)))


def apart(flashes_ms: list[float], beeps_ms: list[float]) -> Iterator[float]:
    """By how many ms the nearest beep is later than each flash; flashes that have none within 0.4 s are left out."""
    for flash_ms in flashes_ms:
        nearest = min(beeps_ms, key=lambda each: abs(each - flash_ms), default=None)
        if nearest is not None and abs(nearest - flash_ms) < 400:
            yield nearest - flash_ms
