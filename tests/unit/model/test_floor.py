"""A turn of the floor: its states, and that no spoken time is lost or counted twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.consultation import Mode
from conference.model.floor import WARNING_MS, Ending, EndReason, Turn, TurnState, gate_without_floor
from conference.model.participant import FloorGate
from conference.model.permissions import Action, Role, allowed


def turn(duration_ms: int | None = 300_000, ending: Ending = Ending.SOFT) -> Turn:
    return Turn("f", "c", "p", "张三", Role.MEMBER, None, None, "主持人", 0, 0, duration_ms, ending)


def test_the_countdown_runs_from_the_first_sound() -> None:
    waiting = turn()
    assert (waiting.state, waiting.left_ms(60_000)) == (TurnState.WAITING, 300_000)
    running = waiting.heard(10_000)
    assert (running.state, running.started_at_ms, running.left_ms(70_000)) == ("running", 10_000, 240_000)
    assert running.heard(20_000) is running


def test_it_warns_once_at_one_minute_and_is_over_at_none() -> None:
    running = turn().heard(0)
    assert running.at(239_999) is running
    warned = running.at(240_000)
    assert warned.warned
    assert warned.at(250_000) is warned
    over = warned.at(300_000)
    assert (over.state, over.left_ms(310_000)) == (TurnState.OVER, -10_000)
    assert over.at(400_000) is over


def test_a_short_turn_is_not_warned_about() -> None:
    assert not turn(WARNING_MS).heard(0).at(1).warned


def test_more_time_takes_it_up_again() -> None:
    over = turn().heard(0).at(300_000)
    running = over.extended(120_000, 310_000)
    assert (running.state, running.left_ms(310_000), running.warned) == ("running", 110_000, False)
    assert over.extended(5_000, 310_000).state is TurnState.OVER
    assert turn(None).extended(5_000, 0) == turn(None)


def test_time_stands_still_while_the_holder_is_away() -> None:
    away = turn().heard(0).dropped(100_000)
    assert (away.state, away.left_ms(160_000)) == (TurnState.GRACE, 200_000)
    back = away.returned()
    assert (back.state, back.left_ms(170_000)) == (TurnState.WAITING, 200_000)
    again = back.heard(180_000)
    assert (again.left_ms(190_000), again.first_started_at_ms) == (190_000, 0)


def test_before_going_live_nothing_counts_down() -> None:
    running = turn().heard(None)
    assert (running.state, running.started_at_ms, running.at(None)) == ("running", None, running)
    live = running.went_live()
    assert (live.started_at_ms, live.left_ms(1_000)) == (0, 299_000)
    assert turn().went_live() == turn()


steps = st.lists(
    st.tuples(st.sampled_from(["heard", "at", "dropped", "returned", "extended"]), st.integers(0, 90_000)),
    max_size=30,
)


@given(duration=st.none() | st.integers(1, 600_000), steps=steps)
def test_spoken_time_is_that_in_which_it_ran(duration: int | None, steps: list[tuple[str, int]]) -> None:
    now, spoken, one = 0, 0, turn(duration)
    for name, forward in steps:
        if one.state in (TurnState.RUNNING, TurnState.OVER):
            spoken += forward
        now += forward
        match name:
            case "heard":
                one = one.heard(now)
            case "at":
                one = one.at(now)
            case "dropped":
                one = one.dropped(now)
            case "returned":
                one = one.returned()
            case _:
                one = one.extended(1_000, now)
        assert one.elapsed_ms(now) == spoken
        left = one.left_ms(now)
        assert one.state is not TurnState.OVER or (left is not None and left <= 0)
    ended = one.ended(EndReason.FINISHED, now, 7)
    assert (ended.spoken_ms, ended.elapsed_ms(now + 5_000), ended.is_open) == (spoken, spoken, False)


@pytest.mark.parametrize("role", Role)
def test_who_may_open_a_microphone_without_the_floor(role: Role) -> None:
    assert gate_without_floor(role, Mode.FREE) is None
    leads = allowed(role, Action.FLOOR_GRANT)
    for mode in (Mode.AGENDA, Mode.CHAIR):
        assert gate_without_floor(role, mode) is (None if leads else FloorGate.CLOSED)
