"""The tap's socket: nothing blocks, order is kept, a reader that hangs is bounded and one that goes is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from conference.net.tap_socket import TapSocket
from conference.sfu.tap_frames import Close, Keyframe, Packet, encode, encode_packet
from tests.support.eventually import eventually
from tests.support.tap_reader import TapReader


class Ends:
    """A tap socket, its reader, and what the socket reports."""

    def __init__(self, limit: int) -> None:
        self.reader = TapReader()
        self.lost = 0
        self.asked: list[int] = []
        self.socket = TapSocket(
            self.reader.path, on_keyframe=self.asked.append, on_lost=self._lose, limit=limit
        )

    def _lose(self) -> None:
        self.lost += 1

    def write(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            self.socket.write(encode_packet(number, 0, bytes(1000)))

    def numbers(self) -> list[int]:
        return [frame.track for frame in self.reader.of(Packet)]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    ends = Ends(limit=2 << 20)
    ends.socket.write(encode(Close(0)))
    await eventually(lambda: ends.reader.frames, every_s=0.005)
    yield ends
    ends.socket.abort()
    ends.reader.close()


async def test_nothing_leaves_before_the_wake_up_is_over(ends: Ends) -> None:
    before = ends.socket.sent_bytes
    ends.write(0, 100)
    assert ends.socket.sent_bytes == before
    assert ends.socket.pending == 100 * 1017
    await eventually(lambda: ends.numbers() == list(range(100)), every_s=0.005)
    assert ends.socket.pending == 0


async def test_what_a_hanging_reader_left_comes_in_order_when_it_reads_again(ends: Ends) -> None:
    ends.reader.pause()
    for first in range(0, 1500, 50):
        ends.write(first, 50)
        await asyncio.sleep(0)
    await eventually(lambda: ends.socket.pending < 1500 * 1017, every_s=0.005)
    assert ends.socket.pending > 1 << 20
    ends.reader.resume()
    await eventually(lambda: ends.numbers() == list(range(1500)))
    assert ends.socket.pending == 0
    assert ends.lost == 0


async def test_more_than_the_limit_ends_it_once(ends: Ends) -> None:
    ends.reader.pause()
    ends.write(0, 3000)
    ends.write(0, 10)
    assert ends.lost == 0, "not from within a packet's path"
    await eventually(lambda: ends.lost == 1, every_s=0.005)
    ends.write(0, 10)
    assert ends.socket.pending == 0
    ends.reader.resume()
    await eventually(lambda: ends.reader.ended)
    assert ends.lost == 1


async def test_closing_lets_the_rest_out_first(ends: Ends) -> None:
    ends.reader.pause()
    ends.write(0, 1500)
    ends.socket.close()
    ends.write(5000, 1)
    ends.reader.resume()
    await eventually(lambda: ends.reader.ended_cleanly)
    assert ends.numbers() == list(range(1500))
    ends.socket.close()
    assert ends.lost == 0


async def test_closing_waits_two_seconds_for_a_hanging_reader(ends: Ends) -> None:
    ends.reader.pause()
    ends.write(0, 1500)
    ends.socket.close()
    await eventually(lambda: ends.socket.pending == 0)
    assert ends.lost == 0


async def test_a_reader_that_goes_is_noticed_without_a_write(ends: Ends) -> None:
    ends.reader.close()
    await eventually(lambda: ends.lost == 1, every_s=0.005)
    ends.write(0, 1)


async def test_after_close_nobody_is_told_of_a_reader_that_goes(ends: Ends) -> None:
    ends.reader.pause()
    ends.write(0, 1500)
    ends.socket.close()
    ends.reader.close()
    await eventually(lambda: ends.socket.pending == 0, every_s=0.005)
    assert ends.lost == 0


async def test_keyframes_are_asked_for_and_rubbish_ends_it(ends: Ends) -> None:
    ends.reader.send(encode(Keyframe(3))[:5])
    ends.reader.send(encode(Keyframe(3))[5:] + encode(Keyframe(4)) + encode(Close(1)))
    await eventually(lambda: ends.asked == [3, 4], every_s=0.005)
    ends.reader.send(b"\xff" * 10)
    await eventually(lambda: ends.lost == 1, every_s=0.005)


async def test_nobody_at_the_path() -> None:
    for path in ("/nowhere/at/all", "x" * 200, "with\0zero", ""):
        with pytest.raises(OSError, match=r"."):
            TapSocket(path, on_keyframe=lambda _: None, on_lost=lambda: None)
