"""One stretch of speech on its way through a stream of the engine: what is fed, what is told of it."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from conference.model.transcript import Word
from conference.worker_events import Heard, HeardPartial, Utterance
from transcription.gate import Voice
from transcription.recognizer import SAMPLES_PER_MS, HeardWord, Piece, Recognizer, Stream
from transcription.source import Source
from transcription.timing import TimeMap
from transcription.words import joined

_PARTIAL_S: Final = 0.3
_MOST_LAG_MS: Final = 1_000  # behind by more there are no partials
_LONGEST_SAMPLES: Final = 30_000 * SAMPLES_PER_MS
_RECENT_SAMPLES: Final = 4_000 * SAMPLES_PER_MS  # kept, to be heard again behind a cut
_CUT_WITHIN_SAMPLES: Final = 3_000 * SAMPLES_PER_MS
_PAUSE_SAMPLES: Final = 200 * SAMPLES_PER_MS

Tell = Callable[[Heard | HeardPartial], None]


class Session:
    """Used in the thread of the stream. Numbers of samples go on from `first_sample`."""

    def __init__(
        self,
        recognizer: Recognizer,
        stream: Stream,
        source: Source,
        terms: Sequence[str],
        first_sample: int,
        tell: Tell,
    ) -> None:
        self._caps = recognizer.caps
        self._engine = recognizer.engine
        self._stream = stream
        self._source = source
        self._tell = tell
        self._map = TimeMap()
        self._recent: deque[tuple[int, Voice]] = deque()
        self._piece_start = first_sample  # behind the last final
        self._partial = ""
        self._partial_at_s = 0.0
        self.sample = first_sample  # behind all that was fed
        stream.begin(source.participant_id, terms)

    def feed(self, voice: Voice, *, lag_ms: float, now_s: float) -> None:
        """More sound."""
        start, samples = self.sample, len(voice.pcm) // 2
        self._map.add(start, samples, voice.at_ms)
        self._recent.append((start, voice))
        self.sample += samples
        while self._recent and self._recent[0][0] < self.sample - _RECENT_SAMPLES:
            self._recent.popleft()
        for piece in self._stream.accept(bytes(voice.pcm), start):
            self._tell_piece(piece.words, piece.end_sample)
        if self._source.job_id is None and self._caps.partials and lag_ms <= _MOST_LAG_MS:
            self._tell_partial(now_s)

    @property
    def is_long(self) -> bool:
        """It must be cut."""
        return self.sample - self._piece_start >= _LONGEST_SAMPLES

    def end(self) -> None:
        """The voice has paused."""
        self._tell_piece(_words(self._stream.flush()), self.sample)

    def cut(self) -> list[Voice]:
        """Stop amid speech; what stands behind the best place for it is given back, to be heard again."""
        words = _words(self._stream.flush())
        at = self._best_cut(words)
        self._tell_piece(tuple(each for each in words if each.end_sample <= at), at)
        return [
            _behind(voice, at - start) for start, voice in self._recent if start + len(voice.pcm) // 2 > at
        ]

    # ── what is told ────────────────────────────────────────────────────────────────────────────

    def _tell_piece(self, words: Sequence[HeardWord], end_sample: int) -> None:
        first, self._piece_start = self._piece_start, end_sample
        if end_sample <= first and not words:
            return
        utterances: tuple[Utterance, ...] = ()
        text = joined(each.text for each in words)
        if text:
            utterances = (self._utterance(words, text, first, end_sample),)
        elif self._partial:
            self._tell(self._as_partial(""))
        self._partial = ""
        told = self._source.heard(self._map.at_ms(end_sample), self._engine, utterances)
        if told is not None:
            self._tell(told)
        self._map.forget_before(end_sample - _RECENT_SAMPLES)

    def _utterance(self, words: Sequence[HeardWord], text: str, first: int, end: int) -> Utterance:
        if not self._caps.word_times:
            return Utterance(self._ms(first), self._ms(end), text, ())
        timed = tuple(
            Word(each.text, self._ms(each.start_sample), self._ms(each.end_sample), each.confidence)
            for each in words
        )
        return Utterance(timed[0].start_ms, timed[-1].end_ms, text, timed)

    def _tell_partial(self, now_s: float) -> None:
        if now_s - self._partial_at_s < _PARTIAL_S:
            return
        text = joined(self._stream.partial().split())
        if text != self._partial:
            self._partial_at_s = now_s
            self._partial = text
            self._tell(self._as_partial(text))

    def _as_partial(self, text: str) -> HeardPartial:
        source = self._source
        from_ms = max(source.told_to_ms, self._ms(self._piece_start))
        return HeardPartial(source.consultation_id, source.participant_id, text, from_ms)

    def _ms(self, sample: int) -> int:
        return round(self._map.at_ms(sample))

    # ── where to cut ────────────────────────────────────────────────────────────────────────────

    def _best_cut(self, words: Sequence[HeardWord]) -> int:
        """Within the longest pause of the last seconds; before the last word, which may be half of one, if need be."""
        earliest = max(self.sample - _CUT_WITHIN_SAMPLES, self._piece_start)
        if not words or self.sample - words[-1].end_sample >= _PAUSE_SAMPLES:
            return self.sample
        pauses = [
            (after.start_sample - before.end_sample, after.start_sample, before.end_sample)
            for before, after in itertools.pairwise(words)
            if before.end_sample >= earliest
        ]
        if not pauses:
            return self.sample
        _, start, end = max(pauses)
        return (start + end) // 2


def _words(pieces: Iterable[Piece]) -> tuple[HeardWord, ...]:
    return tuple(word for piece in pieces for word in piece.words)


def _behind(voice: Voice, samples: int) -> Voice:
    """Without its first samples."""
    samples = max(0, samples)
    return Voice(voice.at_ms + samples / SAMPLES_PER_MS, voice.pcm[samples * 2 :])
