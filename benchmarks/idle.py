"""What a participant costs who is in the room and does nothing."""

import asyncio
from dataclasses import dataclass

from tests.support import process
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.server import Server


@dataclass(frozen=True)
class IdleCost:
    """Growth of the server's memory for each participant."""

    participants: int
    kb_each: float
    media_kb_each: float

    def __str__(self) -> str:
        return (
            f"idle participant ({self.participants} measured): {self.kb_each:.0f} kB in all processes, "
            f"{self.media_kb_each:.0f} kB of them in the media process"
        )


async def idle_memory(participants: int) -> IdleCost:
    """Memory of the tree with and without them. Ten warm the server up first.

    Each has its socket and a connected transport with the subscriptions of one participant, who is silent.
    """
    async with Server() as server:
        consultation = await asyncio.to_thread(server.create_consultation)
        token = await asyncio.to_thread(server.token, consultation)
        clients: list[RoomClient] = []

        async def join(count: int) -> None:
            for _ in range(count):
                client = RoomClient(server.url, token)
                clients.append(client)
                await client.connect()
                await client.subscribed()

        try:
            sender = RoomClient(server.url, token)
            clients.append(sender)
            await sender.connect()
            await sender.publish([AudioSource(), VideoSource()])
            for source in sender.sources:
                source.stop()
            await join(10)
            await asyncio.sleep(1)
            media = server.media_pid()
            before, media_before = process.rss_bytes(server.tree()), process.rss_bytes([media])
            await join(participants)
            await asyncio.sleep(2)
            after, media_after = process.rss_bytes(server.tree()), process.rss_bytes([media])
        finally:
            await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
    return IdleCost(
        participants,
        (after - before) / participants / 1024,
        (media_after - media_before) / participants / 1024,
    )
