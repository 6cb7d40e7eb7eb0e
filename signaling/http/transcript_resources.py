"""JSON of the transcript: what leaves, and what is asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.permissions import Role
from conference.model.transcript import MAX_REASON, MAX_TEXT, RevisionKind
from conference.services.transcript_editing import MAX_REPLACED, SegmentPatch, SpeakerChoice
from conference.transcript_views import WordView
from signaling.http.resources import Problem, Resource

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Text = Annotated[str, Field(max_length=MAX_TEXT, pattern=PLAIN_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN_PATTERN)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


# ── what leaves ─────────────────────────────────────────────────────────────────────────────────


class SpeakerResource(Resource):
    """Who spoke. `is_certain`: false for a hall's microphone of which nobody has said yet who spoke into it."""

    name: str
    role: Role
    venue: str | None
    title: str | None
    is_certain: bool


class BriefSegment(Resource):
    """A piece of speech. Times are program time in ms; `participant_id`: whose microphone it was.

    Places in a text count Unicode code points. `automatic`: places of what nobody said or wrote. `proposal`: the text
    of a better engine, until somebody takes or refuses it.
    """

    id: str
    participant_id: str
    speaker: SpeakerResource
    start_ms: int
    end_ms: int
    text: str
    engine: str
    item_id: str | None
    turn_id: str | None
    automatic: list[int]
    revision: int
    is_edited: bool
    is_unclear: bool
    is_confidential: bool
    proposal: str | None


class SegmentResource(BriefSegment):
    """With `raw`, what the engine said, and its words: text, from and to, confidence from 0 to 1."""

    raw: str
    words: list[WordView]


class SegmentList(Resource):
    """`next` is the `after` of the next page."""

    items: list[SegmentResource]
    next: str | None


class BriefSegmentList(Resource):
    """`next` is the `after` of the next page."""

    items: list[BriefSegment]
    next: str | None


class SegmentPair(Resource):
    items: list[SegmentResource]


class ReplacedResource(Resource):
    """`conflicts`: ids of those that somebody else changed meanwhile, or that are gone."""

    items: list[BriefSegment]
    conflicts: list[str]


class RevisionResource(Resource):
    """What was done to a segment: text and speaker before and after. `revision`: the one that it made."""

    segment_id: str
    revision: int
    kind: RevisionKind
    before: str
    after: str
    speaker_before: str
    speaker_after: str
    by_name: str
    at_wall_ms: int
    reason: str


class RevisionList(Resource):
    items: list[RevisionResource]


class FoundPlaces(Resource):
    """Where the text stands, in code points."""

    id: str
    at: list[int]


class FoundPlacesList(Resource):
    items: list[FoundPlaces]


class FoundConsultation(Resource):
    id: str
    title: str


class FoundSegment(Resource):
    consultation: FoundConsultation
    segment: BriefSegment


class FoundList(Resource):
    """`next` is the `after` of the next page."""

    items: list[FoundSegment]
    next: str | None


class SegmentProblem(Problem):
    """edit_conflict: `segment` is what there is now."""

    segment: SegmentResource | None = None


# ── what is asked for ───────────────────────────────────────────────────────────────────────────


class SpeakerBody(BaseModel):
    """A participant, somebody who was invited, or a name and a role."""

    participant_id: Id | None = None
    invitee_id: Id | None = None
    name: Name | None = None
    role: Role = Role.MEMBER
    venue: Annotated[str, Field(max_length=200, pattern=PLAIN_PATTERN)] | None = None
    title: Annotated[str, Field(max_length=200, pattern=PLAIN_PATTERN)] | None = None

    @model_validator(mode="after")
    def _one(self) -> SpeakerBody:
        if sum(each is not None for each in (self.participant_id, self.invitee_id, self.name)) != 1:
            raise ValueError("one of participant_id, invitee_id, name")
        return self

    def choice(self) -> SpeakerChoice:
        return SpeakerChoice(**{name: getattr(self, name) for name in SpeakerBody.model_fields})


class SegmentBody(BaseModel):
    """What shall be otherwise. What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    revision: Number
    text: Text | None = None
    speaker: SpeakerBody | None = None
    is_unclear: bool | None = None
    is_confidential: bool | None = None
    reason: Annotated[str, Field(max_length=MAX_REASON, pattern=PLAIN_PATTERN)] = ""

    def patch(self) -> SegmentPatch:
        speaker = None if self.speaker is None else self.speaker.choice()
        return SegmentPatch(self.text, speaker, self.is_unclear, self.is_confidential, self.reason)


class SplitBody(BaseModel):
    """`at`: the place of the first character of the second part."""

    revision: Number
    at: Annotated[int, Field(ge=0, le=MAX_TEXT)]


class JoinBody(BaseModel):
    revision: Number
    next_revision: Number


class RestoreBody(BaseModel):
    """`to`: the revision whose text is wanted back."""

    revision: Number
    to: Number


class ProposalBody(BaseModel):
    revision: Number
    accept: bool


class SeenBody(BaseModel):
    id: Id
    revision: Number


class ReplaceBody(BaseModel):
    """Plain text. Up to 5,000 segments: those that were shown."""

    find: Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN_PATTERN)]
    replace: Annotated[str, Field(max_length=200, pattern=PLAIN_PATTERN)]
    segments: Annotated[list[SeenBody], Field(max_length=MAX_REPLACED)]

    def seen(self) -> list[tuple[str, int]]:
        return [(each.id, each.revision) for each in self.segments]
