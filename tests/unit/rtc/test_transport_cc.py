"""Transport-wide feedback: what was recorded is what the decoder reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import rtcp
from conference.rtc.transport_cc import TransportCc, TransportCcRecorder

REFERENCE_WRAP_US = 2**24 * 64_000


def reports(recorder: TransportCcRecorder) -> list[TransportCc]:
    found = []
    for data in recorder.build(1, 2):
        assert len(data) % 4 == 0
        assert len(data) <= 1200
        (packet,) = rtcp.walk(data)
        assert isinstance(packet, TransportCc)
        found.append(packet)
    return found


def arrivals(recorder: TransportCcRecorder) -> list[tuple[int, int | None]]:
    return [one for packet in reports(recorder) for one in packet.arrivals()]


def test_nothing_recorded_is_nothing_reported() -> None:
    recorder = TransportCcRecorder()
    assert recorder.build(1, 2) == []
    recorder.record(5, 1.0)
    assert arrivals(recorder) == [(5, 1_000_000)]
    assert recorder.build(1, 2) == []


def test_losses_lie_between_arrivals() -> None:
    recorder = TransportCcRecorder()
    for seq, at in ((65534, 10.0), (65535, 10.001), (2, 10.0025), (3, 10.5)):
        recorder.record(seq, at)
    assert arrivals(recorder) == [
        (65534, 10_000_000),
        (65535, 10_001_000),
        (0, None),
        (1, None),
        (2, 10_002_500),
        (3, 10_500_000),
    ]
    recorder.record(6, 11.0)
    assert arrivals(recorder) == [(4, None), (5, None), (6, 11_000_000)]


def test_a_duplicate_keeps_the_first_time() -> None:
    recorder = TransportCcRecorder()
    recorder.record(1, 1.0)
    recorder.record(1, 2.0)
    assert arrivals(recorder) == [(1, 1_000_000)]
    recorder.record(1, 3.0)
    assert arrivals(recorder) == []


def test_reordering_gives_a_negative_delta() -> None:
    recorder = TransportCcRecorder()
    recorder.record(1, 1.0)
    recorder.record(3, 1.010)
    recorder.record(2, 1.020)
    (report,) = reports(recorder)
    assert report.statuses == (1, 1, 2)
    assert report.deltas[2] == -40
    assert list(report.arrivals()) == [(1, 1_000_000), (2, 1_020_000), (3, 1_010_000)]


def test_a_packet_that_was_reported_lost_is_reported_again() -> None:
    recorder = TransportCcRecorder()
    for seq in (1, 3, 4):
        recorder.record(seq, 1.0)
    assert arrivals(recorder)[1] == (2, None)
    recorder.record(2, 1.15)
    recorder.record(5, 1.16)
    assert arrivals(recorder) == [(2, 1_150_000), (3, 1_000_000), (4, 1_000_000), (5, 1_160_000)]
    # Far too late: not worth a report.
    recorder.record(2000, 2.0)
    arrivals(recorder)
    recorder.record(900, 2.0)
    assert arrivals(recorder) == []
    assert recorder.ignored == 1


def test_packets_before_the_first_one() -> None:
    recorder = TransportCcRecorder()
    recorder.record(0, 1.0)
    recorder.record(65535, 1.001)
    assert arrivals(recorder) == [(65535, 1_001_000), (0, 1_000_000)]


def test_a_long_silence_takes_a_new_reference() -> None:
    recorder = TransportCcRecorder()
    recorder.record(1, 1.0)
    recorder.record(2, 100.0)
    recorder.record(3, 100.001)
    first, second = reports(recorder)
    assert (first.feedback_count, second.feedback_count) == (0, 1)
    assert list(first.arrivals()) == [(1, 1_000_000)]
    assert list(second.arrivals()) == [(2, 100_000_000), (3, 100_001_000)]


def test_a_long_loss_is_split_and_keeps_its_reference() -> None:
    recorder = TransportCcRecorder()
    recorder.record(1, 50.0)
    arrivals(recorder)
    recorder.record(1500, 50.1)
    parts = reports(recorder)
    assert [len(one.statuses) for one in parts] == [512, 512, 475]
    assert {one.reference_time for one in parts} == {50_000_000 // 64_000, 50_100_000 // 64_000}


def test_a_jump_begins_anew() -> None:
    recorder = TransportCcRecorder()
    recorder.record(1, 1.0)
    recorder.record(20_000, 1.1)
    assert arrivals(recorder) == [(20_000, 1_100_000)]


def test_feedback_count_and_reference_wrap() -> None:
    recorder = TransportCcRecorder()
    for seq in range(300):
        recorder.record(seq, 2**24 * 0.064 + seq * 0.1)
        (report,) = reports(recorder)
        assert report.feedback_count == seq & 0xFF
        ((_, at),) = report.arrivals()
        assert at == seq * 100_000


def test_memory_is_bounded_when_nobody_builds() -> None:
    recorder = TransportCcRecorder()
    for seq in range(100_000):
        recorder.record(seq & 0xFFFF, seq * 0.001)
    assert len(recorder._arrivals) <= 4096
    found = arrivals(recorder)
    assert found[-1] == (99_999 & 0xFFFF, 99_999_000)
    assert len(found) <= 4096
    for seq in range(100_000, 200_000):
        recorder.record(seq & 0xFFFF, seq * 0.001)
        if seq % 100 == 0:
            recorder.build(1, 2)
    assert len(recorder._arrivals) <= 2200


@given(
    first=st.integers(0, 65535),
    steps=st.lists(
        st.tuples(
            st.integers(1, 3) | st.just(1) | st.integers(1, 900),
            st.integers(0, 100) | st.integers(0, 60_000),  # 250 µs
        ),
        max_size=400,
    ),
    every=st.integers(1, 100),
)
@pytest.mark.parametrize("start_s", [0.0, 1234.5, 2**24 * 0.064 - 1.0])
def test_round_trip(first: int, steps: list[tuple[int, int]], every: int, start_s: float) -> None:
    recorder = TransportCcRecorder()
    seq, tick = first, int(start_s * 4000)
    sent: dict[int, int] = {}
    told: dict[int, int] = {}
    lost: set[int] = set()
    base = first

    def collect() -> None:
        nonlocal base
        for number, at in arrivals(recorder):
            assert number == base & 0xFFFF
            if at is None:
                lost.add(base)
            else:
                told[base] = at
            base += 1

    recorder.record(seq & 0xFFFF, tick / 4000)
    sent[seq] = tick
    for index, (step, wait) in enumerate(steps):
        seq += step
        tick += wait
        sent[seq] = tick
        recorder.record(seq & 0xFFFF, tick / 4000)
        if index % every == 0:
            collect()
    collect()
    assert {number: at % REFERENCE_WRAP_US for number, at in told.items()} == {
        number: at * 250 % REFERENCE_WRAP_US for number, at in sent.items()
    }
    assert lost == set(range(first, seq + 1)) - set(sent)


@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 1000)), max_size=60))
def test_any_numbers_and_times_are_reported_readably(packets: list[tuple[int, float]]) -> None:
    recorder = TransportCcRecorder()
    for index, (seq, at) in enumerate(packets):
        recorder.record(seq, at)
        if index % 7 == 0:
            arrivals(recorder)
    arrivals(recorder)
