"""Comments of the public (网友留言): what a viewer writes, the verdict of the filter, and what may become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from conference.model.consultation import Consultation, Moderation, Status
from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind

MAX_TEXT_CHARS: Final = 300
MAX_NICKNAME_CHARS: Final = 40
MAX_REGION_CHARS: Final = 40
TEST_DEVICE: Final = "rehearsal"  # stands where a viewer's device does; theirs are hashes
SLACK_MS: Final = 15_000  # clocks and players of viewers are no better


class CommentState(StrEnum):
    """Where a comment stands."""

    PENDING = "pending"
    HELD = "held"
    APPROVED = "approved"
    REJECTED = "rejected"
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"
    PROMOTED = "promoted"
    ANSWERED = "answered"


class Decision(StrEnum):
    """What can be done with a comment."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    HIDE = "hide"
    REOPEN = "reopen"  # back into the queue: undo
    WITHDRAW = "withdraw"  # by its author
    PROMOTE = "promote"
    ANSWER = "answer"
    UNANSWER = "unanswer"  # undo


WAITING: Final = frozenset({CommentState.PENDING, CommentState.HELD})  # somebody has to decide
SHOWN: Final = frozenset({CommentState.APPROVED, CommentState.PROMOTED, CommentState.ANSWERED})
COUNTED: Final = SHOWN | WAITING  # its author is one of those for whom a group stands
GONE: Final = frozenset(CommentState) - COUNTED  # turned down or taken back

# Nothing is ever deleted, and whatever a filter or a person decided can be decided otherwise, except by the author.
STEPS: Final[Mapping[Decision, tuple[frozenset[CommentState], CommentState]]] = MappingProxyType(
    {
        Decision.APPROVE: (
            WAITING | {CommentState.REJECTED, CommentState.HIDDEN},
            CommentState.APPROVED,
        ),
        Decision.REJECT: (WAITING, CommentState.REJECTED),
        Decision.HOLD: (frozenset({CommentState.PENDING, CommentState.REJECTED}), CommentState.HELD),
        Decision.HIDE: (SHOWN, CommentState.HIDDEN),
        Decision.REOPEN: (
            frozenset({CommentState.HELD, CommentState.APPROVED, CommentState.REJECTED, CommentState.HIDDEN}),
            CommentState.PENDING,
        ),
        Decision.WITHDRAW: (WAITING | {CommentState.APPROVED}, CommentState.WITHDRAWN),
        Decision.PROMOTE: (WAITING | {CommentState.APPROVED, CommentState.ANSWERED}, CommentState.PROMOTED),
        Decision.ANSWER: (frozenset({CommentState.APPROVED, CommentState.PROMOTED}), CommentState.ANSWERED),
        Decision.UNANSWER: (frozenset({CommentState.ANSWERED}), CommentState.APPROVED),
    }
)


class Level(StrEnum):
    """How grave what the filter found is, from the mildest on."""

    PASS = "pass"  # noqa: S105 - no secret
    MARK = "mark"  # shown to the moderator with a hint
    HOLD = "hold"  # waits for a moderator even where comments are shown at once
    BLOCK = "block"  # rejected, until a moderator overrules it

    @property
    def rank(self) -> int:
        """Greater for what is graver."""
        return _RANKS[self]


_RANKS: Final = {level: rank for rank, level in enumerate(Level)}


MAX_WORDS: Final = 20_000  # of one list


@dataclass(frozen=True, slots=True)
class Word:
    """An entry of the word list."""

    text: str
    level: Level
    category: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is: `code`, what was found, and where in the text, nickname or region, in characters."""

    code: str
    what: str = ""
    start: int = 0
    end: int = 0
    field: str = "text"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the filter says."""

    level: Level = Level.PASS
    reasons: tuple[Reason, ...] = ()

    def with_reason(self, level: Level, reason: Reason) -> Verdict:
        """The same with one more reason; the graver level counts."""
        return Verdict(max(self.level, level, key=_RANKS.__getitem__), (*self.reasons, reason))


