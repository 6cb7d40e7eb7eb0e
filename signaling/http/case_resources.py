"""Cases as JSON: what leaves to desks, departments and everybody, and what comes in, checked."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, Field

from conference.model.folding import tidied
from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.response import (
    MAX_ANSWER_CHARS,
    MAX_FOLLOW_UP_CHARS,
    MAX_HANDLER_CHARS,
    MAX_REASON_CHARS,
    Rating,
    ResponseState,
    Visibility,
)
from signaling.http.guest_bodies import filled
from signaling.http.resources import Resource

_LAST_MS: Final = 2**53

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Moment = Annotated[int, Field(ge=0, le=_LAST_MS)]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=MAX_REASON_CHARS, pattern=PLAIN_PATTERN),
    AfterValidator(tidied),
    AfterValidator(filled),
]


def _lines(text: str) -> str:
    """As it was typed, paragraphs included, without what one cannot see."""
    return "\n".join(tidied(line) for line in text.splitlines()).strip()


AnswerText = Annotated[
    str,
    Field(min_length=1, max_length=MAX_ANSWER_CHARS, pattern=PLAIN_PATTERN),
    AfterValidator(_lines),
    AfterValidator(filled),
]
Handler = Annotated[str, Field(max_length=MAX_HANDLER_CHARS, pattern=PLAIN_PATTERN), AfterValidator(tidied)]


class OpenBody(BaseModel):
    """A comment that is to be answered; its group goes with it."""

    comment_id: Id
    department_id: Id | None = None
    due_wall_ms: Moment | None = None


class AssignBody(BaseModel):
    """`reason`: why another department, when there was one."""

    department_id: Id
    due_wall_ms: Moment | None = None
    reason: Reason | None = None


class ExtendBody(BaseModel):
    until_wall_ms: Moment
    reason: Reason | None = None


class ReasonBody(BaseModel):
    reason: Reason


class ApproveBody(BaseModel):
    """`visibility`: otherwise as the department wanted."""

    visibility: Visibility | None = None


class AnswerBody(BaseModel):
    """What a department answers. `handler`: who can be asked about it."""

    text: AnswerText
    visibility: Visibility = Visibility.PUBLIC
    handler: Handler = ""


class AskBody(BaseModel):
    """More time, and why."""

    until_wall_ms: Moment
    reason: Reason


class RatingBody(BaseModel):
    rating: Rating


class FollowUpBody(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=MAX_FOLLOW_UP_CHARS, pattern=PLAIN_PATTERN)]


class NamedResource(Resource):
    id: str
    name: str


class AnswerResource(Resource):
    """An answer; `approved_wall_ms` is null until the secretariat approved it."""

    text: str
    visibility: Visibility
    handler: str
    submitted_wall_ms: int
    approved_wall_ms: int | None


class ExtensionResource(Resource):
    """More time, as the department asks for it."""

    until_wall_ms: int
    reason: str
    asked_wall_ms: int


class FollowUpResource(Resource):
    id: str
    text: str
    at_wall_ms: int


class RatingsResource(Resource):
    """How many of those who asked said what."""

    satisfied: int
    fairly: int
    unsatisfied: int


class CaseResource(Resource):
    """A case. Times with `wall` are UTC, `program_…` program time; `overdue_days` are working days, at least 1 once it
    is late. `answer`: the newest, perhaps not approved; `earlier`: the approved one that counts until then."""

    id: str
    number: int
    label: str
    comment_id: str
    group_id: str
    promotion_id: str | None
    text: str
    nickname: str
    region: str
    authors: int
    state: ResponseState
    department: NamedResource | None
    suggested_department: NamedResource | None
    assigned_wall_ms: int | None
    due_wall_ms: int | None
    overdue_days: int
    due_soon: bool
    reminded: int
    extended: int
    extension: ExtensionResource | None
    answer: AnswerResource | None
    earlier: AnswerResource | None
    returned_reason: str | None
    program_from_ms: int | None
    program_to_ms: int | None
    opened_wall_ms: int
    answered_wall_ms: int | None
    closed_wall_ms: int | None
    ratings: RatingsResource
    follow_ups: list[FollowUpResource]
    at_wall_ms: int
