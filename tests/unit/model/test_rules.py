"""Rules of bodies: what changed, and how full a space is."""

from __future__ import annotations

import pytest

from conference.model.rules import GB, Fill, Rules, fill_of


def test_the_difference_names_what_changed_alone() -> None:
    before, after = (
        Rules(max_live=2, retention_days=30),
        Rules(max_live=2, max_storage_gb=5, retention_days=0),
    )
    assert before.difference(after) == {
        "max_storage_gb": {"from": None, "to": 5},
        "retention_days": {"from": 30, "to": 0},
    }
    assert before.difference(before) == {}


@pytest.mark.parametrize(
    ("other", "is_as"),
    [
        (Rules(2, 30, 5, retention_days=90), True),
        (Rules(3, 30, 5, 60), False),
        (Rules(2, 31, 5, 60), False),
        (Rules(2, 30, None, 60), False),
    ],
)
def test_limits_are_all_but_the_days(other: Rules, is_as: bool) -> None:
    assert Rules(2, 30, 5, 60).limits_as(other) is is_as


@pytest.mark.parametrize(
    ("used", "fill"),
    [
        (0, Fill.OK),
        (9 * GB - 1, Fill.OK),
        (9 * GB, Fill.NEAR),
        (10 * GB - 1, Fill.NEAR),
        (10 * GB, Fill.FULL),
        (11 * GB, Fill.FULL),
    ],
)
def test_how_full_a_space_is(used: int, fill: Fill) -> None:
    assert fill_of(used, Rules(max_storage_gb=10).max_storage_bytes) is fill


def test_without_a_limit_there_is_always_room() -> None:
    assert fill_of(1 << 60, Rules().max_storage_bytes) is Fill.OK
