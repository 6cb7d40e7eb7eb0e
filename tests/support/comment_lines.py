"""The hand-made comments with the verdict a moderator expects, split into a part for tuning and a third held out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conference.model.comment import Level
from conference.text.filter import judge
from conference.text.words import WordList

_FILE = Path(__file__).resolve().parents[1] / "data" / "comment_filter.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """One comment, what should become of it, what it is about and how it tries to slip through."""

    text: str
    level: Level
    category: str
    evasion: str

    @property
    def is_held_out(self) -> bool:
        """Whether nobody looks at this line while tuning; the text itself decides."""
        return hashlib.sha256(self.text.encode()).digest()[0] % 3 == 0

    @property
    def is_violation(self) -> bool:
        """Whether it must not appear without a moderator."""
        return _keeps_back(self.level)


def _keeps_back(level: Level) -> bool:
    return level.rank >= Level.HOLD.rank


@cache
def comment_lines() -> tuple[Line, ...]:
    """All lines of the file."""
    rows = map(json.loads, _FILE.read_text("utf-8").splitlines())
    return tuple(Line(row["text"], Level(row["level"]), row["category"], row["evasion"]) for row in rows)


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a list keeps back what it should (hold or block) and nothing else."""

    lines: int
    precision: float
    recall: float
    exact: float
    """Share of lines with just the expected level."""
    missed: tuple[Line, ...]
    wrongly_kept: tuple[Line, ...]


def quality(lines: Iterable[Line], words: WordList) -> Quality:
    """Judge the lines and count."""
    judged = [(line, judge(line.text, "村民", "", words).level) for line in lines]
    kept = [line for line, level in judged if _keeps_back(level)]
    wrong = tuple(line for line in kept if not line.is_violation)
    missed = tuple(line for line, level in judged if line.is_violation and not _keeps_back(level))
    right = len(kept) - len(wrong)
    return Quality(
        lines=len(judged),
        precision=right / len(kept) if kept else 1.0,
        recall=right / (right + len(missed)) if right + len(missed) else 1.0,
        exact=sum(line.level is level for line, level in judged) / len(judged),
        missed=missed,
        wrongly_kept=wrong,
    )
