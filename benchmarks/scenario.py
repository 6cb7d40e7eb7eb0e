"""One run: publishers and subscribers on a target, a quiet window, what it cost and how late packets came."""

import asyncio
import gc
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.target import Publication, Subscriber, Target
from tests.support import process
from tests.support.eventually import eventually
from tests.support.light_client import InboundStream, SimulcastSource, VideoSource
from tests.support.light_client.dtls import ALL_PROFILES, CM_128, GCM_128, GCM_256
from tests.support.light_client.source import attach


@dataclass(frozen=True)
class Scenario:
    """`meeting` N: everybody sends and receives the N - 1 others. Else one sends to `subscribers`."""

    name: str
    subscribers: int = 0
    meeting: int = 0

    @property
    def publishers(self) -> int:
        """How many send."""
        return self.meeting or 1


SCENARIOS = {
    "1x10": Scenario("1x10", subscribers=10),
    "1x30": Scenario("1x30", subscribers=30),
    "1x60": Scenario("1x60", subscribers=60),
    "6x6": Scenario("6x6", meeting=6),
}


PROFILES = {"auto": ALL_PROFILES, "gcm256": (GCM_256,), "gcm128": (GCM_128,), "cm": (CM_128,)}


@dataclass(frozen=True)
class Load:
    """What each publisher sends, and for how long it is measured."""

    seconds: float = 10.0
    warmup_s: float = 2.0
    bitrate_bps: float = 1_500_000
    fps: int = 30
    packet_size: int = 900
    burst: int = 3
    srtp: str = "auto"  # or one of PROFILES: what the clients offer
    quiet_s: float = 0.0  # wait up to so long for a second in which the machine is idle but for us
    # Publishers send three layers with temporal layers and transport-wide numbers; receivers take the largest, and tell
    # every `feedback_s` when their packets came.
    is_all_on: bool = False
    feedback_s: float = 0.05

    def source(self) -> VideoSource | SimulcastSource:
        """What one publisher sends."""
        if not self.is_all_on:
            return VideoSource(
                fps=self.fps, bitrate_bps=self.bitrate_bps, packet_size=self.packet_size, burst=self.burst
            )
        return SimulcastSource(
            {
                name: VideoSource(
                    fps=self.fps,
                    bitrate_bps=bitrate_bps,
                    packet_size=self.packet_size,
                    burst=self.burst,
                    transport_cc=True,
                    temporal=(0, 2, 1, 2),
                    picture=picture,
                )
                for name, bitrate_bps, picture in (
                    ("q", 150_000, (320, 180)),
                    ("h", 500_000, (640, 360)),
                    ("f", self.bitrate_bps, (1280, 720)),
                )
            }
        )


@dataclass(frozen=True)
class Result:
    """Figures of one run. `media` is the forwarding process, `tree` with all that belongs to the server."""

    target: str
    scenario: str
    is_all_on: bool
    seconds: float
    forwarded: int
    packets_per_s: float
    media_us_per_packet: float
    tree_us_per_packet: float
    loss_percent: float
    short_percent: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    latency_samples: int
    media_rss_mb: float
    tree_rss_mb: float
    threads: int
    publish_ms: float
    subscribe_ms: float
    srtp: str
    unprotect_errors: int
    load_cpu_percent: float
    other_cpu_percent: float
    feedbacks_per_s: float


def percentile_ms(sorted_ns: Sequence[int], fraction: float) -> float:
    """Of sorted nanoseconds."""
    if not sorted_ns:
        return float("nan")
    return round(sorted_ns[min(len(sorted_ns) - 1, int(len(sorted_ns) * fraction))] / 1e6, 3)


def _streams(subscribers: Sequence[Subscriber]) -> list[InboundStream]:
    return [stream for subscriber in subscribers for stream in subscriber.peer.media_streams()]


async def run(target: Target, scenario: Scenario, load: Load) -> Result:
    """One run on a target that was just started."""
    session = target.session()
    session.profiles = PROFILES[load.srtp]
    session.feedback_s = load.feedback_s if load.is_all_on else 0.0
    publications: list[Publication] = []
    subscribers: list[Subscriber] = []
    publish_s: list[float] = []
    subscribe_s: list[float] = []
    try:
        for _ in range(scenario.publishers):
            source = load.source()
            begin = time.perf_counter()
            publication = await session.publish(source)
            publish_s.append(time.perf_counter() - begin)
            attach(publication.peer, [source])
            assert publication.peer.remote is not None
            source.start(publication.peer, publication.peer.remote.section("video"))
            publications.append(publication)
        await asyncio.sleep(0.7)
        plan = (
            [[other for other in publications if other is not one] for one in publications]
            if scenario.meeting
            else [publications] * scenario.subscribers
        )
        for feeds in plan:
            begin = time.perf_counter()
            made = await session.subscribe(feeds)
            subscribe_s.append((time.perf_counter() - begin) / len(made))
            subscribers += made
        await asyncio.wait_for(asyncio.gather(*(one.peer.first_rtp.wait() for one in subscribers)), 20)
        if load.is_all_on:
            await _until_largest(publications, subscribers)
        await asyncio.sleep(load.warmup_s)
        await _wait_until_quiet(target, load.quiet_s)
        fan_out = len(publications) - 1 if scenario.meeting else scenario.subscribers
        window = await _measure(target, publications, subscribers, load.seconds, fan_out)
        return Result(
            target=target.name,
            scenario=scenario.name,
            is_all_on=load.is_all_on,
            publish_ms=round(1e3 * statistics.median(publish_s), 1),
            subscribe_ms=round(1e3 * statistics.median(subscribe_s), 1),
            srtp=subscribers[0].peer.srtp_profile,
            **window,
        )
    finally:
        for publication in publications:
            publication.source.stop()
        try:
            await session.close()
        finally:
            peers = [one.peer for one in publications] + [one.peer for one in subscribers]
            await asyncio.gather(*(peer.close() for peer in peers))
            gc.unfreeze()
            gc.enable()