@dataclass(frozen=True, slots=True)
class Comment:
    """`number` is its place in the order of arrival. `program_time_ms` is what its author was watching.

    `device_hash` stands for the author; `address` is encrypted and empty once its days are over. `key` makes a
    repeated attempt the same comment. `shown_number` is its place among those that were ever shown. `identity`: what
    its author had shown by then.
    """

    id: str
    consultation_id: str
    number: int
    nickname: str
    region: str | None
    text: str
    program_time_ms: int | None
    at_wall_ms: int
    state: CommentState
    level: Level
    reasons: tuple[Reason, ...]
    group_id: str
    device_hash: str
    key: str
    address: str = ""
    shown_number: int | None = None
    likes: int = 0
    reports: int = 0
    decided_by: str | None = None
    decided_wall_ms: int | None = None
    reject_reason: str | None = None
    identity: IdentityKind | None = None

    @property
    def is_test(self) -> bool:
        """Written at a desk for a rehearsal: no viewer wrote it, none sees it, and it goes with the rehearsal."""
        return self.device_hash == TEST_DEVICE

    @property
    def is_shown(self) -> bool:
        """To the public."""
        return self.state in SHOWN and not self.is_test

    def may(self, decision: Decision) -> bool:
        """Whether its state allows that."""
        return self.state in STEPS[decision][0]

    def decided(
        self, decision: Decision, by: str | None, wall_ms: int | None, reason: str | None = None
    ) -> Comment:
        """In the state that the decision leads to; itself when it is there already.

        comment_changed when its state does not allow it (any more).
        """
        allowed, state = STEPS[decision]
        if self.state is state:
            return self
        if self.state not in allowed:
            raise ConferenceError("comment_changed", f"{self.state} does not take {decision}")
        return replace(self, state=state, decided_by=by, decided_wall_ms=wall_ms, reject_reason=reason)

    def as_before(self, earlier: Comment) -> Comment:
        """Decided as it was then: what was done since is undone, its group and counts stay."""
        return replace(
            self,
            state=earlier.state,
            decided_by=earlier.decided_by,
            decided_wall_ms=earlier.decided_wall_ms,
            reject_reason=earlier.reject_reason,
        )


def first_state(verdict: Verdict, moderation: Moderation) -> CommentState:
    """Where a comment begins: what is blocked was rejected by the filter, and can be overruled as any other."""
    if verdict.level is Level.BLOCK:
        return CommentState.REJECTED
    if verdict.level is Level.HOLD:
        return CommentState.HELD
    return CommentState.APPROVED if moderation is Moderation.POST else CommentState.PENDING


def require_commentable(consultation: Consultation, wall_ms: int, *, is_cut: bool) -> None:
    """Whether the public may write now.

    consultation_not_found for what is not public, comments_paused while the broadcast is cut off, comments_closed
    before it is announced and after the closing date.
    """
    consultation.require_public()
    if consultation.status not in (Status.SCHEDULED, Status.LIVE, Status.ENDED):
        raise ConferenceError("comments_closed", f"status {consultation.status}")
    if consultation.closing_at_ms is not None and wall_ms >= consultation.closing_at_ms:
        raise ConferenceError("comments_closed", "after the closing date")
    if is_cut and consultation.status is Status.LIVE:
        raise ConferenceError("comments_paused")


class CommentsState(StrEnum):
    """Whether the public may write, as its page says it."""

    OPEN = "open"
    PAUSED = "paused"  # while the broadcast is cut off
    CLOSED = "closed"  # what was written can be read
    OFF = "off"  # postponed or cancelled


def comments_state(consultation: Consultation, wall_ms: int, *, is_cut: bool) -> CommentsState:
    """What `require_commentable` says, for a page."""
    if consultation.status in (Status.DRAFT, Status.POSTPONED, Status.CANCELLED):
        return CommentsState.OFF
    try:
        require_commentable(consultation, wall_ms, is_cut=is_cut)
    except ConferenceError as error:
        return CommentsState.PAUSED if error.code == "comments_paused" else CommentsState.CLOSED
    return CommentsState.OPEN


def watched_ms(said_ms: int | None, now_ms: int | None, delay_ms: int) -> tuple[int | None, bool]:
    """The program time that the author can have been watching, and whether that is what was said.

    `now_ms`: program time, None before going live: then nothing was watched, whatever is said.
    """
    if said_ms is None or now_ms is None:
        return None, True
    latest_ms = max(0, now_ms - delay_ms)
    if 0 <= said_ms <= latest_ms + SLACK_MS:
        return min(said_ms, latest_ms), True
    return min(max(0, said_ms), latest_ms), False


class MarkKind(StrEnum):
    """What one viewer may do to another's comment, once."""

    LIKE = "like"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Mark:
    """A like or a report by a device."""

    comment_id: str
    kind: MarkKind
    device_hash: str
