"""`python -m benchmarks.scale_model`: how many proxies a crowd needs, and what is left for the server behind them.

A model, no measurement: what each viewer asks for as web_client does it, times what one such request was measured to
cost (docs/benchmarks.md), over proxies of a given size. `--check` runs 2,000 viewers of the JSON through a real nginx
and says how far the model is off.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.public_json import COMMENTS_S, PAGE_S, measure

_OBJECTS_A_SECOND: Final = 2.0  # of public JSON that change: the page and the newest comments, max-age=1
_BEACONS_A_SECOND: Final = 50.0


@dataclass(frozen=True)
class Costs:
    """Measured on one core of the machine of docs/benchmarks.md, in µs of processor time, bytes and Mbit/s."""

    json_nginx_us: float = 67.0
    json_bytes: float = 1_600.0
    low_latency_nginx_us: float = 210.0  # of one viewer and second: lists, pieces and what they weigh
    plain_nginx_us: float = 150.0
    objects_of_rendition: float = 11.0  # a second, that nginx asks the server for
    server_json_us: float = 520.0
    server_media_us: float = 480.0
    server_post_us: float = 900.0
    tls_us_per_mbit: float = 100.0  # assumed: AES-GCM in hardware, about 10 Gbit/s a core


@dataclass(frozen=True)
class Crowd:
    """`p720`, `p360` and `audio`: shares that watch with picture, with a small one, or listen; the rest reads."""

    viewers: int
    p720: float = 0.2
    p360: float = 0.7
    audio: float = 0.05
    low_latency: bool = False
    posts_per_s: float = 50.0
    authors: int = 5_000  # who wait for what becomes of their comment

    @property
    def watching(self) -> float:
        return self.p720 + self.p360 + self.audio


@dataclass(frozen=True)
class Proxy:
    """One machine with nginx. `used`: how much of it may be used. `parents`: those that ask the server, where the
    others ask them; 0: all ask it."""

    cores: int = 8
    gbit_per_s: float = 10.0
    used: float = 0.6
    parents: int = 0


MBIT: Final = {"p720": 2.65, "p360": 0.79, "audio": 0.11}  # with lists and heads, as measured


@dataclass(frozen=True)
class Need:
    """What comes of it; a second."""

    json_asks: float
    gbit: float
    nginx_cores: float
    proxies: int
    server_asks: float
    server_cores: float
    author_asks: float


def author_wait_s(viewers: int) -> float:
    """How often somebody asks for an own comment that has waited for some minutes, by web_client's own-comments.ts."""
    return 20.0 * min(10.0, max(1.0, viewers / 5_000))


def need(crowd: Crowd, costs: Costs, proxy: Proxy) -> Need:
    """Proxies by processor or network, whichever ends first; each asks the server for everything once."""
    often = 1 / (sum(PAGE_S) / 2)
    rare = 1 / (10 + 0.25)  # who reads
    watching = crowd.viewers * crowd.watching
    json_asks = watching * often + (crowd.viewers - watching) * rare + crowd.viewers / (sum(COMMENTS_S) / 2)
    mbit = crowd.viewers * sum(getattr(crowd, name) * each for name, each in MBIT.items())
    mbit += json_asks * costs.json_bytes * 8 / 1e6
    media_us = costs.low_latency_nginx_us if crowd.low_latency else costs.plain_nginx_us
    cores = (json_asks * costs.json_nginx_us + watching * media_us + mbit * costs.tls_us_per_mbit) / 1e6
    proxies = max(
        1,
        math.ceil(cores / (proxy.cores * proxy.used)),
        math.ceil(mbit / (proxy.gbit_per_s * 1000 * proxy.used)),
    )
    objects = costs.objects_of_rendition if crowd.low_latency else 2.0  # a list and a segment
    asking = min(proxies, proxy.parents or proxies)
    media_asks = asking * 3 * objects
    author_asks = min(crowd.authors, crowd.viewers) / author_wait_s(crowd.viewers)
    shared = asking * _OBJECTS_A_SECOND
    server_us = (
        media_asks * costs.server_media_us
        + (shared + author_asks + _BEACONS_A_SECOND) * costs.server_json_us
        + crowd.posts_per_s
        * 2
        * costs.server_post_us  # who writes for the first time asks for a cookie first
    )
    asks = media_asks + shared + author_asks + _BEACONS_A_SECOND + 2 * crowd.posts_per_s
    return Need(json_asks, mbit / 1000, cores, proxies, asks, server_us / 1e6, author_asks)


