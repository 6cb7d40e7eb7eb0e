"""The feed's socket: so much a wake-up, nothing blocks, and whatever comes ends at worst the feed."""

from __future__ import annotations

import asyncio
import random
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conference.net.feed_socket import FeedSocket
from conference.sfu.feed import FeedError
from conference.sfu.tap_frames import Close, Decoder, Frame, Keyframe, Packet, encode, encode_packet
from tests.support.eventually import eventually


class Ends:
    """A listener, the feed's socket, and what the socket reports."""

    def __init__(self, directory: str) -> None:
        path = str(Path(directory) / "f.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        self.frames: list[Frame] = []
        self.flushes: list[int] = []  # frames that were there at each
        self.lost = 0
        self.refuse: Exception | None = None
        self.feed = FeedSocket(path, on_frame=self._take, flush=self._flush, on_lost=self._lose)
        self.writer, _ = listener.accept()
        listener.close()

    def _take(self, frame: Frame, now: float) -> None:
        assert now > 0
        if self.refuse is not None:
            raise self.refuse
        self.frames.append(frame)

    def _flush(self) -> None:
        self.flushes.append(len(self.frames))

    def _lose(self) -> None:
        self.lost += 1


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    with tempfile.TemporaryDirectory(prefix="feed-") as directory:
        ends = Ends(directory)
        yield ends
        ends.feed.close()
        ends.writer.close()


async def test_frames_come_in_order_a_bounded_number_a_wake_up(ends: Ends) -> None:
    ends.writer.sendall(b"".join(encode_packet(number, 0, bytes(1000)) for number in range(80)))
    await eventually(lambda: len(ends.frames) == 80, every_s=0.005)
    assert [frame.track for frame in ends.frames if isinstance(frame, Packet)] == list(range(80))
    assert len(ends.flushes) >= 3, "others had their turn in between"
    assert ends.flushes[0] < 40


async def test_keyframes_are_asked_for_and_a_writer_that_does_not_read_is_not_waited_for(ends: Ends) -> None:
    ends.feed.ask_keyframe(3)
    assert Decoder().feed(ends.writer.recv(4096)) == [Keyframe(3)]
    for _ in range(100_000):
        ends.feed.ask_keyframe(4)
    ends.writer.sendall(encode(Close(1)))
    await eventually(lambda: ends.frames == [Close(1)], every_s=0.005)
    assert ends.lost == 0
    asked = Decoder().feed(ends.writer.recv(1 << 20))
    assert set(asked) == {Keyframe(4)}


async def test_a_writer_that_goes_is_noticed_once(ends: Ends) -> None:
    ends.writer.close()
    await eventually(lambda: ends.lost == 1, every_s=0.005)
    ends.feed.ask_keyframe(1)
    ends.feed.close()
    assert ends.lost == 1


async def test_after_close_nobody_is_told(ends: Ends) -> None:
    ends.writer.sendall(encode(Close(1)))
    ends.feed.close()
    ends.feed.close()
    ends.writer.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (ends.frames, ends.lost) == ([], 0)


@pytest.mark.parametrize("refusal", [FeedError("no place for it"), RuntimeError("a fault of ours")])
async def test_a_frame_that_is_refused_ends_it_once_and_what_was_taken_leaves(
    ends: Ends, refusal: Exception
) -> None:
    ends.writer.sendall(encode(Close(1)))
    await eventually(lambda: ends.frames, every_s=0.005)
    ends.refuse = refusal
    ends.writer.sendall(encode(Close(2)) * 3)
    await eventually(lambda: ends.lost == 1, every_s=0.005)
    assert len(ends.flushes) == 2
    assert ends.writer.recv(10) == b"", "the writer sees the end"


@pytest.mark.parametrize("seed", range(8))
async def test_rubbish_ends_it_once(ends: Ends, seed: int) -> None:
    chance = random.Random(seed)
    ends.writer.sendall(encode(Close(1)))
    try:
        while ends.lost == 0:
            ends.writer.sendall(chance.randbytes(5000))
            await asyncio.sleep(0)
    except OSError:
        pass  # it is gone while we still write
    await eventually(lambda: ends.lost == 1, every_s=0.005)
    assert ends.frames[0] == Close(1)


async def test_nobody_at_the_path() -> None:
    for path in ("/nowhere/at/all", "x" * 200, "with\0zero", ""):
        with pytest.raises(OSError, match=r"."):
            FeedSocket(path, on_frame=lambda _, __: None, flush=lambda: None, on_lost=lambda: None)
