"""The jitter buffer: order, waiting, holes, and a numbering that begins anew."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.jitter_buffer import JitterBuffer, Missing, Ordered


def rtp(sequence: int, payload: bytes = b"x", timestamp: int = 0) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, timestamp, 1) + payload


def numbers(items: list[Ordered | Missing]) -> list[int | tuple[int, int]]:
    """Sequence numbers of 16 bits; (first, count) where some are missing."""
    return [
        (one.first & 0xFFFF, one.count) if isinstance(one, Missing) else one.sequence & 0xFFFF
        for one in items
    ]


def test_what_comes_in_order_leaves_at_once() -> None:
    buffer = JitterBuffer()
    for sequence in (65534, 65535, 0, 1):
        buffer.push(rtp(sequence), 0.0)
        assert numbers(buffer.pop(0.0)) == [sequence]
    assert buffer.next_deadline() is None


def test_a_late_packet_is_waited_for() -> None:
    buffer = JitterBuffer(wait_s=0.5)
    buffer.push(rtp(1), 0.0)
    buffer.push(rtp(3), 0.1)
    assert numbers(buffer.pop(0.1)) == [1]
    assert buffer.next_deadline() == 0.6
    buffer.push(rtp(2), 0.5)
    assert numbers(buffer.pop(0.5)) == [2, 3]
    assert buffer.missing == 0


def test_a_hole_is_named_when_its_time_is_over_and_what_comes_then_is_late() -> None:
    buffer = JitterBuffer(wait_s=0.5)
    for sequence in (65533, 1, 2):
        buffer.push(rtp(sequence), 0.1)
    assert numbers(buffer.pop(0.59)) == [65533]
    assert numbers(buffer.pop(0.61)) == [(65534, 3), 1, 2]
    buffer.push(rtp(0), 0.7)
    assert buffer.pop(5.0) == []
    assert (buffer.late, buffer.missing) == (1, 3)


def test_what_is_held_is_bounded() -> None:
    buffer = JitterBuffer(wait_s=100.0, max_packets=10)
    buffer.push(rtp(0), 0.0)
    for sequence in range(2, 13):
        buffer.push(rtp(sequence), 0.0)
    assert numbers(buffer.pop(0.0)) == [0, (1, 1), *range(2, 13)]


def test_duplicates_and_rubbish_are_counted() -> None:
    buffer = JitterBuffer()
    for packet in (rtp(5), rtp(7), rtp(7), b"", b"\x80" * 11, b"\x00" * 20):
        buffer.push(packet, 0.0)
    assert numbers(buffer.pop(0.0)) == [5]
    assert (buffer.duplicates, buffer.malformed) == (1, 3)


def test_a_numbering_that_begins_anew_is_followed_after_the_second_packet() -> None:
    buffer = JitterBuffer()
    for sequence in (100, 102):
        buffer.push(rtp(sequence), 0.0)
    assert numbers(buffer.pop(0.0)) == [100]
    buffer.push(rtp(30000), 0.1)
    assert buffer.pop(0.1) == []
    for sequence in (30001, 30002):
        buffer.push(rtp(sequence), 0.1)
    assert numbers(buffer.pop(0.1)) == [(101, 1), 102, (30001, 0), 30001, 30002]


def test_one_stray_number_changes_nothing() -> None:
    buffer = JitterBuffer()
    for sequence in (100, 30000, 101, 40000, 102):
        buffer.push(rtp(sequence), 0.0)
    assert numbers(buffer.pop(0.0)) == [100, 101, 102]


def test_flush_gives_everything_and_the_next_number_is_taken_as_it_is() -> None:
    buffer = JitterBuffer()
    for sequence in (1, 2, 5):
        buffer.push(rtp(sequence), 0.0)
    assert numbers(buffer.flush()) == [1, 2, (3, 2), 5]
    buffer.push(rtp(4), 0.0)
    assert buffer.pop(9.0) == []
    buffer.push(rtp(20000), 0.0)
    assert numbers(buffer.pop(0.0)) == [20000]


@given(st.integers(0, 0xFFFF), st.lists(st.integers(0, 200), min_size=1, max_size=300))
def test_every_packet_leaves_once_and_in_order(start: int, offsets: list[int]) -> None:
    buffer = JitterBuffer()
    buffer.push(rtp(start), 0.0)
    out = buffer.pop(0.0)
    for i, offset in enumerate(offsets):
        buffer.push(rtp(start + offset), i / 1000)
        out += buffer.pop(i / 1000)
    out += buffer.flush()
    at = None
    for one in out:
        first = one.first if isinstance(one, Missing) else one.sequence
        assert at is None or first == at
        at = first + (one.count if isinstance(one, Missing) else 1)
    got = {one.sequence & 0xFFFF for one in out if isinstance(one, Ordered)}
    assert got == {(start + offset) & 0xFFFF for offset in [0, *offsets]}
