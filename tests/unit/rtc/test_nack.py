"""Asking for lost packets and limiting answers, with loss patterns instead of a network."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.nack import NackGenerator, RtxLimiter

RTT = 0.03


def feed(generator: NackGenerator, *seqs: int, now: float = 0.0) -> None:
    for seq in seqs:
        generator.on_packet(seq, now)


def test_in_order_asks_for_nothing() -> None:
    generator = NackGenerator()
    feed(generator, *(seq & 0xFFFF for seq in range(65_000, 67_000)))
    assert generator.due(10.0, RTT) == []
    assert generator.next_deadline() is None
    assert not generator.overflow


def test_reordering_is_waited_for() -> None:
    generator = NackGenerator()
    feed(generator, 1, 2, 5, 3, 4, 6)
    assert generator.due(1.0, RTT) == []
    assert generator.recovered == 2


def test_tries_double_and_end() -> None:
    generator = NackGenerator()
    feed(generator, 1, 3)
    asked = []
    for ms in range(2000):
        if generator.due(ms / 1000, RTT):
            asked.append(ms)
    assert asked == pytest.approx([10, 60, 160, 360], abs=2)
    assert generator.missing == 0
    assert generator.given_up == 1
    assert not generator.overflow


def test_a_long_round_trip_spaces_the_tries() -> None:
    generator = NackGenerator()
    feed(generator, 1, 3)
    asked = [ms for ms in range(3000) if generator.due(ms / 1000, 0.25)]
    assert asked == pytest.approx([10, 260, 510, 760], abs=3)


def test_deadlines_are_enough_to_be_called_at() -> None:
    generator = NackGenerator()
    feed(generator, 1, 3, now=5.0)
    asked = []
    while (deadline := generator.next_deadline()) is not None:
        if generator.due(deadline, RTT):
            asked.append(round(deadline - 5.0, 3))
    assert asked == [0.01, 0.06, 0.16, 0.36]


def test_recovered_packets_are_not_asked_for_again() -> None:
    generator = NackGenerator()
    feed(generator, 65534, 1)
    assert generator.due(0.02, RTT) == [65535, 0]
    generator.on_packet(65535, 0.03, recovered=True)
    assert generator.due(0.5, RTT) == [0]
    generator.on_packet(0, 0.6, recovered=True)
    assert generator.missing == 0


def test_a_gap_too_large_is_an_overflow() -> None:
    generator = NackGenerator()
    feed(generator, 0, 1001)
    assert generator.missing == 1000
    assert not generator.overflow
    feed(generator, 5000)
    assert generator.overflow
    assert generator.missing == 0
    generator.overflow = False
    feed(generator, 5001, 5003)
    assert generator.due(1.0, RTT) == [5002]


def test_only_the_newest_thousand_are_kept() -> None:
    generator = NackGenerator()
    feed(generator, 0, 901, 1802)
    assert generator.missing == 1000
    assert generator.overflow
    assert generator.given_up == 800
    assert generator.due(1.0, RTT)[0] == 801


def test_a_sender_that_begins_anew() -> None:
    generator = NackGenerator()
    feed(generator, 50_000, 50_001, 30_000)
    assert not generator.overflow
    feed(generator, 30_001, 30_002, 30_004)
    assert generator.overflow
    assert generator.due(1.0, RTT) == [30_003]


def test_old_repairs_do_not_look_like_a_new_beginning() -> None:
    generator = NackGenerator()
    feed(generator, 50_000, 50_001)
    for seq in (30_000, 30_001, 30_002):
        generator.on_packet(seq, 0.0, recovered=True)
    feed(generator, 50_002)
    assert not generator.overflow
    fresh = NackGenerator()
    fresh.on_packet(7, 0.0, recovered=True)
    feed(fresh, 100, 101)
    assert fresh.due(1.0, RTT) == []


@given(st.integers(0, 65535), st.integers(0, 2**32), st.integers(1, 30))
def test_everything_lost_once_is_recovered(first: int, seed: int, percent: int) -> None:
    chance = random.Random(seed)
    generator = NackGenerator()
    lost: set[int] = set()
    asked: set[int] = set()
    for index in range(600):
        seq, now = (first + index) & 0xFFFF, index * 0.002
        if 0 < index < 590 and chance.random() * 100 < percent:
            lost.add(seq)
            continue
        generator.on_packet(seq, now)
        for wanted in generator.due(now, RTT):
            asked.add(wanted)
            generator.on_packet(wanted, now, recovered=True)
    for wanted in generator.due(2.0, RTT):
        asked.add(wanted)
        generator.on_packet(wanted, 2.0, recovered=True)
    assert asked == lost
    assert generator.missing == 0
    assert not generator.overflow


@given(st.lists(st.tuples(st.integers(0, 65535), st.booleans()), max_size=200))
def test_any_packets_leave_it_bounded(packets: list[tuple[int, bool]]) -> None:
    generator = NackGenerator()
    for index, (seq, recovered) in enumerate(packets):
        generator.on_packet(seq, index * 0.01, recovered=recovered)
        assert all(0 <= one <= 0xFFFF for one in generator.due(index * 0.01, RTT))
        assert generator.missing <= 1000


# ── Resends ─────────────────────────────────────────────────────────────────────────────────────


def test_a_packet_is_sent_again_four_times_at_most() -> None:
    limiter = RtxLimiter()
    sent = [ms for ms in range(5000) if limiter.allow(7, 1000, ms / 1000)]
    assert sent == pytest.approx([0, 50, 150, 350], abs=3)
    assert limiter.sent == 4
    assert limiter.refused == 4996


def test_a_number_that_came_round_is_a_new_packet() -> None:
    limiter = RtxLimiter()
    assert sum(limiter.allow(7, 100, ms / 1000) for ms in range(1000)) == 4
    assert limiter.allow(7, 100, 20.0)


def test_all_together_take_a_share_of_the_rate() -> None:
    limiter = RtxLimiter(share=0.25)
    limiter.set_media_rate(2_000_000)
    size = sum(1000 * 8 * limiter.allow(index & 0xFFFF, 1000, index * 0.0005) for index in range(20_000))
    burst = 256_000 + 1_000_000
    assert size == pytest.approx(10 * 2_000_000 * 0.25, abs=burst)
    assert len(limiter._history) <= 1024


def test_the_bucket_never_goes_below_a_slow_stream() -> None:
    limiter = RtxLimiter()
    limiter.set_media_rate(0)
    assert sum(limiter.allow(seq, 1000, 0.0) for seq in range(100)) == 32
    assert limiter.allow(200, 1000, 1.0)
