"""A sheet to draw an overlay on: text in line boxes as in CSS, plates, gradients, shadows, the mark. Pillow only.

Coordinates are pixels of 1280x720 and are scaled here, so that every overlay is written down once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from recording.program.text import Family, Font, Fonts, ellipsize

Colour = tuple[int, int, int]
_Paint = Callable[[ImageDraw.ImageDraw, float], object]  # the number: enlarged pixels in a design pixel
_SMOOTH: Final = 4  # edges are drawn so much larger and then reduced
_MARK: Final = 32  # the units that the mark is described in


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
        mask = Image.new("L", self.image.size)
        draw = ImageDraw.Draw(mask)
        if spacing:
            for character in text:
                draw.text((left * self.scale, round(baseline)), character, 255, font, anchor="ls")
                left += font.getlength(character) / self.scale + spacing
        else:
            draw.text((left * self.scale, round(baseline)), text, 255, font, anchor="ls")
        self.stain(mask, colour)
        return width

    def stain(self, mask: Image.Image, colour: Colour, opacity: float = 1.0) -> None:
        """The colour where the mask (as large as the sheet) says so."""
        box = mask.getbbox()
        if box is None:
            return
        seen = mask.crop(box)
        if opacity < 1:
            seen = seen.point([round(value * opacity) for value in range(256)])
        stain = Image.new("RGBA", seen.size, colour)
        stain.putalpha(seen)
        self.image.alpha_composite(stain, box[:2])

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
        self.stain(self._box_mask(x, y, w, h, radius), colour, opacity)

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
        outer = self._box_mask(x, y, w, h, radius)
        inner = self._box_mask(x + line, y + line, w - 2 * line, h - 2 * line, max(radius - line, 0))
        self.stain(ImageChops.subtract(outer, inner), colour, opacity)

    def shadow(
        self, x: float, y: float, w: float, h: float, *, down: float, blur: float, opacity: float
    ) -> None:
        """A soft black shadow of a rectangle."""
        mask = self._box_mask(x, y + down, w, h, 0)
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
        mask = self._smooth(lambda draw, k: draw.polygon([(x * k, y * k) for x, y in points], 255))
        box = mask.getbbox()
        if box is None:
            return
        self.image.paste(gradient((box[2] - box[0], box[3] - box[1]), top, bottom), box[:2], mask.crop(box))

    def curve(self, points: list[tuple[float, float]], width: float, colour: Colour, opacity: float) -> None:
        """A line through the points."""
        mask = self._smooth(
            lambda draw, k: draw.line([(x * k, y * k) for x, y in points], 255, max(1, round(width * k)))
        )
        self.stain(mask, colour, opacity)

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

        def draw_mark(draw: ImageDraw.ImageDraw, k: float) -> None:
            unit = size / _MARK * k
            for radius, line, offset, opening in ((11.8, 3.0, 0.045, 75.0), (5.2, 2.4, 0.0, 67.4)):
                for side in (-1, 1):
                    middle = (x * k + (16 - side * offset) * unit, y * k + 16 * unit)
                    first, last = (180 - opening, 180 + opening) if side < 0 else (-opening, opening)
                    outer = (radius + line / 2) * unit
                    box = (middle[0] - outer, middle[1] - outer, middle[0] + outer, middle[1] + outer)
                    draw.arc(box, first, last, 255, round(line * unit))
                    for angle in (first, last):
                        end = (
                            middle[0] + radius * unit * float(np.cos(np.radians(angle))),
                            middle[1] + radius * unit * float(np.sin(np.radians(angle))),
                        )
                        _dot(draw, end, line / 2 * unit)
            _dot(draw, (x * k + 16 * unit, y * k + 16 * unit), 1.9 * unit)

        self.stain(self._smooth(draw_mark), colour)

    def _box_mask(self, x: float, y: float, w: float, h: float, radius: float) -> Image.Image:
        if radius == 0:
            mask = Image.new("L", self.image.size)
            left, top = self.px(x), self.px(y)
            ImageDraw.Draw(mask).rectangle((left, top, self.px(x + w) - 1, self.px(y + h) - 1), 255)
            return mask

        def rounded(draw: ImageDraw.ImageDraw, k: float) -> None:
            corners = (x * k, y * k, (x + w) * k - 1, (y + h) * k - 1)
            draw.rounded_rectangle(corners, radius * k, 255)

        return self._smooth(rounded)

    def _smooth(self, paint: _Paint) -> Image.Image:
        width, height = self.image.size
        large = Image.new("L", (width * _SMOOTH, height * _SMOOTH))
        paint(ImageDraw.Draw(large), self.scale * _SMOOTH)
        return large.reduce(_SMOOTH)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """From one colour at the top to another at the bottom."""
    shares = ((np.arange(size[1]) + 0.5) / size[1])[:, None]
    column = np.array(top) * (1 - shares) + np.array(bottom) * shares
    rows = np.repeat(np.rint(column).astype(np.uint8)[:, None], size[0], axis=1)
    return Image.fromarray(rows)


def _dot(draw: ImageDraw.ImageDraw, middle: tuple[float, float], radius: float) -> None:
    x, y = middle
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
