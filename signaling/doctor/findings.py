"""What was found, how bad it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """`BAD`: a meeting would fail, or the server does not start. `NOTE`: it may go less well than it could, or it
    cannot be known from here."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is stable, for programs; `topic` has four characters; `advice` is empty where there is nothing to do."""

    check: str
    topic: str
    grade: Grade
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """Makes findings about one thing."""

    check: str
    name: str

    def good(self, found: str, advice: str = "") -> Finding:
        return Finding(self.check, self.name, Grade.GOOD, found, advice)

    def note(self, found: str, advice: str) -> Finding:
        return Finding(self.check, self.name, Grade.NOTE, found, advice)

    def bad(self, found: str, advice: str) -> Finding:
        return Finding(self.check, self.name, Grade.BAD, found, advice)
