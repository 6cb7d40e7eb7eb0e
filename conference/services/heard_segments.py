"""Segments made of what was heard: whose they are, under which item, and what the terms make of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.ids import new_id
from conference.model.participant import Participant
from conference.model.speaking import Proceedings
from conference.model.transcript import MAX_TEXT, Span, TranscriptSegment, Word, merged
from conference.model.transcript_edit import Rewrite, joined_words, render
from conference.services.borders import mended
from conference.worker_events import Heard, Utterance


@dataclass(frozen=True, slots=True)
class Written:
    """A segment that has a row now. `is_live`: it was just said; otherwise it came from the recording."""

    segment: TranscriptSegment
    is_live: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """Where the sound of a microphone is cut, and the words of segments that are there already beside these borders."""

    borders: Sequence[int] = ()
    words: Sequence[tuple[Word, ...]] = ()


NOTHING: Final = Beside()


@dataclass(frozen=True, slots=True)
class SegmentMaker:
    """Makes segments of what was heard. Pure."""

    proceedings: Proceedings
    rewrite: Rewrite
    unkept: Sequence[Span]  # what is said there is not written down

    def written(
        self,
        microphone: Participant,
        batch: Sequence[Heard],
        covered: Sequence[Span],
        beside: Beside = NOTHING,
    ) -> list[Written]:
        """Of what does not lie in a stretch that was dealt with before."""
        found: list[Written] = []
        there = list(beside.words)
        for heard in batch:
            for utterance in heard.utterances:
                if not utterance.text.strip() or _lies_in(utterance, [*covered, *self.unkept]):
                    continue
                left = mended(utterance, beside.borders, there)
                if left is not None:
                    found.append(Written(self._segment(microphone, heard, left), heard.job_id is None))
                    there.append(left.words)
            covered = merged([*covered, (heard.from_ms, heard.to_ms)])
        return found

    def _segment(self, microphone: Participant, heard: Heard, utterance: Utterance) -> TranscriptSegment:
        middle_ms = _middle_ms(utterance)
        words = utterance.words or (Word(utterance.text, utterance.from_ms, utterance.to_ms),)
        rendered = render(words, self.rewrite)
        return TranscriptSegment(
            id=new_id("seg"),
            consultation_id=heard.consultation_id,
            participant_id=microphone.id,
            speaker=self.proceedings.speaker(microphone, middle_ms),
            start_ms=utterance.from_ms,
            end_ms=max(utterance.to_ms, utterance.from_ms),
            text=rendered.text[:MAX_TEXT],
            raw=joined_words(words),
            words=words,
            engine=heard.engine,
            item_id=self.proceedings.item_id(middle_ms),
            turn_id=self.proceedings.turn_id(microphone, middle_ms),
            automatic=tuple(each for each in rendered.automatic if each < MAX_TEXT),
        )


def _middle_ms(utterance: Utterance) -> int:
    return (utterance.from_ms + utterance.to_ms) // 2


def _lies_in(utterance: Utterance, covered: Sequence[Span]) -> bool:
    middle_ms = _middle_ms(utterance)
    return any(first <= middle_ms < last for first, last in covered)
