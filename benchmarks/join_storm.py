"""`python -m benchmarks.join_storm`: forty people come in every second for five seconds, into a room of ten publishers.

How long each waited, what it cost the server, and what those saw who were inside: the longest gap between two packets
of a publication by the kernel's clock, and how much of it was not their sender's. The exit code is 1 when somebody did
not get in, something was lost, or a gap of 500 ms was added.
"""

import argparse
import asyncio
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.noise import Noise, percentile
from benchmarks.report import append
from tests.support import process
from tests.support.server import Server
from tests.support.storm_room import storm

_MOST_GAP_MS = 500.0


@dataclass(frozen=True)
class Result:
    """One run, in ms; `*_cpu_s`: seconds of CPU for the whole of it, the ten and the watchers included."""

    joiners: int
    per_s: float
    inside: int
    late_p99_ms: float
    snapshot_p50_ms: float
    snapshot_p99_ms: float
    connected_p50_ms: float
    connected_p99_ms: float
    media_p50_ms: float
    media_p99_ms: float
    gap_ms: float
    added_gap_ms: float
    way_ms: float
    missing: int
    web_cpu_s: float
    media_cpu_s: float
    wake_noise_ms: float

    @property
    def faults(self) -> list[str]:
        found = []
        if self.inside < self.joiners:
            found.append(f"{self.joiners - self.inside} did not get in")
        if self.missing:
            found.append(f"{self.missing} packets were lost for those inside")
        if self.added_gap_ms > _MOST_GAP_MS:
            found.append(f"a gap of {self.added_gap_ms:.0f} ms was added")
        return found


async def measure(joiners: int, per_s: float) -> Result:
    """One run with a server of its own."""
    async with Server() as server:
        web, media = [server.web_pid()], [server.media_pid()]
        web_s, media_s = process.cpu_s(web), process.cpu_s(media)
        with Noise(server.data_dir) as noise:
            outcome = await storm(server, joiners=joiners, per_s=per_s)
        web_s, media_s = process.cpu_s(web) - web_s, process.cpu_s(media) - media_s
    entered = [each for each in outcome.joined if not each.failure]
    for failure in sorted({each.failure for each in outcome.joined if each.failure}):
        print(failure, file=sys.stderr)
    snapshots, connected, media_ms = (
        [getattr(each, name) for each in entered] or [0.0]
        for name in ("snapshot_ms", "connected_ms", "media_ms")
    )
    return Result(
        joiners,
        per_s,
        len(entered),
        percentile([each.late_ms for each in outcome.joined], 0.99),
        statistics.median(snapshots),
        percentile(snapshots, 0.99),
        statistics.median(connected),
        percentile(connected, 0.99),
        statistics.median(media_ms),
        percentile(media_ms, 0.99),
        outcome.seen.gap_ms,
        outcome.seen.added_gap_ms,
        outcome.seen.way_ms,
        outcome.seen.missing,
        web_s,
        media_s,
        noise.wake_p99_ms,
    )


def main() -> int:
    """Run it, print it, keep it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.join_storm", description=__doc__)
    parser.add_argument("--joiners", type=int, default=200)
    parser.add_argument("--per-s", type=float, default=40.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks.jsonl"))
    arguments = parser.parse_args()
    faults = []
    for _ in range(arguments.repeat):
        result = asyncio.run(measure(arguments.joiners, arguments.per_s))
        append(arguments.out, [json.dumps({"benchmark": "join storm", **asdict(result)})])
        print("  ".join(f"{name} {value:g}" for name, value in asdict(result).items()), flush=True)
        faults += result.faults
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
