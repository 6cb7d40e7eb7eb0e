"""Attendance (签到): who was connected from when to when, and by which means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.participant import Device, ParticipantKind

LATE_AFTER_MS: Final = 5 * 60_000  # and as much before the end is early
GAP_MS: Final = 10_000  # whoever is back sooner was not away
_OWN_WILL: Final = frozenset({"left", "removed"})  # ends of stays that no line is to blame for


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
    if not ordered:
        return Marks(present_ms=0, late=False, left=False, returned=False)
    first, last = ordered[0], ordered[-1]
    return Marks(
        present_ms=sum(each.present_ms(now_ms) for each in ordered),
        late=first.from_ms is not None and first.from_ms > LATE_AFTER_MS,
        left=last.to_wall_ms is not None,
        returned=len(ordered) > 1,
    )


# ── in words ────────────────────────────────────────────────────────────────────────────────────


class NoteCode(StrEnum):
    THROUGHOUT = "throughout"  # 全程
    LATE = "late"  # by `ms`
    LEFT_EARLY = "left_early"  # by `ms`
    DROPPED = "dropped"  # the line was lost `count` times, `ms` in all
    AWAY = "away"  # left and came back, the same
    ABSENT = "absent"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class AttendanceNote:
    """What is to be said of somebody's attendance."""

    code: NoteCode
    ms: int | None = None
    count: int | None = None


def spans(stays: Iterable[Stay], now_ms: int | None) -> list[tuple[int, int]]:
    """When somebody was there, in program time: in order, without overlap. `now_ms`: now, or the end."""
    found: list[tuple[int, int]] = []
    for from_ms, to_ms, _ in _spans(stays, now_ms):
        if found and from_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], to_ms))
        else:
            found.append((from_ms, to_ms))
    return found


def _spans(stays: Iterable[Stay], now_ms: int | None) -> list[tuple[int, int, str | None]]:
    if now_ms is None:
        return []
    found = []
    for stay in stays:
        to_ms = stay.to_ms if stay.to_wall_ms is not None else now_ms
        if to_ms is not None:  # None: it ended before going live
            from_ms = stay.from_ms or 0
            found.append((from_ms, max(from_ms, min(to_ms, now_ms)), stay.reason))
    return sorted(found, key=lambda each: each[:2])


def notes(
    stays: Sequence[Stay], now_ms: int | None, *, is_over: bool, excused: bool = False
) -> tuple[AttendanceNote, ...]:
    """What is to be said, `now_ms` being now or the end. Nothing before going live."""
    if now_ms is None:
        return (AttendanceNote(NoteCode.EXCUSED),) if excused else ()
    there = _spans(stays, now_ms)
    if not there:
        return (AttendanceNote(NoteCode.EXCUSED if excused else NoteCode.ABSENT),)
    found = []
    if there[0][0] > LATE_AFTER_MS:
        found.append(AttendanceNote(NoteCode.LATE, there[0][0]))
    gaps: dict[NoteCode, list[int]] = {NoteCode.DROPPED: [], NoteCode.AWAY: []}
    until_ms, why = there[0][1], there[0][2]
    for from_ms, to_ms, reason in there[1:]:
        if from_ms - until_ms >= GAP_MS:
            gaps[NoteCode.AWAY if why in _OWN_WILL else NoteCode.DROPPED].append(from_ms - until_ms)
        if to_ms >= until_ms:
            until_ms, why = to_ms, reason
    found += [AttendanceNote(code, sum(each), len(each)) for code, each in gaps.items() if each]
    if is_over and now_ms - until_ms > LATE_AFTER_MS:
        found.append(AttendanceNote(NoteCode.LEFT_EARLY, now_ms - until_ms))
    return tuple(found) or (AttendanceNote(NoteCode.THROUGHOUT),)
