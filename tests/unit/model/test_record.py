"""Attendance in words, the curve of presence, and speaking time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.attendance import NoteCode, Stay, notes, spans
from conference.model.consultation import Consultation, Mode, Status
from conference.model.floor import Ending, EndReason, Turn
from conference.model.invitee import Invitee
from conference.model.participant import EntryMeans, Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.record import HandRaised, Record, people
from conference.model.statement import Statement
from conference.model.statistics import MAX_POINTS, Point, Share, figures, presence, thinned
from conference.model.venue import Venue, VenueKind

MINUTE = 60_000
END = 150 * MINUTE


def stay(from_ms: int | None, to_ms: int | None, reason: str | None = "left", who: str = "p") -> Stay:
    open_ended = to_ms is None and reason is None
    wall_ms = None if open_ended else (to_ms or 0) + 1_000
    return Stay("s", "c", who, ParticipantKind.CLIENT, None, from_ms, from_ms or 0, to_ms, wall_ms, reason)


def said(*stays: Stay, now_ms: int | None = END, is_over: bool = True, excused: bool = False) -> list[Any]:
    return [
        (note.code, note.ms, note.count) for note in notes(stays, now_ms, is_over=is_over, excused=excused)
    ]


@pytest.mark.parametrize(
    ("stays", "expected"),
    [
        ([stay(None, END)], [("throughout", None, None)]),
        ([stay(5 * MINUTE, END - 5 * MINUTE)], [("throughout", None, None)]),
        ([stay(7 * MINUTE, END)], [("late", 7 * MINUTE, None)]),
        ([stay(0, END - 28 * MINUTE)], [("left_early", 28 * MINUTE, None)]),
        ([stay(0, 60_000, "disconnected"), stay(69_999, END)], [("throughout", None, None)]),
        ([stay(0, 60_000, "disconnected"), stay(78_000, END)], [("dropped", 18_000, 1)]),
        (
            [stay(0, 10_000, "outage"), stay(20_000, 30_000, "lost"), stay(60_000, END)],
            [("dropped", 40_000, 2)],
        ),
        ([stay(0, 60_000), stay(120_000, END)], [("away", 60_000, 1)]),
        (
            [stay(6 * MINUTE, 7 * MINUTE, "lost"), stay(9 * MINUTE, 10 * MINUTE)],
            [("late", 6 * MINUTE, None), ("dropped", 2 * MINUTE, 1), ("left_early", END - 10 * MINUTE, None)],
        ),
        ([stay(None, None)], [("absent", None, None)]),  # gone before it began
        ([], [("absent", None, None)]),
    ],
)
def test_attendance_in_words(stays: list[Stay], expected: list[Any]) -> None:
    assert said(*stays) == expected


def test_nobody_is_judged_before_the_start_or_leaves_early_before_the_end() -> None:
    assert said(stay(None, None, None), now_ms=None, is_over=False) == []
    assert said(stay(0, MINUTE), is_over=False) == [("throughout", None, None)]
    assert said(stay(0, None, None), is_over=False) == [("throughout", None, None)]
    assert said(excused=True) == [("excused", None, None)]


# ── whole records ───────────────────────────────────────────────────────────────────────────────


def participant(pid: str, role: Role = Role.MEMBER, venue: str | None = None, **more: Any) -> Participant:
    values: dict[str, Any] = {"kind": ParticipantKind.CLIENT, "sector": "农业界", **more}
    return Participant(
        id=pid,
        consultation_id="c",
        name=pid,
        role=role,
        venue=venue,
        device=None,
        token_id="t",
        resume_hash="",
        joined_at_ms=0,
        last_seen_ms=0,
        **values,
    )


def invitee(iid: str, *, excused: bool = False) -> Invitee:
    return Invitee(iid, "c", 1, iid, "", "教育界", Role.MEMBER, "v", "", False, excused, 1, iid, 0)


def turn(who: str, granted_wall_ms: int, spoken_ms: int, *, open_since_ms: int | None = None) -> Turn:
    return Turn(
        id="u",
        consultation_id="c",
        participant_id=who,
        name=who,
        role=Role.MEMBER,
        venue=None,
        item_id=None,
        granted_by="主持人",
        granted_at_ms=0,
        granted_wall_ms=granted_wall_ms,
        duration_ms=None,
        ending=Ending.SOFT,
        started_at_ms=open_since_ms,
        spoken_ms=spoken_ms,
        end_reason=None if open_since_ms is not None else EndReason.FINISHED,
    )


def statement(who: str, *, private: bool = False) -> Statement:
    return Statement("x", "c", 1, who, who, Role.MEMBER, None, "文", 0, 0, "k", private=private)


def record(**more: Any) -> Record:
    consultation = Consultation("c", "协商会", Status.ENDED, Mode.FREE, True, False, True, 0)
    values: dict[str, Any] = {
        "now_ms": END,
        "participants": (),
        "stays": (),
        "turns": (),
        "statements": (),
        "requests": (),
        "invitees": (),
        "venues": (Venue("v", "c", 1, "议事厅", VenueKind.MAIN, "", "", "", None, 1, "", 0),),
        "agenda_titles": {},
        **more,
    }
    return Record(consultation=consultation, **values)


FULL = record(
    participants=(
        participant("chair", Role.CHAIR, "议事厅"),
        participant("a", invitee_id="i_a", entered_by=EntryMeans.INVITE),
        participant("hall", Role.VENUE_OPERATOR, "议事厅"),
        participant("camera", kind=ParticipantKind.WHIP, invitee_id="i_b"),
        participant("nobody"),
    ),
    stays=(
        stay(0, END, who="chair"),
        stay(7 * MINUTE, 60 * MINUTE, "lost", who="a"),
        stay(61 * MINUTE, END, who="a"),
        stay(0, END, who="hall"),
        stay(0, END, who="camera"),
    ),
    turns=(
        turn("a", 100_000, 60_000),
        turn("hall", 200_000, 90_000),
        turn("a", 300_000, 0, open_since_ms=END - 5_000),
    ),
    statements=(statement("a"), statement("a"), statement("a", private=True)),
    requests=(
        HandRaised("a", 40_000),
        HandRaised("a", 70_000),
        HandRaised("a", 290_000),
        HandRaised("a", 400_000),
    ),
    invitees=(invitee("i_a"), invitee("i_b"), invitee("i_c", excused=True)),
)


def test_people_are_those_who_came_and_then_those_who_did_not() -> None:
    everyone = people(FULL)
    assert [(each.id, each.present, each.excused) for each in everyone] == [
        ("chair", True, False),
        ("a", True, False),
        ("hall", True, False),
        ("camera", True, False),
        ("i_b", False, False),
        ("i_c", False, True),
    ]
    assert [note.code for note in everyone[-1].notes] == [NoteCode.EXCUSED]
    assert (everyone[-1].venue, everyone[-1].sector, everyone[1].spoken_ms) == ("议事厅", "教育界", 65_000)


def test_the_figures() -> None:
    found = figures(FULL)
    gauge = found.gauge
    assert (gauge.present, gauge.expected, gauge.late, gauge.dropped_and_back) == (1, 3, 1, 1)
    assert (gauge.throughout, gauge.left_early, gauge.spoke) == (0, 0, 1)
    assert found.curve == (
        Point(0, 1),
        Point(7 * MINUTE, 2),
        Point(60 * MINUTE, 1),
        Point(61 * MINUTE, 2),
        Point(END, 0),
    )
    assert found.peak == Point(7 * MINUTE, 2)
    assert found.speaking.by_venue == (
        Share("议事厅", "议事厅", 90_000),
        Share("remote", "手机和电脑", 65_000),
    )
    assert [share.key for share in found.speaking.by_role] == ["venue_operator", "member"]
    assert (found.total_speaking_ms, found.outside_ms) == (155_000, 65_000)
    assert (found.requests, found.grants, found.median_wait_ms) == (4, 3, 20_000)
    assert (found.statements, found.statement_authors) == (2, 1)


def test_without_a_list_those_who_came_were_expected() -> None:
    alone = record(participants=(participant("a"),), stays=(stay(0, END, who="a"),))
    gauge = figures(alone).gauge
    assert (gauge.present, gauge.expected, gauge.throughout) == (1, 1, 1)


def test_nothing_happened() -> None:
    empty = figures(record(now_ms=None))
    assert (empty.curve, empty.peak, empty.median_wait_ms, empty.total_speaking_ms) == ((), None, None, 0)


# ── laws ────────────────────────────────────────────────────────────────────────────────────────

pairs = st.tuples(st.integers(0, END), st.integers(0, END)).map(sorted)


@given(st.lists(pairs, max_size=12), st.integers(0, END))
def test_spans_are_apart_in_order_and_cover_the_same(times: list[list[int]], at_ms: int) -> None:
    found = spans([stay(start, end) for start, end in times], END)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))
    assert any(a <= at_ms <= b for a, b in found) == any(a <= at_ms <= b for a, b in times)


@given(st.lists(pairs, min_size=1, max_size=300))
def test_the_curve_ends_at_nobody_and_thinning_keeps_the_peak(times: list[list[int]]) -> None:
    who = [f"p{n}" for n in range(len(times))]
    stays = tuple(stay(a, b, who=each) for each, (a, b) in zip(who, times, strict=True))
    steps = presence(people(record(participants=tuple(participant(each) for each in who), stays=stays)))
    assert not steps or steps[-1].count == 0
    points = thinned(steps, END)
    assert len(points) <= MAX_POINTS
    assert max((p.count for p in points), default=0) == max((p.count for p in steps), default=0)
    assert [p.at_ms for p in points] == sorted({p.at_ms for p in points})