async def _until_largest(publications: Sequence[Publication], subscribers: Sequence[Subscriber]) -> None:
    """Until everybody is sent the largest layer: for two seconds it gets as many packets as that has."""

    async def is_largest() -> bool:
        sent = [one.source.packets for one in publications]
        streams = [(one, sum(stream.packets for stream in one.peer.media_streams())) for one in subscribers]
        await asyncio.sleep(2.0)
        least = min(one.source.packets - before for one, before in zip(publications, sent, strict=True))
        return all(
            sum(stream.packets for stream in one.peer.media_streams()) - before > 0.95 * least
            for one, before in streams
        )

    await eventually(is_largest, timeout_s=60, what="the largest layer for everybody")


async def _wait_until_quiet(target: Target, limit_s: float) -> None:
    """Until others use less than a tenth of a core for a second."""
    ours = [os.getpid(), *target.tree_pids()]
    while limit_s > 0:
        busy_s = process.machine_busy_s() - process.cpu_s(ours)
        await asyncio.sleep(1.0)
        limit_s -= 1.0
        if process.machine_busy_s() - process.cpu_s(ours) - busy_s < 0.1:
            return


async def _measure(
    target: Target,
    publications: Sequence[Publication],
    subscribers: Sequence[Subscriber],
    seconds: float,
    fan_out: int,
) -> dict[str, Any]:  # the fields of Result that come from the window
    media, whole, own = target.media_pids(), target.tree_pids(), [os.getpid()]
    gc.collect()
    gc.freeze()
    gc.disable()
    streams = _streams(subscribers)
    feedbacks = sum(subscriber.peer.sent["transport-cc"] for subscriber in subscribers)
    for subscriber in subscribers:
        subscriber.peer.latencies_ns.clear()
    packets = sum(stream.packets for stream in streams)
    expected = sum(stream.expected for stream in streams)
    sent = sum(publication.source.packets for publication in publications)
    media_s, whole_s, own_s = (process.cpu_s(pids) for pids in (media, whole, own))
    machine_s, begin = process.machine_busy_s(), time.monotonic()
    await asyncio.sleep(seconds)
    elapsed = time.monotonic() - begin
    media_s, whole_s, own_s = (
        process.cpu_s(pids) - before for pids, before in ((media, media_s), (whole, whole_s), (own, own_s))
    )
    machine_s = process.machine_busy_s() - machine_s
    streams = _streams(subscribers)
    packets = sum(stream.packets for stream in streams) - packets
    expected = sum(stream.expected for stream in streams) - expected
    sent = (sum(publication.source.packets for publication in publications) - sent) * fan_out
    latencies = sorted(value for subscriber in subscribers for value in subscriber.peer.latencies_ns)
    return {
        "seconds": round(elapsed, 2),
        "forwarded": packets,
        "packets_per_s": round(packets / elapsed),
        "media_us_per_packet": round(1e6 * media_s / packets, 2),
        "tree_us_per_packet": round(1e6 * whole_s / packets, 2),
        "loss_percent": round(100 * max(0, expected - packets) / expected, 3),
        "short_percent": round(100 * (sent - packets) / sent, 3),
        "p50_ms": percentile_ms(latencies, 0.5),
        "p95_ms": percentile_ms(latencies, 0.95),
        "p99_ms": percentile_ms(latencies, 0.99),
        "latency_samples": len(latencies),
        "media_rss_mb": round(process.rss_bytes(media) / 1e6, 1),
        "tree_rss_mb": round(process.rss_bytes(whole) / 1e6, 1),
        "threads": process.thread_count(media),
        "unprotect_errors": sum(subscriber.peer.unprotect_errors for subscriber in subscribers),
        "feedbacks_per_s": round(
            (sum(subscriber.peer.sent["transport-cc"] for subscriber in subscribers) - feedbacks) / elapsed, 1
        ),
        "load_cpu_percent": round(100 * own_s / elapsed, 1),
        "other_cpu_percent": round(100 * max(0.0, machine_s - whole_s - own_s) / elapsed, 1),
    }
