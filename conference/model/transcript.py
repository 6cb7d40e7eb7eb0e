"""The transcript (转写稿): what was said, by whom, when, as recognised and as corrected. Times are program time, ms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from conference.model.errors import ConferenceError
from conference.model.gap_reasons import reason_words
from conference.model.permissions import Role

Span: TypeAlias = "tuple[int, int]"  # from, to

MAX_TEXT: Final = 4_000  # characters of one segment
MAX_REASON: Final = 200


class CaptionState(StrEnum):
    """What everybody is told about captions."""

    OFF = "off"  # switched off for this consultation, or it is not live
    NO_MODEL = "no_model"  # no speech model on this server
    STARTING = "starting"
    ON = "on"
    LATE = "late"  # recognition is more than 5 s behind
    TROUBLE = "trouble"  # the worker is being started again; what is said is recognised later
    PAUSED = "paused"  # the recording is paused: nothing is written down


class RevisionKind(StrEnum):
    """What was done to a segment."""

    EDITED = "edited"
    SPEAKER = "speaker"
    SPLIT = "split"
    JOINED = "joined"
    MARKED = "marked"  # unclear, confidential
    REPLACED = "replaced"  # search and replace
    TERMS = "terms"  # the list of terms changed
    SECOND_PASS = "second_pass"  # noqa: S105 - the better engine's text was taken
    RESTORED = "restored"  # an earlier text was taken back


@dataclass(frozen=True, slots=True)
class Word:
    """One word as recognised. `confidence` is 0 to 1, and not to be trusted: nothing is hidden by it."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class SpeakerLabel:
    """Who spoke, as the transcript names them. `participant_id` is whose track it was.

    `is_certain` is False for a room's microphone of which nobody has said yet who spoke into it.
    """

    name: str
    role: Role
    venue: str | None = None
    title: str | None = None
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class TranscriptSegment:
    """An unbroken piece of speech of one speaker. Each change is a new value with the next `revision`.

    `raw` is what the engine said, its words joined, and never changes; `text` is what the transcript shows. Characters
    of `text` that nobody said or wrote, punctuation put at pauses, are named by their index in `automatic`. A segment
    that nobody corrected (`is_edited` False) follows the list of terms when that changes.
    """

    id: str
    consultation_id: str
    participant_id: str
    speaker: SpeakerLabel
    start_ms: int
    end_ms: int
    text: str
    raw: str
    words: tuple[Word, ...]
    engine: str
    item_id: str | None = None
    turn_id: str | None = None
    automatic: tuple[int, ...] = ()
    revision: int = 1
    is_edited: bool = False
    is_unclear: bool = False
    is_confidential: bool = False
    proposal: str | None = None  # better text of the second pass, until somebody takes or refuses it
    other_words: tuple[
        Word, ...
    ] = ()  # of the proposal; once that is taken, those that stood here before, for whoever takes it back

    def revised(self, **changes: object) -> TranscriptSegment:
        """The next revision."""
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Revision:
    """What was done to a segment, kept for ever: the state before it. `at_wall_ms` is UTC."""

    segment_id: str
    revision: int  # that it made
    kind: RevisionKind
    before: str
    after: str
    speaker_before: str
    speaker_after: str
    by_id: str
    by_name: str
    at_wall_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A stretch of one participant's microphone that was listened to, whether or not anything was said in it."""

    consultation_id: str
    participant_id: str
    from_ms: int
    to_ms: int


class GapState(StrEnum):
    WAITING = "waiting"  # recorded, and to be recognised from the file
    RUNNING = "running"
    FAILED = "failed"  # it was tried; somebody may ask again
    LOST = "lost"  # was on air and neither recognised nor recorded
    WAIVED = "waived"  # somebody noted why there is no text


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of one microphone of which there is no text. `note` is what people say of it; `reason` is a GapReason,
    or empty: then it waits for its turn, or was not recorded."""

    consultation_id: str
    participant_id: str
    name: str
    from_ms: int
    to_ms: int
    state: GapState
    reason: str = ""
    note: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it stands in the way of the minutes."""
        return self.state is not GapState.WAIVED

    @property
    def words(self) -> str:
        """Why there is no text, as Chinese minutes say it; empty where nobody knows more than its state."""
        return self.note or reason_words(self.reason)


# ── spans ───────────────────────────────────────────────────────────────────────────────────────


def merged(spans: Iterable[Span], within_ms: int = 0) -> list[Span]:
    """In order, those that touch or are at most `within_ms` apart made one. Empty ones are left out."""
    found: list[Span] = []
    for first, last in sorted(each for each in spans if each[0] < each[1]):
        if found and first <= found[-1][1] + within_ms:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of `spans` where `taken` are taken away, in order."""
    left: list[Span] = []
    holes = merged(taken)
    for first, last in merged(spans):
        at = first
        for begin, end in holes:
            if end <= at or begin >= last:
                continue
            if begin > at:
                left.append((at, begin))
            at = max(at, end)
        if at < last:
            left.append((at, last))
    return left


def require_text(text: str) -> str:
    """What may stand in a segment. Raises ConferenceError bad_request."""
    found = " ".join(text.split())
    if not found or len(found) > MAX_TEXT:
        raise ConferenceError("bad_request", f"a text of 1 to {MAX_TEXT} characters")
    return found
