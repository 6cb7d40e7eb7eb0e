"""A sheet to draw an overlay on: text in line boxes as in CSS, plates, gradients, shadows, the mark. Pillow only.

Coordinates are pixels of 1280x720 and are scaled here, so that every overlay is written down once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from recording.program.text import Family, Font, Fonts, ellipsize

Colour = tuple[int, int, int]
_SMOOTH: Final = 4  # edges are drawn so much larger and then reduced
_MARK: Final = 32  # the units that the mark is described in


@dataclass(frozen=True, slots=True)
class Place:
    """Where a design pixel lies on an enlarged mask; `k` enlarged pixels are one of it."""

    k: float
    left: float
    top: float

    def __call__(self, x: float, y: float, more: float = 0) -> tuple[float, float]:
        return x * self.k - self.left + more, y * self.k - self.top + more


Paint = Callable[[ImageDraw.ImageDraw, Place], object]
Box = tuple[float, float, float, float]  # left, top, width, height


class Sheet:
    """An RGBA image of width x height design pixels, transparent at first."""

    def __init__(self, width: float, height: float, scale: float, fonts: Fonts) -> None:
        self.scale = scale
        self.fonts = fonts
        self.image = Image.new("RGBA", (max(self.px(width), 1), max(self.px(height), 1)))

    def px(self, value: float) -> int:
        """In pixels of the sheet."""
        return round(value * self.scale)

    def font(self, family: Family, size: float, *, bold: bool = False) -> Font:
        """A font of that many design pixels."""
        return self.fonts.get(family, size * self.scale, bold=bold)

    def width_of(self, text: str, font: Font, spacing: float = 0) -> float:
        """In design pixels, with `spacing` between two characters."""
        return font.getlength(text) / self.scale + spacing * max(len(text) - 1, 0)

    def shortened(self, text: str, width: float, font: Font, spacing: float = 0) -> str:
        """As much as fits, with … ."""
        return ellipsize(text, width, lambda part: self.width_of(part, font, spacing))

    def text(
        self,
        x: float,
        top: float,
        height: float,
        text: str,
        font: Font,
        colour: Colour,
        *,
        align: str = "left",
        spacing: float = 0,
    ) -> float:
        """One line in a line box of that height; x is its left, middle or right. Returns its width."""
        width = self.width_of(text, font, spacing)
        if not text:
            return 0.0
        left = x - {"left": 0.0, "middle": width / 2, "right": width}[align]
        ascent, descent = font.getmetrics()
        baseline = top * self.scale + (height * self.scale - ascent - descent) / 2 + ascent
        at = int(left * self.scale) - 8, round(baseline) - ascent - 8
        mask = Image.new("L", (self.px(width) + 24, ascent + descent + 16))
        draw = ImageDraw.Draw(mask)
        pieces = text if spacing else (text,)
        for piece in pieces:
            place = left * self.scale - at[0], round(baseline) - at[1]
            draw.text(place, piece, 255, font, anchor="ls")
            left += font.getlength(piece) / self.scale + spacing
        self.stain(mask, colour, at=at)
        return width

    def stain(
        self, mask: Image.Image, colour: Colour, opacity: float = 1.0, at: tuple[int, int] = (0, 0)
    ) -> None:
        """The colour where the mask, whose corner is `at`, says so."""
        box = mask.getbbox()
        if box is None:
            return
        box = (
            max(box[0], -at[0]),
            max(box[1], -at[1]),
            min(box[2], self.image.width - at[0]),
            min(box[3], self.image.height - at[1]),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        seen = mask.crop(box)
        if opacity < 1:
            seen = seen.point([round(value * opacity) for value in range(256)])
        stain = Image.new("RGBA", seen.size, colour)
        stain.putalpha(seen)
        self.image.alpha_composite(stain, (at[0] + box[0], at[1] + box[1]))

    def box(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        colour: Colour,
        *,
        opacity: float = 1.0,
        radius: float = 0,
    ) -> None:
        """A rectangle, its corners rounded."""
        if radius == 0:
            corner = self.px(x), self.px(y)
            size = self.px(x + w) - corner[0], self.px(y + h) - corner[1]
            if size[0] > 0 and size[1] > 0:
                self.stain(Image.new("L", size, 255), colour, opacity, corner)
            return

        def rounded(draw: ImageDraw.ImageDraw, place: Place) -> None:
            draw.rounded_rectangle((*place(x, y), *place(x + w, y + h, -1)), radius * place.k, 255)

        self._smooth((x, y, w, h), rounded, colour, opacity)

    def ring(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        line: float,
        colour: Colour,
        opacity: float,
        radius: float,
    ) -> None:
        """The inner edge of a rectangle."""

        def edge(draw: ImageDraw.ImageDraw, place: Place) -> None:
            corners = (*place(x, y), *place(x + w, y + h, -1))
            draw.rounded_rectangle(corners, radius * place.k, None, 255, round(line * place.k))

        self._smooth((x, y, w, h), edge, colour, opacity)

    def shadow(
        self, x: float, y: float, w: float, h: float, *, down: float, blur: float, opacity: float
    ) -> None:
        """A soft black shadow of a rectangle."""
        mask = Image.new("L", self.image.size)
        corners = (self.px(x), self.px(y + down), self.px(x + w) - 1, self.px(y + h + down) - 1)
        ImageDraw.Draw(mask).rectangle(corners, 255)
        self.stain(mask.filter(ImageFilter.GaussianBlur(blur / 2 * self.scale)), (0, 0, 0), opacity)

    def fade(self, stops: list[tuple[float, float]], colour: Colour) -> None:
        """The whole sheet in one colour, its opacity running from top to bottom: (place 0 to 1, opacity)."""
        width, height = self.image.size
        places = (np.arange(height) + 0.5) / height
        shares = np.interp(places, [place for place, _ in stops], [opacity for _, opacity in stops])
        column = Image.fromarray(np.rint(shares * 255).astype(np.uint8).reshape(height, 1))
        self.stain(column.resize((width, height)), colour)

    def polygon(self, points: list[tuple[float, float]], top: Colour, bottom: Colour) -> None:
        """A filled shape, its colour running from top to bottom."""
        left, upper = min(x for x, _ in points), min(y for _, y in points)
        box = (left, upper, max(x for x, _ in points) - left, max(y for _, y in points) - upper)
        mask, at = self._smoothed(
            box, lambda draw, place: draw.polygon([place(x, y) for x, y in points], 255)
        )
        self.image.paste(gradient(mask.size, top, bottom), at, mask)

    def curves(
        self, curves: list[list[tuple[float, float]]], width: float, colour: Colour, opacity: float
    ) -> None:
        """Lines through points."""
        upper = min(y for curve in curves for _, y in curve) - width

        def lines(draw: ImageDraw.ImageDraw, place: Place) -> None:
            for curve in curves:
                draw.line([place(x, y) for x, y in curve], 255, max(1, round(width * place.k)))

        size = self.image.size
        self._smooth((0, upper, size[0] / self.scale, size[1] / self.scale - upper), lines, colour, opacity)

    def picture(self, picture: Image.Image, x: float, y: float, w: float, h: float) -> None:
        """The picture, whole, in the middle of that rectangle."""
        share = min(w * self.scale / picture.width, h * self.scale / picture.height)
        size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
        reduced = picture.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
        self.image.alpha_composite(
            reduced, (self.px(x + w / 2) - size[0] // 2, self.px(y + h / 2) - size[1] // 2)
        )

    def mark(self, x: float, y: float, size: float, colour: Colour) -> None:
        """The product's mark: two pairs of arcs about a point."""

        def draw_mark(draw: ImageDraw.ImageDraw, place: Place) -> None:
            unit = size / _MARK
            for radius, line, offset, opening in ((11.8, 3.0, 0.045, 75.0), (5.2, 2.4, 0.0, 67.4)):
                for side in (-1, 1):
                    middle = (x + (16 - side * offset) * unit, y + 16 * unit)
                    first, last = (180 - opening, 180 + opening) if side < 0 else (-opening, opening)
                    outer = (radius + line / 2) * unit
                    box = (
                        *place(middle[0] - outer, middle[1] - outer),
                        *place(middle[0] + outer, middle[1] + outer),
                    )
                    draw.arc(box, first, last, 255, round(line * unit * place.k))
                    for angle in (first, last):
                        end = (
                            middle[0] + radius * unit * float(np.cos(np.radians(angle))),
                            middle[1] + radius * unit * float(np.sin(np.radians(angle))),
                        )
                        _dot(draw, place, end, line / 2 * unit)
            _dot(draw, place, (x + 16 * unit, y + 16 * unit), 1.9 * unit)

        self._smooth((x, y, size, size), draw_mark, colour)

    def _smooth(self, box: Box, paint: Paint, colour: Colour, opacity: float = 1.0) -> None:
        mask, at = self._smoothed(box, paint)
        self.stain(mask, colour, opacity, at)

    def _smoothed(self, box: Box, paint: Paint) -> tuple[Image.Image, tuple[int, int]]:
        """What is painted in that part of the sheet, without steps at its edges."""
        x, y, w, h = box
        left, top = int(x * self.scale) - 1, int(y * self.scale) - 1
        width, height = int((x + w) * self.scale) + 2 - left, int((y + h) * self.scale) + 2 - top
        large = Image.new("L", (width * _SMOOTH, height * _SMOOTH))
        paint(ImageDraw.Draw(large), Place(self.scale * _SMOOTH, left * _SMOOTH, top * _SMOOTH))
        return large.reduce(_SMOOTH), (left, top)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """From one colour at the top to another at the bottom."""
    shares = ((np.arange(size[1]) + 0.5) / size[1])[:, None]
    column = np.array(top) * (1 - shares) + np.array(bottom) * shares
    rows = np.repeat(np.rint(column).astype(np.uint8)[:, None], size[0], axis=1)
    return Image.fromarray(rows)


def _dot(draw: ImageDraw.ImageDraw, place: Place, middle: tuple[float, float], radius: float) -> None:
    x, y = middle
    draw.ellipse((*place(x - radius, y - radius), *place(x + radius, y + radius)), 255)
