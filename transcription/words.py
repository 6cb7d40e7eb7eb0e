"""Words of an engine joined to text: blanks stand between words of letters, not between Chinese characters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_UNSPACED: Final = (
    (0x2E80, 0x2FFF),  # radicals
    (0x3000, 0x30FF),  # punctuation, kana
    (0x31C0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),  # wide forms
    (0x20000, 0x3FFFF),
)


def joined(words: Iterable[str]) -> str:
    """`我们 的 app 很 好` becomes `我们的app很好`; Korean and English keep their blanks."""
    text = ""
    for word in words:
        if not word:
            continue
        if text and not is_unspaced(text[-1]) and not is_unspaced(word[0]):
            text += " "
        text += word
    return text


def is_unspaced(character: str) -> bool:
    """Whether it belongs to a script that is written without blanks."""
    code = ord(character)
    return any(first <= code <= last for first, last in _UNSPACED)
