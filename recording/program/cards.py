"""The cards that fill the picture: before the beginning, in the break, after the end; one frame for all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from PIL import Image

from recording.program.canvas import Layer
from recording.program.layout import HEIGHT, WIDTH
from recording.program.overlays import BRASS, Overlays
from recording.program.scene import Scene
from recording.program.sheet import Colour, Sheet
from recording.program.text import ELLIPSIS, WIDE_BLANK, Font, break_lines, clean

_TITLE: Final[Colour] = (246, 241, 227)
_SUBTITLE: Final[Colour] = (217, 199, 150)
_FOOT: Final[Colour] = (223, 231, 232)
_META: Final[Colour] = (184, 200, 204)
_RULE: Final[Colour] = (179, 38, 26)
_HOUR_S: Final = 3600
_MOST_NAMES: Final = 20  # more do not fit two lines


class Cards:
    """Draws them through the overlays' cache. Times of day are told in `zone`."""

    def __init__(self, overlays: Overlays, zone: ZoneInfo) -> None:
        self._overlays = overlays
        self._zone = zone
        self._empty: Image.Image | None = None

    def title(self, scene: Scene, wall_ms: float) -> list[Layer | None]:
        """Before the beginning: topic, venues, how long to wait. While live and alone: that it goes on."""
        venues = tuple(clean(name, 60) for name in scene.venues)
        main = self._frame(scene, clean(scene.title, 200), "远程协商会", 0.5, venues)
        if scene.phase != "before":
            return [main, self._wait("会议进行中，请稍候", "")]
        if scene.starts_wall_ms is None:
            return [main, self._wait("会议即将开始", "")]
        left_s = int(-((wall_ms - scene.starts_wall_ms) // 1000))
        if left_s <= 0:
            return [main, self._wait("会议即将开始", "")]
        if left_s >= _HOUR_S:
            return [main, self._wait("开始时间", self._day_and_time(scene.starts_wall_ms, wall_ms))]
        return [main, self._wait("距开始还有", f"{left_s // 60:02}:{left_s % 60:02}")]

    def pause(self, scene: Scene, wall_ms: float) -> list[Layer | None]:
        """休会中, and when it goes on, if that is known."""
        known = scene.resumes_wall_ms is not None and scene.resumes_wall_ms > wall_ms
        when = (
            f"预计 {self._day_and_time(scene.resumes_wall_ms, wall_ms)} 继续"
            if known and scene.resumes_wall_ms is not None
            else "请稍候"
        )
        return [self._frame(scene, "休会中", when, 0.12, (clean(scene.title, 200),))]

    def end(self, scene: Scene) -> list[Layer | None]:
        """会议结束."""
        return [self._frame(scene, "会议结束", "感谢观看", 0.5, (clean(scene.title, 200),))]

    def _frame(
        self, scene: Scene, head: str, under: str, spacing_em: float, foot: tuple[str, ...]
    ) -> Layer | None:
        organization = clean(scene.organization, 100)

        def draw() -> tuple[Sheet, float, float]:
            sheet = self._ground()
            sans = sheet.font("sans", 26)
            name = sheet.shortened(organization, 900, sans, 4.7)
            sheet.text(WIDTH / 2, 162, 36, name, sans, _SUBTITLE, align="middle", spacing=4.7)
            self._head(sheet, head)
            serif = sheet.font("serif", 36)
            spacing = 36 * spacing_em
            sheet.text(WIDTH / 2, 360, 48, under, serif, _SUBTITLE, align="middle", spacing=spacing)
            sheet.box(530, 440, 220, 3, _RULE)
            self._foot(sheet, foot)
            return sheet, 0, 0

        return self._overlays.kept(("frame", organization, head, under, foot), draw)

    def _ground(self) -> Sheet:
        """The frame without words; made once, because it is the dearest of all."""
        sheet = self._overlays.sheet(WIDTH, HEIGHT)
        if self._empty is None:
            sheet.image.paste(_radial(sheet.image.size, (22, 65, 78), (10, 27, 33)))
            arches = [_arch(ends, middle) for ends, middle in ((720, 560), (760, 610), (680, 500))]
            sheet.curves(arches, 2, BRASS, 0.16)
            self._overlays.sign(sheet, 603, 74, 74)
            self._empty = sheet.image.copy()
        else:
            sheet.image.paste(self._empty)
        return sheet

    @staticmethod
    def _head(sheet: Sheet, text: str) -> None:
        """One line as large as it goes, else two smaller ones."""
        for size in (68, 60, 54):
            font, spacing = sheet.font("serif", size, bold=True), size * 0.04
            if sheet.width_of(text, font, spacing) <= 1160:
                sheet.text(WIDTH / 2, 252, 88, text, font, _TITLE, align="middle", spacing=spacing)
                return
        font = sheet.font("serif", 42, bold=True)

        def measure(part: str) -> float:
            return sheet.width_of(part, font, 1.7)

        lines = break_lines(text, 1160, measure, most=2)
        if not lines[-1].endswith(ELLIPSIS):  # rather of about the same length
            even = break_lines(text, max(measure(text) / 2, 600) + 48, measure, most=2)
            lines = lines if even[-1].endswith(ELLIPSIS) else even
        for row, line in enumerate(lines):
            sheet.text(WIDTH / 2, 222 + row * 60, 60, line, font, _TITLE, align="middle", spacing=1.7)

    @staticmethod
    def _foot(sheet: Sheet, names: Sequence[str]) -> None:
        """At most two lines; of many venues the first ones and how many there are."""
        for size in (28, 24):
            font = sheet.font("sans", size)
            shown = [sheet.shortened(name, 1080, font) for name in names[:_MOST_NAMES]]
            lines = _joined(shown, 1080, sheet, font)
            if len(lines) <= 2:
                break
        while len(lines) > 2 and len(shown) > 1:
            shown.pop()
            lines = _joined([*shown, f"等 {len(names)} 个会场"], 1080, sheet, font)
        top = 570 - min(len(lines), 2) * 47
        for row, line in enumerate(lines[:2]):
            sheet.text(WIDTH / 2, top + row * 47, 47, line, font, _FOOT, align="middle")

    def _wait(self, words: str, number: str) -> Layer | None:
        def draw() -> tuple[Sheet, float, float]:
            sheet = self._overlays.sheet(700, 60)
            plain, strong = sheet.font("sans", 26), sheet.font("sans", 40, bold=True)
            fixed = "".join("0" if character.isdigit() else character for character in number)
            width = sheet.width_of(words, plain) + (12 + sheet.width_of(fixed, strong) if number else 0)
            x = 350 - width / 2
            x += sheet.text(x, 4, 56, words, plain, _META) + 12
            sheet.text(x, 0, 56, number, strong, (255, 255, 255))
            return sheet, WIDTH / 2 - 350, 607

        return self._overlays.kept(("wait", words, number), draw)

    def _day_and_time(self, moment_ms: float | None, wall_ms: float) -> str:
        assert moment_ms is not None
        moment = datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(self._zone)
        today = datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(self._zone).date()
        day = "" if moment.date() == today else f"{moment.month} 月 {moment.day} 日 "
        return f"{day}{moment:%H:%M}"


def _joined(names: Sequence[str], width: float, sheet: Sheet, font: Font) -> list[str]:
    """Lines of whole names with a blank between."""
    lines: list[str] = []
    for name in names:
        if lines and sheet.width_of(lines[-1] + WIDE_BLANK + name, font) <= width:
            lines[-1] += WIDE_BLANK + name
        else:
            lines.append(name)
    return lines


def _arch(ends: float, middle: float) -> list[tuple[float, float]]:
    """A cubic curve from the left to the right end, as in the mockup."""
    points: Sequence[tuple[float, float]] = ((-60, ends), (200, middle), (1080, middle), (1340, ends))
    curve = []
    for step in range(65):
        t = step / 64
        weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
        curve.append(
            (
                sum(w * x for w, (x, _) in zip(weights, points, strict=True)),
                sum(w * y for w, (_, y) in zip(weights, points, strict=True)),
            )
        )
    return curve


def _radial(size: tuple[int, int], inner: Colour, outer: Colour) -> Image.Image:
    """An ellipse of light a third down, with a grain so fine that it only breaks the steps of a dark gradient:
    each colour its own, because the steps of chroma are seen first."""
    width, height = size
    across = (np.arange(width, dtype=np.float32) + 0.5) / width * WIDTH - WIDTH / 2
    down = (np.arange(height, dtype=np.float32) + 0.5) / height * HEIGHT - HEIGHT * 0.34
    away = np.sqrt((across[None, :] / 1100) ** 2 + (down[:, None] / 700) ** 2) / np.float32(0.78)
    away = np.minimum(away, 1)
    grain = np.random.default_rng(1)
    planes = []
    for bright, dark in zip(inner, outer, strict=True):
        plane = np.float32(bright) + away * np.float32(dark - bright)
        plane += grain.random((height, width), dtype=np.float32) * 3 - 1.5
        planes.append(np.rint(plane).astype(np.uint8))
    return Image.fromarray(np.stack(planes, axis=-1))
