"""Attendance (签到): who was connected from when to when, and by which means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from conference.model.participant import Device, ParticipantKind

LATE_AFTER_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Stay:
    """One unbroken connection of a participant. `from_ms` and `to_ms` are program time, None before going live."""

    id: str
    consultation_id: str
    participant_id: str
    means: ParticipantKind
    device: Device | None
    from_ms: int | None
    from_wall_ms: int
    to_ms: int | None = None
    to_wall_ms: int | None = None
    reason: str | None = None  # why it ended: left, lost, removed, disconnected, outage

    def ended(self, now_ms: int | None, wall_ms: int, reason: str) -> Stay:
        return replace(self, to_ms=now_ms, to_wall_ms=max(wall_ms, self.from_wall_ms), reason=reason)

    def present_ms(self, now_ms: int | None) -> int:
        """How much of the program time it covers."""
        until_ms = self.to_ms if self.to_wall_ms is not None else now_ms
        return 0 if until_ms is None else max(0, until_ms - (self.from_ms or 0))


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands in the list beside a name."""

    present_ms: int
    late: bool
    left: bool
    returned: bool


def marks(stays: Iterable[Stay], now_ms: int | None) -> Marks:
    """Sum up one person's stays, given in their order."""
    ordered = list(stays)
    first, last = ordered[0], ordered[-1]
    return Marks(
        present_ms=sum(each.present_ms(now_ms) for each in ordered),
        late=first.from_ms is not None and first.from_ms > LATE_AFTER_MS,
        left=last.to_wall_ms is not None,
        returned=len(ordered) > 1,
    )
