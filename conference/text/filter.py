"""The verdict on a comment before people see it, each with its reasons."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from conference.model.comment import Level
from conference.text.contacts import contacts
from conference.text.folding import Folded, fold
from conference.text.words import Category, Hit, WordList

_DIRECTION: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b\u200c\u2060-\u2064\u3164\ufeff\uffa0]"
)
_MARKUP: Final = re.compile(
    r"<\s*/?\s*(?:script|iframe|img|svg|a|style|body|object|embed|form|input|b|div)\b|javascript:", re.I
)
_STATEMENT: Final = re.compile(
    r"\b(?:union\s+select|drop\s+table|insert\s+into|or\s+1\s*=\s*1|delete\s+from)\b|'\s*;\s*--", re.I
)
_UNIT: Final = re.compile(r"(.{2,30}?)\1{3,}")
_RUN: Final = re.compile(r"(.)\1{11,}")
_MOSTLY_REPEATED: Final = 0.4  # different pairs of characters among all
_NICKNAME_DIGITS: Final = re.compile(r"\d{7,}")
_MAX_REASONS: Final = 16


class Field(StrEnum):
    """Which of what the author wrote."""

    TEXT = "text"
    NICKNAME = "nickname"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a stable code, the words as they were written, and where in which field."""

    code: str
    what: str
    start: int
    end: int
    field: Field = Field.TEXT
    level: Level = Level.HOLD


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the comment and why, the gravest reason first; no reason only with `pass`."""

    level: Level
    reasons: tuple[Reason, ...] = ()


def judge(text: str, nickname: str, region: str, words: WordList) -> Verdict:
    """Judge what an author wrote. Never raises on any text; says nothing about how often it comes."""
    folded = fold(text)
    reasons = list(_reasons(folded, Field.TEXT, words))
    reasons += _emptiness(folded)
    reasons += _repetition(folded)
    for field, value in ((Field.NICKNAME, nickname), (Field.REGION, region)):
        if value:
            short = fold(value)
            reasons += _reasons(short, field, words)
            if found := _NICKNAME_DIGITS.search(short.text):
                reasons.append(_reason("contact_number", short, short.span(*found.span()), field, Level.HOLD))
    if not reasons:
        return _PASSED
    reasons.sort(
        key=lambda reason: (
            -reason.level.rank,
            reason.field != Field.TEXT,
            reason.start,
            reason.end,
            reason.code,
        )
    )
    return Verdict(reasons[0].level, tuple(dict.fromkeys(reasons))[:_MAX_REASONS])


_PASSED: Final = Verdict(Level.PASS)


def _reason(code: str, folded: Folded, span: tuple[int, int], field: Field, level: Level) -> Reason:
    start, end = span
    return Reason(code, folded.source[start:end], start, end, field, level)


def _reasons(folded: Folded, field: Field, words: WordList) -> Iterator[Reason]:
    yield from _listed(folded, field, words)
    for contact in contacts(folded):
        yield _reason(contact.code, folded, (contact.start, contact.end), field, Level.HOLD)
    source = folded.source
    if folded.unseen:
        yield from _matches("direction_signs", _DIRECTION, source, field, Level.HOLD)
        yield from _matches("hidden_signs", _HIDDEN, source, field, Level.MARK)
    if "<" in source or ":" in source:
        yield from _matches("markup", _MARKUP, source, field, Level.HOLD)
    if not source.isalpha():
        yield from _matches("markup", _STATEMENT, source, field, Level.HOLD)


def _matches(
    code: str, pattern: re.Pattern[str], source: str, field: Field, level: Level
) -> Iterator[Reason]:
    found = pattern.search(source)
    if found:
        yield Reason(code, found[0], found.start(), found.end(), field, level)


def _listed(folded: Folded, field: Field, words: WordList) -> Iterator[Reason]:
    """Words of the lists. Two different hints or marks of trade hold, unless the author speaks about such things.

    Who complains about fraud, gambling or advertising names them; that is marked, if nothing in it leads anywhere.
    """
    hits = words.hits(folded)
    if not hits:
        return
    about = max((hit.word.level.rank for hit in hits if hit.word.category is Category.ABOUT), default=-1)
    complains = about >= Level.HOLD.rank and not _leads_on(hits) and next(contacts(folded), None) is None
    hints = _hints(hits)
    for hit in hits:
        category, level = hit.word.category, hit.word.level
        if category is Category.ABOUT or (category is Category.IMPERSONATION and field is not Field.NICKNAME):
            continue
        if category in _TRADE:
            if complains and level.rank > Level.MARK.rank:
                level = Level.MARK
            elif level.rank <= Level.MARK.rank and about < 0 and hints > 1:
                level = Level.HOLD
        if level is not Level.PASS:
            yield _reason(f"word_{category}", folded, folded.span(hit.start, hit.end), field, level)


_TRADE: Final = frozenset(
    (Category.ADVERTISEMENT, Category.FRAUD, Category.GAMBLING, Category.CONTACT, Category.SPAM)
)


def _leads_on(hits: Iterable[Hit]) -> bool:
    return any(
        hit.word.category is Category.CONTACT and hit.word.level.rank >= Level.HOLD.rank for hit in hits
    )


def _hints(hits: Iterable[Hit]) -> int:
    """How many different words of trade stand side by side, what stands within others not counted."""
    seen: set[str] = set()
    free = 0
    for hit in hits:  # in the order of their start, the longer first
        if hit.word.level.rank <= Level.MARK.rank and hit.word.category in _TRADE and hit.start >= free:
            seen.add(hit.word.text)
            free = hit.end
    return len(seen)


def _emptiness(folded: Folded) -> Iterable[Reason]:
    source = folded.source
    if folded.text:
        return ()
    if not folded.marked.strip():
        return (Reason("empty", "", 0, len(source), Field.TEXT, Level.BLOCK),)
    level = Level.HOLD if len(source) > 40 else Level.PASS
    return (
        (Reason("signs_only", source[:20], 0, len(source), Field.TEXT, level),)
        if level is not Level.PASS
        else ()
    )


def _repetition(folded: Folded) -> Iterator[Reason]:
    """The same over and over: one sign is a mark (people laugh), a phrase is held."""
    text = folded.text
    if len(text) < 12:
        return
    if run := _RUN.search(text):
        yield _reason("repetition", folded, folded.span(*run.span()), Field.TEXT, Level.MARK)
    if len(text) >= 16 and len(set(pairwise(text))) < _MOSTLY_REPEATED * len(text):
        unit = _UNIT.search(text)
        if unit and len(set(unit[1])) > 1:
            yield _reason("repetition", folded, folded.span(*unit.span()), Field.TEXT, Level.HOLD)
