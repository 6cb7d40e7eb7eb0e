"""The account of a consultation (问效表): what the public said, and what became of it, in numbers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from conference.model.comment import SHOWN, CommentState
from conference.model.department import Department
from conference.model.response import Rating, Response, ResponseState

MOST_TOPICS: Final = 5
_DAY_MS: Final = 86_400_000
_FAR: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class AccountVenues:
    """How many places took part."""

    main: int
    branch: int
    point: int


@dataclass(frozen=True, slots=True)
class AccountViewers:
    """Page views, and the most at once; None where nobody was counted."""

    total: int | None
    peak: int | None


@dataclass(frozen=True, slots=True)
class AccountComments:
    """`received` is the sum of those below it; `rejected` were turned down before or after they were shown."""

    received: int
    groups: int
    shown: int
    rejected: int
    held: int
    withdrawn: int
    waiting: int


@dataclass(frozen=True, slots=True)
class AccountTopic:
    name: str
    comments: int


@dataclass(frozen=True, slots=True)
class AccountPromotions:
    """Comments that were put to the session, and for how many people they stand."""

    comments: int
    authors: int


@dataclass(frozen=True, slots=True)
class AccountResponses:
    """`in_hand`: open and not answered, whoever has it; `unassigned` of them nobody has."""

    total: int
    answered: int
    in_hand: int
    overdue: int
    unassigned: int


@dataclass(frozen=True, slots=True)
class DepartmentAccount:
    """`median_days`: half of what it answered took no longer."""

    id: str
    name: str
    total: int
    answered: int
    in_hand: int
    overdue: int
    median_days: float | None
    ratings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """`overdue_days` are working days."""

    id: str
    label: str
    text: str
    authors: int
    department: str | None
    due_wall_ms: int | None
    overdue_days: int


@dataclass(frozen=True, slots=True)
class TraceHead:
    """The last line of the trace when this was counted: who holds the trace can count again up to it."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class AccountConsultation:
    id: str
    title: str
    organization: str | None
    status: str
    started_wall_ms: int | None
    ended_wall_ms: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """`topics`: the most talked about of what is shown or waits, `other_topics` what is in none of them. `open`: the
    most urgent first."""

    consultation: AccountConsultation
    as_of_wall_ms: int
    venues: AccountVenues
    viewers: AccountViewers
    comments: AccountComments
    topics: tuple[AccountTopic, ...]
    other_topics: int
    promoted: AccountPromotions
    responses: AccountResponses
    median_days: float | None
    ratings: Mapping[str, int]
    departments: tuple[DepartmentAccount, ...]
    open: tuple[OpenCase, ...]
    trace: TraceHead | None
    is_public: bool = True  # whether there is a page of answers


def comments_of(states: Mapping[CommentState, int], groups: int) -> AccountComments:
    """What became of the comments."""
    found = Counter(states)
    return AccountComments(
        received=sum(found.values()),
        groups=groups,
        shown=sum(found[state] for state in SHOWN),
        rejected=found[CommentState.REJECTED] + found[CommentState.HIDDEN],
        held=found[CommentState.HELD],
        withdrawn=found[CommentState.WITHDRAWN],
        waiting=found[CommentState.PENDING],
    )


def topics_of(
    topics: Iterable[tuple[str, int]], comments: AccountComments
) -> tuple[tuple[AccountTopic, ...], int]:
    """The largest topics, and how many comments that are shown or wait are in none of these."""
    ranked = sorted(topics, key=lambda each: (-each[1], each[0]))[:MOST_TOPICS]
    counted = comments.shown + comments.waiting + comments.held
    named = tuple(AccountTopic(name, count) for name, count in ranked if count)
    return named, max(0, counted - sum(each.comments for each in named))


def responses_of(responses: Iterable[Response], wall_ms: int) -> AccountResponses:
    """How the cases stand."""
    cases = list(responses)
    return AccountResponses(
        total=len(cases),
        answered=sum(each.is_answered for each in cases),
        in_hand=sum(map(is_in_hand, cases)),
        overdue=sum(each.is_overdue(wall_ms) for each in cases),
        unassigned=sum(each.state is ResponseState.UNASSIGNED and is_in_hand(each) for each in cases),
    )


def is_in_hand(response: Response) -> bool:
    """Whether those who asked still wait."""
    return response.is_open and not response.is_answered


def median_days(responses: Iterable[Response]) -> float | None:
    """Half of what was answered took no longer, from its opening; None when nothing was."""
    days = [
        (each.answered_wall_ms - each.opened_wall_ms) / _DAY_MS
        for each in responses
        if each.answered_wall_ms is not None
    ]
    return round(median(days), 1) if days else None


def ratings_of(responses: Iterable[Response], ratings: Mapping[str, Mapping[Rating, int]]) -> dict[str, int]:
    """What authors said of the answers; `ratings` by case."""
    said = [ratings.get(each.id, {}) for each in responses]
    return {rating.value: sum(each.get(rating, 0) for each in said) for rating in Rating}


def departments_of(
    departments: Iterable[Department],
    responses: Sequence[Response],
    ratings: Mapping[str, Mapping[Rating, int]],
    wall_ms: int,
) -> tuple[DepartmentAccount, ...]:
    """Those that have cases, the one with most first."""
    found = []
    for department in departments:
        own = [each for each in responses if each.department_id == department.id]
        if own:
            stands = responses_of(own, wall_ms)
            found.append(
                DepartmentAccount(
                    department.id,
                    department.name,
                    stands.total,
                    stands.answered,
                    stands.in_hand,
                    stands.overdue,
                    median_days(own),
                    ratings_of(own, ratings),
                )
            )
    return tuple(sorted(found, key=lambda each: (-each.total, each.name)))


def by_urgency(responses: Iterable[Response], overdue_days: Callable[[Response], int]) -> list[Response]:
    """Those in hand: the latest first, then what is due first, at last what nobody has; of equals more people first."""
    return sorted(
        filter(is_in_hand, responses),
        key=lambda each: (
            -overdue_days(each),
            _FAR if each.due_wall_ms is None else each.due_wall_ms,
            -each.authors,
            each.number,
        ),
    )
