"""What a speech engine is to the worker: a model loaded once, and streams that each follow one voice at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

SAMPLE_RATE: Final = 16_000  # of all sound that engines are given: 16 bits, mono
SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000


class EngineError(Exception):
    """No engine for this model. `reason` is one of TranscriberModel; the message says more, for the log."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine does by itself."""

    partials: bool = True
    word_times: bool = True
    punctuates: bool = False
    hot_words: bool = False


@dataclass(frozen=True, slots=True)
class HeardWord:
    """Times are numbers of samples, counted as `Stream.accept` was told."""

    text: str
    start_sample: int
    end_sample: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece that will not change any more. `end_sample`: all sound before it was dealt with."""

    words: tuple[HeardWord, ...]
    end_sample: int


class Stream(Protocol):
    """Follows one voice at a time; used in one thread. Any method may take as long as the sound it is given."""

    def begin(self, speaker: str, terms: Sequence[str]) -> None:
        """Another voice, or the same after a pause. Always before the first `accept` and after every `flush`."""

    def accept(self, pcm16: bytes, start_sample: int) -> list[Piece]:
        """More sound, which follows the last without a hole. Numbers go on for as long as the stream lives."""

    def partial(self) -> str:
        """What seems to have been said since the last final; empty when nothing."""

    def flush(self) -> list[Piece]:
        """The utterance is over: the rest of it."""

    def close(self) -> None:
        """Let go of everything. Idempotent."""


class Recognizer(Protocol):
    """A loaded model. Its methods may be called in any thread."""

    @property
    def caps(self) -> Capabilities: ...

    @property
    def engine(self) -> str:
        """Name of the engine: what stands beside every text."""

    def open(self) -> Stream:
        """A stream, warm: made in the thread that will use it. May take seconds."""
