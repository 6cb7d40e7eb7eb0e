"""`python -m benchmarks.room_viewers URL`: light viewers of one room in a process of their own.

They connect, show some tiles, count what comes, look into one packet in twenty, and tell when packets came as Chromium
does.
"""

import asyncio
import gc
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.children import obey
from benchmarks.target import SAMPLE
from tests.support.eventually import eventually
from tests.support.light_client import RoomClient
from tests.support.server import Server

FEEDBACK_S = 0.05
LOOK_S = 0.02


class Viewers:
    """The viewers of this process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._viewers: list[RoomClient] = []

    async def join(self, tokens: Sequence[str], pictures: Sequence[Sequence[str]], height: int) -> None:
        """Let one viewer in for each token; it shows these publications' pictures, so many pixels high."""
        gate = asyncio.Semaphore(2)

        async def one(token: str, shown: Sequence[str]) -> None:
            async with gate:
                viewer = RoomClient(self._url, token, sample=SAMPLE, feedback_s=FEEDBACK_S, look_s=LOOK_S)
                await viewer.connect(timeout_s=60)
                items = [
                    {"publication_id": name, "width": height * 16 // 9, "height": height} for name in shown
                ]
                await viewer.request("media.wish", {"items": items}, timeout_s=60)
                await viewer.subscribed(timeout_s=60)
                self._viewers.append(viewer)

        await asyncio.gather(*(one(token, shown) for token, shown in zip(tokens, pictures, strict=True)))

    async def settle(self, tiles: int, seconds: float, least: float) -> bool:
        """Wait until every viewer gets so many pictures: in `seconds` each brings `least` packets; False: they do
        not."""

        async def is_settled() -> bool:
            before = [self._packets(viewer) for viewer in self._viewers]
            await asyncio.sleep(seconds)
            for viewer, packets in zip(self._viewers, before, strict=True):
                now = self._packets(viewer)
                if sum(count - packets.get(ssrc, 0) >= least for ssrc, count in now.items()) < tiles:
                    return False
            return True

        try:
            await eventually(is_settled, timeout_s=60, what="all pictures of all viewers")
        except AssertionError:
            return False
        return True

    @staticmethod
    def _packets(viewer: RoomClient) -> dict[int, int]:
        assert viewer.subscriber is not None
        return {stream.ssrc: stream.packets for stream in viewer.subscriber.media_streams()}

    async def begin(self) -> None:
        """A window begins: no collector of rubbish in it."""
        gc.collect()
        gc.freeze()
        gc.disable()
        for viewer in self._viewers:
            assert viewer.subscriber is not None
            viewer.subscriber.latencies_ns.clear()

    async def count(self) -> dict[str, Any]:
        """What came since the beginning, and how late the packets were that were looked into."""
        peers = [viewer.subscriber for viewer in self._viewers if viewer.subscriber is not None]
        streams = [stream for peer in peers for stream in peer.media_streams()]
        return {
            "packets": sum(stream.packets for stream in streams),
            "expected": sum(stream.expected for stream in streams),
            "bytes": sum(stream.bytes for stream in streams),
            "pictures": len(streams),
            "feedbacks": sum(peer.sent["transport-cc"] for peer in peers),
            "padding": sum(stream.packets for peer in peers for stream in peer.streams.values())
            - sum(stream.packets for stream in streams),
            "unreadable": sum(peer.unprotect_errors for peer in peers),
            "closed": sum(viewer.disconnected for viewer in self._viewers),
            "latencies_ns": [value for peer in peers for value in peer.latencies_ns],
        }


async def cameras_of(server: Server, consultation: str) -> list[str]:
    """What there is to show in a room: its cameras, by publication."""
    looker = RoomClient(server.url, server.token(consultation, "secretariat", "秘书"), receive=False)
    async with looker:
        return [
            publication["id"]
            for person in looker.participants.values()
            for publication in person["publications"]
            if publication["source"] == "camera"
        ]


async def main() -> None:
    """Obey until standard input ends."""
    viewers = Viewers(sys.argv[1])
    await obey({each.__name__: each for each in (viewers.join, viewers.settle, viewers.begin, viewers.count)})


if __name__ == "__main__":
    asyncio.run(main())
