"""Reception statistics and NTP time (RFC 3550)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.reception import ReceptionStatistics, middle_bits, ntp_time, round_trip_s, unix_time
from conference.rtc.rtcp import ReportBlock


def run(statistics: ReceptionStatistics, seqs: list[int], start_s: float = 0.0) -> None:
    for index, seq in enumerate(seqs):
        statistics.on_packet(seq & 0xFFFF, index * 960, start_s + index * 0.02, 100)


def test_nothing_received_is_an_empty_block() -> None:
    assert ReceptionStatistics(48000).report_block(7, 1.0) == ReportBlock(7, 0, 0, 0, 0, 0, 0)


def test_loss_and_fraction_since_the_last_report() -> None:
    statistics = ReceptionStatistics(48000)
    run(statistics, [seq for seq in range(100) if seq % 4 != 3 or seq == 99])
    block = statistics.report_block(1, 2.0)
    assert (block.lost, block.fraction_lost, block.highest_seq) == (24, 24 * 256 // 100, 99)
    run(statistics, list(range(100, 200)))
    block = statistics.report_block(1, 4.0)
    assert (block.lost, block.fraction_lost) == (24, 0)


def test_wrap_counts_cycles() -> None:
    statistics = ReceptionStatistics(48000)
    run(statistics, list(range(65_500, 65_600)))
    assert statistics.highest_seq == 0x10000 + 63
    assert statistics.lost == 0
    run(statistics, [65_599 - 70])  # late, from before the wrap
    assert statistics.highest_seq == 0x10000 + 63
    assert statistics.report_block(1, 0.0).lost == -1  # more came than were expected


def test_duplicates_make_loss_negative_but_never_the_fraction() -> None:
    statistics = ReceptionStatistics(48000)
    run(statistics, [1, 1, 1, 2])
    block = statistics.report_block(1, 0.0)
    assert (block.lost, block.fraction_lost) == (-2, 0)


def test_a_stray_is_ignored_and_two_begin_anew() -> None:
    statistics = ReceptionStatistics(48000)
    run(statistics, [*range(10), 30_000, 10])
    assert statistics.highest_seq == 10
    assert statistics.received == 11
    run(statistics, [40_000, 40_001, 40_002])
    assert statistics.highest_seq == 40_002
    assert statistics.lost == 0
    assert statistics.received == 2
    assert statistics.report_block(1, 0.0).fraction_lost == 0


def test_jitter_of_an_even_stream_is_none_and_survives_the_wrap_of_time() -> None:
    statistics = ReceptionStatistics(48000)
    for index in range(500):
        statistics.on_packet(index, (2**32 - 100_000 + index * 960) & 0xFFFFFFFF, 7.0 + index * 0.02, 1)
    assert statistics.jitter <= 1


def test_jitter_follows_appendix_a8() -> None:
    statistics = ReceptionStatistics(8000)
    expected = 0.0
    transit = None
    for index in range(200):
        arrival = index * 0.02 + (0.01 if index % 3 == 0 else 0.0)
        ticks = int(arrival * 8000) - index * 160
        if transit is not None:
            expected += (abs(ticks - transit) - expected) / 16
        transit = ticks
        statistics.on_packet(index, index * 160, arrival, 1)
    assert statistics.jitter == int(expected)
    assert statistics.jitter > 30


def test_packets_of_one_picture_add_no_jitter() -> None:
    statistics = ReceptionStatistics(90000)
    for index in range(300):
        statistics.on_packet(index, index // 10 * 3000, index // 10 / 30 + index % 10 * 0.003, 1)
    assert statistics.jitter <= 1


def test_sender_reports_are_echoed() -> None:
    statistics = ReceptionStatistics(48000)
    run(statistics, [1])
    statistics.on_sender_report(0x1122334455667788, 10.0)
    block = statistics.report_block(1, 10.5)
    assert (block.lsr, block.dlsr) == (0x33445566, 32768)


def test_counts_are_clamped() -> None:
    statistics = ReceptionStatistics(48000)
    statistics.on_packet(0, 0, 0.0, 1)
    for index in range(1, 4000):
        statistics.on_packet(index * 2900 & 0xFFFF, index, 0.0, 1)
    assert statistics.report_block(1, 0.0).lost == 0x7FFFFF
    assert statistics.report_block(1, 1e9).dlsr == 0


def test_ntp_time() -> None:
    assert ntp_time(0.0) == 2_208_988_800 << 32
    assert unix_time(ntp_time(1_764_000_000.25)) == pytest.approx(1_764_000_000.25, abs=1e-6)
    after_the_wrap = 2_100_000_000.0  # 2036
    assert unix_time(ntp_time(after_the_wrap)) == pytest.approx(after_the_wrap, abs=1e-6)
    assert middle_bits(0x1122334455667788) == 0x33445566


def test_round_trips() -> None:
    ours = ntp_time(1000.0)
    report = ReportBlock(1, 0, 0, 0, 0, middle_bits(ours), int(0.5 * 65536))
    assert round_trip_s(report, ntp_time(1000.62)) == pytest.approx(0.12, abs=1e-3)
    assert round_trip_s(report, ntp_time(1000.4999)) == 0.0
    assert round_trip_s(report, ntp_time(900.0)) is None
    assert round_trip_s(ReportBlock(1, 0, 0, 0, 0, 0, 0), ours) is None


@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.floats(0, 1e6)), max_size=100))
def test_any_packets_give_a_block_that_can_be_sent(packets: list[tuple[int, int, float]]) -> None:
    statistics = ReceptionStatistics(90000)
    for seq, rtp_ts, arrival in packets:
        statistics.on_packet(seq, rtp_ts, arrival, 1200)
        block = statistics.report_block(1, arrival)
        assert -0x800000 <= block.lost <= 0x7FFFFF
        assert 0 <= block.fraction_lost <= 255
        assert 0 <= block.jitter <= 0xFFFFFFFF
        assert 0 <= block.highest_seq <= 0xFFFFFFFF
