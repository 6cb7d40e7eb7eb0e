"""Program time only goes forward, across restarts and clocks that were set."""

from hypothesis import given
from hypothesis import strategies as st

from conference.model.program_time import ProgramClock

times = st.integers(min_value=0, max_value=10**13)


def test_it_counts_on_the_monotonic_clock() -> None:
    clock = ProgramClock(base_ms=5_000, anchor_s=100.0)
    assert clock.at(100.0) == 5_000
    assert clock.at(102.5) == 7_500


def test_it_goes_on_from_the_wall_clock_start_after_a_restart() -> None:
    clock = ProgramClock.resumed(started_at_ms=1_000, high_water_ms=30_000, wall_ms=61_000, monotonic_s=7.0)
    assert clock.at(7.0) == 60_000


@given(started=times, high_water=times, wall=times, monotonic=st.floats(0, 1e9), later=st.floats(0, 1e6))
def test_never_below_the_high_water_mark(
    started: int, high_water: int, wall: int, monotonic: float, later: float
) -> None:
    clock = ProgramClock.resumed(
        started_at_ms=started, high_water_ms=high_water, wall_ms=wall, monotonic_s=monotonic
    )
    assert clock.at(monotonic) >= high_water
    assert clock.at(monotonic + later) >= clock.at(monotonic)
    assert clock.at(monotonic - 1) == clock.at(monotonic)
