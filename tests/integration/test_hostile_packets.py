"""200,000 mutated real packets against a room in which a meeting goes on: counted and dropped, nobody notices.

Datagrams of a real session are recorded at the socket. Half of the mutants come in there again, from the peers' own
addresses and from strange ones; the other half are plain RTP and RTCP, as a peer that has keys could send them.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conference.media import messages
from conference.media.node import Node
from conference.media.settings import MediaSettings
from conference.net.udp_mux import UdpMux
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, Peer, SessionDescription, VideoSource
from tests.support.light_client.sdp import OfferedTrack
from tests.support.light_client.source import Source, attach

MUTANTS = 200_000
BATCH = 500


class RecordingSocket:
    """The mux's socket, with a copy of what comes in and a way to put more in."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.recorded: list[tuple[bytes, tuple[str, int]]] = []
        self.injected: list[tuple[bytes, tuple[str, int]]] = []

    def recvfrom_into(self, buffer: memoryview) -> tuple[int, tuple[str, int]]:
        if self.injected:
            data, source = self.injected.pop()
            buffer[: len(data)] = data
            return len(data), source
        size, source = self.sock.recvfrom_into(buffer)
        if len(self.recorded) < 20_000:
            self.recorded.append((bytes(buffer[:size]), source))
        return size, source

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(MediaSettings("127.0.0.1", 0), lambda _event: None)
    await node.open()

    async def tick() -> None:
        while True:
            node.tick(time.monotonic())
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    yield node
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    await node.close()


async def connect(node: Node, sources: list[Source]) -> tuple[Peer, Peer]:
    """A publisher and a player of it."""
    for name in ("publisher", "player"):
        assert isinstance(node.handle(messages.Join("room", name, True)), messages.Done)
    publisher, player = Peer(), Peer()
    published = node.handle(
        messages.Publish("room", "publisher", publisher.offer([one.offered for one in sources]), ())
    )
    assert isinstance(published, messages.Published)
    publisher.set_remote(SessionDescription(published.sdp))
    offer = player.offer([OfferedTrack("audio"), OfferedTrack("video", codecs=("VP8",), rtx=True)])
    pulled = node.handle(messages.Pull("room", "player", "publisher", offer))
    assert isinstance(pulled, messages.Description)
    player.set_remote(SessionDescription(pulled.sdp))
    await asyncio.gather(publisher.connect(), player.connect())
    attach(publisher, sources)
    for source, section in zip(sources, SessionDescription(published.sdp).media, strict=True):
        source.start(publisher, section)
    return publisher, player


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One to eight faults: flipped, cut, repeated, inserted, or lengths set to extremes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if not out:
            break
        at = chance.randrange(len(out))
        match chance.randrange(6):
            case 0:
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                out[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del out[at:]
            case 3:
                out[at:at] = out[at : at + chance.randrange(1, 40)]
            case 4:
                out[at : at + 2] = chance.choice((b"\xff\xff", b"\x00\x00", b"\x7f\xff"))
            case 5:
                out[at:at] = chance.randbytes(chance.randrange(1, 20))
    return bytes(out[:1800])


@pytest.mark.timeout(180)
async def test_two_hundred_thousand_mutants_change_nothing_for_the_others(node: Node) -> None:
    chance = random.Random(20261122)
    mux: UdpMux = node.doors.udp[0]
    tap = RecordingSocket(mux.sock)
    mux.sock = tap  # type: ignore[assignment]
    sources: list[Source] = [
        AudioSource(),
        VideoSource(fps=30, bitrate_bps=600_000, rtx=True, transport_cc=True),
    ]
    publisher, player = await connect(node, sources)
    plain: list[tuple[str, bytes]] = []
    room = node.rooms["room"]
    connections = {
        "publisher": room.participants["publisher"].publisher,
        "player": room.participants["player"].subscriber,
    }
    for name, connection in connections.items():
        assert connection is not None
        transport = connection.transport
        for kind in ("on_rtp", "take_rtcp"):
            handler = getattr(transport, kind)

            def keep(
                data: bytes, now: float, *, kind: str = f"{name}.{kind}", handler: Any = handler
            ) -> None:
                if len(plain) < 5000:
                    plain.append((kind, data))
                handler(data, now)

            setattr(transport, kind, keep)
    await eventually(lambda: len([s for s in player.streams.values() if s.packets > 50]) == 2)
    await eventually(
        lambda: {kind for kind, _ in plain} >= {"publisher.on_rtp", "publisher.take_rtcp", "player.take_rtcp"}
    )
    recorded, samples = list(tap.recorded), list(plain)
    by_kind: dict[str, list[bytes]] = {}
    for kind, data in samples:
        by_kind.setdefault(kind, []).append(data)

    count = 0
    while count < MUTANTS:
        for _ in range(BATCH):
            data, address = chance.choice(recorded)
            if chance.random() < 0.3:
                address = (
                    f"127.0.{chance.randrange(256)}.{chance.randrange(1, 255)}",
                    chance.randrange(1, 65536),
                )
            tap.injected.append((mutate(data, chance), address))
        while tap.injected:
            mux._readable()
        for _ in range(BATCH):
            kind = chance.choice(list(by_kind))
            name, _, handler_name = kind.partition(".")
            connection = connections[name]
            assert connection is not None
            getattr(connection.transport, handler_name)(
                mutate(chance.choice(by_kind[kind]), chance), time.monotonic()
            )
        count += 2 * BATCH
        await asyncio.sleep(0)

    # An authenticated peer may spoil its own stream (its mutants carry its SSRC), and only that.
    assert node.counters.drops["failed"] == 0
    assert len(node.directory.by_address) <= 16
    assert len(node.counters.drops) < 40, "reasons are a fixed set"
    for source in sources:
        source.stop()
    await publisher.close()
    await player.close()

    fresh: list[Source] = [AudioSource(), VideoSource()]
    node.handle(messages.Leave("room", "publisher"))
    node.handle(messages.Leave("room", "player"))
    publisher, player = await connect(node, fresh)
    await eventually(lambda: len([s for s in player.streams.values() if s.packets > 50]) == 2)
    for source in fresh:
        source.stop()
    await publisher.close()
    await player.close()


async def test_a_room_that_fails_does_not_stop_the_others() -> None:
    node = Node(MediaSettings("127.0.0.1", 0), lambda _event: None)
    await node.open()
    ticked: list[float] = []

    def fail(_now: float) -> None:
        raise RuntimeError("broken")

    try:
        for room_id, tick in (("one", fail), ("two", ticked.append)):
            node.handle(messages.Join(room_id, "member", True, True))
            node.rooms[room_id].tick = tick  # type: ignore[method-assign,assignment]
        node.tick(1.0)
        node.tick(2.0)
    finally:
        for room_id in ("one", "two"):
            del node.rooms[room_id].tick
        await node.close()
    assert ticked == [1.0, 2.0]
    assert node.counters.drops["tick_failed"] == 2
