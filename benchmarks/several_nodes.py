"""`python -m benchmarks.several_nodes`: three servers with one Redis and one PostgreSQL, beside one server alone.

What a forwarded packet costs the media processes of three nodes with a room each; of three servers that know nothing of
each other, which keep the machine as busy; and when all three rooms are on one node, whose process then finds more
packets each time it wakes. How much later a grant of the floor is at those whose sockets were led from another node
than at those who came to the room's own. What 3,000 participants cost who do nothing, two thirds of them led. Ratios
count: all sides are run in turn.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import Children
from benchmarks.noise import Noise, percentile
from benchmarks.report import append
from benchmarks.room_viewers import cameras_of
from tests.support import process
from tests.support.eventually import eventually
from tests.support.light_client import Peer, VideoSource, WhipPublisher
from tests.support.light_client.path import towards
from tests.support.light_client.plain_socket import connect
from tests.support.netns import Namespace, Network
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.several_servers import PASSING_ON, places, several_servers

ROOMS = 3
_GRANT_EVERY_S = 0.4


@contextmanager
def _network(count: int, *, wanted: bool) -> Iterator[list[Namespace]]:
    """So many namespaces that we reach by a bridge; none where they are not wanted."""
    with Network() as network:
        made = [network.namespace("abc"[number]) for number in range(count if wanted else 0)]
        if made:
            network.bridge("10.77.0.254", {f"10.77.0.{n}": each for n, each in enumerate(made, 1)})
        yield made


@asynccontextmanager
async def _apart(count: int, namespaces: bool) -> AsyncIterator[list[Server]]:
    """Each with a database of its own, and nothing that they share."""
    with _network(count, wanted=namespaces) as inside, ExitStack() as stack:
        yield [
            stack.enter_context(Server(arguments=["--no-programs", "--no-captions"], **place))
            for place in places(inside, count)
        ]


@asynccontextmanager
async def _nodes(count: int, namespaces: bool) -> AsyncIterator[list[Server]]:
    with (
        tempfile.TemporaryDirectory() as directory,
        RedisServer() as redis,
        postgres_server() as url,
        _network(count, wanted=namespaces) as inside,
    ):
        more = (*PASSING_ON, "--no-programs", "--no-captions")
        shared = redis.socket_url, url, "abc"[:count], more
        async with several_servers(Path(directory), *shared, inside=inside) as servers:
            yield servers


SIDES: dict[str, Callable[[bool], AbstractAsyncContextManager[list[Server]]]] = {
    "three nodes": partial(_nodes, 3),
    "three apart": partial(_apart, 3),
    "one node": partial(_nodes, 1),
}


# ── media ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Forwarding:
    """Rooms of one camera each, on so many nodes."""

    side: str
    packets_out_per_s: int
    us_per_packet: float
    media_core: float
    loss_percent: float


async def forwarding(side: str, viewers: int, seconds: float, namespaces: bool) -> Forwarding:
    """One run. CPU is that of all media processes, by packets that viewers got."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(SIDES[side](namespaces))
        hosts = [servers[number % len(servers)] for number in range(ROOMS)]
        crowds = []
        for number, host in enumerate(hosts):
            cid = await asyncio.to_thread(host.create_consultation, f"第{number}场")
            camera = VideoSource(fps=30, bitrate_bps=1_000_000, transport_cc=True)
            token = host.token(cid, "venue_operator", "会场")
            peer = Peer(bind=towards(host.url))
            publisher = await stack.enter_async_context(WhipPublisher([camera], token=token, peer=peer))
            await publisher.publish(f"{host.url}/whip/{cid}")
            await asyncio.sleep(1)
            cameras = await cameras_of(host, cid)
            crowd = await Children.start(stack, 1, "benchmarks.room_viewers", host.url)
            tokens = [host.token(cid, "member", f"观看{each}") for each in range(viewers)]
            await crowd.do({"do": "join", "tokens": tokens, "pictures": [cameras] * viewers, "height": 720})
            crowds.append(crowd)
        for crowd in crowds:
            assert await crowd.do({"do": "settle", "tiles": 1, "seconds": 2.0, "least": 200.0}) == [True]
        media = [pid for each in servers for pid in each.media_pids()]
        for crowd in crowds:
            await crowd.do({"do": "begin"})
        before = [(await crowd.do({"do": "count"}))[0] for crowd in crowds]
        cpu_s, began_s = process.cpu_s(media), time.monotonic()
        await asyncio.sleep(seconds)
        cpu_s, took_s = process.cpu_s(media) - cpu_s, time.monotonic() - began_s
        after = [(await crowd.do({"do": "count"}))[0] for crowd in crowds]

    def grown(name: str) -> int:
        return sum(int(new[name]) - int(old[name]) for new, old in zip(after, before, strict=True))

    lost = max(0, grown("expected") - grown("packets"))
    return Forwarding(
        side,
        round(grown("packets") / took_s),
        round(1e6 * cpu_s / grown("packets"), 2),
        round(cpu_s / took_s, 3),
        round(100 * lost / grown("expected"), 3),
    )