def table(costs: Costs, proxy: Proxy) -> str:
    """For several crowds."""
    heads = [
        "viewers",
        "asked by",
        "low latency",
        "posts/s",
        "JSON asks/s",
        "Gbit/s",
        "nginx cores",
        "proxies",
    ]
    heads += ["asks/s of the server", "by authors", "server cores"]
    lines = [f"| {' | '.join(heads)} |", "| ---: | --- | --- |" + " ---: |" * (len(heads) - 3)]
    crowds = [
        Crowd(2_000, posts_per_s=5, authors=300, low_latency=True),
        Crowd(10_000, posts_per_s=20, authors=1_500, low_latency=True),
        Crowd(76_000, posts_per_s=5, low_latency=True),
        Crowd(76_000, posts_per_s=50),
        Crowd(76_000, posts_per_s=500, authors=30_000),
        Crowd(76_000, p720=0.0, p360=0.9, posts_per_s=50),
        Crowd(200_000, posts_per_s=50),
    ]
    tiered = replace(proxy, parents=2)
    rows = [(crowd, proxy) for crowd in crowds]
    rows += [
        (Crowd(76_000, posts_per_s=50), tiered),
        (Crowd(1_000_000, posts_per_s=50, authors=30_000), tiered),
        (Crowd(1_000_000, posts_per_s=500, authors=100_000), tiered),
        (Crowd(1_000_000, p720=0.0, p360=0.9, posts_per_s=500, authors=100_000), tiered),
    ]
    for crowd, behind in rows:
        found = need(crowd, costs, behind)
        sparing = "" if crowd.p720 else ", nobody in 720p"
        asked_by = "two" if behind.parents else "all"
        lines.append(
            f"| {crowd.viewers:,}{sparing} | {asked_by} | {'yes' if crowd.low_latency else 'no'} "
            f"| {crowd.posts_per_s:g} | {found.json_asks:,.0f} | {found.gbit:.1f} | {found.nginx_cores:.1f} "
            f"| {found.proxies} | {found.server_asks:,.0f} | {found.author_asks:,.0f} | {found.server_cores:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or check the model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_model", description=__doc__)
    parser.add_argument("--json-nginx-us", type=float, default=Costs.json_nginx_us)
    parser.add_argument("--cores", type=int, default=Proxy.cores, help="of a proxy")
    parser.add_argument("--gbit", type=float, default=Proxy.gbit_per_s, help="of a proxy's network")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--viewers", type=int, default=2_000, help="of the check")
    options = parser.parse_args()
    costs = Costs(json_nginx_us=options.json_nginx_us)
    if not options.check:
        print(table(costs, Proxy(cores=options.cores, gbit_per_s=options.gbit)))
        return
    real = measure(options.viewers, 15.0, through_nginx=True)
    crowd = Crowd(options.viewers, p720=0.0, p360=1.0, audio=0.0, posts_per_s=0, authors=0)
    found = need(crowd, replace(costs, plain_nginx_us=0.0, tls_us_per_mbit=0.0), Proxy())
    for name, model, measured in (
        ("asks a second", found.json_asks, real["asks_per_s"]),
        ("nginx cores", found.nginx_cores, real["nginx_cores"]),
        ("asks of the server", _OBJECTS_A_SECOND, real["asked_of_server_per_s"]),
    ):
        print(f"{name}: {model:.3g} by the model, {measured:.3g} measured")


if __name__ == "__main__":
    main()
