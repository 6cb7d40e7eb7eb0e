"""Rewriting: one continuous stream for the receiver, and every sent number finds its source again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.munger import Last, Munger
from conference.rtc.packet_cache import PacketCache

sequences = st.integers(0, 0xFFFF)
timestamps = st.integers(0, 0xFFFFFFFF)


@given(sequences, timestamps, sequences, timestamps)
def test_the_first_packet_gets_the_wanted_numbers(
    first: int, start: int, sequence: int, timestamp: int
) -> None:
    munger = Munger[str](first, start)
    stretch = munger.rebase("camera", sequence, timestamp)
    assert (sequence + stretch.sequence_offset) & 0xFFFF == first
    assert (timestamp + stretch.timestamp_offset) & 0xFFFFFFFF == start


@given(
    st.lists(
        st.tuples(sequences, timestamps, st.integers(1, 500), st.integers(0, 0x7FFF), st.integers(0, 255)),
        min_size=2,
        max_size=10,
    )
)
def test_a_new_source_goes_on_where_the_old_one_stopped(
    sources: list[tuple[int, int, int, int, int]],
) -> None:
    munger = Munger[int](65530, 4294967000)
    last: Last | None = None
    for source, (sequence, timestamp, count, picture_id, tl0picidx) in enumerate(sources):
        stretch = munger.rebase(source, sequence, timestamp, last, 3000, (picture_id, tl0picidx))
        sent = []
        for i in range(count):
            out = Last(
                (sequence + i + stretch.sequence_offset) & 0xFFFF,
                (timestamp + 3000 * i + stretch.timestamp_offset) & 0xFFFFFFFF,
                0.0,
                (picture_id + i + stretch.picture_offset) & 0x7FFF,
                (tl0picidx + i + stretch.tl0_offset) & 0xFF,
            )
            if last is not None:
                assert out.sequence == (last.sequence + 1) & 0xFFFF
                assert 0 < (out.timestamp - last.timestamp) & 0xFFFFFFFF < 1 << 31
                assert out.picture_id == (last.picture_id + 1) & 0x7FFF
                assert out.tl0picidx == (last.tl0picidx + 1) & 0xFF
            last = out
            sent.append((out.sequence, (sequence + i) & 0xFFFF))
        assert last is not None
        for number, original in sent:
            found = munger.resolve(number, last.sequence)
            assert found is not None
            assert (found[0].source, found[1]) == (source, original)


def test_a_number_from_before_a_switch_finds_the_old_source() -> None:
    munger = Munger[str](100, 0)
    munger.rebase("old", 5000, 0)
    munger.rebase("new", 9000, 0, Last(120, 90, 1.0), 10)

    def source_of(number: int) -> tuple[str, int] | None:
        found = munger.resolve(number, 130)
        return None if found is None else (found[0].source, found[1])

    assert source_of(110) == ("old", 5010)
    assert source_of(121) == ("new", 9000)
    assert source_of(99) is None, "never sent"
    assert source_of(131) is None, "not sent yet"


@given(st.lists(st.integers(1, 16_000), min_size=1, max_size=30), st.integers(0, 5000))
def test_a_long_stream_resolves_past_the_wrap(seconds: list[int], age: int) -> None:
    munger = Munger[str](0, 0)
    munger.rebase("camera", 0, 0)
    sent = 0
    for packets in seconds:
        sent += packets
        munger.settle(sent & 0xFFFF)
        found = munger.resolve((sent - age) & 0xFFFF, sent & 0xFFFF)
        if age <= sent:
            assert found is not None
            assert found[1] == (sent - age) & 0xFFFF
    switched = munger.rebase("other", 77, 0, Last(sent & 0xFFFF, 0, 0.0))
    found = munger.resolve(sent & 0xFFFF, (sent + 1) & 0xFFFF)
    assert found is not None
    assert found[0].source == "camera"
    found = munger.resolve((sent + 1) & 0xFFFF, (sent + 1) & 0xFFFF)
    assert found == (switched, 77)


def test_the_cache_gives_back_only_what_has_the_very_number() -> None:
    cache = PacketCache(16)
    for sequence in range(20):
        cache.store(sequence, bytes((0x80, 96)) + sequence.to_bytes(2, "big") + bytes(8))
    assert cache.find(19) is not None
    assert cache.find(3) is None, "overwritten by 19"
    assert cache.find(35) is None, "not there yet"
    cache.clear()
    assert cache.find(19) is None


def test_sources_that_are_gone_are_let_go_when_nobody_asks_for_their_packets_any_more() -> None:
    munger = Munger[str](0, 0)
    last: Last | None = None
    for number in range(10):
        stretch = munger.rebase(str(number), 0, 0, last)
        last = Last((stretch.sequence_offset + 99) & 0xFFFF, 0, 0.0)
    assert last is not None
    munger.settle(last.sequence)
    assert munger.resolve(50, last.sequence) == (munger.stretches()[0], 50)
    munger.settle(last.sequence + 2048)
    assert [one.source for one in munger.stretches()] == ["9"]
    found = munger.resolve(last.sequence, last.sequence + 2048)
    assert found is not None
    assert found[1] == 99
    assert munger.resolve(last.sequence - 100, last.sequence + 2048) is None
