"""Outboxes: in order, bounded, and nobody waits for a socket that is gone."""

import asyncio

from signaling.realtime.outbox import LAST, MAX_PENDING, Outbox, Outgoing
from signaling.realtime.token_bucket import TokenBucket, TokenBuckets


def item(number: int) -> Outgoing:
    return Outgoing("event", {"number": number})


async def test_order_and_end() -> None:
    outbox = Outbox("s")
    for number in range(3):
        outbox.put(item(number))
    outbox.close()
    outbox.put(item(9))
    assert [await outbox.next() for _ in range(4)] == [item(0), item(1), item(2), LAST]


async def test_an_overflow_closes_it() -> None:
    outbox = Outbox("s")
    for number in range(MAX_PENDING + 10):
        outbox.put(item(number))
    assert outbox.overflowed
    assert len(outbox.pending) == 1
    assert await outbox.next() == LAST


async def test_drained_waits_for_the_sender() -> None:
    outbox = Outbox("s")
    outbox.put(item(0))
    waiting = asyncio.create_task(outbox.drained())
    await outbox.next()
    sender = asyncio.create_task(outbox.next())
    await asyncio.wait_for(waiting, 1)
    sender.cancel()


async def test_nobody_waits_for_a_socket_that_is_gone() -> None:
    outbox = Outbox("s")
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
