"""A thousand joins and leaves: what the server holds returns to where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from conference.storage.database import MAX_CONNECTIONS
from tests.support.eventually import eventually
from tests.support.leaks import Holdings, assert_returns_to
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.server import Server

JOINS = 1000
AT_ONCE = 10
WITH_MEDIA = 5  # every fifth publishes sound and picture and receives the others'

EMPTY = (
    "yuanshang_media_rooms",
    "yuanshang_media_participants",
    "yuanshang_media_publications",
    "yuanshang_media_subscriptions",
    "yuanshang_media_transports",
    "yuanshang_media_addresses",
    "yuanshang_media_ufrags",
    "yuanshang_media_tcp_connections",
)


async def visit(server: Server, token: str, *, with_media: bool) -> None:
    async with RoomClient(server.url, token, receive=with_media) as client:
        if with_media:
            await client.publish(
                [AudioSource(), VideoSource(bitrate_bps=200_000)], names=["microphone", "camera"]
            )
        await client.leave()


async def visits(server: Server, tokens: Sequence[str], count: int) -> None:
    for start in range(0, count, AT_ONCE):
        await asyncio.gather(
            *(
                visit(server, tokens[i % len(tokens)], with_media=i % WITH_MEDIA == 0)
                for i in range(start, start + AT_ONCE)
            )
        )


@pytest.mark.timeout(300)
async def test_a_thousand_joins_and_leaves_leave_nothing_behind(server: Server) -> None:
    consultation = server.create_consultation()
    tokens = [server.token(consultation, "member", f"委员{i}") for i in range(3)]
    await visits(server, tokens, 400)  # pools, caches and heaps reach their size

    async def emptied() -> list[str]:
        metrics = await asyncio.to_thread(server.metrics)
        return [name for name in EMPTY if metrics.value(name) != 0]

    await eventually(emptied, lambda left: not left, timeout_s=20)
    before = Holdings.of(server.pid)
    await visits(server, tokens, JOINS)
    await eventually(emptied, lambda left: not left, timeout_s=20)
    await assert_returns_to(before, server.pid, rss_slack_bytes=24 << 20, connections=MAX_CONNECTIONS)
    status, _ = await asyncio.to_thread(server.get, "/readyz")
    assert status == 200
