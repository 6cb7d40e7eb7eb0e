"""One character as a person reads it: width, case, script, ornament and number sign taken off."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final

# Characters of other scripts that are drawn like Latin ones.
_LATIN: Final = dict(
    zip(
        "авекмнорстухьѕіјԁԛԝһѵɡɩɪαβγεικνορτυχωζηℓ∨×",
        "abekmhopctyxbsijdqwhvgiiabyeikvoptuxwznlvx",
        strict=True,
    )
)
# Numbers as they are written out in forms, by hand and over the telephone.
_NUMBERS: Final = {
    sign: str(digit)
    for digit, signs in enumerate(
        ("零〇○", "一壹弌", "二贰弍", "三叁叄弎", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for sign in signs
}
# Pictures that stand for a syllable or a word in comments.
_PICTURES: Final = {
    "🐴": "马", "🐎": "马", "🐧": "企鹅", "📞": "电话", "☎": "电话", "📱": "手机", "➕": "加", "✚": "加",
    "❤": "心", "♥": "心", "✉": "信", "📧": "邮箱", "💩": "屎", "🐶": "狗", "🐕": "狗", "🐷": "猪", "🐖": "猪",
    "💰": "钱", "🔪": "刀", "💣": "炸弹", "🌿": "草", "🌱": "草", "🐔": "鸡", "🐤": "鸡", "🎲": "赌",
}  # fmt: skip
_NAMED_LETTER: Final = re.compile(r"\bLATIN (?:CAPITAL |SMALL )?LETTER (?:SMALL CAPITAL )?([A-Z])$")
_NAMED_DIGIT: Final = re.compile(r"\bDIGIT (ZERO|ONE|TWO|THREE|FOUR|FIVE|SIX|SEVEN|EIGHT|NINE)$")
_DIGIT_NAMES: Final = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
_LINE_ENDS: Final = frozenset("\n\r\v\f\x85\u2028\u2029")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800")


def _simplified() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in files(__package__).joinpath("simplified.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            simple, traditional = line.split("\t")
            table |= dict.fromkeys(traditional, simple)
    return table


_SIMPLIFIED: Final = _simplified()


_SIMPLIFYING: Final = str.maketrans(_SIMPLIFIED)


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, one for one, the rest as it is."""
    return text.translate(_SIMPLIFYING)


@lru_cache(maxsize=1 << 15)
def plain(character: str) -> str:
    """What is read where `character` stands: nothing, one character or a few. Plain twice is plain once.

    Characters that show nothing and marks that only adorn others are read as nothing; blanks of all kinds as one blank.
    """
    if character in _PICTURES:
        return _PICTURES[character]
    if character in _LINE_ENDS:
        return "\n"
    if character in _FILLERS:
        return ""
    if character == "\t":
        return " "
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(_plain_part(part) for part in unicodedata.normalize("NFKC", _bare(decomposed)).casefold())


def _bare(text: str) -> str:
    return "".join(part for part in text if unicodedata.category(part) not in _UNSEEN)


_UNSEEN: Final = frozenset(("Cf", "Cc", "Cs", "Co", "Cn", "Mn", "Me"))


def _plain_part(part: str) -> str:
    if part.isascii():
        return part
    if part in _LATIN:
        return _LATIN[part]
    part = _SIMPLIFIED.get(part, part)
    if part in _NUMBERS:
        return _NUMBERS[part]
    category = unicodedata.category(part)
    if category in _UNSEEN:
        return ""
    if category.startswith("Z"):
        return " "
    if category in ("Nd", "No"):
        digit = unicodedata.digit(part, None)
        if digit is not None:
            return str(digit)
    return _by_name(part)


def _by_name(part: str) -> str:
    name = unicodedata.name(part, "").replace("REGIONAL INDICATOR SYMBOL LETTER", "LATIN LETTER")
    if found := _NAMED_LETTER.search(name):
        return found[1].lower()
    if found := _NAMED_DIGIT.search(name):
        return str(_DIGIT_NAMES.index(found[1]))
    return part
