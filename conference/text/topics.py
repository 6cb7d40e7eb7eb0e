"""What many comments are about: clusters of their words, named by those that set them apart. On demand, for people."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt
import rjieba
from ahocorasick_rs import AhoCorasick, MatchKind

from conference.text.lookalikes import simplified

MAX_TEXTS: Final = 4_000
_ALIKE: Final = 0.14  # mean cosine within a topic
_THING_WEIGHT: Final = 2.0  # of what the list of synonyms knows
_WEIGHTS: Final = {"n": 1.0, "l": 0.8, "v": 0.5, "a": 0.5, "i": 0.5, "x": 0.5}  # of words, by their kind
_PAIR_WEIGHT: Final = 0.2  # of two neighbouring characters
_NAME_WORDS: Final = 3
_MANY: Final = 100  # texts, of which …
_COMMON: Final = (
    0.1  # … so many share what is about nothing in particular: everybody says 老人 in a session on 养老
)
_WORD: Final = re.compile(r"[a-z]{2,}|[\u3400-\u9fff]+")
_Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Topic:
    """Comments about one thing. `members` are places in the list that was given, the most typical first."""

    name: str
    members: tuple[int, ...]


def cluster(texts: Sequence[str]) -> list[Topic]:
    """Topics of at least two comments, the largest first; a comment like no other is in none.

    The same list gives the same topics. Raises ValueError for more than `MAX_TEXTS`: give representatives of groups.
    """
    if len(texts) > MAX_TEXTS:
        raise ValueError(f"more than {MAX_TEXTS} texts")
    readings = [_read(text) for text in texts]
    weighted = _weighted([_features(reading) for reading in readings])
    topics = []
    words = [dict.fromkeys((*reading.things, *reading.words)) for reading in readings]
    often = Counter(word for own in words for word in own)
    for members in _clusters(weighted):
        centre = weighted[members].sum(axis=0)
        closeness = weighted[members] @ centre
        ordered = [members[place] for place in np.lexsort((members, -closeness.round(4)))]
        topics.append(Topic(_name([words[member] for member in ordered], often, len(texts)), tuple(ordered)))
    return sorted(topics, key=lambda topic: (-len(topic.members), topic.members))


@cache
def _empty_words() -> frozenset[str]:
    return frozenset(files(__package__).joinpath("empty_words.txt").read_text("utf-8").split())


@cache
def _things() -> tuple[AhoCorasick, list[str]]:
    """Finds what a county talks about by any of its names, and the name that stands for all."""
    lines = files(__package__).joinpath("synonyms.txt").read_text("utf-8").splitlines()
    sets = [line.split() for line in lines if line and not line.startswith("#")]
    names = {word: words[0] for words in sets for word in words}
    return AhoCorasick(list(names), matchkind=MatchKind.LeftmostLongest), list(names.values())


@dataclass(frozen=True, slots=True)
class _Reading:
    """A comment taken apart."""

    things: tuple[str, ...]
    words: dict[str, float]
    pairs: frozenset[str]


def _read(text: str) -> _Reading:
    plain = simplified(unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).casefold())
    finder, names = _things()
    things = tuple(names[number] for number, _, _ in finder.find_matches_as_indexes(plain))
    empty = _empty_words()
    words = {
        word: _WEIGHTS[kind[:1]]
        for word, kind in rjieba.tag(plain, hmm=False)
        if len(word) > 1 and kind[:1] in _WEIGHTS and word not in empty and _WORD.fullmatch(word)
    }
    pairs = (run[start : start + 2] for run in _WORD.findall(plain) for start in range(len(run) - 1))
    return _Reading(things, words, frozenset(pairs) - empty)


def _is_common(count: int, texts: int) -> bool:
    return texts >= _MANY and count > _COMMON * texts


def _features(reading: _Reading) -> dict[str, float]:
    """Weights of what a comment is compared by: things, words and pairs of characters."""
    features = {f"_{pair}": _PAIR_WEIGHT for pair in reading.pairs}
    features |= reading.words
    return features | {f"={thing}": _THING_WEIGHT for thing in reading.things}


def _weighted(features: Sequence[dict[str, float]]) -> _Matrix:
    """A row of length 1 for each comment; what only one has compares with nothing and is left out."""
    often = Counter(name for own in features for name in own)
    kept = {
        name: column for column, name in enumerate(sorted(name for name, count in often.items() if count > 1))
    }
    rows = np.zeros((len(features), len(kept)), np.float32)
    for row, own in enumerate(features):
        length = 0.0
        for name, weight in own.items():
            if _is_common(often[name], len(features)):
                continue
            value = weight * log(1 + len(features) / often[name])
            length += value * value
            if name in kept:
                rows[row, kept[name]] = value
        if length:
            rows[row] /= length**0.5
    return rows


def _clusters(rows: _Matrix) -> list[list[int]]:
    """Average linkage by chains of nearest neighbours: the pairs that are each other's nearest join first."""
    count = len(rows)
    alike: _Matrix = (rows @ rows.T).astype(np.float32)
    np.fill_diagonal(alike, -1)
    members: list[list[int]] = [[row] for row in range(count)]
    done = [False] * count
    sizes = np.ones(count, np.float32)
    chain: list[int] = []
    found: list[list[int]] = []
    for start in range(count):
        while not done[start] or chain:
            if not chain:
                chain.append(start)
            top = chain[-1]
            nearest = int(np.argmax(alike[top]))
            if len(chain) > 1 and alike[top, chain[-2]] >= alike[top, nearest]:
                nearest = chain[-2]
            if alike[top, nearest] < _ALIKE:
                _close(top, alike, done, members, found)
                chain.pop()
            elif len(chain) > 1 and nearest == chain[-2]:
                chain.pop()
                chain.pop()
                _join(min(top, nearest), max(top, nearest), alike, sizes, members, done)
            else:
                chain.append(nearest)
    return [sorted(group) for group in found if len(group) > 1]


def _close(
    row: int, alike: _Matrix, done: list[bool], members: list[list[int]], found: list[list[int]]
) -> None:
    alike[row, :] = -1
    alike[:, row] = -1
    done[row] = True
    found.append(members[row])


def _join(
    kept: int,
    gone: int,
    alike: _Matrix,
    sizes: npt.NDArray[np.float32],
    members: list[list[int]],
    done: list[bool],
) -> None:
    total = sizes[kept] + sizes[gone]
    merged = (alike[kept] * sizes[kept] + alike[gone] * sizes[gone]) / total
    merged[alike[kept] < 0] = -1
    merged[[kept, gone]] = -1
    alike[kept, :] = merged
    alike[:, kept] = merged
    alike[gone, :] = -1
    alike[:, gone] = -1
    sizes[kept] = total
    members[kept] += members[gone]
    done[gone] = True


def _name(words: Sequence[Iterable[str]], often: Counter[str], texts: int) -> str:
    """Up to three words that many in the topic and few beside it use, in the order of their weight."""
    inside = Counter(word for own in words for word in own)
    ranked = sorted(
        inside,
        key=lambda word: (-inside[word] * log(1 + texts / often[word]) * min(len(word), 3) ** 0.5, word),
    )
    shared = [word for word in ranked if inside[word] > 1 and not _is_common(often[word], texts)] or ranked
    name: list[str] = []
    for word in shared:
        if len(name) < _NAME_WORDS and not any(word in other or other in word for other in name):
            name.append(word)
    return "、".join(name) or "其他"
