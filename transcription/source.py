"""What is to be recognised of one microphone, live or from files: sound that waits, and how far all was dealt with."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from conference.worker_events import Heard, Utterance
from transcription.gate import Voice
from transcription.line import Part, Skip

PIECE_MS: Final = 200  # fed at once: less costs more than it gains
_CONTIGUOUS_MS: Final = 3.0


@dataclass(slots=True, eq=False)
class Source:
    """Owned by Hearing, whose lock guards it; `told_to_ms` belongs to the lane that follows it, if one does."""

    consultation_id: str
    participant_id: str
    job_id: str | None = None
    pending: deque[Part] = field(default_factory=deque)
    told_to_ms: int = -1  # -1: nothing was heard of it yet
    newest_ms: float = 0.0  # up to where its sound came in
    quiet_to_ms: float = 0.0  # without a voice up to here, beside what is pending
    waits_from_ms: float | None = None  # sound since then waits for a lane
    until_ms: float = math.inf  # nothing is told beyond
    lane: int | None = None  # that follows it
    is_closed: bool = False  # nothing more comes

    def begin(self, at_ms: float) -> None:
        """Its first sound."""
        if self.told_to_ms < 0:
            self.told_to_ms = max(0, round(at_ms))
            self.newest_ms = self.quiet_to_ms = at_ms

    def add(self, parts: Iterable[Part]) -> None:
        """In the order of their times."""
        for part in parts:
            last = self.pending[-1] if self.pending else None
            fits = (
                isinstance(part, Voice)
                and isinstance(last, Voice)
                and last.ms < PIECE_MS
                and abs(last.end_ms - part.at_ms) < _CONTIGUOUS_MS
            )
            if fits:
                assert isinstance(part, Voice)
                assert isinstance(last, Voice)
                last.pcm += part.pcm
            else:
                self.pending.append(part)

    def put_back(self, voices: Sequence[Voice]) -> None:
        """To be heard again, before all else."""
        self.pending.extendleft(reversed(voices))

    def shorten(self, kept_ms: float) -> None:
        """Leave out what waits but the newest."""
        from_ms = to_ms = -1.0
        while self.pending and self.voice_ms > kept_ms:
            part = self.pending.popleft()
            begin, end = (
                (part.from_ms, part.to_ms)
                if isinstance(part, Skip)
                else (part.at_ms, part.end_ms if isinstance(part, Voice) else part.at_ms)
            )
            from_ms, to_ms = (begin if from_ms < 0 else from_ms), max(to_ms, end)
        if to_ms > from_ms:
            self.pending.appendleft(Skip(from_ms, to_ms))

    def take(self) -> Part | None:
        """What can be fed now; a piece that is still growing cannot."""
        if not self.pending:
            return None
        first = self.pending[0]
        if isinstance(first, Voice) and len(self.pending) == 1 and first.ms < PIECE_MS and not self.is_closed:
            return None
        return self.pending.popleft()

    @property
    def has_voice(self) -> bool:
        return any(isinstance(each, Voice) for each in self.pending)

    @property
    def voice_ms(self) -> float:
        """Sound that waits."""
        return sum(each.ms for each in self.pending if isinstance(each, Voice))

    @property
    def lag_ms(self) -> float:
        """How far recognition is behind what came in."""
        first = next((each for each in self.pending if isinstance(each, Voice)), None)
        if first is None:
            return 0.0
        since = first.at_ms if self.waits_from_ms is None else min(first.at_ms, self.waits_from_ms)
        return max(0.0, self.newest_ms - since)

    def heard(self, to_ms: float, engine: str, utterances: Sequence[Utterance] = ()) -> Heard | None:
        """All up to `to_ms` was dealt with; None when that is nothing new."""
        begin, end = self.told_to_ms, round(min(to_ms, self.until_ms))
        if utterances and begin < self.until_ms:
            end = max(end, begin + 1)
        if end <= begin:
            return None
        self.told_to_ms = end
        return Heard(
            self.consultation_id,
            self.participant_id,
            begin,
            end,
            tuple(_within(each, begin, end) for each in utterances),
            engine,
            self.job_id,
        )

    def skip(self, to_ms: float) -> None:
        """Up to here nobody listened."""
        self.told_to_ms = max(self.told_to_ms, round(to_ms))


def _within(utterance: Utterance, begin: int, end: int) -> Utterance:
    first = min(max(utterance.from_ms, begin), end)
    return Utterance(first, min(max(utterance.to_ms, first), end), utterance.text, utterance.words)
