"""What desks are shown of the transcript, over HTTP and in events. Field names are the names on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from conference.model.permissions import Role
from conference.model.second_pass import SecondPassState
from conference.model.transcript import TranscriptSegment

WordView: TypeAlias = "tuple[str, int, int, float]"  # text, from and to in program time, confidence


@dataclass(frozen=True, slots=True)
class SpeakerView:
    """Who spoke. `is_certain`: false for a hall's microphone of which nobody has said yet who spoke into it."""

    name: str
    role: Role
    venue: str | None
    title: str | None
    is_certain: bool


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A piece of speech. Times are program time; `participant_id`: whose microphone it was.

    Places in a text count characters (Unicode code points). `automatic`: places of what nobody said or wrote. `raw`,
    what the engine said, and `words` are null in lists that were asked for in brief.
    """

    id: str
    participant_id: str
    speaker: SpeakerView
    start_ms: int
    end_ms: int
    text: str
    raw: str | None
    words: tuple[WordView, ...] | None
    engine: str
    item_id: str | None
    turn_id: str | None
    automatic: tuple[int, ...]
    revision: int
    is_edited: bool
    is_unclear: bool
    is_confidential: bool
    proposal: str | None

    @classmethod
    def of(cls, segment: TranscriptSegment, *, brief: bool = False) -> SegmentView:
        speaker = segment.speaker
        words = tuple((each.text, each.start_ms, each.end_ms, each.confidence) for each in segment.words)
        return cls(
            id=segment.id,
            participant_id=segment.participant_id,
            speaker=SpeakerView(speaker.name, speaker.role, speaker.venue, speaker.title, speaker.is_certain),
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            text=segment.text,
            raw=None if brief else segment.raw,
            words=None if brief else words,
            engine=segment.engine,
            item_id=segment.item_id,
            turn_id=segment.turn_id,
            automatic=segment.automatic,
            revision=segment.revision,
            is_edited=segment.is_edited,
            is_unclear=segment.is_unclear,
            is_confidential=segment.is_confidential,
            proposal=segment.proposal,
        )


@dataclass(frozen=True, slots=True)
class TranscriptChanged:
    """To desks that may read the transcript: segments as they are now, new ones among them, and ids of those that are
    gone. Put each in the place of an older revision. With many at once `words` and `raw` are null: ask for them when
    they are wanted. `by`: who did it; empty for what was just said."""

    segments: tuple[SegmentView, ...]
    removed: tuple[str, ...]
    by: str

    @classmethod
    def of(
        cls, segments: Sequence[TranscriptSegment], removed: Sequence[str], by: str, *, brief: bool
    ) -> TranscriptChanged:
        views = tuple(SegmentView.of(each, brief=brief) for each in segments)
        return cls(views, tuple(removed), by)


@dataclass(frozen=True, slots=True)
class TranscriptEditing:
    """To desks that may read the transcript: where somebody else is writing now. Without a `segment_id` nowhere any
    more; the same when nothing was heard of this `session` for 20 seconds."""

    segment_id: str | None
    at: int | None
    name: str
    session: str


@dataclass(frozen=True, slots=True)
class SecondPassView:
    """How far the second pass is, which hears the recording again after the end and proposes texts; to desks that may
    read the transcript, whenever it changes.

    `unavailable` says why none can be asked for here: no_model, model_broken or engine_missing; else it is empty.
    `done` and `total` count segments, `unheard` those done of which there is no sound, or nothing was made out.
    `reason` says why it failed: no_model, model_broken, engine_missing, worker_ended, refused, sealed or fault.
    """

    engine: str
    unavailable: str
    state: SecondPassState
    reason: str
    done: int
    total: int
    unheard: int
    proposals: int
