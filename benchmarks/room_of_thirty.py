"""`python -m benchmarks.room_of_thirty`: thirty cameras in three layers, and many who watch nine of them each.

Publishers come by WHIP and go on sending all layers whatever is asked of them; viewers are light clients in processes
of their own, each with a socket and a connection that tells when packets came. Says what the media process used of a
core, what was lost and where. Exit code 1 when the server dropped anything.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import Children
from benchmarks.report import append
from benchmarks.room_viewers import cameras_of
from benchmarks.scenario import percentile_ms
from tests.support import process
from tests.support.light_client import AudioSource, SimulcastSource, VideoSource, WhipPublisher
from tests.support.server import Server

_FPS = 30
_LAYERS = (("q", 150_000, (320, 180)), ("h", 500_000, (640, 360)), ("f", 1_200_000, (1280, 720)))
# What becomes of packets that nobody counts on: late ones of a layer that was left, a client's own.
_HARMLESS = {"duplicate", "rtp_from_subscriber"}


@dataclass(frozen=True)
class Load:
    """How many, and how long they are watched."""

    viewers: int
    publishers: int = 30
    tiles: int = 9
    tile_height: int = 180
    talking: int = 0
    processes: int = 1
    seconds: float = 15.0


@dataclass(frozen=True)
class Result:
    """One run; shares are of one core; `padding` and what viewers send are not counted as packets."""

    viewers: int
    publishers: int
    tiles: int
    talking: int
    packets_in_per_s: int
    packets_out_per_s: int
    mbit_out_per_s: float
    feedbacks_per_s: int
    media_core: float
    web_core: float
    load_core: float
    other_core: float
    media_us_per_packet: float
    media_mb: float
    loss_percent: float
    server_drops: int
    server_socket_drops: int
    loop_lag_ms: float
    p50_ms: float
    p99_ms: float
    settled: bool
    faults: tuple[str, ...]


def _source() -> SimulcastSource:
    return SimulcastSource(
        {
            name: VideoSource(
                fps=_FPS, bitrate_bps=rate, transport_cc=True, temporal=(0, 2, 1, 2), picture=picture
            )
            for name, rate, picture in _LAYERS
        }
    )


def _socket_drops(port: int) -> int:
    """Packets that the kernel could not keep for the server's UDP port."""
    found = 0
    for name in ("udp", "udp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port:
                found += int(fields[-1])
    return found


def _drops(server: Server) -> dict[str, float]:
    samples = server.metrics().samples
    return {
        labels["reason"]: value
        for name, labels, value in samples
        if name == "yuanshang_media_drops_total" and labels["reason"] not in _HARMLESS
    }


def _metric(server: Server, name: str) -> float:
    return sum(value for found, _, value in server.metrics().samples if found == name)


async def _publish(server: Server, consultation: str, load: Load, stack: AsyncExitStack) -> None:
    for number in range(load.publishers):
        token = server.token(consultation, "member", f"委员{number}")
        sources: list[SimulcastSource | AudioSource] = [_source()]
        if number < load.talking:
            sources.append(AudioSource())
        publisher = await stack.enter_async_context(WhipPublisher(sources, token=token))
        await publisher.publish(f"{server.url}/whip/{consultation}?label=camera{number}")


async def measure(load: Load) -> Result:
    """One run with a server of its own."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Server())
        consultation = await asyncio.to_thread(server.create_consultation)
        await _publish(server, consultation, load, stack)
        await asyncio.sleep(1)
        cameras = await cameras_of(server, consultation)
        assert len(cameras) == load.publishers, cameras
        children = await Children.start(stack, load.processes, "benchmarks.room_viewers", server.url)
        shares: list[dict[str, Any]] = []
        for n in range(load.processes):
            numbers = range(n, load.viewers, load.processes)
            shares.append(
                {
                    "do": "join",
                    "height": load.tile_height,
                    "tokens": [server.token(consultation, "member", f"观看{each}") for each in numbers],
                    "pictures": [
                        [cameras[(each * load.tiles + k) % len(cameras)] for k in range(load.tiles)]
                        for each in numbers
                    ],
                }
            )
        await children.do(*shares)
        settling = {"do": "settle", "tiles": load.tiles, "seconds": 2.0, "least": 2 * _FPS * 0.9}
        settled = all(await children.do(settling))
        return await _window(server, children, load, settled=settled)


async def _window(server: Server, children: Children, load: Load, *, settled: bool) -> Result:
    media, web, own = [server.media_pid()], [server.web_pid()], [os.getpid(), *children.pids]
    everybody = [media, web, own]
    drops = await asyncio.to_thread(_drops, server)
    received = await asyncio.to_thread(_metric, server, "yuanshang_media_packets_received_total")
    await children.do({"do": "begin"})
    before = await children.do({"do": "count"})
    kernel = _socket_drops(server.media_port)
    began, cpu, machine = (
        time.monotonic(),
        [process.cpu_s(each) for each in everybody],
        process.machine_busy_s(),
    )
    await asyncio.sleep(load.seconds)
    elapsed = time.monotonic() - began
    cpu = [process.cpu_s(each) - was for each, was in zip(everybody, cpu, strict=True)]
    machine = process.machine_busy_s() - machine
    kernel = _socket_drops(server.media_port) - kernel
    after = await children.do({"do": "count"})
    counted = time.monotonic() - began
    received = await asyncio.to_thread(_metric, server, "yuanshang_media_packets_received_total") - received
    lag_s = await asyncio.to_thread(_metric, server, "yuanshang_media_loop_lag_seconds")
    fallen = {
        reason: value - drops.get(reason, 0)
        for reason, value in (await asyncio.to_thread(_drops, server)).items()
        if value > drops.get(reason, 0)
    }
    total = {
        name: sum(each[name] for each in after) - sum(each[name] for each in before)
        for name in ("packets", "expected", "bytes", "feedbacks", "padding", "unreadable", "closed")
    }
    latencies = sorted(value for each in after for value in each["latencies_ns"])
    faults = [f"{reason}: {value:.0f}" for reason, value in fallen.items()]
    if total["closed"] or total["unreadable"]:
        faults.append(f"{total['closed']} closed, {total['unreadable']} packets unreadable")
    media_core = cpu[0] / elapsed
    return Result(
        viewers=load.viewers,
        publishers=load.publishers,
        tiles=load.tiles,
        talking=load.talking,
        packets_in_per_s=round(received / counted),
        packets_out_per_s=round(total["packets"] / counted),
        mbit_out_per_s=round(8 * total["bytes"] / counted / 1e6, 1),
        feedbacks_per_s=round(total["feedbacks"] / counted),
        media_core=round(media_core, 3),
        web_core=round(cpu[1] / elapsed, 3),
        load_core=round(cpu[2] / elapsed, 3),
        other_core=round(max(0.0, machine - sum(cpu)) / elapsed, 3),
        media_us_per_packet=round(1e6 * media_core * counted / total["packets"], 2),
        media_mb=round(process.rss_bytes(media) / 1e6, 1),
        loss_percent=round(100 * max(0, total["expected"] - total["packets"]) / total["expected"], 4),
        server_drops=int(sum(fallen.values())),
        server_socket_drops=kernel,
        loop_lag_ms=round(1e3 * lag_s, 1),
        p50_ms=percentile_ms(latencies, 0.5),
        p99_ms=percentile_ms(latencies, 0.99),
        settled=settled,
        faults=tuple(faults),
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room_of_thirty", description=__doc__)
    parser.add_argument("--viewers", default="100", help="how many, several runs by commas")
    parser.add_argument("--tiles", type=int, default=9)
    parser.add_argument("--talking", type=int, default=0, help="publishers that send sound, too")
    parser.add_argument("--processes", type=int, default=1, help="in which the viewers are")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--out", type=Path, default=Path("build/room_of_thirty.jsonl"))
    return parser.parse_args(arguments)


def main() -> None:
    """Run, print a line each."""
    options = parse()
    is_clean = True
    for viewers in map(int, options.viewers.split(",")):
        load = Load(
            viewers,
            tiles=options.tiles,
            talking=options.talking,
            processes=options.processes,
            seconds=options.seconds,
        )
        result = asyncio.run(measure(load))
        is_clean = is_clean and not result.server_drops and not result.server_socket_drops
        line = json.dumps(asdict(result))
        print(line, flush=True)
        append(options.out, [line])
    raise SystemExit(0 if is_clean else 1)


if __name__ == "__main__":
    main()
