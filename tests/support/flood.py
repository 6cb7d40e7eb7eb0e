"""The flood of tests/data/flood: what 2,000 people write during one session, in hand-written words.

Forty topics of some 44 paraphrases each, 200 comments that say what nobody else says, and 60 that nobody should see.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parents[1] / "data" / "flood"
TOPICS: Final = 40


class Kind(StrEnum):
    """What a person knows after reading a comment."""

    TOPIC = "topic"
    SINGLETON = "singleton"
    VIOLATION = "violation"


@dataclass(frozen=True, slots=True)
class FloodComment:
    """`subject`: the title of its topic; for others the title of their file."""

    text: str
    kind: Kind
    subject: str


@cache
def flood() -> tuple[FloodComment, ...]:
    """All of them, in the order in which they come: nobody waits for others who write on the same."""
    found = [each for number in range(1, TOPICS + 1) for each in _file(f"topic_{number:02d}.txt", Kind.TOPIC)]
    found += _file("singletons.txt", Kind.SINGLETON)
    found += _file("violations.txt", Kind.VIOLATION)
    random.Random(20_261_122).shuffle(found)
    return tuple(found)


def _file(name: str, kind: Kind) -> list[FloodComment]:
    title, *lines = (_FOLDER / name).read_text("utf-8").splitlines()
    return [FloodComment(line, kind, title.removeprefix("#").strip()) for line in lines if line]
