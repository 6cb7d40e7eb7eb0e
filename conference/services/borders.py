"""Borders between what was heard live and what is heard from the files: a word may lie on both sides of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from conference.model.transcript import Span, Word
from conference.model.transcript_edit import joined_words
from conference.worker_events import Utterance

_NEAR_MS: Final = 200  # so exactly are words timed whose other half was cut off


class Borders:
    """Where the sound of microphones is cut, in program time: in the memory of this node, from a job on until nothing
    more is missing in its consultation."""

    def __init__(self) -> None:
        self._at: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)

    def add(self, consultation_id: str, participant_id: str, span: Span) -> None:
        """A stretch of the microphone is heard from its files."""
        self._at[consultation_id].update((participant_id, at_ms) for at_ms in span)

    def of(self, consultation_id: str, participant_id: str) -> list[int]:
        return sorted(at_ms for each, at_ms in self._at.get(consultation_id, ()) if each == participant_id)

    def forget(self, consultation_id: str) -> None:
        self._at.pop(consultation_id, None)


def near(borders: Iterable[int], utterance: Utterance) -> list[Span]:
    """Stretches in which the other half of its first or last word may lie."""
    words = utterance.words
    if not words:
        return []
    return [
        (at_ms - _NEAR_MS, at_ms + _NEAR_MS)
        for at_ms in borders
        if _is_near(words[0].start_ms, at_ms) or _is_near(words[-1].end_ms, at_ms)
    ]


def mended(
    utterance: Utterance, borders: Collection[int], there: Sequence[tuple[Word, ...]]
) -> Utterance | None:
    """Without the half of a word whose other half was taken for the whole word. `there`: words of what is written of
    this microphone already. None where nothing is left of it."""
    words = utterance.words
    for at_ms in borders:
        for others in there:
            if words and others and _are_halves(words[-1], others[0], at_ms):
                words = words[:-1]
            if words and others and _are_halves(others[-1], words[0], at_ms):
                words = words[1:]
    if words == utterance.words:
        return utterance
    if not words:
        return None
    first_ms, last_ms = words[0].start_ms, words[-1].end_ms
    return replace(utterance, from_ms=first_ms, to_ms=last_ms, text=joined_words(words), words=words)


def _are_halves(one: Word, other: Word, at_ms: int) -> bool:
    return one.text == other.text and _is_near(one.end_ms, at_ms) and _is_near(other.start_ms, at_ms)


def _is_near(one_ms: int, other_ms: int) -> bool:
    return abs(one_ms - other_ms) <= _NEAR_MS
