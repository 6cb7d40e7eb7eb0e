"""Responses (办理答复): what became of something the public said, from its opening as a case until it is closed.

A department answers, the secretariat approves, the authors rate. The steps are functions from one state to the next;
whether somebody may take them is the services' matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from conference.model.errors import ConferenceError

MAX_ANSWER_CHARS: Final = 1000
MAX_REASON_CHARS: Final = 500
MAX_HANDLER_CHARS: Final = 100
MAX_FOLLOW_UP_CHARS: Final = 300
UNDO_MS: Final = 60_000  # how long an approval can be taken back


class ResponseState(StrEnum):
    """Where a case stands. What is due is derived from its date, see `due`."""

    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    SUBMITTED = "submitted"  # an answer waits for the secretariat
    ANSWERED = "answered"
    CLOSED = "closed"


class Visibility(StrEnum):
    """Who may read an answer."""

    PUBLIC = "public"
    PRIVATE = "private"  # only those who asked


class Rating(StrEnum):
    """What an author says of the answer."""

    SATISFIED = "satisfied"
    FAIRLY = "fairly"
    UNSATISFIED = "unsatisfied"


class Step(StrEnum):
    """What can be done with a case."""

    ASSIGN = "assign"
    REFUSE = "refuse"  # by the department: not ours
    ASK_EXTENSION = "ask_extension"
    EXTEND = "extend"
    DENY_EXTENSION = "deny_extension"
    REMIND = "remind"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    UNAPPROVE = "unapprove"
    REOPEN = "reopen"
    CLOSE = "close"
    RATE = "rate"
    FOLLOW_UP = "follow_up"


_S = ResponseState
STEPS: Final[Mapping[Step, frozenset[ResponseState]]] = MappingProxyType(
    {
        Step.ASSIGN: frozenset({_S.UNASSIGNED, _S.ASSIGNED, _S.SUBMITTED}),
        Step.REFUSE: frozenset({_S.ASSIGNED}),
        Step.ASK_EXTENSION: frozenset({_S.ASSIGNED}),
        Step.EXTEND: frozenset({_S.ASSIGNED}),
        Step.DENY_EXTENSION: frozenset({_S.ASSIGNED}),
        Step.REMIND: frozenset({_S.ASSIGNED}),
        Step.SUBMIT: frozenset({_S.ASSIGNED}),
        Step.RETURN: frozenset({_S.SUBMITTED}),
        Step.APPROVE: frozenset({_S.SUBMITTED}),
        Step.UNAPPROVE: frozenset({_S.ANSWERED}),
        Step.REOPEN: frozenset({_S.ANSWERED, _S.CLOSED}),
        # Without an answer, too: what was answered at the meeting, what was opened by mistake.
        Step.CLOSE: frozenset({_S.UNASSIGNED, _S.ASSIGNED, _S.ANSWERED}),
        Step.RATE: frozenset({_S.ANSWERED, _S.CLOSED}),
        Step.FOLLOW_UP: frozenset({_S.ANSWERED, _S.CLOSED}),
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the department says. `approved_wall_ms` is None until the secretariat approved it."""

    text: str
    visibility: Visibility
    handler: str
    submitted_wall_ms: int
    approved_wall_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """More time, as the department asks for it."""

    until_wall_ms: int
    reason: str
    asked_wall_ms: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A further question of one of the authors, for the secretariat's eyes."""

    id: str
    response_id: str
    device_hash: str
    text: str
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class ResponseRating:
    """What one device says of the answer; the last word counts."""

    response_id: str
    device_hash: str
    rating: Rating
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class Response:
    """A case. `number` runs within its consultation.

    `group_id`, `authors`: of the comment when the case was opened. `answer`: the newest, perhaps not approved;
    `earlier`: the approved one before it, which stays public until the newest is approved. `answered_wall_ms`: when
    one was approved for the first time. `returned_reason`: why it lies where it lies, after it was returned, refused
    or reopened. `suggested_department_id`: by whoever opened it without the right to assign.
    """

    id: str
    consultation_id: str
    number: int
    comment_id: str
    group_id: str
    promotion_id: str | None
    authors: int
    state: ResponseState
    opened_wall_ms: int
    department_id: str | None = None
    suggested_department_id: str | None = None
    assigned_wall_ms: int | None = None
    due_wall_ms: int | None = None
    reminded: int = 0
    extended: int = 0
    extension: Extension | None = None
    answer: Answer | None = None
    earlier: Answer | None = None
    answered_wall_ms: int | None = None
    returned_reason: str | None = None
    closed_wall_ms: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state is not ResponseState.CLOSED

    @property
    def shown_answer(self) -> Answer | None:
        """The approved one that counts now, public or private."""
        if self.answer is not None and self.answer.approved_wall_ms is not None:
            return self.answer
        return self.earlier

    @property
    def is_answered(self) -> bool:
        """Whether authors were answered, whatever goes on since."""
        return self.shown_answer is not None

    def is_overdue(self, wall_ms: int) -> bool:
        """Whether the department is late. What waits for the secretariat is not late."""
        return (
            self.state is ResponseState.ASSIGNED
            and self.due_wall_ms is not None
            and wall_ms > self.due_wall_ms
        )

    def may(self, step: Step) -> bool:
        """Whether its state allows that."""
        return self.state in STEPS[step]

    def require(self, step: Step) -> None:
        """Raise response_changed unless its state allows that (any more)."""
        if not self.may(step):
            raise ConferenceError("response_changed", f"{self.state} does not take {step}")

    def label(self, zone: tzinfo) -> str:
        """What people call it: 第 2026-1120-07 号, by the day it was opened."""
        opened = datetime.fromtimestamp(self.opened_wall_ms / 1000, UTC).astimezone(zone)
        return f"第 {opened:%Y-%m%d}-{self.number:02d} 号"

    # ── the secretariat ─────────────────────────────────────────────────────────────────────────

    def assigned(self, department_id: str, due_wall_ms: int, wall_ms: int) -> Response:
        """At this department from now on. An answer of another one that nobody approved is dropped."""
        self.require(Step.ASSIGN)
        is_same = department_id == self.department_id
        return replace(
            self,
            state=self.state if is_same and self.state is ResponseState.SUBMITTED else ResponseState.ASSIGNED,
            department_id=department_id,
            assigned_wall_ms=self.assigned_wall_ms if is_same else wall_ms,
            due_wall_ms=due_wall_ms,
            extension=None,
            answer=self.answer if is_same else self.shown_answer,
            earlier=self.earlier if is_same else None,
            returned_reason=self.returned_reason if is_same else None,
        )

    def with_more_time(self, until_wall_ms: int, wall_ms: int) -> Response:
        """Due later, whether that was asked for or not. bad_request when it is not later than before and now."""
        self.require(Step.EXTEND)
        _require_later(until_wall_ms, self.due_wall_ms, wall_ms)
        return replace(self, due_wall_ms=until_wall_ms, extended=self.extended + 1, extension=None)

    def without_more_time(self) -> Response:
        """What was asked for is not granted. response_changed when nothing was asked for."""
        self.require(Step.DENY_EXTENSION)
        if self.extension is None:
            raise ConferenceError("response_changed", "no extension is asked for")
        return replace(self, extension=None)

    def reminded_once_more(self) -> Response:
        self.require(Step.REMIND)
        return replace(self, reminded=self.reminded + 1)

    def returned(self, reason: str) -> Response:
        """To the department, which is to mend its answer."""
        self.require(Step.RETURN)
        return replace(self, state=ResponseState.ASSIGNED, returned_reason=reason)

    def approved(self, visibility: Visibility | None, wall_ms: int) -> Response:
        """The answer counts, as public as the department wanted or as is said here."""
        self.require(Step.APPROVE)
        assert self.answer is not None  # submitted
        answer = replace(
            self.answer, visibility=visibility or self.answer.visibility, approved_wall_ms=wall_ms
        )
        first_wall_ms = wall_ms if self.answered_wall_ms is None else self.answered_wall_ms
        return replace(
            self,
            state=ResponseState.ANSWERED,
            answer=answer,
            answered_wall_ms=first_wall_ms,
            returned_reason=None,
        )

    def unapproved(self, wall_ms: int) -> Response:
        """As before the approval: undo. response_changed once UNDO_MS are over."""
        self.require(Step.UNAPPROVE)
        answer = self.answer
        if answer is None or answer.approved_wall_ms is None or wall_ms - answer.approved_wall_ms > UNDO_MS:
            raise ConferenceError("response_changed", "approved too long ago")
        is_first = self.answered_wall_ms == answer.approved_wall_ms
        return replace(
            self,
            state=ResponseState.SUBMITTED,
            answer=replace(answer, approved_wall_ms=None),
            answered_wall_ms=None if is_first else self.answered_wall_ms,
        )

    def reopened(self, reason: str, due_wall_ms: int, wall_ms: int) -> Response:
        """The department shall answer again; what it answered stays public until then."""
        self.require(Step.REOPEN)
        is_assigned = self.department_id is not None
        return replace(
            self,
            state=ResponseState.ASSIGNED if is_assigned else ResponseState.UNASSIGNED,
            assigned_wall_ms=wall_ms if is_assigned else None,
            due_wall_ms=due_wall_ms if is_assigned else None,
            extension=None,
            returned_reason=reason,
            closed_wall_ms=None,
        )

    def closed(self, wall_ms: int) -> Response:
        """Nothing more is to be done; itself when it is closed already."""
        if self.state is ResponseState.CLOSED:
            return self
        self.require(Step.CLOSE)
        return replace(self, state=ResponseState.CLOSED, closed_wall_ms=wall_ms, extension=None)

    # ── the department ──────────────────────────────────────────────────────────────────────────

    def refused(self, reason: str) -> Response:
        """Not this department's matter: the secretariat assigns it anew."""
        self.require(Step.REFUSE)
        return replace(
            self,
            state=ResponseState.UNASSIGNED,
            department_id=None,
            assigned_wall_ms=None,
            due_wall_ms=None,
            extension=None,
            answer=self.shown_answer,
            earlier=None,
            returned_reason=reason,
        )

    def asking_for_time(self, until_wall_ms: int, reason: str, wall_ms: int) -> Response:
        """The secretariat decides. bad_request when the date is not later than before and now."""
        self.require(Step.ASK_EXTENSION)
        _require_later(until_wall_ms, self.due_wall_ms, wall_ms)
        return replace(self, extension=Extension(until_wall_ms, reason, wall_ms))

    def submitted(self, text: str, visibility: Visibility, handler: str, wall_ms: int) -> Response:
        """An answer that waits for approval; itself when the same one is sent again."""
        if self.state is ResponseState.SUBMITTED and self.answer is not None:
            there = self.answer
            if (there.text, there.visibility, there.handler) == (text, visibility, handler):
                return self
        self.require(Step.SUBMIT)
        return replace(
            self,
            state=ResponseState.SUBMITTED,
            earlier=self.shown_answer,
            answer=Answer(text, visibility, handler, wall_ms),
            extension=None,
            returned_reason=None,
        )


def _require_later(until_wall_ms: int, due_wall_ms: int | None, wall_ms: int) -> None:
    if until_wall_ms <= max(due_wall_ms or 0, wall_ms):
        raise ConferenceError("bad_request", "not later than it is due")
