"""What the light client tells of arrivals is what a server reads out of it."""

from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.rtcp import walk
from conference.rtc.transport_cc import TransportCc
from tests.support.light_client.arrivals import TICK_NS, Arrivals, number_of


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), min_size=1, max_size=200),
    st.integers(0, 0xFFFF),
)
def test_every_arrival_is_told_once_at_its_time(steps: list[tuple[int, int]], first: int) -> None:
    arrivals = Arrivals()
    number, at = first, 7_000_000
    came: dict[int, int] = {}
    told: dict[int, int] = {}
    for index, (ahead, ticks) in enumerate(steps):
        number, at = number + 1 + ahead, at + ticks
        came[number & 0xFFFF] = at
        arrivals.note(number & 0xFFFF, at * TICK_NS)
        if index % 20 == 19 or index == len(steps) - 1:
            report = arrivals.build(1, 2)
            assert report is not None
            (packet,) = walk(report)
            assert isinstance(packet, TransportCc)
            for seq, arrived_us in packet.arrivals():
                if arrived_us is not None:
                    assert seq not in told
                    told[seq] = arrived_us // 250
    assert told == came
    assert arrivals.build(1, 2) is None


def test_the_number_is_found_among_other_extensions() -> None:
    head = bytes((0x90, 96)) + bytes(10)
    body = bytes((0x10, 0x41, 0, 0x31, 0x12, 0x34, 0, 0))
    assert number_of(head + b"\xbe\xde\x00\x02" + body, 3) == 0x1234
    assert number_of(head + b"\xbe\xde\x00\x02" + body, 5) is None
    assert number_of(bytes((0x80, 96)) + bytes(10), 3) is None
