"""What a search finds: a text folded to letters, digits and Han, and its pairs of neighbouring characters.

Chinese has no blanks between words, so a word of two characters is found as the pair that it is. What a pair index
finds is still to be looked for in the folded text: the pairs of a word may stand apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from conference.model import folding


def folded(text: str) -> str:
    """Letters, digits and Han alone, in one width and case: punctuation that a machine put parts no word."""
    return "".join(filter(str.isalnum, folding.folded(text)))


def grams(found: str) -> list[str]:
    """Single characters and pairs of a folded text, each once, in the order of their first place."""
    pairs = (first + second for first, second in pairwise(found))
    return list(dict.fromkeys([*found, *pairs]))


def wanted_words(query: str) -> list[str]:
    """What a query asks for, folded: its parts between blanks, each once."""
    return [each for each in dict.fromkeys(folded(part) for part in query.split()) if each]


def wanted_grams(words: Iterable[str]) -> list[str]:
    """The grams that a text with all these words has at least."""
    found: dict[str, None] = {}
    for word in words:
        found.update(dict.fromkeys(f"{a}{b}" for a, b in pairwise(word)) if len(word) > 1 else {word: None})
    return list(found)
