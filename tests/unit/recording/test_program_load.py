"""How far the worker spares itself: up soon, down slowly, never beyond what it was allowed."""

from __future__ import annotations

import itertools

from recording.program.load import Load


def run(load: Load, start_s: float, seconds: float, late: float) -> list[tuple[float, int]]:
    """25 pictures a second, this share of them late; when the level changed, and to what."""
    changes = []
    debt = 0.0
    for number in range(round(seconds * 25)):
        debt += late
        is_late, debt = debt >= 1, debt - (debt >= 1)
        now_s = start_s + number / 25
        if load.on_picture(now_s, is_late=is_late):
            changes.append((now_s - start_s, load.level))
    return changes


def test_it_goes_up_level_by_level_and_stops_at_the_last() -> None:
    load = Load(now_s=0)
    changes = run(load, 0, 60, 0.5)
    assert [level for _, level in changes] == [1, 2, 3, 4, 5]
    assert changes[0][0] <= 3.1
    assert all(2.9 < b[0] - a[0] < 3.2 for a, b in itertools.pairwise(changes))


def test_it_keeps_to_what_is_allowed() -> None:
    load = Load(0, now_s=0)
    assert run(load, 0, 60, 1) == []
    assert load.level == 0


def test_a_few_late_pictures_change_nothing() -> None:
    load = Load(now_s=0)
    assert run(load, 0, 60, 0.1) == []


def test_it_comes_down_slowly_and_more_slowly_after_a_relapse() -> None:
    load = Load(now_s=0)
    run(load, 0, 3.04, 1)
    assert load.level == 1
    ((first_s, level),) = run(load, 4, 40, 0)
    assert level == 0
    assert 25 < first_s < 36
    run(load, 44, 1.04, 1)
    assert load.level == 1
    ((second_s, _),) = run(load, 45.08, 80, 0)
    assert 55 < second_s < 66
