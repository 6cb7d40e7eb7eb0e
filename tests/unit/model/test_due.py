"""When answers are due, how late they are, and who is reminded when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conference.model.due import default_due_ms, is_due_soon, local, overdue_days, reminder_key
from conference.model.response import Response, ResponseState

ZONE = ZoneInfo("Asia/Shanghai")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def case(due: str = "2026-11-27T18:00", assigned: str = "2026-11-13T17:20") -> Response:
    opened = Response("rs", "c", 1, "m", "g", None, 1, ResponseState.UNASSIGNED, ms(assigned))
    return opened.assigned("dp", ms(due), ms(assigned))


def test_an_answer_is_due_in_two_weeks_when_offices_close() -> None:
    assert default_due_ms(ms("2026-11-20T17:20"), ZONE) == ms("2026-12-04T18:00")
    assert default_due_ms(ms("2026-11-20T00:00"), ZONE) == ms("2026-12-04T18:00")
    berlin = ZoneInfo("Europe/Berlin")  # over the end of summer time
    due = local(default_due_ms(ms("2026-10-20T12:00"), berlin), berlin)
    assert (due.date().isoformat(), due.hour) == ("2026-11-03", 18)


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2026-11-27T18:00", 0),
        ("2026-11-27T18:01", 1),  # late is late
        ("2026-11-28T12:00", 1),  # Saturday
        ("2026-11-30T09:00", 1),  # Monday
        ("2026-12-01T10:42", 2),
        ("2026-12-04T08:00", 5),
        ("2026-12-07T08:00", 6),
        ("2026-12-14T08:00", 11),
    ],
)
def test_lateness_is_counted_in_working_days(now: str, days: int) -> None:
    assert overdue_days(case(), ms(now), ZONE) == days


def test_lateness_agrees_with_counting_day_by_day() -> None:
    for due in range(9):
        day = datetime(2026, 11, 23, 18, tzinfo=ZONE) + timedelta(days=due)
        late = case(due=day.replace(tzinfo=None).isoformat())
        for after in range(1, 40):
            now = day + timedelta(days=after)
            counted = sum((day + timedelta(days=n)).weekday() < 5 for n in range(1, after + 1))
            assert overdue_days(late, int(now.timestamp() * 1000), ZONE) == max(1, counted)


def test_who_waits_for_the_secretariat_is_not_late() -> None:
    assigned = case()
    for state in ResponseState:
        days = overdue_days(replace(assigned, state=state), ms("2026-12-01T10:00"), ZONE)
        assert days == (2 if state is ResponseState.ASSIGNED else 0)


@pytest.mark.parametrize(
    ("now", "soon"),
    [
        ("2026-11-23T23:59", False),
        ("2026-11-24T00:00", True),
        ("2026-11-27T18:00", True),
        ("2026-11-27T18:01", False),
    ],
)
def test_soon_is_today_and_three_days_before(now: str, soon: bool) -> None:
    assert is_due_soon(case(), ms(now), ZONE) is soon


@pytest.mark.parametrize(
    ("now", "key"),
    [
        ("2026-11-23T12:00", None),
        ("2026-11-24T08:59", None),
        ("2026-11-24T09:00", "before:2026-11-27"),
        ("2026-11-26T23:00", "before:2026-11-27"),  # the server was down for two days
        ("2026-11-27T08:59", None),
        ("2026-11-27T09:00", "due:2026-11-27"),
        ("2026-11-29T12:00", "due:2026-11-27"),
        ("2026-11-30T09:00", "overdue:2026-11-27:1"),
        ("2026-12-02T09:00", "overdue:2026-11-27:1"),
        ("2026-12-03T09:00", "overdue:2026-11-27:2"),
        ("2027-11-27T09:00", "overdue:2026-11-27:121"),
    ],
)
def test_departments_are_reminded_before_at_and_after(now: str, key: str | None) -> None:
    assert reminder_key(case(), ms(now), ZONE) == key


def test_nobody_is_reminded_of_what_just_came() -> None:
    assigned_late = case(assigned="2026-11-25T10:00")
    assert reminder_key(assigned_late, ms("2026-11-25T12:00"), ZONE) is None
    assert reminder_key(assigned_late, ms("2026-11-27T12:00"), ZONE) == "due:2026-11-27"
    same_day = case(assigned="2026-11-27T10:00")
    assert reminder_key(same_day, ms("2026-11-27T12:00"), ZONE) is None
    assert reminder_key(same_day, ms("2026-11-30T12:00"), ZONE) == "overdue:2026-11-27:1"
    unassigned = replace(case(), state=ResponseState.UNASSIGNED)
    assert reminder_key(unassigned, ms("2026-11-30T12:00"), ZONE) is None
