"""The clocks of cameras: fast, slow, interrupted, begun anew; time stamps never go back."""

from __future__ import annotations

import itertools

import pytest

from conference.ingest.stream_clock import Stamps, StreamClock

RATE = 90_000


def steps(stamps: list[int]) -> list[int]:
    return [(later - earlier) & 0xFFFFFFFF for earlier, later in itertools.pairwise(stamps)]


@pytest.mark.parametrize("pace", [0.99, 1.0, 1.01])
def test_stamps_keep_the_cameras_own_pace_and_its_time_stays_with_ours(pace: float) -> None:
    clock, stamps = StreamClock(), Stamps(RATE)
    given: list[int] = []
    for number in range(25 * 600):  # ten minutes
        now_s, stream_s = 1000 + number / 25, number / 25 * pace
        clock.on_packet(stream_s, now_s)
        given.append(stamps.stamp(stream_s, now_s))
        assert abs(clock.our_s(stream_s) - now_s) < 0.06
    assert set(steps(given)) <= {int(3600 * pace) - 1, int(3600 * pace), int(3600 * pace) + 1}


def test_packets_that_come_in_bursts_lie_where_they_belong() -> None:
    clock, stamps = StreamClock(), Stamps(RATE)
    given = []
    for number in range(250):
        now_s = 50 + number // 5 * 0.2 + 0.01  # five at once, a fifth of a second apart
        clock.on_packet(number / 25, now_s)
        given.append(stamps.stamp(number / 25, now_s))
    assert set(steps(given)) <= {3599, 3600, 3601}


def test_a_glitch_leaves_a_hole_and_nothing_else() -> None:
    stamps = Stamps(RATE)
    times = [0.0, 0.04, 0.08, 0.18, 0.22]
    given = [stamps.stamp(each, 7 + each) for each in times]
    assert steps(given) == [3600, 3600, 9000, 3600]


def test_after_a_new_connection_stamps_go_on_by_our_clock() -> None:
    clock, stamps = StreamClock(), Stamps(RATE)
    for stream_s, now_s in ((100.0, 5.0), (100.04, 5.04)):
        clock.on_packet(stream_s, now_s)
        stamps.stamp(stream_s, now_s)
    before = stamps.last
    clock.restart()
    clock.on_packet(0.0, 8.04)
    assert stamps.stamp(0.0, 8.04) - before == pytest.approx(3 * RATE, abs=2)
    assert clock.our_s(0.0) == 8.04
    assert stamps.stamp(0.04, 8.08) - before == pytest.approx(3.04 * RATE, abs=3)


def test_what_goes_back_is_put_behind_the_one_before() -> None:
    stamps = Stamps(RATE)
    given = [stamps.stamp(each, 1.0) for each in (0.0, 0.08, 0.04, 0.12)]
    assert steps(given) == [7200, 1, 3599]


def test_another_place_of_a_clip_is_as_late_as_it_is_shown() -> None:
    stamps = Stamps(RATE)
    stamps.stamp(10.0, 1.0)
    before = stamps.last
    stamps.jump()
    assert stamps.stamp(9.5, 1.5) - before == pytest.approx(RATE / 2, abs=2)
    assert stamps.stamp(9.54, 1.54) - before == pytest.approx(0.54 * RATE, abs=3)


def test_a_source_that_sets_its_clock_is_placed_anew() -> None:
    clock = StreamClock()
    clock.on_packet(5.0, 100.0)
    clock.on_packet(5000.0, 100.1)
    assert clock.our_s(5000.0) == pytest.approx(100.1)
    with pytest.raises(ValueError, match="no packet"):
        StreamClock().our_s(1.0)
