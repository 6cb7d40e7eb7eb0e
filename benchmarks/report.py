"""From runs to a table: medians per target and scenario, ratios to Janus of the same run."""

import dataclasses
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.scenario import Result

_MEASURED = (
    "media_us_per_packet",
    "tree_us_per_packet",
    "p50_ms",
    "p99_ms",
    "loss_percent",
    "media_rss_mb",
    "subscribe_ms",
    "other_cpu_percent",
)


def json_line(result: Result) -> str:
    """One run."""
    return json.dumps(dataclasses.asdict(result))


def append(path: Path, lines: Iterable[str]) -> None:
    """To a file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as out:
        out.writelines(line + "\n" for line in lines)


def medians(results: Sequence[Result]) -> dict[str, float]:
    """Of the measured fields."""
    return {name: statistics.median(getattr(result, name) for result in results) for name in _MEASURED}


def table(results: Sequence[Result]) -> str:
    """Markdown: a row for each scenario and target."""
    lines = [
        "| scenario | server | CPU µs/packet (media) | whole tree | p50 ms | p99 ms | loss % | RSS MB | connect ms "
        "| CPU vs Janus | p99 vs Janus |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for scenario in dict.fromkeys(result.scenario for result in results):
        groups: dict[str, list[Result]] = {}
        for result in results:
            if result.scenario == scenario:
                groups.setdefault(result.target, []).append(result)
        janus = next((medians(group) for name, group in groups.items() if name.startswith("janus")), None)
        for name, group in groups.items():
            middle = medians(group)
            low, high = (f(result.media_us_per_packet for result in group) for f in (min, max))
            ratio = latency = ""
            if janus is not None:
                ratio = f"{middle['media_us_per_packet'] / janus['media_us_per_packet']:.2f}"
                latency = f"{middle['p99_ms'] / janus['p99_ms']:.2f}"
            lines.append(
                f"| {scenario} | {name} | {middle['media_us_per_packet']:.1f} ({low:.1f}–{high:.1f}) "
                f"| {middle['tree_us_per_packet']:.1f} | {middle['p50_ms']:.2f} | {middle['p99_ms']:.2f} "
                f"| {middle['loss_percent']:.3f} | {middle['media_rss_mb']:.0f} | {middle['subscribe_ms']:.0f} "
                f"| {ratio} | {latency} |"
            )
    return "\n".join(lines)
