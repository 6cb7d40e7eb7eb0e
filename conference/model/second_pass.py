"""The second pass (录音复核): after the end a slower engine hears a consultation's recording again and proposes texts.

Times with `wall` are UTC milliseconds, all others program time in milliseconds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.transcript import Span, TranscriptSegment, Word
from conference.model.transcript_place import Place

PADDING_MS: Final = 200  # before and after a segment: engines need a beginning, and gates cut close


class SecondPassState(StrEnum):
    """What desks are told."""

    NONE = "none"  # nobody asked for one
    WAITING = "waiting"  # another consultation is being heard
    RUNNING = "running"  # in memory alone: after a restart it goes on
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SecondPass:
    """The one that was asked for last, and how far it is: all segments up to the place `after_…` were dealt with.

    `node` hears it: the recording lies there. `done` and `total` count segments, `unheard` those of them of which there
    is no sound or nothing was made out; `proposals` were made. `reason` says why it failed: no_model, model_broken,
    engine_missing, worker_ended, refused, sealed, or fault (of the server: its log says more).
    """

    consultation_id: str
    node: str
    engine: str
    asked_by: str
    asked_wall_ms: int
    total: int
    done: int = 0
    unheard: int = 0
    proposals: int = 0
    after_ms: int = 0
    after_id: str = ""  # empty: from the beginning
    state: SecondPassState = SecondPassState.WAITING
    reason: str = ""
    ended_wall_ms: int | None = None

    @property
    def after(self) -> Place | None:
        """Behind this place it goes on."""
        return Place(self.after_ms, self.after_id) if self.after_id else None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be gone on with."""
        return self.state is SecondPassState.WAITING

    def went_on(self, after: Place, *, done: int, unheard: int, proposals: int) -> SecondPass:
        """So many more were dealt with, up to there."""
        return replace(
            self,
            after_ms=after.start_ms,
            after_id=after.segment_id,
            done=self.done + done,
            total=max(self.total, self.done + done),  # some may have been split meanwhile
            unheard=self.unheard + unheard,
            proposals=self.proposals + proposals,
        )

    def ended(self, wall_ms: int, reason: str = "") -> SecondPass:
        """All was heard, or why not."""
        state = SecondPassState.FAILED if reason else SecondPassState.DONE
        return replace(self, state=state, reason=reason, ended_wall_ms=wall_ms)


@dataclass(frozen=True, slots=True)
class BetterText:
    """What an engine makes of a stretch; `words` bear program time where it tells them."""

    segment_id: str
    span: Span  # of the segment as it was heard
    text: str
    words: tuple[Word, ...] = ()


def is_still(segment: TranscriptSegment, span: Span) -> bool:
    """Whether it is the stretch that was heard: it may have been split or joined since."""
    return (segment.start_ms, segment.end_ms) == span


def same_words(one: str, other: str) -> bool:
    """Whether they differ in punctuation, blanks, case and width alone: then there is nothing to decide."""
    return _letters(one) == _letters(other)


def heard_span(segment: TranscriptSegment, neighbours: Iterable[TranscriptSegment]) -> Span:
    """The stretch of the microphone that is heard for a segment: a little more than it, and nothing of any other.

    So the words of a confidential neighbour never stand in the proposal for an open one.
    """
    from_ms, to_ms = max(0, segment.start_ms - PADDING_MS), segment.end_ms + PADDING_MS
    for each in neighbours:
        if each.id == segment.id or each.participant_id != segment.participant_id:
            continue
        if each.start_ms + each.end_ms < segment.start_ms + segment.end_ms:
            from_ms = max(from_ms, min(each.end_ms, segment.start_ms))
        else:
            to_ms = min(to_ms, max(each.start_ms, segment.end_ms))
    return from_ms, to_ms


def _letters(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum())
