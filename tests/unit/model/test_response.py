"""Cases: every step from every state, undo, and what stays public meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from conference.model.errors import ConferenceError
from conference.model.response import STEPS, UNDO_MS, Response, ResponseState, Step, Visibility

ZONE = ZoneInfo("Asia/Shanghai")
NEW = Response("rs", "c", 7, "m", "g", None, 58, ResponseState.UNASSIGNED, 1_795_075_200_000)
ASSIGNED = NEW.assigned("dp1", 5_000, 100)
SUBMITTED = ASSIGNED.submitted("可以。", Visibility.PUBLIC, "李科员", 200)
ANSWERED = SUBMITTED.approved(None, 300)
STATES = {
    ResponseState.UNASSIGNED: NEW,
    ResponseState.ASSIGNED: ASSIGNED.asking_for_time(9_000, "要问财政", 150),
    ResponseState.SUBMITTED: SUBMITTED,
    ResponseState.ANSWERED: ANSWERED,
    ResponseState.CLOSED: ANSWERED.closed(400),
}
DO: dict[Step, Callable[[Response], object]] = {
    Step.ASSIGN: lambda case: case.assigned("dp2", 8_000, 500),
    Step.REFUSE: lambda case: case.refused("不归我们"),
    Step.ASK_EXTENSION: lambda case: case.asking_for_time(9_000, "要问财政", 500),
    Step.EXTEND: lambda case: case.with_more_time(9_000, 500),
    Step.DENY_EXTENSION: lambda case: case.without_more_time(),
    Step.REMIND: lambda case: case.reminded_once_more(),
    Step.SUBMIT: lambda case: case.submitted("另一个答复。", Visibility.PUBLIC, "", 500),
    Step.RETURN: lambda case: case.returned("请补充"),
    Step.APPROVE: lambda case: case.approved(None, 500),
    Step.UNAPPROVE: lambda case: case.unapproved(500),
    Step.REOPEN: lambda case: case.reopened("追问", 9_000, 500),
    Step.CLOSE: lambda case: case.closed(500),
    Step.RATE: lambda case: case.require(Step.RATE),
    Step.FOLLOW_UP: lambda case: case.require(Step.FOLLOW_UP),
}


@pytest.mark.parametrize("state", ResponseState)
@pytest.mark.parametrize("step", Step)
def test_each_step_is_taken_from_its_states_alone(step: Step, state: ResponseState) -> None:
    case = STATES[state]
    assert case.state is state
    if state in STEPS[step]:
        assert case.may(step)
        DO[step](case)
        return
    assert not case.may(step)
    if step is Step.CLOSE and state is ResponseState.CLOSED:
        assert case.closed(999) is case, "closing twice is harmless"
        return
    with pytest.raises(ConferenceError) as refused:
        DO[step](case)
    assert refused.value.code == "response_changed"


def test_its_number_is_read_by_the_day_it_was_opened() -> None:
    assert NEW.label(ZONE) == "第 2026-1119-07 号"
    assert replace(NEW, number=128, opened_wall_ms=1_795_017_599_999).label(ZONE) == "第 2026-1118-128 号"


def test_an_answer_sent_twice_is_one() -> None:
    assert SUBMITTED.submitted("可以。", Visibility.PUBLIC, "李科员", 999) is SUBMITTED
    with pytest.raises(ConferenceError):
        SUBMITTED.submitted("可以。", Visibility.PRIVATE, "李科员", 999)


def test_another_department_begins_anew() -> None:
    moved = SUBMITTED.assigned("dp2", 8_000, 500)
    assert (moved.state, moved.answer, moved.due_wall_ms) == (ResponseState.ASSIGNED, None, 8_000)
    assert moved.assigned_wall_ms == 500
    same = SUBMITTED.assigned("dp1", 8_000, 500)
    assert (same.state, same.answer, same.assigned_wall_ms) == (
        ResponseState.SUBMITTED,
        SUBMITTED.answer,
        100,
    )


def test_the_secretariat_may_make_an_answer_private() -> None:
    case = SUBMITTED.approved(Visibility.PRIVATE, 300)
    assert case.shown_answer is not None
    assert case.shown_answer.visibility is Visibility.PRIVATE
    assert case.answered_wall_ms == 300


def test_an_approval_can_be_undone_for_a_minute() -> None:
    undone = ANSWERED.unapproved(300 + UNDO_MS)
    assert undone == SUBMITTED
    assert not undone.is_answered
    with pytest.raises(ConferenceError) as late:
        ANSWERED.unapproved(301 + UNDO_MS)
    assert late.value.code == "response_changed"


def test_an_answer_stays_until_the_next_one_is_approved() -> None:
    reopened = ANSWERED.reopened("追问", 9_000, 500)
    assert (reopened.state, reopened.returned_reason) == (ResponseState.ASSIGNED, "追问")
    better = reopened.submitted("可以，从一月起。", Visibility.PUBLIC, "", 600)
    for case in (reopened, better, better.returned("再补充")):
        assert case.shown_answer == ANSWERED.answer
    approved = better.approved(None, 700)
    assert approved.shown_answer is not None
    assert approved.shown_answer.text == "可以，从一月起。"
    assert approved.answered_wall_ms == 300, "the first one counts for how long it took"
    back = approved.unapproved(701)
    assert back.shown_answer == ANSWERED.answer
    assert back.answered_wall_ms == 300


def test_what_was_answered_stays_so_with_another_department() -> None:
    moved = ANSWERED.reopened("追问", 9_000, 500).refused("不归我们").assigned("dp2", 9_000, 600)
    assert moved.shown_answer == ANSWERED.answer
    again = moved.submitted("另一个答复。", Visibility.PUBLIC, "", 700)
    assert (again.shown_answer, again.earlier) == (ANSWERED.answer, ANSWERED.answer)


def test_a_case_without_a_department_is_reopened_unassigned() -> None:
    closed = NEW.closed(300)
    reopened = closed.reopened("还是要办", 9_000, 500)
    assert (reopened.state, reopened.due_wall_ms, reopened.closed_wall_ms) == (
        ResponseState.UNASSIGNED,
        None,
        None,
    )


@pytest.mark.parametrize("until_ms", [5_000, 4_999, 0])
def test_more_time_is_later(until_ms: int) -> None:
    with pytest.raises(ConferenceError) as refused:
        ASSIGNED.with_more_time(until_ms, 200)
    assert refused.value.code == "bad_request"
    with pytest.raises(ConferenceError) as refused:
        ASSIGNED.asking_for_time(until_ms, "x", 200)
    assert refused.value.code == "bad_request"
    granted = ASSIGNED.asking_for_time(6_000, "x", 200).with_more_time(5_500, 300)
    assert (granted.due_wall_ms, granted.extended, granted.extension) == (5_500, 1, None)


def test_late_is_the_department_alone() -> None:
    assert ASSIGNED.is_overdue(5_001)
    assert not ASSIGNED.is_overdue(5_000)
    assert not any(STATES[state].is_overdue(9_999) for state in ResponseState if state != "assigned")
