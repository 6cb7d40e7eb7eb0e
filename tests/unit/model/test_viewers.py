"""Viewers from a sample: the estimate, how few are asked, what forgers achieve, minutes."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator

import pytest

from conference.model.viewers import (
    EVERY_S,
    MOST_A_SECOND,
    WINDOW_S,
    Crowd,
    ViewerMinute,
    place_of,
    rounded,
)

LEARN_S = 5.0  # how often a page reads the share


class Pages:
    """Pages that behave as told: each reads the share now and then, and speaks every period when it is in it."""

    def __init__(self, crowd: Crowd, seed: int = 7, *, pages_of_address: int = 1_000) -> None:
        self.crowd, self.random, self.per_address = crowd, random.Random(seed), pages_of_address
        self.queue: list[tuple[float, int, str, str, float]] = []  # when, tie, id, address, leaves
        self.count, self.now_s, self.asked_s = 0, 0.0, -1.0
        self.heard: list[float] = []
        self.shares: list[tuple[float, float]] = [(0.0, 1.0)]

    def come(self, count: int, over_s: float, stay_s: float = 1e9) -> None:
        for _ in range(count):
            began_s = self.now_s + self.random.random() * over_s
            first_s = began_s + self.random.random() * EVERY_S
            page_id = f"{self.random.getrandbits(128):032x}"
            address = f"a{self.count // self.per_address}"
            self.count += 1
            heapq.heappush(self.queue, (first_s, self.count, page_id, address, began_s + stay_s))

    def share(self, at_s: float) -> float:
        """What a page knows that read it a while ago."""
        known = [share for since_s, share in self.shares if since_s <= at_s - self.random.random() * LEARN_S]
        return known[-1] if known else self.shares[0][1]

    def run(self, until_s: float) -> None:
        while self.queue and self.queue[0][0] < until_s:
            at_s, tie, page_id, address, leaves_s = heapq.heappop(self.queue)
            if at_s >= leaves_s:
                continue
            if place_of(page_id) < self.share(at_s):
                self.heard.append(at_s)
                self.crowd.seen(page_id, address, at_s, round(at_s * 1000))
            if at_s - self.asked_s >= 0.3:
                self.asked_s, share = at_s, self.crowd.beacon(at_s).share
                if share != self.shares[-1][1]:
                    self.shares.append((at_s, share))
            heapq.heappush(self.queue, (at_s + EVERY_S, tie, page_id, address, leaves_s))
        self.now_s = until_s

    def rate(self, from_s: float, to_s: float) -> float:
        """The most that came within one second."""
        return max(
            (
                sum(from_s + n <= at_s < from_s + n + 1 for at_s in self.heard)
                for n in range(int(to_s - from_s))
            ),
            default=0,
        )


def minutes(crowd: Crowd, pages: Pages, until_s: int) -> Iterator[ViewerMinute]:
    for at_s in range(int(pages.now_s) + 5, until_s + 1, 5):
        pages.run(at_s)
        made = crowd.minute(at_s, at_s * 1000)
        if made is not None:
            yield made


@pytest.mark.parametrize("crowd_size", [1, 12, 400])
def test_a_small_crowd_is_counted_one_by_one(crowd_size: int) -> None:
    crowd = Crowd("c", 0.0)
    assert crowd.viewers(0.0) is None
    pages = Pages(crowd)
    pages.come(crowd_size, over_s=10, stay_s=200)
    noted = list(minutes(crowd, pages, 180))
    assert crowd.share == 1.0
    assert crowd.viewers(180.0) == crowd_size
    assert sum(each.arrived for each in noted) == crowd_size
    assert {each.viewers for each in noted} == {crowd_size}
    pages.run(400)
    assert crowd.viewers(400.0) is None, "all are gone"


@pytest.mark.parametrize(("crowd_size", "over_s"), [(3_000, 60), (20_000, 80)])
def test_a_large_crowd_is_a_trickle_and_estimated_well(crowd_size: int, over_s: float) -> None:
    crowd = Crowd("c", 0.0)
    pages = Pages(crowd)
    pages.come(crowd_size, over_s)
    noted = list(minutes(crowd, pages, 420))
    assert pages.rate(0, 420) <= 1.5 * MOST_A_SECOND, "while everybody comes and does not know the share yet"
    assert pages.rate(over_s + EVERY_S, 420) <= MOST_A_SECOND
    estimate = crowd.viewers(420.0)
    assert estimate == pytest.approx(crowd_size, rel=0.15)
    assert sum(each.arrived for each in noted) == pytest.approx(crowd_size, rel=0.15), "and nobody twice"
    assert max(each.viewers for each in noted) == pytest.approx(crowd_size, rel=0.25)
    assert len(crowd._pages) < 5_000


def test_when_the_crowd_goes_more_are_asked_and_nobody_is_new() -> None:
    crowd = Crowd("c", 0.0)
    pages = Pages(crowd)
    pages.come(8_000, over_s=60, stay_s=200)
    pages.come(200, over_s=60)
    noted = list(minutes(crowd, pages, 900))
    assert crowd.share == 1.0
    assert crowd.viewers(900.0) == 200
    assert sum(each.arrived for each in noted) == pytest.approx(8_200, rel=0.15)


def test_a_server_started_anew_among_a_crowd_asks_few_and_counts_nobody_again() -> None:
    crowd = Crowd("c", 0.0, there_before=20_000)
    assert crowd.share <= 1 / 32
    pages = Pages(crowd)
    pages.shares = [(-100.0, crowd.share)]
    pages.come(20_000, over_s=1)
    assert crowd.viewers(5.0) is None, "not all have been heard"
    noted = list(minutes(crowd, pages, 300))
    assert pages.rate(0, 300) <= MOST_A_SECOND
    assert crowd.viewers(300.0) == pytest.approx(20_000, rel=0.15)
    assert sum(each.arrived for each in noted) < 2_500


def test_whoever_forges_signs_at_one_address_does_little() -> None:
    crowd, chance = Crowd("c", 0.0), random.Random(1)
    for number in range(3_000):  # as fast as the door lets one address
        crowd.seen(f"{chance.getrandbits(128):032x}", "forger", number / 30, number)
    assert (crowd.viewers(100.0) or 0) <= 2_000
    assert crowd.share > 1 / 4, "nobody else is asked less for it"
    low = Crowd("c", 0.0, there_before=50_000)
    for number in range(3_000):
        low.seen(f"{0:08x}{chance.getrandbits(96):024x}", "forger", number / 30, number)
    assert (low.viewers(100.0) or 0) <= 100 / low.share
    assert len(low._pages) <= 100


def test_memory_is_bounded_whatever_comes() -> None:
    crowd, chance = Crowd("c", 0.0), random.Random(1)
    for number in range(30_000):
        crowd.seen(f"{chance.getrandbits(128):032x}", f"bot{number}", number / 2000, number)
    assert len(crowd._pages) <= 20_000
    assert sum(crowd._at_address.values()) == len(crowd._pages)
    assert crowd.share < 1 / 16
    crowd.seen(f"{0:032x}", "one", 500.0, 500_000)
    assert len(crowd._pages) == 1


def test_a_minute_is_noted_once_and_those_without_anybody_are_not() -> None:
    crowd = Crowd("c", 0.0)
    assert crowd.minute(0.0, 0) is None
    crowd.seen(f"{7:032x}", "a", 10.0, 70_000)
    assert crowd.minute(15.0, 75_000) is None, "it is not over"
    made = crowd.minute(50.0, 120_000)
    assert made == ViewerMinute("c", 60_000, 1, 1)
    assert crowd.minute(50.0, 120_000) is None
    crowd.seen(f"{7:032x}", "a", 52.0, 122_000)
    assert crowd.minute(55.0, 125_000, unfinished=True) == ViewerMinute("c", 120_000, 1, 0)
    assert crowd.minute(300.0, 400_000) is None
    assert crowd.viewers(52.0 + WINDOW_S) is None


@pytest.mark.parametrize(
    ("viewers", "said"),
    [(1, 1), (99, 99), (100, 100), (104, 100), (995, 1000), (13_570, 14_000), (76_234, 76_000)],
)
def test_numbers_are_said_as_people_say_them(viewers: int, said: int) -> None:
    assert rounded(viewers) == said
