"""The estimate of a receiver's bandwidth on simulated links: it finds the rate, follows it, and survives loss."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.rtc.bandwidth import MEDIA, RING, Estimator, SendHistory
from conference.rtc.bandwidth.rate import LEAST_BPS, MOST_BPS
from conference.rtc.transport_cc import TransportCc
from tests.support.simulated_link import SimulatedLink, Way, constant

rates = st.floats(math.log(300e3), math.log(20e6)).map(math.exp)
few_packets = st.floats(math.log(300e3), math.log(3e6)).map(math.exp)


def mean(values: list[int]) -> float:
    return sum(values) / len(values)


def all_sane(link: SimulatedLink) -> bool:
    return all(math.isfinite(bps) and LEAST_BPS <= bps <= MOST_BPS for _, bps in link.estimates)


@settings(max_examples=8, deadline=None)
@given(rate=rates, delay_s=st.floats(0.002, 0.1), seed=st.integers(0, 99))
def test_it_finds_the_rate_of_a_constant_link_in_ten_seconds(rate: float, delay_s: float, seed: int) -> None:
    link = SimulatedLink(constant(rate, delay_s=delay_s), seed=seed)
    link.run(14)
    assert 0.7 * rate <= mean(link.between(10, 14)) <= 1.05 * rate
    assert all_sane(link)


@pytest.mark.parametrize("rate", [300e3, 1e6, 20e6])
def test_it_finds_the_rate_from_one_video_to_many(rate: float) -> None:
    link = SimulatedLink(constant(rate))
    link.run(14)
    assert 0.7 * rate <= mean(link.between(10, 14)) <= 1.05 * rate


@settings(max_examples=6, deadline=None)
@given(rate=st.floats(1e6, 6e6), delay_s=st.floats(0.002, 0.08), queue_s=st.floats(0.15, 0.6))
def test_it_backs_off_and_comes_back(rate: float, delay_s: float, queue_s: float) -> None:
    way = Way(rate, delay_s=delay_s, queue_s=queue_s)
    link = SimulatedLink([(0, way), (12, replace(way, rate_bps=rate / 4)), (24, way)])
    link.run(36)
    assert link.first_time(12, lambda bps: bps <= 1.2 * rate / 4) <= 1.5
    assert link.first_time(24, lambda bps: bps >= 0.7 * rate) <= 10
    assert mean(link.between(18, 24)) <= 1.2 * rate / 4
    assert all_sane(link)


@pytest.mark.parametrize("loss", [0.05, 0.15])
@pytest.mark.parametrize("rate", [300e3, 1e6, 3e6])
def test_loss_without_a_queue_takes_no_more_than_half(rate: float, loss: float) -> None:
    link = SimulatedLink(constant(rate, loss=loss))
    link.run(25)
    assert min(link.between(6, 25)) >= 0.5 * rate


def test_a_link_that_drops_instead_of_queueing_is_not_flooded() -> None:
    link = SimulatedLink(constant(1e6, queue_s=0.008))
    link.run(20)
    assert 0.5e6 <= mean(link.between(10, 20)) <= 1.1e6


def test_nothing_arrives_for_ten_seconds() -> None:
    way = Way(3e6)
    link = SimulatedLink([(0, way), (8, replace(way, outage=True)), (18, way)])
    link.run(30)
    assert link.between(12, 18)[-1] <= 100_000
    assert link.first_time(18, lambda bps: bps >= 0.7 * 3e6) <= 5
    assert all_sane(link)


def test_who_is_sent_nothing_from_the_beginning_is_heard_of() -> None:
    link = SimulatedLink(constant(3e6), least_bps=1e6)
    link.run(10)
    assert link.estimates[0][1] < 1e6, "all that there is is too much for the first guess"
    assert link.first_time(0, lambda bps: bps >= 1e6) <= 1.5


def test_who_is_sent_nothing_in_an_outage_is_heard_of_again() -> None:
    way = Way(3e6)
    link = SimulatedLink([(0, way), (8, replace(way, outage=True)), (18, way)], least_bps=150e3)
    link.run(30)
    assert link.between(12, 18)[-1] <= 100_000
    assert link.first_time(18, lambda bps: bps >= 0.7 * 3e6) <= 5


def test_who_is_sent_nothing_behind_a_queue_is_probed_again() -> None:
    way = Way(3e6, queue_s=0.6)
    link = SimulatedLink([(0, way), (8, replace(way, rate_bps=50e3)), (14, way)], least_bps=200e3)
    link.run(26)
    assert min(link.between(8, 14)) < 200e3
    assert link.first_time(14, lambda bps: bps >= 0.7 * 3e6) <= 10


def test_a_longer_way_is_taken_for_a_queue_for_a_moment_only() -> None:
    way = Way(3e6)
    link = SimulatedLink([(0, way), (8, replace(way, delay_s=0.15))])
    link.run(20)
    assert min(link.between(8, 20)) >= 0.4 * 3e6
    assert mean(link.between(14, 20)) >= 0.7 * 3e6


@pytest.mark.parametrize("rate", [300e3, 1e6])
def test_jitter_is_no_queue(rate: float) -> None:
    link = SimulatedLink(constant(rate, jitter_s=0.05, delay_s=0.06))
    link.run(25)
    assert mean(link.between(10, 25)) >= 0.7 * rate


def test_no_probes_when_nobody_wants_more() -> None:
    link = SimulatedLink(constant(3e6), demand_bps=300e3)
    link.run(10)
    assert link.probe_bytes == 0


@settings(max_examples=6, deadline=None)
@given(rate=few_packets, feedback_loss=st.floats(0, 0.3), seed=st.integers(0, 99))
def test_feedback_may_be_lost_doubled_and_overtaken(rate: float, feedback_loss: float, seed: int) -> None:
    def spoil(chance: random.Random, packets: list[bytes]) -> list[bytes]:
        kept = [one for packet in packets for one in [packet] * chance.choice((1, 1, 1, 2))]
        if held and chance.random() < 0.5:
            kept.append(held.pop())
        if kept and chance.random() < 0.1:
            held.append(kept.pop(0))
        return kept

    held: list[bytes] = []
    link = SimulatedLink(constant(rate, feedback_loss=feedback_loss), seed=seed, spoil=spoil)
    link.run(20)
    assert all_sane(link)
    assert 0.4 * rate <= mean(link.between(12, 20)) <= 1.3 * rate


reports = st.builds(
    lambda base, reference, count, statuses, deltas: TransportCc(
        1, 2, base, reference, count, tuple(statuses), tuple(deltas[: sum(1 for one in statuses if one)])
    ),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFF),
    st.integers(0, 0xFF),
    st.lists(st.integers(0, 2), max_size=200),
    st.lists(st.integers(-0x8000, 0x7FFF), min_size=200, max_size=200),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(reports, max_size=30), st.lists(st.floats(0, 3), min_size=30, max_size=30))
def test_whatever_a_receiver_says_the_estimate_stays_one(
    found: list[TransportCc], waits: list[float]
) -> None:
    estimator, now = Estimator(), 5.0
    estimator.probe_for(1e9)
    for feedback, wait_s in zip(found, waits, strict=False):
        now += wait_s
        for _ in range(40):
            estimator.history.add((now, 1000, MEDIA))
        due = estimator.padding_due(now)
        assert -10 <= due < 1e6
        estimator.on_feedback(feedback, now)
        estimator.on_feedback(replace(feedback, base_seq=estimator.history.next - 100 & 0xFFFF), now)
        assert LEAST_BPS <= estimator.estimate_bps <= MOST_BPS
        assert estimator.delivered_bps >= 0


def feedback(base: int, arrived_ms: list[int | None], reference: int = 0, count: int = 0) -> TransportCc:
    """Arrival times in ms from the reference time on."""
    ticks = [None if one is None else one * 4 for one in arrived_ms]
    deltas, last = [], 0
    for tick in ticks:
        if tick is not None:
            deltas.append(tick - last)
            last = tick
    statuses = tuple(0 if one is None else 2 for one in ticks)
    return TransportCc(1, 2, base, reference, count, statuses, tuple(deltas))


def test_a_packet_is_counted_once_and_a_late_one_is_not_lost() -> None:
    history = SendHistory()
    for _ in range(4):
        history.add((10.0, 500, MEDIA))
    first = history.take(feedback(0, [20, None, 22]))
    assert first is not None
    assert (first.received, first.received_bytes, first.lost) == (2, 1000, 1)
    assert history.take(feedback(0, [20, None, 22])) is None
    late = history.take(feedback(1, [40]))
    assert late is not None
    assert (late.received, late.lost) == (1, -1)
    assert not history.is_overdue(10.5, 1.0)
    assert history.is_overdue(12.0, 1.0)


def test_numbers_and_reference_times_come_round() -> None:
    history = SendHistory()
    for _ in range(0x10000 + 3):
        number = history.add((10.0, 500, MEDIA))
    assert number == 2
    before = history.take(feedback(0xFFFF, [0, 10], reference=0xFFFFFF))
    after = history.take(feedback(1, [0, 10], reference=0))
    assert before is not None
    assert after is not None
    assert (before.received, after.received) == (2, 2)
    assert after.last_arrival_s - before.last_arrival_s == pytest.approx(0.064)


def test_what_is_older_than_the_ring_is_unknown() -> None:
    history = SendHistory()
    for _ in range(RING + 10):
        history.add((10.0, 500, MEDIA))
    assert history.take(feedback(0, [0] * 10)) is None
    assert history.take(feedback(RING + 10, [0] * 10)) is None


def test_a_receiver_that_never_answers_is_mute() -> None:
    estimator = Estimator()
    estimator.padding_due(1.0)
    for _ in range(200):
        estimator.history.add((1.0, 500, MEDIA))
    assert not estimator.is_mute(2.0)
    assert estimator.is_mute(5.0)
