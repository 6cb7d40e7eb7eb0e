"""Minutes as JSON: what leaves, and what is asked for."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from conference.model.ids import PLAIN_PATTERN
from conference.model.minutes import (
    MAX_REASON,
    MAX_SECTION,
    BlockerCode,
    EarlierText,
    Minutes,
    MinutesKind,
    MinutesState,
)
from conference.model.transcript import GapState
from conference.services.minutes import FoundPassage, MinutesView
from conference.transcript_views import SegmentView
from signaling.http.resources import Resource
from signaling.http.transcript_resources import BriefSegment

_MOST_SECTIONS: Final = 200

_Revision = Annotated[int, Field(ge=1, le=10**9)]
_Reason = Annotated[str, Field(max_length=MAX_REASON, pattern=PLAIN_PATTERN)]


class SectionResource(Resource):
    """Paragraphs are lines of `text`. `source`: the agenda item that the section is about."""

    key: str
    heading: str
    text: str
    source: str | None


class PrintedGapResource(Resource):
    """Program time."""

    name: str
    from_ms: int
    to_ms: int
    state: GapState
    note: str


class ApprovalResource(Resource):
    """What is printed: the line of the trace that says so, the gaps, and why it was approved nevertheless, or although
    what a record was made of had changed."""

    by: str
    at_wall_ms: int
    head_number: int
    head_hash: str
    gaps: list[PrintedGapResource]
    despite_gaps_reason: str
    despite_outdated_reason: str


class LetterheadResource(Resource):
    """Under what approved minutes are printed, whatever became of it since. `template_sha256` is null for the built-in
    layout."""

    title: str
    organization: str | None
    template_sha256: str | None


class MinutesVersion(Resource):
    """A version without its text. Times are UTC."""

    id: str
    kind: MinutesKind
    version: int
    state: MinutesState
    revision: int
    updated_by: str
    updated_at_ms: int
    reviewed_by: str | None
    reviewed_at_ms: int | None
    gaps_reason: str
    approval: ApprovalResource | None
    letterhead: LetterheadResource | None

    @classmethod
    def fields(cls, minutes: Minutes) -> dict[str, object]:
        names = ("id", "kind", "version", "state", "revision", "updated_by", "reviewed_by", "gaps_reason")
        return {
            **{name: getattr(minutes, name) for name in names},
            "updated_at_ms": minutes.updated_wall_ms,
            "reviewed_at_ms": minutes.reviewed_wall_ms,
            "approval": minutes.approval,
            "letterhead": minutes.letterhead,
        }

    @classmethod
    def brief(cls, minutes: Minutes) -> MinutesVersion:
        return cls.model_validate(cls.fields(minutes))


class MinutesResource(MinutesVersion):
    """A version with its text."""

    sections: list[SectionResource]

    @classmethod
    def of(cls, minutes: Minutes) -> MinutesResource:
        return cls.model_validate({**cls.fields(minutes), "sections": minutes.sections})


class BlockerResource(Resource):
    """What is to be looked at before minutes are approved. Open gaps and a record that is outdated stand in the way
    until a reason is given, confidential words until they are taken out. `kind`: the one that it concerns, null for
    both."""

    code: BlockerCode
    count: int
    kind: MinutesKind | None


class TraceHead(Resource):
    number: int
    hash: str


class MinutesOverview(Resource):
    """The newest of each kind, every version, what is to be looked at, and the end of the trace."""

    record: MinutesResource | None
    summary: MinutesResource | None
    versions: list[MinutesVersion]
    blockers: list[BlockerResource]
    audit_head: TraceHead

    @classmethod
    def of(cls, view: MinutesView) -> MinutesOverview:
        return cls(
            record=None if view.record is None else MinutesResource.of(view.record),
            summary=None if view.summary is None else MinutesResource.of(view.summary),
            versions=[MinutesVersion.brief(each) for each in view.versions],
            blockers=[BlockerResource.model_validate(each) for each in view.blockers],
            audit_head=TraceHead.model_validate(view.head),
        )


class EarlierResource(Resource):
    """Sections as they stood in a revision, before others took their place. Times are UTC."""

    revision: int
    written_by: str
    written_at_ms: int
    replaced_by: str
    replaced_at_ms: int
    sections: list[SectionResource]

    @classmethod
    def of(cls, text: EarlierText) -> EarlierResource:
        return cls.model_validate(
            {
                "revision": text.revision,
                "written_by": text.written_by,
                "written_at_ms": text.written_wall_ms,
                "replaced_by": text.replaced_by,
                "replaced_at_ms": text.replaced_wall_ms,
                "sections": text.sections,
            }
        )


class EarlierList(Resource):
    """`next`: the `after` of the next page."""

    items: list[EarlierResource]
    next: int | None


class PassageResource(Resource):
    """A segment that matters. `cues`: words in it that say so."""

    segment: BriefSegment
    item_title: str | None
    cues: list[str]

    @classmethod
    def of(cls, passage: FoundPassage) -> PassageResource:
        segment = BriefSegment.model_validate(SegmentView.of(passage.segment, brief=True))
        return cls(segment=segment, item_title=passage.item_title, cues=list(passage.cues))


class PassageList(Resource):
    items: list[PassageResource]


class TemplateResource(Resource):
    """A body's own DOCX. `added_at_ms` is UTC."""

    name: str
    size_bytes: int
    sha256: str
    added_by: str
    added_at_ms: int


class SectionText(BaseModel):
    key: Annotated[str, Field(min_length=1, max_length=100, pattern=PLAIN_PATTERN)]
    text: Annotated[str, Field(max_length=MAX_SECTION, pattern=PLAIN_PATTERN)]


class MinutesBody(BaseModel):
    """Other texts for the sections that are named. `revision` is the one that was seen."""

    model_config = ConfigDict(extra="forbid")

    revision: _Revision
    sections: Annotated[list[SectionText], Field(max_length=_MOST_SECTIONS)]

    def texts(self) -> dict[str, str]:
        return {each.key: each.text for each in self.sections}


class MakeBody(BaseModel):
    """`revision`: of the draft that is made anew; none where there is none."""

    model_config = ConfigDict(extra="forbid")

    revision: _Revision | None = None


class StepBody(BaseModel):
    """`despite_gaps_reason`: why, although there are gaps in the transcript; `despite_outdated_reason`: why, although
    what a record was made of changed since."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    revision: _Revision
    despite_gaps_reason: _Reason = ""
    despite_outdated_reason: _Reason = ""


class ReopenBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    revision: _Revision
