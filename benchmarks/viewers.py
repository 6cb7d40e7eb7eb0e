"""How many viewers a livestream carries: `python -m benchmarks.viewers [--quick]`, one JSON line a run.

- 300 viewers of plain segments of a second, 720p at 2.5 Mbit/s, straight from the server
- 2,000 viewers of low latency, 360p, through nginx as deploy/nginx configures it

Server, writer, nginx and viewers share the machine: their cores are told apart. Behind: from the last moment of a
piece (250 ms before it is written) to its arrival at a viewer, who holds 1 s (low latency) or 3 s (plain) of it back.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.live_viewers import Load
from tests.support import process
from tests.support.nginx import Nginx
from tests.support.server import Metrics


@dataclass(frozen=True)
class Run:
    """What is tried. `through`: nginx, or the server itself."""

    viewers: int
    rendition: str
    low_latency: bool
    through: str


RUNS = {
    "plain": Run(300, "720p", low_latency=False, through="server"),
    "low": Run(2_000, "360p", low_latency=True, through="nginx"),
    "low-direct": Run(100, "360p", low_latency=True, through="server"),
    "plain-behind": Run(600, "360p", low_latency=False, through="nginx"),
}


@contextmanager
def origin(ll_limit: int) -> Iterator[tuple[int, int, int]]:
    """Port and process of a server with a livestream, and the process that writes it."""
    with tempfile.TemporaryDirectory(prefix="yuanshang-viewers-") as directory:
        running = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.live_origin", directory, str(ll_limit)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert running.stdout is not None
            port, writer = (int(word) for word in running.stdout.readline().split())
            yield port, running.pid, writer
        finally:
            for pid in reversed(process.tree(running.pid)):
                subprocess.run(["kill", "-KILL", str(pid)], check=False)
            running.wait(10)


def asked(port: int) -> float:
    """Requests that the server has answered for livestreams."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        found = Metrics(answer.read().decode())
    by_route = found.by_label("yuanshang_http_requests_total", "route")
    return sum(count for route, count in by_route.items() if route.startswith("/live/"))


def one(name: str, run: Run, *, join_s: float, seconds: float) -> dict[str, Any]:
    """One run, measured over the whole of it."""
    with origin(1_000 if run.low_latency else 0) as (port, server, writer):
        nginx = Nginx(port, workers=1).start() if run.through == "nginx" else None
        try:
            front = process.tree(nginx.pid) if nginx is not None else []
            groups = {"server": [server], "writer": [writer], "nginx": front}
            before = {group: process.cpu_s(pids) for group, pids in groups.items()}
            asked_before, begin_s, own_s = asked(port), time.monotonic(), time.process_time()
            load = Load(nginx.port if nginx is not None else port)
            tally = load.run(
                run.viewers, run.rendition, low_latency=run.low_latency, join_s=join_s, seconds=seconds
            )
            took_s = time.monotonic() - begin_s
            cores = {group: (process.cpu_s(pids) - before[group]) / took_s for group, pids in groups.items()}
            behind = sorted(tally.behind_s)
            return {
                "run": name,
                "viewers": run.viewers,
                "seconds": round(took_s, 1),
                "pieces": tally.pieces,
                "late": tally.late,
                "latest_ms": round(max(tally.late_s, default=0.0) * 1000),
                "failed": tally.failed,
                "requests_per_s": round(tally.requests / took_s),
                "mbit_per_s": round(tally.bytes * 8 / took_s / 1e6),
                "asked_of_server_per_s": round((asked(port) - asked_before) / took_s, 1),
                "behind_ms_p50": round(behind[len(behind) // 2] * 1000) if behind else None,
                "behind_ms_p99": round(behind[len(behind) * 99 // 100] * 1000) if behind else None,
                "cores": {group: round(share, 2) for group, share in cores.items()}
                | {"viewers": round((time.process_time() - own_s) / took_s, 2)},
            }
        finally:
            if nginx is not None:
                nginx.close()


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewers", description=__doc__)
    parser.add_argument("--runs", default="plain,low", help=f"of {', '.join(RUNS)}")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--join", type=float, default=15.0, help="seconds in which the viewers come")
    parser.add_argument("--viewers", type=int, help="so many instead")
    parser.add_argument("--quick", action="store_true", help="a tenth of the viewers, to see that all works")
    parser.add_argument("--out", type=Path, default=Path("build/viewers.jsonl"))
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))  # two connections a viewer
    for name in [each.strip() for each in options.runs.split(",") if each.strip()]:
        run = RUNS[name]
        count = options.viewers or (run.viewers // 10 if options.quick else run.viewers)
        result = one(
            name,
            Run(count, run.rendition, run.low_latency, run.through),
            join_s=2.0 if options.quick else options.join,
            seconds=8.0 if options.quick else options.seconds,
        )
        line = json.dumps(result)
        print(line, flush=True)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with options.out.open("a") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    main()
