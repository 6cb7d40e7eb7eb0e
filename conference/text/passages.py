"""Passages of the transcript that matter for a heading of the minutes: found by what they share with its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from conference.model.folding import folded

# What speakers say when they find, propose or promise something. Plain words, never patterns.
CUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "findings": ("认为", "问题", "短板", "不足", "困难", "现状", "主要是", "关键", "成效", "原因"),
        "proposals": ("建议", "希望", "应当", "应该", "可以考虑", "能不能", "能否", "需要", "呼吁", "最好"),
        "decisions": (
            "同意",
            "决定",
            "议定",
            "明确",
            "落实",
            "负责",
            "牵头",
            "下一步",
            "年底前",
            "月底前",
            "起覆盖",
            "将在",
            "马上",
            "安排",
        ),
    }
)
_CUE: Final = 1.0
_SHARED: Final = 6.0  # a passage that says all that the heading says
_LEAST_SHARED: Final = 0.2
_SHORT: Final = 8  # characters: what is shorter says nothing by itself


@dataclass(frozen=True, slots=True)
class Passage:
    """A place in what was said, and how much of what is looked for it holds. `place` is its index."""

    place: int
    score: float
    cues: tuple[str, ...]


def relevant(texts: Sequence[str], section: str, words: str, limit: int) -> list[Passage]:
    """The best places for a section, in the order of being said. `words`: its heading, or what was written so far.

    A place is named when it has a cue of the section or shares enough with the words.
    """
    cues = CUES.get(section, ())
    wanted = _bigrams(words)
    found = []
    for place, text in enumerate(texts):
        if len(text) < _SHORT:
            continue
        own = tuple(each for each in cues if each in text)
        shared = _share(wanted, text)
        score = _CUE * len(own) + _SHARED * shared
        if (own and not wanted) or shared >= _LEAST_SHARED:
            found.append(Passage(place, score, own))
    found.sort(key=lambda each: (-each.score, each.place))
    return sorted(found[:limit], key=lambda each: each.place)


def _share(wanted: frozenset[str], text: str) -> float:
    return len(wanted & _bigrams(text)) / len(wanted) if wanted else 0.0


def _bigrams(text: str) -> frozenset[str]:
    """Of the letters and digits; pairs that span a stop are none."""
    return frozenset(_pairs(folded(text)))


def _pairs(plain: str) -> Iterable[str]:
    for first, second in pairwise(plain):
        if first.isalnum() and second.isalnum():
            yield first + second
