"""When answers are due, how late they are in working days, and when departments are reminded.

Days are those of the given zone. Working days are Monday to Friday: public holidays are not known here, so a case can
look a few days later than it is; it never looks less late.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from conference.model.response import Response, ResponseState

DEFAULT_DAYS: Final = 14
DUE_AT: Final = time(18, 0)
REMIND_FROM: Final = time(9, 0)
DUE_SOON_DAYS: Final = 3  # also how long before it is due the department is reminded
REPEAT_DAYS: Final = 3  # between two reminders of something late
_FRIDAY: Final = 4


def local(wall_ms: int, zone: tzinfo) -> datetime:
    """That moment as clocks in the zone show it."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(zone)


def default_due_ms(wall_ms: int, zone: tzinfo) -> int:
    """Two weeks later, when offices close."""
    day = local(wall_ms, zone).date() + timedelta(days=DEFAULT_DAYS)
    return int(datetime.combine(day, DUE_AT, zone).timestamp() * 1000)


def overdue_days(response: Response, wall_ms: int, zone: tzinfo) -> int:
    """Working days since it was due, at least 1 once it is late; 0 when it is not."""
    if response.due_wall_ms is None or not response.is_overdue(wall_ms):
        return 0
    day, today = local(response.due_wall_ms, zone).date(), local(wall_ms, zone).date()
    weeks, rest = divmod((today - day).days, 7)
    count = weeks * 5 + sum((day + timedelta(days=n + 1)).weekday() <= _FRIDAY for n in range(rest))
    return max(1, count)


def is_due_soon(response: Response, wall_ms: int, zone: tzinfo) -> bool:
    """Whether an answer is due today or in the next three days."""
    if response.state is not ResponseState.ASSIGNED or response.due_wall_ms is None:
        return False
    if response.is_overdue(wall_ms):
        return False
    return local(response.due_wall_ms, zone).date() - local(wall_ms, zone).date() <= timedelta(
        days=DUE_SOON_DAYS
    )


def reminder_key(response: Response, wall_ms: int, zone: tzinfo) -> str | None:
    """Which reminder the department should have had by now, the latest only; None before the first.

    Each key is sent once. Another due date makes other keys, so that time granted is reminded of anew. Nobody is
    reminded before nine o'clock, nor of something that came to them after that reminder's day had begun.
    """
    if response.state is not ResponseState.ASSIGNED or response.due_wall_ms is None:
        return None
    now = local(wall_ms, zone)
    if now.time() < REMIND_FROM:
        return None
    today, due = now.date(), local(response.due_wall_ms, zone).date()
    assigned = local(response.assigned_wall_ms or response.opened_wall_ms, zone).date()
    late = (today - due).days
    if late >= REPEAT_DAYS:
        return f"overdue:{due.isoformat()}:{late // REPEAT_DAYS}"
    if late >= 0:
        return f"due:{due.isoformat()}" if assigned < due else None
    if -late <= DUE_SOON_DAYS and assigned < due - timedelta(days=DUE_SOON_DAYS):
        return f"before:{due.isoformat()}"
    return None
