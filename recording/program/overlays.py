"""Overlays: name plate, topic bar, clock, comment card, captions, countdown, and the card of who has no picture.

Each is drawn when its text changes and then kept, ready to be blended. Proportions as in the mockups' program.html.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image

from recording.program.canvas import Layer, layer
from recording.program.emblem import EmblemError, read_emblem
from recording.program.layout import HEIGHT, PLATE_HEIGHTS, WIDTH, PlateKind, Rect, Size
from recording.program.sheet import Colour, Sheet, gradient
from recording.program.text import Fonts, break_lines, clean

log = logging.getLogger("recording.program.overlays")

GROUND: Final[Colour] = (11, 26, 31)
BRASS: Final[Colour] = (216, 187, 120)
SPEAKING: Final[Colour] = (91, 212, 151)
_PAPER: Final[Colour] = (252, 253, 253)
_INK: Final[Colour] = (20, 32, 36)
_INK_2: Final[Colour] = (59, 74, 80)
_PALE: Final[Colour] = (244, 247, 246)
_PALE_2: Final[Colour] = (197, 210, 213)
_TEAL: Final[Colour] = (15, 84, 104)
_GREY: Final[Colour] = (119, 134, 139)
_LIVE: Final[Colour] = (189, 42, 29)
_SEAL: Final[Colour] = (179, 38, 26)
_NIGHT: Final[Colour] = (6, 14, 17)
_WHITE: Final[Colour] = (255, 255, 255)
_CREAM: Final[Colour] = (251, 246, 232)
_REHEARSED: Final[Colour] = (138, 70, 0)
_SIGN: Final = Rect(1148, 24, 92, 36)
_CARD_LINES: Final = 6
_KEPT: Final = 96


class _Plate(NamedTuple):
    """Measures of a name plate."""

    edge: int
    left: int
    right: int
    top: int
    size: int  # of the name
    line: int


_PLATES: Final[dict[PlateKind, _Plate]] = {
    "big": _Plate(8, 18, 22, 10, 34, 41),
    "middle": _Plate(8, 18, 22, 6, 28, 34),
    "small": _Plate(6, 12, 14, 6, 20, 24),
}


class Spoken(NamedTuple):
    """A caption: the name stands before it unless the picture says it already."""

    name: str
    text: str


class Overlays:
    """Draws for a canvas of `size`, and keeps what it drew. Places are in design pixels, layers in the canvas'."""

    def __init__(self, size: Size, emblem: Path | None = None, fonts: Fonts | None = None) -> None:
        self.size = size
        self.scale = size[1] / HEIGHT
        self.fonts = fonts or Fonts()
        self.emblem = _opened(emblem) if emblem is not None else None
        self._kept: OrderedDict[Hashable, Layer | None] = OrderedDict()

    def sheet(self, width: float, height: float) -> Sheet:
        """An empty sheet of that many design pixels."""
        return Sheet(width, height, self.scale, self.fonts)

    def kept(self, key: Hashable, draw: Callable[[], tuple[Sheet, float, float]]) -> Layer | None:
        """The layer of that key; `draw` gives sheet, left and top when it is not there."""
        if key not in self._kept:
            sheet, x, y = draw()
            self._kept[key] = layer(sheet.image, round(x * self.scale), round(y * self.scale), self.size)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def bar(self, title: str, item: str | None, place: Rect, over: bool) -> Layer | None:
        """Mark or emblem, topic and agenda item."""
        title, item = clean(title, 200), clean(item or "", 200)

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(WIDTH, 100 if over else place.bottom)
            if over:
                sheet.fade([(0, 0.88), (0.55, 0.88), (1, 0)], _NIGHT)
            self.sign(sheet, place.x, place.y + 6, 40)
            serif, sans = sheet.font("serif", 30, bold=True), sheet.font("sans", 24)
            x: float = place.x + 54
            room = place.right - x
            wanted = sheet.width_of(item, sans) + 32 if item else 0
            shown = sheet.shortened(
                title, room - min(wanted, max(room - sheet.width_of(title, serif), 236)), serif
            )
            x += sheet.text(x, place.y, place.h, shown, serif, (244, 239, 225))
            if item:
                sheet.box(x + 14, place.y + 14, 2, 24, (122, 100, 49))
                item_room = place.right - x - 32
                sheet.text(x + 32, place.y, place.h, sheet.shortened(item, item_room, sans), sans, _PALE_2)
            return sheet, 0, 0

        return self.kept(("bar", title, item, place, over), draw)

    def sign(self, sheet: Sheet, x: float, y: float, size: float) -> None:
        """The body's emblem, or the product's mark when it has none: never both."""
        if self.emblem is not None:
            sheet.picture(self.emblem, x, y, size, size)
        else:
            sheet.mark(x, y, size, BRASS)

    def clock(
        self, program_time_s: int, live: bool, place: Rect, *, rehearsal: bool = False
    ) -> list[Layer | None]:
        """The live box, or that it is a rehearsal, and 会议时间; its digits are a layer of their own because they
        change."""
        seconds = max(0, program_time_s)
        digits = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        right = place.right

        def draw_digits() -> tuple[Sheet, float, float]:
            sheet = self.sheet(150, place.h)
            sheet.text(150, 0, place.h, digits, sheet.font("sans", 28, bold=True), _PALE, align="right")
            return sheet, right - 150, place.y

        def draw_words() -> tuple[Sheet, float, float]:
            sheet = self.sheet(place.w, place.h)
            wide = sheet.width_of(
                "00:00:00" if seconds < 360_000 else "000:00:00", sheet.font("sans", 28, bold=True)
            )
            x = place.w - wide - 12
            x -= sheet.text(x, 1, place.h, "会议时间", sheet.font("sans", 22), _PALE_2, align="right") + 18
            if rehearsal:
                _rehearsing(sheet, x - _SIGN.w, 8)
            elif live:
                sheet.box(x - 68, 8, 68, 36, _LIVE, radius=4)
                sheet.text(x - 34, 8, 36, "直播", sheet.font("sans", 22, bold=True), _WHITE, align="middle")
            return sheet, place.x, place.y

        return [
            self.kept(("clock", live, rehearsal, place, seconds >= 360_000), draw_words),
            self.kept(("digits", digits, place), draw_digits),
        ]

    def rehearsal_sign(self) -> Layer | None:
        """演练中 in the corner of a card, where there is no clock to stand beside."""

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(_SIGN.w, _SIGN.h)
            _rehearsing(sheet, 0, 0)
            return sheet, _SIGN.x, _SIGN.y

        return self.kept(("rehearsal",), draw)

    def plate(self, name: str, line: str, place: Rect, kind: PlateKind, speaking: bool) -> Layer | None:
        """The 席卡: name over line, no wider than its place, at its lower left."""
        name, line = clean(name, 100), clean(line, 200) if kind == "big" else ""

        def draw() -> tuple[Sheet, float, float]:
            measures = _PLATES[kind]
            margin = 24
            sheet = self.sheet(place.w + 2 * margin, place.h + 2 * margin)
            serif, sans = sheet.font("serif", measures.size, bold=True), sheet.font("sans", 23)
            beside = measures.edge + measures.left + measures.right
            name_text = sheet.shortened(name, place.w - beside, serif)
            line_text = sheet.shortened(line, place.w - beside, sans)
            width = beside + max(sheet.width_of(name_text, serif), sheet.width_of(line_text, sans))
            height = PLATE_HEIGHTS[kind] if line or kind != "big" else measures.line + 21
            x, y = margin, margin + place.h - height
            sheet.shadow(x, y, width, height, down=4, blur=16, opacity=0.35)
            sheet.box(x, y, width, height, _PAPER, opacity=0.96, radius=4)
            sheet.box(x, y, measures.edge, height, _TEAL if speaking else _GREY)
            left = x + measures.edge + measures.left
            sheet.text(left, y + measures.top, measures.line, name_text, serif, _INK)
            sheet.text(left, y + measures.top + measures.line, 30, line_text, sans, _INK_2)
            return sheet, place.x - margin, place.y - margin

        return self.kept(("plate", name, line, place, kind, speaking), draw)

    def card(self, text: str, nickname: str, place_name: str, answering: str, place: Rect) -> Layer | None:
        """The promoted comment: seal, who wrote it, the words, who answers."""
        text, nickname, place_name, answering = (
            clean(part, 300) for part in (text, nickname, place_name, answering)
        )
        writer = " · ".join(part for part in (nickname, place_name) if part)

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(place.w, place.h)
            inner = place.w - 56
            sheet.box(0, 0, place.w, place.h, (201, 166, 86), radius=6)
            sheet.box(0, 6, place.w, place.h - 6, _CREAM, radius=6)
            sheet.box(0, 6, place.w, 12, _CREAM)
            sheet.box(28, 26, 62, 62, _SEAL, radius=4)
            sheet.ring(28, 26, 62, 62, 1.5, _WHITE, 0.55, 4)
            for row, character in enumerate("上会"):
                top = 31 + row * 26
                sheet.text(59, top, 26, character, sheet.font("serif", 24, bold=True), _WHITE, align="middle")
            head, small = sheet.font("sans", 25, bold=True), sheet.font("sans", 23)
            sheet.text(106, 26, 33, "网友留言", head, (111, 77, 12))
            sheet.text(106, 58, 30, sheet.shortened(writer, inner - 78, small), small, _INK_2)
            bottom = place.h - 26
            if answering:
                bottom -= 50
                sheet.box(28, bottom, inner, 2, (226, 207, 159))
                self._answering(sheet, answering, 28, bottom + 18, inner)
            self._words(sheet, text, Rect(28, 110, inner, bottom - 110 - 6))
            return sheet, place.x, place.y

        return self.kept(("card", text, writer, answering, place), draw)

    @staticmethod
    def _answering(sheet: Sheet, who: str, x: float, top: float, room: float) -> None:
        plain, strong = sheet.font("sans", 24), sheet.font("sans", 24, bold=True)
        x += sheet.text(x, top, 32, "由", plain, _INK_2)
        x += sheet.text(x, top, 32, sheet.shortened(who, room - 72, strong), strong, _TEAL)
        sheet.text(x, top, 32, "回应", plain, _INK_2)

    @staticmethod
    def _words(sheet: Sheet, text: str, place: Rect) -> None:
        """In the larger size if it holds them all, else in the smaller one."""
        for size, height in ((32, 48), (28, 42)):
            font = sheet.font("serif", size, bold=True)
            most = max(1, min(_CARD_LINES, place.h // height))
            measure = font.getlength
            room = place.w * sheet.scale
            if size == 28 or len(break_lines(text, room, measure)) <= most:
                for row, line in enumerate(break_lines(text, room, measure, most=most)):
                    sheet.text(place.x, place.y + row * height, height, line, font, _INK)
                return

    def shade(self, place: Rect) -> Layer | None:
        """The gradient that captions over the picture stand on; plates stand on it, too."""
        top = place.y - 78

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(WIDTH, HEIGHT - top)
            sheet.fade([(0, 0), (0.46, 0.9), (1, 0.9)], (4, 9, 11))
            return sheet, 0, top

        return self.kept(("shade", place), draw)

    def captions(self, spoken: Iterable[Spoken], place: Rect) -> Layer | None:
        """The last two lines of what is said."""
        said = tuple(Spoken(clean(each.name, 100), clean(each.text, 400)) for each in spoken)

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(place.w, place.h)
            for row, (name, line) in enumerate(self._caption_lines(sheet, said, place.w)):
                x = 0.0
                if name:
                    x = sheet.text(0, row * 48.3 + 1, 48, name, sheet.font("sans", 28), (143, 208, 223)) + 18
                sheet.text(x, row * 48.3, 48, line, sheet.font("sans", 34), _WHITE)
            return sheet, place.x, place.y

        return self.kept(("captions", said, place), draw)

    @staticmethod
    def _caption_lines(sheet: Sheet, said: Sequence[Spoken], room: float) -> list[tuple[str, str]]:
        font, small = sheet.font("sans", 34), sheet.font("sans", 28)
        rows: list[tuple[str, str]] = []
        for each in said:
            if not each.text:
                continue
            name = sheet.shortened(each.name, room / 3, small)
            beside = sheet.width_of(name, small) + 18 if name else 0.0
            lines = break_lines(
                each.text, room * sheet.scale, font.getlength, first=(room - beside) * sheet.scale
            )
            rows += [(name if row == 0 else "", line) for row, line in enumerate(lines)]
        return rows[-2:]

    def countdown(self, left_ms: float, place: Rect) -> Layer | None:
        """The time that the floor holder has left, or is over."""
        over = left_ms < 0
        seconds = int(-left_ms // 1000) if over else int(-(-left_ms // 1000))
        minutes = min(seconds // 60, 999)
        digits = f"{'+' if over else ''}{minutes:02}:{seconds % 60:02}"
        word = "超时" if over else "剩余"

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(place.w, place.h)
            number, plain = sheet.font("sans", 38, bold=True), sheet.font("sans", 22)
            wide = sheet.width_of("+00:00" if over else "00:00" if minutes < 100 else "000:00", number)
            width = 18 + 44 + 14 + wide + 18
            x = place.w - width
            sheet.box(x, 0, width, place.h, _NIGHT, opacity=0.84, radius=4)
            sheet.text(x + 18, 0, place.h, word, plain, _PALE_2)
            sheet.text(place.w - 18, -1, place.h, digits, number, _WHITE, align="right")
            return sheet, place.x, place.y

        return self.kept(("countdown", digits, place), draw)

    def tent(self, name: str, line: str, place: Rect) -> Layer | None:
        """The 席卡 that stands on the table where there is no picture. Fills its place."""
        name, line = clean(name, 100), clean(line, 200)

        def draw() -> tuple[Sheet, float, float]:
            sheet = self.sheet(place.w, place.h)
            sheet.image.paste(gradient(sheet.image.size, (38, 53, 59), (27, 40, 45)))
            size = min(max(place.h * 0.125, 20), 60)
            serif, sans = sheet.font("serif", size, bold=True), sheet.font("sans", size * 0.52)
            with_line = bool(line) and size * 0.52 >= 16
            spacing = size * 0.12
            most = place.w * 0.92
            name_text = sheet.shortened(name, most - 1.2 * size, serif, spacing)
            line_text = sheet.shortened(line, most - 2.8 * size, sans) if with_line else ""
            inner = max(sheet.width_of(name_text, serif, spacing), sheet.width_of(line_text, sans), size * 3)
            width = inner + min(3.2 * size, max(1.2 * size, most - inner))
            height = size * (2.3 + (0.75 if line_text else 0))
            x, y = (place.w - width) / 2, place.h * 0.48 - height / 2
            slope = width * 0.05
            shape = [(x + slope, y), (x + width - slope, y), (x + width, y + height), (x, y + height)]
            sheet.polygon(shape, (251, 252, 252), (231, 236, 236))
            top = y + size * 0.5
            sheet.text(place.w / 2, top, size * 1.25, name_text, serif, _INK, align="middle", spacing=spacing)
            sheet.text(place.w / 2, top + size * 1.3, size * 0.75, line_text, sans, _INK_2, align="middle")
            return sheet, place.x, place.y

        return self.kept(("tent", name, line, place), draw)


def _opened(path: Path) -> Image.Image | None:
    """The body's emblem, or nothing, said in the log, when it is no picture."""
    try:
        return read_emblem(path)
    except EmblemError as error:
        log.warning("the emblem cannot be read, the mark stands in its place: %s", error)
        return None


def _rehearsing(sheet: Sheet, x: float, y: float) -> None:
    """The box that says that nobody of the public sees this."""
    sheet.box(x, y, _SIGN.w, _SIGN.h, _REHEARSED, radius=4)
    sheet.text(
        x + _SIGN.w / 2, y, _SIGN.h, "演练中", sheet.font("sans", 22, bold=True), _WHITE, align="middle"
    )
