"""A consultation as it stood at a moment, and its chapters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conference.model.agenda import AgendaItem, AgendaKind, ItemState
from conference.model.audit import AuditLine
from conference.model.chapters import Chapter, ChapterKind, chapters
from conference.model.floor import Ending, EndReason, Turn
from conference.model.footage import OnAir
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.timeline import Marks, Step, agenda_at, plate_line, speaker_at, stretches

REPORT = AgendaItem("a_1", "通报", AgendaKind.REPORT, planned_minutes=10)
TALK = AgendaItem("a_2", "讨论", AgendaKind.DISCUSSION)
PROMOTED = AgendaItem("a_3", "助餐点能不能接受现金", AgendaKind.PROMOTION, speaker="市民政局")


def line(action: str, at_ms: int | None, subject: str | None = None, **content: Any) -> AuditLine:
    return AuditLine("c", 1, 0, at_ms, "participant", "p", action, subject, json.dumps(content), "")


def started(item: AgendaItem, at_ms: int | None) -> AuditLine:
    return line("agenda.started", at_ms, item.id, title=item.title)


def edited(at_ms: int | None, *items: AgendaItem) -> AuditLine:
    return line("agenda.edited", at_ms, "c", items=[{"id": each.id, "title": each.title} for each in items])


def turn(name: str, at_ms: int | None, to_ms: int | None = None, *, heard: bool = True) -> Turn:
    return Turn(
        id=name,
        consultation_id="c",
        participant_id=f"p_{name}",
        name=name,
        role=Role.MEMBER,
        venue=None,
        item_id=None,
        granted_by="p",
        granted_at_ms=at_ms,
        granted_wall_ms=0,
        duration_ms=None,
        ending=Ending.SOFT,
        first_started_at_ms=(at_ms or 0) + 500 if heard else None,
        ended_at_ms=to_ms,
        end_reason=None if to_ms is None else EndReason.FINISHED,
    )


LINES = [
    edited(None, REPORT, TALK),
    started(REPORT, None),
    started(TALK, 60_000),
    started(REPORT, 90_000),
    line("agenda.ended", 120_000, "c"),
    line("floor.granted", 130_000, "p_1"),
]
MARKS = Marks().followed_by(LINES)


@pytest.mark.parametrize(
    ("at_ms", "states", "times"),
    [
        (None, ["pending", "pending"], [(None, None), (None, None)]),
        (0, ["current", "pending"], [(0, None), (None, None)]),
        (59_999, ["current", "pending"], [(0, None), (None, None)]),
        (60_000, ["done", "current"], [(0, 60_000), (60_000, None)]),
        (95_000, ["current", "done"], [(0, None), (60_000, 90_000)]),
        (500_000, ["done", "done"], [(0, 120_000), (60_000, 90_000)]),
    ],
)
def test_the_agenda_at_a_moment(at_ms: int | None, states: list[str], times: list[Any]) -> None:
    now = (REPORT, AgendaItem("a_2", "讨论", AgendaKind.DISCUSSION, state=ItemState.CURRENT, started_at_ms=7))
    found = agenda_at(now, MARKS, at_ms)
    assert [each.state for each in found] == states
    assert [(each.started_at_ms, each.ended_at_ms) for each in found] == times


def test_an_edit_is_not_seen_before_its_moment() -> None:
    corrected = AgendaItem("a_1", "市民政局通报", AgendaKind.REPORT)
    marks = MARKS.followed_by([edited(200_000, corrected, TALK, PROMOTED)])
    now = (corrected, TALK, PROMOTED)
    assert [each.title for each in agenda_at(now, marks, 199_999)] == ["通报", "讨论"]
    assert [each.title for each in agenda_at(now, marks, 200_000)] == [each.title for each in now]
    # What was written after going live is no secret that the title card could tell.
    assert [each.title for each in agenda_at(now, marks, None)] == ["通报", "讨论"]


def test_an_agenda_that_was_first_written_after_the_moment_is_empty() -> None:
    assert agenda_at((REPORT,), Marks().followed_by([edited(5000, REPORT)]), 4000) == []


def test_marks_that_were_read_in_two_parts_are_the_same() -> None:
    assert Marks().followed_by(LINES[:2]).followed_by(LINES[2:]) == MARKS


def test_what_took_no_time_is_no_stretch() -> None:
    steps = (Step(0, "a_1", "通报"), Step(0, "a_2", "讨论"), Step(9, None, ""), Step(12, "a_1", "通报"))
    assert [(each.item_id, each.from_ms, each.to_ms) for each in stretches(steps)] == [
        ("a_2", 0, 9),
        ("a_1", 12, None),
    ]


@pytest.mark.parametrize(
    ("at_ms", "name"),
    [(0, "先"), (4999, "先"), (5000, None), (7000, "后"), (1_000_000, "后")],
)
def test_who_spoke_at_a_moment(at_ms: int, name: str | None) -> None:
    found = speaker_at([turn("先", None, 5000), turn("后", 6000)], at_ms)
    assert (found and found.name) == name


def test_who_ended_before_going_live_did_not_speak() -> None:
    over = Turn(
        **{**{f: getattr(turn("早", None), f) for f in Turn.__slots__}, "end_reason": EndReason.FINISHED}
    )
    assert speaker_at([over], 0) is None


def test_chapters_are_items_then_what_lies_in_them() -> None:
    steps = (Step(0, "a_1", "通报"), Step(60_000, "a_3", "旧"), Step(90_000, "a_2", "讨论"))
    turns = [turn("钱立", 0, 30_000), turn("没开口", 61_000, 62_000, heard=False), turn("林文博", 95_000)]
    assert chapters((REPORT, TALK, PROMOTED), steps, turns, 100_000) == [
        Chapter(ChapterKind.ITEM, "通报", 0, 60_000),
        Chapter(ChapterKind.SPEECH, "钱立", 0, 30_000),
        Chapter(ChapterKind.PROMOTION, "助餐点能不能接受现金", 60_000, 90_000),
        Chapter(ChapterKind.ITEM, "讨论", 90_000, 100_000),
        Chapter(ChapterKind.SPEECH, "林文博", 95_000, 100_000),
    ]
    assert chapters((REPORT,), steps, turns, 0) == []


@pytest.mark.parametrize(
    ("at_ms", "open_ms"), [(0, 0), (9, 9), (10, 30), (19, 30), (29, 30), (30, 30), (40, None), (99, None)]
)
def test_where_the_picture_comes_back(at_ms: int, open_ms: int | None) -> None:
    assert OnAir(withdrawn=((40, None), (20, 30), (10, 20))).open_from_ms(at_ms) == open_ms


@pytest.mark.parametrize(
    ("name", "sector", "title", "venue", "line"),
    [
        ("林文博", "医药卫生界", "市人民医院", "主会场", "医药卫生界 · 主会场"),
        ("钱立", None, "市民政局副局长", None, "市民政局副局长"),
        ("青禾县分会场", None, None, "青禾县分会场", ""),
    ],
)
def test_the_second_line_of_a_name_plate(
    name: str, sector: str | None, title: str | None, venue: str | None, line: str
) -> None:
    person = Participant(
        id="p",
        consultation_id="c",
        name=name,
        role=Role.MEMBER,
        venue=venue,
        kind=ParticipantKind.CLIENT,
        device=None,
        token_id="t",
        resume_hash="",
        joined_at_ms=0,
        last_seen_ms=0,
        title=title,
        sector=sector,
    )
    assert plate_line(person) == line
