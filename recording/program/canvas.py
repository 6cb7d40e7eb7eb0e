"""Pictures as planes of YUV 4:2:0 in numpy: canvases, layers with transparency, and scaled camera pictures.

BT.601, limited range, as cameras in a meeting send. Every rectangle lies on even pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from PIL import Image

from recording.program.layout import Rect, Size

Plane = npt.NDArray[np.uint8]
Wide = npt.NDArray[np.uint16]
Real = npt.NDArray[np.floating[Any]]
Colour = tuple[int, int, int]  # RGB

POOL: Final = 6
MAX_CROP: Final = 0.2  # of a side; a picture that would lose more is shown whole
GROUND_EVERY_S: Final = 1.0
_FULL_RANGE: Final = 2  # AVCOL_RANGE_JPEG


class Planes(NamedTuple):
    """Luma, and chroma at half the resolution."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def size(self) -> Size:
        return self.y.shape[1], self.y.shape[0]

    def cut(self, rect: Rect) -> Planes:
        """A view of that part."""
        x, y, w, h = rect
        rows, columns = slice(y // 2, (y + h) // 2), slice(x // 2, (x + w) // 2)
        return Planes(self.y[y : y + h, x : x + w], self.u[rows, columns], self.v[rows, columns])

    def paste(self, other: Planes, x: int, y: int) -> None:
        """Copy the other in, at that place."""
        part = self.cut(Rect(x, y, *other.size))
        for mine, theirs in zip(part, other, strict=True):
            np.copyto(mine, theirs)

    def fill(self, rect: Rect, colour: Colour) -> None:
        """One colour."""
        for plane, value in zip(self.cut(rect), yuv(colour), strict=True):
            plane.fill(value)


def blank(size: Size) -> tuple[npt.NDArray[np.uint8], Planes]:
    """An I420 array of height * 3 // 2 rows, and its planes. The height is a multiple of four."""
    width, height = size
    array = np.empty((height * 3 // 2, width), np.uint8)
    flat = array.reshape(-1)
    luma, chroma = width * height, width * height // 4
    return array, Planes(
        array[:height],
        flat[luma : luma + chroma].reshape(height // 2, width // 2),
        flat[luma + chroma :].reshape(height // 2, width // 2),
    )


class Pool:
    """Canvases that are used in turn: what reads one has five more pictures' time for it."""

    def __init__(self, size: Size) -> None:
        self._canvases = [blank(size) for _ in range(POOL)]
        self._next = 0

    def take(self) -> tuple[npt.NDArray[np.uint8], Planes]:
        """The canvas that was given away longest ago; its content is undefined."""
        canvas = self._canvases[self._next]
        self._next = (self._next + 1) % POOL
        return canvas


def yuv(colour: Colour) -> tuple[int, int, int]:
    """BT.601, limited range."""
    y, u, v = _to_yuv(np.array(colour, np.float32))
    return round(float(y)), round(float(u)), round(float(v))


def _to_yuv(rgb: Real) -> tuple[Real, ...]:
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return (
        16 + 0.25679 * red + 0.50413 * green + 0.09791 * blue,
        128 - 0.14822 * red - 0.29099 * green + 0.43922 * blue,
        128 + 0.43922 * red - 0.36779 * green - 0.07143 * blue,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Something drawn, in its place: premultiplied by its alpha, and how much of the ground shows through (of 256)."""

    rect: Rect
    planes: Planes | None  # when nothing shows through
    colours: tuple[Wide, Wide, Wide] | None
    through: tuple[Wide, Wide] | None  # at luma's and chroma's resolution

    def draw(self, canvas: Planes) -> None:
        """Onto the canvas."""
        if self.planes is not None:
            canvas.paste(self.planes, self.rect.x, self.rect.y)
            return
        assert self.colours is not None
        assert self.through is not None
        through = (self.through[0], self.through[1], self.through[1])
        for ground, colour, share in zip(canvas.cut(self.rect), self.colours, through, strict=True):
            mixed = np.multiply(ground, share, dtype=np.uint16)
            mixed >>= 8
            mixed += colour
            np.copyto(ground, mixed, casting="unsafe")


def layer(image: Image.Image, x: int, y: int, size: Size) -> Layer | None:
    """An RGBA image with its upper left corner at x, y of a canvas of `size`. None: nothing of it is seen."""
    box = image.getbbox()
    if box is None:
        return None
    left, top = max(x + box[0], 0) & ~1, max(y + box[1], 0) & ~1
    right, bottom = min(x + box[2] + 1 & ~1, size[0]), min(y + box[3] + 1 & ~1, size[1])
    if right <= left or bottom <= top:
        return None
    seen = image.crop((left - x, top - y, right - x, bottom - y))
    pixels = np.asarray(seen.convert("RGBA"), np.float32)
    alpha = pixels[..., 3] / 255
    luma, u, v = _to_yuv(pixels)
    half = _half(alpha)
    rect = Rect(left, top, right - left, bottom - top)
    colours = (_rounded(luma * alpha), _rounded(_half(u * alpha)), _rounded(_half(v * alpha)))
    if float(alpha.min()) == 1.0:
        return Layer(rect, Planes(*(plane.astype(np.uint8) for plane in colours)), None, None)
    return Layer(rect, None, colours, (_rounded((1 - alpha) * 256), _rounded((1 - half) * 256)))


def _half(plane: Real) -> Real:
    height, width = plane.shape
    halved: Real = plane.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    return halved


def _rounded(plane: Real) -> Wide:
    return np.rint(plane).astype(np.uint16)


class Fit(NamedTuple):
    """How a picture of some size goes into a place: to which size it is scaled, which part of that is shown where."""

    scaled: Size
    part: Rect
    x: int
    y: int

    @property
    def fills(self) -> bool:
        """No ground is seen beside it."""
        return self.x == 0 and self.y == 0


def fit(picture: Size, place: Size, *, whole: bool = False) -> Fit:
    """Never distorted. Cropped in the middle where that costs no more than a fifth, unless it is wanted `whole`."""
    width, height = place
    aspect = picture[0] / picture[1]
    crop = 1 - min(aspect / (width / height), (width / height) / aspect)
    if not whole and crop <= MAX_CROP:
        scale = max(width / picture[0], height / picture[1])
        scaled = max(_even(picture[0] * scale), width), max(_even(picture[1] * scale), height)
        left, top = (scaled[0] - width) // 4 * 2, (scaled[1] - height) // 4 * 2
        return Fit(scaled, Rect(left, top, width, height), 0, 0)
    scale = min(width / picture[0], height / picture[1])
    scaled = (
        min(max(_even(picture[0] * scale), 2), width),
        min(max(_even(picture[1] * scale), 2), height),
    )
    left, top = (width - scaled[0]) // 4 * 2, (height - scaled[1]) // 4 * 2
    return Fit(scaled, Rect(0, 0, *scaled), left, top)


class Scaler:
    """The pictures of one track in one place, scaled once a picture. `whole` is for shared screens."""

    def __init__(self, place: Size, *, whole: bool = False) -> None:
        self._place = place
        self._whole = whole
        self._reformatter = VideoReformatter()
        self._drawn: tuple[Planes, int, int] | None = None
        self._ground: Planes | None = None
        self._ground_at_s = -GROUND_EVERY_S

    def draw(
        self, canvas: Planes, x: int, y: int, frame: VideoFrame, rotation: int, fresh: bool, now_s: float
    ) -> None:
        """The frame into its place at x, y; `fresh` when it is another than the last time."""
        if fresh or self._drawn is None:
            self._drawn = self._scale(frame, rotation % 360, now_s)
        planes, left, top = self._drawn
        if self._ground is not None:
            canvas.paste(self._ground, x, y)
        canvas.paste(planes, x + left, y + top)

    def _scale(self, frame: VideoFrame, rotation: int, now_s: float) -> tuple[Planes, int, int]:
        turned = rotation in (90, 270)
        size = (frame.height, frame.width) if turned else (frame.width, frame.height)
        how = fit(size, self._place, whole=self._whole)
        scaled = self._reformatted(self._reformatter, frame, how.scaled[::-1] if turned else how.scaled)
        planes = Planes(*_views(scaled))
        if rotation:
            planes = Planes(*(np.ascontiguousarray(np.rot90(plane, -(rotation // 90))) for plane in planes))
        if how.fills:
            self._ground = None
        elif self._ground is None or now_s - self._ground_at_s >= GROUND_EVERY_S:
            self._ground, self._ground_at_s = self._darkened(planes), now_s
        return planes.cut(how.part), how.x, how.y

    def _darkened(self, planes: Planes) -> Planes:
        """What stands beside a narrow picture: the same, blurred and dark; black-green beside a screen."""
        width, height = self._place
        chroma = (height // 2, width // 2)
        ground = Planes(*(np.empty(shape, np.uint8) for shape in ((height, width), chroma, chroma)))
        if self._whole:
            ground.fill(Rect(0, 0, *self._place), (11, 26, 31))
            return ground
        width, height = planes.size
        wide = height * self._place[0] / self._place[1] < width
        cut_w = _even(height * self._place[0] / self._place[1]) if wide else width
        cut_h = height if wide else _even(width * self._place[1] / self._place[0])
        part = planes.cut(
            Rect((width - cut_w) // 4 * 2, (height - cut_h) // 4 * 2, max(cut_w, 2), max(cut_h, 2))
        )
        for mine, theirs, middle, share in zip(ground, part, (16, 128, 128), (0.35, 0.35, 0.35), strict=True):
            tiny = Image.fromarray(np.ascontiguousarray(theirs)).resize((16, 9), Image.Resampling.BOX)
            large = tiny.resize((mine.shape[1], mine.shape[0]), Image.Resampling.BICUBIC)
            mine[...] = (np.asarray(large, np.float32) - middle) * share + middle
        return ground

    @staticmethod
    def _reformatted(reformatter: VideoReformatter, frame: VideoFrame, size: Size) -> VideoFrame:
        full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
        if not full and frame.format.name == "yuv420p" and (frame.width, frame.height) == size:
            return frame
        return reformatter.reformat(
            frame,
            size[0],
            size[1],
            "yuv420p",
            src_color_range="JPEG" if full else "MPEG",
            dst_color_range="MPEG",
            threads=1,
        )


def _views(frame: VideoFrame) -> Iterator[Plane]:
    for index, plane in enumerate(frame.planes):
        width, height = (frame.width, frame.height) if index == 0 else (frame.width // 2, frame.height // 2)
        rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * height].reshape(
            height, plane.line_size
        )
        yield rows[:, :width]


def _even(value: float) -> int:
    return round(value / 2) * 2
