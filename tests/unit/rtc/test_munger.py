"""Rewriting: one continuous stream for the receiver, and every sent number finds its source again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.munger import Munger
from conference.rtc.packet_cache import PacketCache

sequences = st.integers(0, 0xFFFF)
timestamps = st.integers(0, 0xFFFFFFFF)


@given(sequences, timestamps, sequences, timestamps)
def test_the_first_packet_gets_the_wanted_numbers(
    first: int, start: int, sequence: int, timestamp: int
) -> None:
    munger = Munger(first, start)
    munger.rebase(1, sequence, timestamp, now=0.0)
    assert (sequence + munger.sequence_offset) & 0xFFFF == first
    assert (timestamp + munger.timestamp_offset) & 0xFFFFFFFF == start


@given(st.lists(st.tuples(sequences, timestamps, st.integers(1, 500)), min_size=2, max_size=10))
def test_a_new_source_goes_on_where_the_old_one_stopped(sources: list[tuple[int, int, int]]) -> None:
    munger = Munger(65530, 4294967000)
    last_sequence = last_timestamp = None
    now = 0.0
    for source, (sequence, timestamp, count) in enumerate(sources):
        if last_sequence is None or last_timestamp is None:
            munger.rebase(source, sequence, timestamp, now)
        else:
            munger.rebase(source, sequence, timestamp, now, last_sequence, last_timestamp, 3000)
        sent = []
        for i in range(count):
            out = (sequence + i + munger.sequence_offset) & 0xFFFF
            out_time = (timestamp + 3000 * i + munger.timestamp_offset) & 0xFFFFFFFF
            if last_sequence is not None and last_timestamp is not None:
                assert out == (last_sequence + 1) & 0xFFFF
                assert 0 < (out_time - last_timestamp) & 0xFFFFFFFF < 1 << 31
            last_sequence, last_timestamp = out, out_time
            sent.append((out, (sequence + i) & 0xFFFF))
        for out, original in sent:
            assert munger.resolve(out, now) == (source, original)
        now += 0.1


def test_a_number_from_before_a_switch_finds_the_old_source() -> None:
    munger = Munger(100, 0)
    munger.rebase(1, 5000, 0, now=0.0)
    munger.rebase(2, 9000, 0, 1.0, last_sequence=120, last_timestamp=90, elapsed_ticks=10)
    assert munger.resolve(110, 1.1) == (1, 5010)
    assert munger.resolve(121, 1.1) == (2, 9000)
    assert munger.resolve(99, 1.1) is None, "never sent"


def test_a_long_stream_resolves_past_the_wrap() -> None:
    munger = Munger(0, 0)
    munger.rebase(1, 0, 0, now=0.0)
    assert munger.resolve(40000, now=60.0) == (1, 40000)


def test_the_cache_gives_back_only_what_has_the_very_number() -> None:
    cache = PacketCache(16)
    for sequence in range(20):
        cache.store(sequence, bytes((0x80, 96)) + sequence.to_bytes(2, "big") + bytes(8))
    assert cache.find(19) is not None
    assert cache.find(3) is None, "overwritten by 19"
    assert cache.find(35) is None, "not there yet"
    cache.clear()
    assert cache.find(19) is None
