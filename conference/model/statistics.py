"""Figures of a consultation: presence, speaking time, requests and statements. Times are program time."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.attendance import NoteCode
from conference.model.record import Person, Record, people
from conference.model.venue import VenueKind

MAX_POINTS: Final = 240
REMOTE: Final = "remote"
REMOTE_LABEL: Final = "手机和电脑"
_OTHERS: Final = "其他"
_MAIN: Final = "主会场"


@dataclass(frozen=True, slots=True)
class Gauge:
    """How many of those who were expected came, and how. Without a list of invitees: of those who came."""

    present: int
    expected: int
    throughout: int
    late: int
    left_early: int
    dropped_and_back: int
    spoke: int


@dataclass(frozen=True, slots=True)
class Point:
    """How many were there from `at_ms` on."""

    at_ms: int
    count: int


@dataclass(frozen=True, slots=True)
class Share:
    """Speaking time of one venue, role, sector or person."""

    key: str
    label: str
    ms: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """Each list with the longest first, and without those who did not speak."""

    by_venue: tuple[Share, ...]
    by_role: tuple[Share, ...]
    by_sector: tuple[Share, ...]
    by_person: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """`outside_ms` was spoken elsewhere than in the main venue; `median_wait_ms` lies between hand and floor."""

    gauge: Gauge
    curve: tuple[Point, ...]
    peak: Point | None
    speaking: Speaking
    total_speaking_ms: int
    outside_ms: int
    requests: int
    grants: int
    median_wait_ms: int | None
    statements: int
    statement_authors: int


def figures(record: Record) -> Figures:
    """All of them, of one moment."""
    everyone = people(record)
    steps = presence(everyone)
    speaking = _speaking(everyone)
    total_ms = sum(share.ms for share in speaking.by_person)
    main = {each.name for each in record.venues if each.kind is VenueKind.MAIN} or {_MAIN}
    waits = waits_ms(everyone)
    return Figures(
        gauge=_gauge(everyone),
        curve=thinned(steps, record.now_ms or 0),
        peak=max(steps, key=lambda point: point.count, default=None),
        speaking=speaking,
        total_speaking_ms=total_ms,
        outside_ms=total_ms - sum(share.ms for share in speaking.by_venue if share.key in main),
        requests=sum(len(each.requests) for each in everyone),
        grants=sum(len(each.turns) for each in everyone),
        median_wait_ms=round(statistics.median(waits)) if waits else None,
        statements=sum(len(each.statements) for each in everyone),
        statement_authors=sum(bool(each.statements) for each in everyone),
    )


def _gauge(everyone: Iterable[Person]) -> Gauge:
    humans = [each for each in everyone if each.counts]
    expected = [each for each in humans if each.invitee is not None] or humans
    came = [each for each in expected if each.present]

    def noted(*codes: NoteCode) -> int:
        return sum(any(note.code in codes for note in each.notes) for each in came)

    return Gauge(
        present=len(came),
        expected=len(expected),
        throughout=noted(NoteCode.THROUGHOUT),
        late=noted(NoteCode.LATE),
        left_early=noted(NoteCode.LEFT_EARLY),
        dropped_and_back=noted(NoteCode.DROPPED),
        spoke=sum(each.spoken_ms > 0 for each in came),
    )


# ── the curve ───────────────────────────────────────────────────────────────────────────────────


def presence(everyone: Iterable[Person]) -> tuple[Point, ...]:
    """How many human beings were there: a point at each change."""
    changes: defaultdict[int, int] = defaultdict(int)
    for person in everyone:
        for from_ms, to_ms in person.spans if person.counts else ():
            changes[from_ms] += 1
            changes[to_ms] -= 1
    steps, count = [], 0
    for at_ms in sorted(changes):
        if changes[at_ms]:
            count += changes[at_ms]
            steps.append(Point(at_ms, count))
    return tuple(steps)


def thinned(steps: Sequence[Point], until_ms: int) -> tuple[Point, ...]:
    """At most MAX_POINTS of them: then the most that were there in each stretch of time."""
    if len(steps) <= MAX_POINTS:
        return tuple(steps)
    stretch_ms = max(until_ms, steps[-1].at_ms) // MAX_POINTS + 1
    points, count, place = [], 0, 0
    for from_ms in range(0, MAX_POINTS * stretch_ms, stretch_ms):
        most = 0 if place < len(steps) and steps[place].at_ms == from_ms else count
        while place < len(steps) and steps[place].at_ms < from_ms + stretch_ms:
            count = steps[place].count
            most, place = max(most, count), place + 1
        points.append(Point(from_ms, most))
    return tuple(points)


# ── speaking ────────────────────────────────────────────────────────────────────────────────────


def _speaking(everyone: Sequence[Person]) -> Speaking:
    return Speaking(
        by_venue=_shares(everyone, lambda each: (each.venue or REMOTE, each.venue or REMOTE_LABEL)),
        by_role=_shares(everyone, lambda each: (each.role.value, each.role.value)),
        by_sector=_shares(everyone, lambda each: (each.sector, each.sector or _OTHERS)),
        by_person=_shares(everyone, lambda each: (each.id, each.name)),
    )


def _shares(everyone: Iterable[Person], group: Callable[[Person], tuple[str, str]]) -> tuple[Share, ...]:
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for person in everyone:
        sums[group(person)] += person.spoken_ms
    shares = [Share(key, label, ms) for (key, label), ms in sums.items() if ms > 0]
    return tuple(sorted(shares, key=lambda share: (-share.ms, share.label)))


def waits_ms(everyone: Iterable[Person]) -> list[int]:
    """For each turn that was asked for: how long its speaker waited for it."""
    waits = []
    for person in everyone:
        since_ms = 0
        for turn in person.turns:
            asked = [
                each.at_wall_ms
                for each in person.requests
                if since_ms < each.at_wall_ms <= turn.granted_wall_ms
            ]
            if asked:
                waits.append(turn.granted_wall_ms - asked[-1])
            since_ms = turn.granted_wall_ms
    return waits
