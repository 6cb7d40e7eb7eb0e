"""Outboxes: in order, bounded, and nobody waits for a socket that is gone."""

import asyncio

from signaling.realtime.outbox import LAST, MAX_PENDING, Outbox, Outgoing
from signaling.realtime.token_bucket import TokenBucket, TokenBuckets


def item(number: int) -> Outgoing:
    return Outgoing("event", {"number": number})


def make_outbox(overflows: list[str] | None = None) -> Outbox:
    return Outbox("s", lambda: overflows.append("s") if overflows is not None else None)


async def test_order_and_end() -> None:
    outbox = make_outbox()
    for number in range(3):
        outbox.put(item(number))
    outbox.close()
    outbox.put(item(9))
    assert [await outbox.next() for _ in range(4)] == [item(0), item(1), item(2), LAST]


async def test_an_overflow_abandons_it_and_says_so_once() -> None:
    overflows: list[str] = []
    outbox = make_outbox(overflows)
    for number in range(MAX_PENDING + 10):
        outbox.put(item(number))
    assert overflows == ["s"]
    assert outbox.is_closed
    assert not outbox.pending


async def test_drained_waits_for_the_sender() -> None:
    outbox = make_outbox()
    outbox.put(item(0))
    waiting = asyncio.create_task(outbox.drained())
    await outbox.next()
    await asyncio.sleep(0)
    assert not waiting.done()
    outbox.sent()
    await asyncio.wait_for(waiting, 1)
    await asyncio.wait_for(outbox.drained(), 1)


async def test_nobody_waits_for_a_socket_that_is_gone() -> None:
    outbox = make_outbox()
    outbox.put(item(0))
    waiting = asyncio.create_task(outbox.drained())
    await asyncio.sleep(0)
    outbox.abandon()
    await asyncio.wait_for(waiting, 1)


def test_a_bucket_allows_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_buckets_forget_the_oldest_key() -> None:
    buckets = TokenBuckets(rate=0, burst=1, max_keys=2)
    assert [buckets.take(key, 0.0) for key in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]


def test_an_event_is_encoded_once_for_all_who_get_it() -> None:
    event = Outgoing("event", {"text": "好"})
    room, desk = event.packet("/room"), event.packet("/desk")
    assert room.encode() == '42/room,["event",{"text":"\\u597d"}]'
    assert desk.encode() == '42/desk,["event",{"text":"\\u597d"}]'
    assert event.packet("/room") is room
