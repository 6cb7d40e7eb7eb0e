"""A room with people in it, into which many come at once: what happens to both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tests.support.arrivals_inside import Seen, Watch
from tests.support.eventually import eventually
from tests.support.join_storm import Joined, Storm, StormProcess
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.server import Server

PUBLISHERS = 10
WATCHERS = 3
_BEFORE = 20  # packets of each publication that a watcher has before it begins


@dataclass(frozen=True)
class Outcome:
    """How the joiners fared, and what those saw who were inside."""

    joined: Sequence[Joined]
    seen: Seen


async def storm(server: Server, *, joiners: int, per_s: float) -> Outcome:
    """Ten send their pictures and one of them sound, three watch all of it, and so many join at that pace."""
    consultation = await asyncio.to_thread(server.create_consultation)

    def token(name: str) -> str:
        return server.token(consultation, "member", name)

    async with AsyncExitStack() as stack:
        publishers = []
        for number in range(PUBLISHERS):
            client = RoomClient(server.url, token(f"会场{number}"), receive=False)
            publishers.append(await stack.enter_async_context(client))
            camera = VideoSource(fps=15, bitrate_bps=250_000)
            if number == 0:
                await client.publish([AudioSource(level_db=20), camera], names=["microphone", "camera"])
            else:
                await client.publish([camera], names=["camera"])
        watchers = [
            await stack.enter_async_context(RoomClient(server.url, token(f"委员{number}")))
            for number in range(WATCHERS)
        ]
        for watcher in watchers:
            for publisher in publishers:
                await watcher.receives(publisher.participant_id, "camera", packets=_BEFORE)
        tokens = tuple(token(f"来宾{number}") for number in range(joiners))
        process = await stack.enter_async_context(StormProcess(Storm(server.url, tokens, per_s)))
        watch = Watch([await watcher.subscribed() for watcher in watchers])
        joined = await process.run()
        # Whatever was held up is through when more has come of everything.
        for watcher in watchers:
            for publisher in publishers:
                await watcher.receives(publisher.participant_id, "camera", packets=_BEFORE, timeout_s=30)
        seen = watch.end()
        inside = PUBLISHERS + WATCHERS + sum(not each.failure for each in joined)
        await eventually(
            lambda: len(watchers[0].participants) >= inside, timeout_s=30, what="all are seen by those inside"
        )
        return Outcome(joined, seen)
