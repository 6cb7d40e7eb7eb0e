"""Lists of words with levels, compiled once and found in one pass over a folded comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import product
from math import prod
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

from conference.model.comment import Level
from conference.text.folding import Folded, fold

MAX_SPELLINGS: Final = 256  # of one pattern


class Category(StrEnum):
    """What a word is about."""

    INSULT = "insult"
    VULGAR = "vulgar"
    THREAT = "threat"
    FRAUD = "fraud"
    GAMBLING = "gambling"
    ADVERTISEMENT = "advertisement"
    SPAM = "spam"
    PERSONAL = "personal"
    CONTACT = "contact"
    IMPERSONATION = "impersonation"
    OTHER = "other"  # what a moderator adds in a hurry
    HARMLESS = "harmless"  # holds a listed word and means something else: covers it
    ABOUT = "about"  # speaks about wrongs instead of doing them: weighs against marks, and what holds against holds


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of a list. Of `HARMLESS` the level does not matter; `PASS` of a trade is a hint: two of them hold."""

    text: str
    level: Level
    category: Category


@dataclass(frozen=True, slots=True)
class Hit:
    """A word found in `Folded.text[start:end]`."""

    word: Word
    start: int
    end: int


class WordList:
    """Words ready to be found. Immutable: a changed list is a new one, and the old serves until it is built.

    A word of which folding leaves nothing, or one letter of several signs (`+v`), would be found everywhere: left out.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        gravest: dict[str, Word] = {}
        for word in words:
            key = fold(word.text).text
            if _findable(word.text, key) and (
                key not in gravest or word.level.rank > gravest[key].level.rank
            ):
                gravest[key] = word
        self._words = tuple(gravest.values())
        self._latin_ends = tuple((_latin(key[0]), _latin(key[-1])) for key in gravest)
        self._automaton = (
            AhoCorasick(list(gravest), matchkind=MatchKind.Standard, store_patterns=False)
            if gravest
            else None
        )

    def __len__(self) -> int:
        return len(self._words)

    def hits(self, folded: Folded) -> list[Hit]:
        """Every listed word in order of its start, without those that another meaning covers."""
        if self._automaton is None or not folded.text:
            return []
        found = self._automaton.find_matches_as_indexes(folded.text, overlapping=True)
        if not found:
            return []
        hits = [
            Hit(self._words[number], start, end)
            for number, start, end in found
            if self._stands_alone(number, start, end, folded) and not folded.breaks(start, end)
        ]
        covers = [hit for hit in hits if hit.word.category is Category.HARMLESS]
        kept = [
            hit
            for hit in hits
            if hit.word.category is not Category.HARMLESS and not any(_covers(cover, hit) for cover in covers)
        ]
        kept.sort(key=lambda hit: (hit.start, -hit.end))
        return kept

    def _stands_alone(self, number: int, start: int, end: int, folded: Folded) -> bool:
        """Latin words are words, not parts of others: no `sb` in `usb`. What is spaced out counts as one word."""
        latin_start, latin_end = self._latin_ends[number]
        if not (latin_start or latin_end):
            return True
        text, gaps = folded.text, folded.gaps
        if latin_start and start and not gaps[start] and _latin(text[start - 1]):
            return False
        return not (latin_end and end < len(text) and not gaps[end] and _latin(text[end]))


def _findable(text: str, key: str) -> bool:
    return len(key) > 1 or (len(key) == 1 and len(text.strip()) == 1 and not key.isascii())


def _latin(character: str) -> bool:
    return "a" <= character <= "z"


def _covers(cover: Hit, hit: Hit) -> bool:
    """Chinese is read from the left: the harmless word that began first takes its characters with it."""
    return cover.start <= hit.start < cover.end and (cover.start < hit.start or cover.end >= hit.end)


def spellings(pattern: str) -> Iterator[str]:
    """`[傻煞]b` is 傻b and 煞b. ValueError: brackets that do not match, or more than `MAX_SPELLINGS`."""
    choices: list[str] = []
    rest = pattern
    while rest:
        if rest[0] == "[":
            inside, closed, rest = rest[1:].partition("]")
            if not closed or not inside or "[" in inside:
                raise ValueError(f"brackets of {pattern!r}")
            choices.append(inside)
        elif rest[0] == "]":
            raise ValueError(f"brackets of {pattern!r}")
        else:
            choices.append(rest[0])
            rest = rest[1:]
    if prod(map(len, choices)) > MAX_SPELLINGS:
        raise ValueError(f"{pattern!r} has more than {MAX_SPELLINGS} spellings")
    for spelling in product(*choices):
        yield "".join(spelling)


def parsed(text: str) -> list[Word]:
    """Read a list: lines `level category pattern pattern …`; `#` begins a comment. ValueError names the line."""
    words: list[Word] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.partition("#")[0].split()
        if not parts:
            continue
        try:
            level, category = Level(parts[0]), Category(parts[1])
            words += [Word(one, level, category) for pattern in parts[2:] for one in spellings(pattern)]
        except (ValueError, IndexError) as error:
            raise ValueError(f"line {number}: {error}") from error
    return words


@cache
def default_words() -> tuple[Word, ...]:
    """The list that comes with the program; a consultation adds its own."""
    return tuple(parsed(files(__package__).joinpath("words.txt").read_text("utf-8")))
