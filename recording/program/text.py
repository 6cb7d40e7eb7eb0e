"""Text for pictures: fonts, widths, Chinese line breaking and ellipses. Pillow draws, nothing here draws.

Fonts are Debian's fonts-noto-cjk. Without them others with Chinese are looked for, and last comes Pillow's own,
which has none: that is said once in the log and hurts nobody but the reader.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from PIL import ImageFont

log = logging.getLogger("recording.program.text")

Family = Literal["serif", "sans"]
Font = ImageFont.FreeTypeFont
Measure = Callable[[str], float]

DIRECTORIES: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
ELLIPSIS: Final = "…"
WIDE_BLANK: Final = "\u3000"
MAX_DRAWN: Final = 1000  # characters that are looked at: more than any picture holds
NO_START: Final = frozenset("。，、；：？！）】》〉」』〕〗”’·‥…—～％‰℃,.;:?!)]}%»")
NO_END: Final = frozenset("（【《〈「『〔〖“‘([{«￥$#@")

_CANDIDATES: Final[dict[tuple[Family, bool], tuple[str, ...]]] = {
    ("serif", True): ("NotoSerifCJK-Bold.ttc", "NotoSerifSC-Bold.otf", "SourceHanSerifSC-Bold.otf"),
    ("serif", False): ("NotoSerifCJK-Regular.ttc", "NotoSerifSC-Regular.otf", "SourceHanSerifSC-Regular.otf"),
    ("sans", True): ("NotoSansCJK-Bold.ttc", "NotoSansSC-Bold.otf", "SourceHanSansSC-Bold.otf"),
    ("sans", False): ("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf"),
}
_ANY_CHINESE: Final = (
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "uming.ttc",
    "ukai.ttc",
)
_UNSEEN: Final = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d\u20e3]"
)  # emoji: no font has them
_WORD: Final = re.compile(r"[^\W\u2e80-\uffff]+(?:['’.,:/@_-][^\W\u2e80-\uffff]+)*|\s+|.", re.DOTALL)


class Fonts:
    """Fonts by family, weight and size; each is opened once."""

    def __init__(self, directories: Iterable[Path] = DIRECTORIES) -> None:
        directories = tuple(directories)
        self._files = _font_files(directories)
        self._open: dict[tuple[Family, bool, int], Font] = {}
        noto, other = chinese_fonts(directories)
        if not noto:
            _warn_once(
                "fonts-noto-cjk is not installed: "
                + (
                    "the program uses another Chinese font"
                    if other
                    else "Chinese text in the program is not legible"
                )
            )

    def get(self, family: Family, size: float, *, bold: bool = False) -> Font:
        """A font of `size` pixels. Never raises: a file that cannot be read counts as missing."""
        key = (family, bold, max(1, round(size)))
        if key not in self._open:
            self._open[key] = self._load(*key)
        return self._open[key]

    def _load(self, family: Family, bold: bool, size: int) -> Font:
        for name in (*_CANDIDATES[family, bold], *_CANDIDATES[family, not bold], *_ANY_CHINESE):
            path = self._files.get(name)
            if path is None:
                continue
            try:
                return ImageFont.truetype(str(path), size, index=_simplified(str(path)))
            except OSError:
                _warn_once(f"the font {path} cannot be read")
                del self._files[name]
        default = ImageFont.load_default(size)
        assert isinstance(default, ImageFont.FreeTypeFont)  # as in every wheel of Pillow
        return default


@lru_cache(maxsize=256)
def clean(text: str, most: int = MAX_DRAWN) -> str:
    """As it can be drawn on one line: no control characters, no direction marks, no emoji, single blanks."""
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", text[: most * 4]))
    text = "".join(
        c if c == WIDE_BLANK else " " if c.isspace() else c
        for c in text
        if c.isspace() or unicodedata.category(c)[0] != "C"
    )
    return re.sub(" +", " ", text).strip()[:most]


def ellipsize(text: str, width: float, measure: Measure) -> str:
    """The text, or as much of its beginning as fits with … after it. Never ends in "，…"."""
    if measure(text) <= width:
        return text
    fits, short = 0, len(text)
    while fits + 1 < short:
        middle = (fits + short) // 2
        fits, short = (middle, short) if measure(text[:middle] + ELLIPSIS) <= width else (fits, middle)
    return _end(text[:fits])


def break_lines(
    text: str, width: float, measure: Measure, *, first: float | None = None, most: int | None = None
) -> list[str]:
    """Lines no wider than `width` (the first one `first`), none beginning with 。，、 or ending with （《.

    Words and numbers stay whole unless they are wider than a line. With `most`, text left over becomes … .
    """
    lines: list[str] = []
    line = ""
    for unit in _units(text):
        room = width if lines or first is None else first
        if measure((line + unit).rstrip()) <= room:
            line += unit
            continue
        if line.strip() or (not lines and first is not None and first < width):
            lines.append(line.rstrip())
            line, room = "", width
        unit = unit.lstrip() if lines else unit
        for piece in _pieces(unit, room, measure):
            if line:
                lines.append(line)
            line = piece
    if line.strip() or not lines:
        lines.append(line.rstrip())
    if most is not None and len(lines) > most:
        room = first if most == 1 and first is not None else width
        lines[most - 1 :] = [_shortened(lines[most - 1], room, measure)]
    return lines


def _units(text: str) -> Iterator[str]:
    """What no line may break within: a word or a character, with what must follow or precede it."""
    unit = ""
    for token in _WORD.findall(text):
        glued = unit and (token[0] in NO_START or unit[-1] in NO_END or token.isspace())
        if unit and not glued:
            yield unit
            unit = ""
        unit += token
    if unit:
        yield unit


def _pieces(unit: str, width: float, measure: Measure) -> Iterator[str]:
    """A unit that is wider than a line, cut where it must be, but not before a stop if that can be helped."""
    while unit and measure(unit) > width:
        fits = 1
        while fits < len(unit) and measure(unit[: fits + 1]) <= width:
            fits += 1
        fits = next((place for place in range(fits, 0, -1) if unit[place : place + 1] not in NO_START), fits)
        yield unit[:fits]
        unit = unit[fits:]
    yield unit


def _shortened(line: str, width: float, measure: Measure) -> str:
    while line and measure(_end(line)) > width:
        line = line[:-1]
    return _end(line)


def _end(text: str) -> str:
    end = len(text)
    while end and (text[end - 1] in NO_START or text[end - 1] in NO_END or text[end - 1].isspace()):
        end -= 1
    return text[:end] + ELLIPSIS


@lru_cache(maxsize=64)
def _warn_once(message: str) -> None:
    log.warning("%s", message)


@lru_cache(maxsize=8)
def _scan(directories: Sequence[Path]) -> dict[str, Path]:
    wanted = {name for names in _CANDIDATES.values() for name in names} | set(_ANY_CHINESE)
    found: dict[str, Path] = {}
    for directory in directories:
        try:
            for path in sorted(directory.rglob("*")):
                if path.name in wanted:
                    found.setdefault(path.name, path)
        except OSError:
            continue
    return found


def chinese_fonts(directories: Iterable[Path] = DIRECTORIES) -> tuple[list[Path], list[Path]]:
    """Files with Chinese that programs are drawn with: those that are meant, and those that must do without them."""
    files = _font_files(tuple(directories))
    meant = {name for names in _CANDIDATES.values() for name in names}
    others = [path for name, path in files.items() if name in _ANY_CHINESE and name not in meant]
    return [path for name, path in files.items() if name in meant], others


def _font_files(directories: tuple[Path, ...]) -> dict[str, Path]:
    return dict(_scan(directories))


@lru_cache(maxsize=16)
def _simplified(path: str) -> int:
    """The face with the mainland's shapes in a collection."""
    if not path.endswith(".ttc"):
        return 0
    for index in range(16):
        try:
            family = ImageFont.truetype(path, 12, index=index).getname()[0] or ""
        except OSError:
            break
        if family.endswith(" SC"):
            return index
    return 0