# ── sockets ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class FanOut:
    """How long grants of the floor took, in ms, to those at the room's own node and to those at the two others."""

    clients: int
    own_p50_ms: float
    own_p99_ms: float
    led_p50_ms: float
    led_p99_ms: float
    wake_noise_ms: float


async def fan_out(clients: int, grants: int, namespaces: bool) -> FanOut:
    """One room on the first of three nodes; a third of its people came to each."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(_nodes(3, namespaces))
        first = servers[0]
        cid = await asyncio.to_thread(first.create_consultation)
        desk = await connect(first.url, "/desk", first.token(cid, "chair", "主持人"))
        stack.callback(desk.close)
        crowds = [await Children.start(stack, 1, "benchmarks.light_sockets", each.url) for each in servers]
        for number, crowd in enumerate(crowds):
            tokens = [first.token(cid, "member", f"委员{number}-{each}") for each in range(clients // 3)]
            await crowd.do({"do": "join", "tokens": tokens, "at_once": 4})
        people: list[str] = []

        async def has_settled() -> bool:
            """Nobody here ever connects media; of each, all are told when the server has waited enough for it."""
            snapshot = (await desk.ask("room.sync"))[1]
            members = [each for each in snapshot["participants"] if each["role"] == "member"]
            people[:] = [each["id"] for each in members]
            return all(each["quality"] == 0 for each in members)

        await eventually(has_settled, timeout_s=90, every_s=1, what="all are known to have no media")
        for crowd in crowds:
            await crowd.do({"do": "reach", "version": (await desk.ask("room.sync"))[1]["version"]})
        asked_ns = {}
        with Noise(first.data_dir) as noise:
            for participant_id in people[:: max(1, len(people) // grants)][:grants]:
                asked_ns[participant_id] = time.monotonic_ns()
                granted = {"participant_id": participant_id, "duration_ms": 300_000}
                await desk.ask("floor.grant", granted)
                await asyncio.sleep(_GRANT_EVERY_S)
        late_ms = []
        for crowd in crowds:
            (learnt,) = await crowd.do({"do": "grants"})
            late_ms.append([(client[each] - at) / 1e6 for client in learnt for each, at in asked_ns.items()])
    own, led = late_ms[0], [*late_ms[1], *late_ms[2]]
    return FanOut(
        clients,
        round(percentile(own, 0.5), 1),
        round(percentile(own, 0.99), 1),
        round(percentile(led, 0.5), 1),
        round(percentile(led, 0.99), 1),
        round(noise.wake_p99_ms, 1),
    )


@dataclass(frozen=True)
class Idle:
    """Participants who do nothing, over three nodes; memory of all processes, CPU of all web processes in cores."""

    clients: int
    rooms: int
    joined_per_s: float
    kb_each: float
    web_core: float
    closed: int


async def idle(clients: int, rooms: int, seconds: float, namespaces: bool) -> Idle:
    """Rooms on all three nodes in turn; of each a third came to each node."""
    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(_nodes(3, namespaces))
        crowds = [await Children.start(stack, 1, "benchmarks.light_sockets", each.url) for each in servers]
        consultations = []
        for number in range(rooms):
            host = servers[number % 3]
            cid = await asyncio.to_thread(host.create_consultation, f"第{number}场")
            opener = await connect(host.url, "/room", host.token(cid, "chair", "主持人"))
            stack.callback(opener.close)
            consultations.append(cid)
        tree = [pid for each in servers for pid in each.tree()]
        before = process.rss_bytes(tree)
        began_s = time.monotonic()

        async def come(number: int, crowd: Children) -> None:
            tokens = [
                servers[0].token(consultations[each % rooms], "member", f"委员{number}-{each}")
                for each in range(clients // 3)
            ]
            await crowd.do({"do": "join", "tokens": tokens, "at_once": 4})

        await asyncio.gather(*(come(number, crowd) for number, crowd in enumerate(crowds)))
        took_s = time.monotonic() - began_s
        await asyncio.sleep(5)
        grown = process.rss_bytes(tree) - before
        web = [each.web_pid() for each in servers]
        cpu_s, began_s = process.cpu_s(web), time.monotonic()
        await asyncio.sleep(seconds)
        core = (process.cpu_s(web) - cpu_s) / (time.monotonic() - began_s)
        checks: list[dict[str, Any]] = [(await crowd.do({"do": "check"}))[0] for crowd in crowds]
    closed = sum(each["closed"] for each in checks)
    return Idle(
        clients, rooms, round(clients / took_s, 1), round(grown / clients / 1024, 1), round(core, 3), closed
    )


# ── all of it ───────────────────────────────────────────────────────────────────────────────────


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.several_nodes", description=__doc__)
    parser.add_argument("--parts", default="media,fanout,idle", help="some of these, by commas")
    parser.add_argument("--repeat", type=int, default=3, help="runs of media on each side, and of fanout")
    parser.add_argument("--viewers", type=int, default=10, help="of each room's camera")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--clients", type=int, default=300, help="in the room of fanout")
    parser.add_argument("--grants", type=int, default=40)
    parser.add_argument("--idle", type=int, default=3000)
    parser.add_argument("--rooms", type=int, default=12, help="of those who are idle")
    parser.add_argument(
        "--namespaces",
        action="store_true",
        help="each server in a network namespace, joined by a bridge (root)",
    )
    parser.add_argument("--out", type=Path, default=Path("build/several_nodes.jsonl"))
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace) -> None:
    """Print a line for each run, and what they say together."""

    def show(result: Forwarding | FanOut | Idle) -> None:
        line = json.dumps({"load": round(os.getloadavg()[0], 1), **asdict(result)})
        print(line, flush=True)
        append(options.out, [line])

    parts = options.parts.split(",")
    if "media" in parts:
        costs: dict[str, list[float]] = {side: [] for side in SIDES}
        for _ in range(options.repeat):
            for side, found in costs.items():
                result = await forwarding(side, options.viewers, options.seconds, options.namespaces)
                found.append(result.us_per_packet)
                show(result)
        spread = median(costs["three nodes"])
        for side in ("three apart", "one node"):
            print(f"three nodes: {spread / median(costs[side]):.3f} of the CPU a packet of {side}")
    if "fanout" in parts:
        runs = []
        for _ in range(options.repeat):
            runs.append(await fan_out(options.clients, options.grants, options.namespaces))
            show(runs[-1])
        print(
            f"led sockets: {median(each.led_p99_ms - each.own_p99_ms for each in runs):.1f} ms later at p99"
        )
    if "idle" in parts:
        show(await idle(options.idle, options.rooms, options.seconds, options.namespaces))


def main() -> None:
    """Run what is asked for."""
    asyncio.run(run(parse()))


if __name__ == "__main__":
    main()
