"""Somebody who says the same sentences again and again in Korean, and how much of it was written down rightly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from tests.support.media import SAMPLE_RATE, cached, speech, write_wav

WORDS_PER_MINUTE: Final = 140
PAUSE_S: Final = 1.4  # longer than what ends an utterance
_PEAK: Final = 16_000


@dataclass(frozen=True)
class Speaker:
    """A voice of espeak-ng, and what it says. Each sentence is words with short pauses between them."""

    name: str
    voice: str
    sentences: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, name: str, voice: str, text: str) -> Self:
        """A sentence a line."""
        return cls(name, voice, tuple(tuple(line.split()) for line in text.split("\n") if line.strip()))

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for sentence in self.sentences for word in sentence)

    def microphone(self) -> Path:
        """A file for `--use-file-for-fake-audio-capture`, which plays it over and over."""

        def make(path: Path) -> None:
            parts = []
            for sentence in self.sentences:
                said = speech(", ".join(sentence), self.voice, WORDS_PER_MINUTE).astype(np.float32)
                parts += [said * (_PEAK / np.abs(said).max()), np.zeros(round(PAUSE_S * SAMPLE_RATE))]
            write_wav(path, np.concatenate(parts).astype(np.int16))

        return cached(
            "repeated", ".wav", [self.voice, self.sentences, WORDS_PER_MINUTE, PAUSE_S, _PEAK], make
        )


@dataclass(frozen=True)
class Accuracy:
    """`said`: words of the speaker from the first to the last that was heard. Errors: wrong, missing or too many."""

    said: int
    errors: int

    @property
    def right(self) -> int:
        return self.said - self.errors

    def __add__(self, other: Accuracy) -> Accuracy:
        return Accuracy(self.said + other.said, self.errors + other.errors)


def accuracy(said_again_and_again: Sequence[str], heard: Sequence[str]) -> Accuracy:
    """Which part of the repeated words fits best; it may begin and end anywhere in them."""
    turns = len(heard) // len(said_again_and_again) + 2
    said = list(said_again_and_again) * turns
    # For each number of words that were said up to now: the errors, and where the part begins.
    row = [(0, at) for at in range(len(said) + 1)]
    for count, word in enumerate(heard, 1):
        before, row = row, [(count, 0)]
        for at, wanted in enumerate(said, 1):
            fits = before[at - 1][0] + (word != wanted), before[at - 1][1]
            too_many = before[at][0] + 1, before[at][1]
            missing = row[at - 1][0] + 1, row[at - 1][1]
            row.append(min(fits, too_many, missing, key=lambda each: each[0]))
    errors, count = min((errors, end - begin) for end, (errors, begin) in enumerate(row))
    return Accuracy(count, errors)
