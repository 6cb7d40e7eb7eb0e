"""The account's numbers: sums that add up, what is urgent first, nothing of nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from conference.model.account import (
    AccountTopic,
    by_urgency,
    comments_of,
    departments_of,
    median_days,
    ratings_of,
    responses_of,
    topics_of,
)
from conference.model.comment import CommentState
from conference.model.department import Department
from conference.model.response import Answer, Rating, Response, ResponseState, Visibility

DAY_MS = 86_400_000
NOW_MS = 40 * DAY_MS


def case(number: int, **more: object) -> Response:
    made = Response(
        f"r{number}", "c", number, f"m{number}", f"m{number}", None, number, ResponseState.UNASSIGNED, DAY_MS
    )
    return replace(made, **more)  # type: ignore[arg-type]


def assigned(number: int, due_day: int, department: str = "d1", **more: object) -> Response:
    return case(
        number,
        state=ResponseState.ASSIGNED,
        department_id=department,
        due_wall_ms=due_day * DAY_MS,
        **more,
    )


def answered(number: int, days: float, department: str = "d1", **more: object) -> Response:
    at_ms = round((1 + days) * DAY_MS)
    answer = Answer("好", Visibility.PUBLIC, "李", at_ms, at_ms)
    return case(
        number,
        state=ResponseState.ANSWERED,
        department_id=department,
        answer=answer,
        answered_wall_ms=at_ms,
        **more,
    )


def test_every_comment_is_in_one_place() -> None:
    states = {state: 2**place for place, state in enumerate(CommentState)}
    found = comments_of(states, 5)
    parts = (found.shown, found.rejected, found.held, found.withdrawn, found.waiting)
    assert sum(parts) == found.received == sum(states.values())
    assert found.shown == sum(states[each] for each in ("approved", "promoted", "answered"))  # type: ignore[index]
    assert found.rejected == states[CommentState.REJECTED] + states[CommentState.HIDDEN]
    assert found.groups == 5
    assert comments_of({}, 0).received == 0


def test_the_largest_topics_and_the_rest() -> None:
    comments = comments_of({CommentState.APPROVED: 30, CommentState.PENDING: 5, CommentState.REJECTED: 9}, 8)
    topics, rest = topics_of([(f"话题{number}", number) for number in range(8)], comments)
    assert topics[0] == AccountTopic("话题7", 7)
    assert [each.comments for each in topics] == [7, 6, 5, 4, 3]
    assert rest == 35 - 25
    assert topics_of([], comments) == ((), 35)
    assert topics_of([("空", 0)], comments_of({}, 0)) == ((), 0)


def test_what_is_in_hand_and_what_is_late() -> None:
    cases = [
        case(1),
        assigned(2, 30),
        assigned(3, 50),
        answered(4, 2),
        replace(answered(5, 3), state=ResponseState.CLOSED),
        case(6, state=ResponseState.CLOSED),
        replace(assigned(7, 60), earlier=Answer("好", Visibility.PUBLIC, "李", 1, 1)),
    ]
    found = responses_of(cases, NOW_MS)
    assert (found.total, found.answered, found.in_hand, found.overdue, found.unassigned) == (7, 3, 3, 1, 1)
    urgent = by_urgency(cases, lambda each: 3 if each.number == 2 else 0)
    assert [each.number for each in urgent] == [2, 3, 1]
    more_people = [assigned(8, 50, authors=9), assigned(9, 50, authors=90)]
    assert [each.number for each in by_urgency(more_people, lambda _: 0)] == [9, 8]


@pytest.mark.parametrize(("days", "half"), [([], None), ([4.24], 4.2), ([1, 2, 9], 2.0), ([1, 2], 1.5)])
def test_half_of_the_answers_took_no_longer(days: list[float], half: float | None) -> None:
    cases = [answered(number, each) for number, each in enumerate(days)]
    assert median_days([case(99), *cases]) == half


def test_departments_with_cases_the_one_with_most_first() -> None:
    departments = [
        Department(each, "c", f"{each} 局", "", "", "", 1, "", 0, number)
        for number, each in enumerate(("d0", "d1", "d2"))
    ]
    cases = [assigned(1, 10, "d1"), answered(2, 3, "d2"), answered(3, 5, "d2"), case(4)]
    ratings = {"r2": Counter({Rating.SATISFIED: 2}), "r3": Counter({Rating.FAIRLY: 1}), "r9": Counter()}
    first, second = departments_of(departments, cases, ratings, NOW_MS)
    assert (first.id, first.total, first.answered, first.in_hand, first.overdue) == ("d2", 2, 2, 0, 0)
    assert (first.median_days, first.ratings) == (4.0, {"satisfied": 2, "fairly": 1, "unsatisfied": 0})
    assert (second.id, second.overdue, second.median_days) == ("d1", 1, None)
    assert sum(ratings_of(cases, ratings).values()) == 3
