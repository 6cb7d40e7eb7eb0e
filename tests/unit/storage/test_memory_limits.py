"""Rate limits in memory: what a clock moved by hand shows of them. The rest is in tests/contract."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.model.limit import Limit
from conference.storage.ephemeral.memory import MemoryRateLimits
from tests.unit.services.fakes import ManualClock

LIMIT = Limit("t", 3, 60.0)


async def test_the_wait_is_until_the_oldest_hit_leaves_the_window() -> None:
    clock = ManualClock()
    limits = MemoryRateLimits(clock)
    for _ in range(3):
        assert await limits.hit(LIMIT, "a") == 0.0
        clock.forward(10)
    assert await limits.hit(LIMIT, "a") == 30.0
    clock.forward(29)
    assert await limits.hit(LIMIT, "a") == 1.0
    clock.forward(1)
    assert await limits.hit(LIMIT, "a") == 0.0
    assert await limits.hit(LIMIT, "a") == 10.0


async def test_a_flood_of_keys_takes_bounded_memory() -> None:
    clock = ManualClock()
    limits = MemoryRateLimits(clock, max_keys=10)
    for number in range(100):
        await limits.hit(LIMIT, str(number))
    assert await limits.remaining(LIMIT, "89") == 3
    assert await limits.remaining(LIMIT, "90") == 2


async def test_keys_are_forgotten_when_nothing_of_them_counts() -> None:
    clock = ManualClock()
    limits = MemoryRateLimits(clock)
    for number in range(100):
        await limits.hit(LIMIT, str(number))
    clock.forward(60)
    await limits.hit(LIMIT, "last")
    assert [list(windows) for windows in limits._windows.values()] == [["last"]]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 40)), max_size=60))
async def test_no_window_ever_holds_more_than_allowed(steps: list[tuple[str, float]]) -> None:
    clock = ManualClock()
    limits = MemoryRateLimits(clock)
    allowed: dict[str, list[float]] = {"a": [], "b": []}
    for key, pause_s in steps:
        clock.forward(pause_s)
        recent = [each for each in allowed[key] if each > clock.now_s - LIMIT.per_s]
        assert await limits.remaining(LIMIT, key) == 3 - len(recent)
        wait_s = await limits.hit(LIMIT, key)
        assert (wait_s == 0.0) == (len(recent) < 3)
        if wait_s == 0.0:
            allowed[key].append(clock.now_s)
        else:
            assert 0 < wait_s <= LIMIT.per_s
