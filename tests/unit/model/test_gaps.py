"""Gaps of a transcript: what was recorded, or was on air, and was not heard."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.errors import ConferenceError
from conference.model.floor import Ending, EndReason, Turn, TurnState
from conference.model.gaps import (
    Heard,
    gaps_of,
    pieces,
    recorded_spans,
    require_note,
    unheard,
    unkept_spans,
)
from conference.model.permissions import Role
from conference.model.recording import FileState, Recording
from conference.model.transcript import Coverage, Gap, GapState, Span, merged, without


def file(
    from_ms: int, to_ms: int, who: str = "p", source: str = "microphone", state: FileState = FileState.DONE
) -> Recording:
    duration_ms = 0 if state is FileState.RECORDING else to_ms - from_ms
    return Recording(
        f"r{from_ms}", "c", who, who, source, "opus", "c/1/f", from_ms, duration_ms, 1, None, state, 1
    )


def covered(*spans: Span, who: str = "p") -> list[Coverage]:
    return [Coverage("c", who, *each) for each in spans]


def noted(state: GapState, from_ms: int, to_ms: int, **values: Any) -> Gap:
    return Gap("c", "p", "p", from_ms, to_ms, state, **values)


def turn(from_ms: int, to_ms: int | None, who: str = "p") -> Turn:
    return Turn(
        "t", "c", who, who, Role.MEMBER, None, None, "主持人", from_ms, 0, None, Ending.SOFT,
        TurnState.RUNNING, first_started_at_ms=from_ms, ended_at_ms=to_ms,
        end_reason=None if to_ms is None else EndReason.WITHDRAWN,
    )  # fmt: skip


def shown(gaps: Sequence[Gap]) -> list[tuple[str, int, int]]:
    return [(each.state.value, each.from_ms, each.to_ms) for each in gaps]


def test_what_is_covered_is_no_gap_and_pictures_are_none() -> None:
    files = [file(0, 10_000), file(0, 20_000, source="camera"), file(0, 5_000, "q")]
    heard = Heard(files, [*covered((0, 4_000), (4_500, 10_000)), *covered((0, 5_000), who="q")], [])
    assert gaps_of(heard) == [], "half a second is no gap"
    heard = Heard(files, covered((0, 4_000), (6_000, 10_000)), [])
    assert shown(gaps_of(heard)) == [("waiting", 0, 5_000), ("waiting", 4_000, 6_000)]
    assert [each.participant_id for each in gaps_of(heard)] == ["q", "p"]


def test_files_that_touch_are_one_stretch() -> None:
    assert recorded_spans([file(0, 5_000), file(5_000, 9_000), file(20_000, 21_000)], None) == {
        "p": [(0, 9_000), (20_000, 21_000)]
    }


def test_an_open_file_reaches_up_to_now_while_it_is_live() -> None:
    files = [file(0, 0, state=FileState.RECORDING)]
    assert gaps_of(Heard(files, [], [])) == [], "its end will be known soon"
    live = Heard(files, [], [], now_ms=9_000, horizon_ms=6_000)
    assert shown(gaps_of(live)) == [("waiting", 0, 6_000)]
    live = Heard(files, [], [], now_ms=9_000, horizon_ms=6_000, horizons={"p": 8_000})
    assert shown(gaps_of(live)) == [("waiting", 0, 8_000)]


def test_what_was_decided_stands() -> None:
    files = [file(0, 30_000)]
    notes = [
        noted(GapState.FAILED, 5_000, 10_000, reason="unreadable"),
        noted(GapState.WAIVED, 20_000, 30_000, note="休息"),
        noted(GapState.WAITING, 0, 30_000),  # had failed, and is tried again
    ]
    gaps = gaps_of(Heard(files, [], notes))
    assert shown(gaps) == [
        ("waiting", 0, 5_000),
        ("failed", 5_000, 10_000),
        ("waiting", 10_000, 20_000),
        ("waived", 20_000, 30_000),
    ]
    assert (gaps[1].reason, gaps[3].note, gaps[3].is_open) == ("unreadable", "休息", False)


def test_a_failed_one_that_was_heard_since_is_none() -> None:
    notes = [noted(GapState.FAILED, 5_000, 10_000, reason="unreadable")]
    assert gaps_of(Heard([file(0, 10_000)], covered((0, 10_000)), notes)) == []
    part = gaps_of(Heard([file(0, 10_000)], covered((0, 7_000)), notes))
    assert shown(part) == [("failed", 7_000, 10_000)]


def test_who_was_on_air_while_nothing_was_kept_is_lost() -> None:
    turns = [turn(0, 20_000), turn(30_000, None)]
    heard = Heard([file(0, 8_000)], [], [], turns, unkept=[(8_000, 15_000), (35_000, 50_000)], now_ms=40_000)
    assert shown(gaps_of(heard)) == [("waiting", 0, 8_000), ("lost", 8_000, 15_000), ("lost", 35_000, 40_000)]
    heard = Heard([], covered((8_000, 14_000)), [noted(GapState.WAIVED, 30_000, 50_000)], turns,
                  unkept=[(8_000, 15_000), (35_000, 50_000)], now_ms=40_000)  # fmt: skip
    assert shown(gaps_of(heard)) == [("waived", 30_000, 50_000)], "captions heard it, or somebody said why"


def test_nobody_is_lost_who_was_not_heard_in_a_turn() -> None:
    silent = Turn(
        "t", "c", "p", "p", Role.MEMBER, None, None, "主持人", 0, 0, None, Ending.SOFT, ended_at_ms=9_000
    )
    assert gaps_of(Heard([], [], [], [silent], unkept=[(0, 9_000)])) == []


def test_when_nothing_was_kept_follows_from_the_trace() -> None:
    steps = [("started", 2_000), ("interrupted", 10_000), ("started", 15_000), ("paused", 20_000),
             ("resumed", 30_000), ("started", 30_500), ("ended", 60_000)]  # fmt: skip
    assert unkept_spans(steps, [(50_000, 52_000)], 60_000) == [
        (0, 2_000),
        (10_000, 15_000),
        (30_000, 30_500),
    ]
    assert unkept_spans([], [(0, 1_000)], 5_000) == [(1_000, 5_000)]


@given(st.integers(1, 10**8), st.integers(1, 10**6))
def test_pieces_are_the_whole_and_none_too_long(length_ms: int, most_ms: int) -> None:
    found = pieces(noted(GapState.WAITING, 7, 7 + length_ms), max(most_ms, length_ms // 500 + 1))
    assert (found[0][0], found[-1][1]) == (7, 7 + length_ms)
    assert all(one[1] == other[0] for one, other in pairwise(found))
    assert all(0 < last - first <= max(most_ms, length_ms // 500 + 1) for first, last in found)


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6)


@given(SPANS, SPANS, SPANS, SPANS)
def test_no_recorded_second_is_neither_covered_nor_told(
    recorded: list[Span], heard: list[Span], waived: list[Span], failed: list[Span]
) -> None:
    def ms(spans: list[Span]) -> list[Span]:
        return merged((first * 1000, (first + length) * 1000) for first, length in spans)

    notes = [noted(GapState.WAIVED, *each) for each in ms(waived)]
    notes += [noted(GapState.FAILED, *each) for each in ms(failed)]
    gaps = gaps_of(Heard([file(*each) for each in ms(recorded)], covered(*ms(heard)), notes))
    told = [(each.from_ms, each.to_ms) for each in gaps]
    assert without(ms(recorded), [*ms(heard), *told]) == []
    open_ones = [(each.from_ms, each.to_ms) for each in gaps if each.is_open]
    assert merged(open_ones) == without(ms(recorded), [*ms(heard), *ms(waived)])


@pytest.mark.parametrize("note", ["", "   ", "长" * 201])
def test_a_note_says_something_short(note: str) -> None:
    with pytest.raises(ConferenceError):
        require_note(note)
    assert require_note(" 休息 时间 ") == "休息 时间"


def test_a_file_that_is_not_closed_after_the_end_is_an_open_gap() -> None:
    files = [file(0, 8_000), file(8_000, 0, state=FileState.RECORDING)]
    heard = Heard(files, covered((0, 10_000)), [noted(GapState.WAIVED, 19_000, 30_000)], ended_ms=30_000)
    (waiting, waived) = gaps_of(heard)
    assert shown([waiting, waived]) == [("waiting", 10_000, 19_000), ("waived", 19_000, 30_000)]
    assert (waiting.reason, waiting.is_open) == ("unsettled", True)


def test_what_was_deleted_before_it_was_heard_is_lost() -> None:
    gone = [file(0, 10_000), file(10_000, 20_000, "q")]
    notes = [noted(GapState.FAILED, 2_000, 6_000, reason="unreadable")]
    heard = Heard([file(8_000, 12_000)], covered((0, 2_000)), notes, deleted=gone, ended_ms=20_000)
    found = gaps_of(heard)
    assert shown(found) == [("lost", 2_000, 8_000), ("waiting", 8_000, 12_000), ("lost", 10_000, 20_000)]
    assert [each.reason for each in found] == ["deleted", "", "deleted"]
    assert [each.participant_id for each in found] == ["p", "p", "q"]


def test_where_nobody_listened_all_that_was_recorded_is_one_gap() -> None:
    files = [file(1_000, 10_000), file(5_000, 0, "q", state=FileState.RECORDING)]
    heard = Heard(files, [], [], deleted=[file(500, 2_000)], ended_ms=30_000)
    (gap,) = unheard(heard)
    assert (gap.participant_id, gap.name, gap.from_ms, gap.to_ms) == ("c", "全场", 500, 30_000)
    assert (gap.is_open, gap.reason, gap.words) == (True, "not_transcribed", "本次会议没有转写")
    settled = Gap("c", "c", "全场", 0, 30_000, GapState.WAIVED, note="只录音")
    assert unheard(Heard(files, [], [settled], ended_ms=30_000)) == [settled]
    assert unheard(Heard([file(0, 9_000)], covered((0, 9_000)), [], ended_ms=9_000)) == []
    assert unheard(Heard([], [], [], ended_ms=9_000)) == []
    (told,) = unheard(Heard([file(0, 9_000)], covered((0, 4_000)), [], ended_ms=9_000))
    assert (told.from_ms, told.reason, told.words) == (4_000, "not_listened", "没有转写")
