"""`python -m benchmarks.signalling`: 300 light clients in one room, signalling only.

How long until a grant of the floor reached all, how long a snapshot takes, what a connected participant costs in
memory, and whether 40 statements a second for 10 s reach everybody once and in the same order: if not, the exit code
is 1. Clients run in processes of their own and note arrivals before they parse anything; the machine's own
lateness stands beside each latency.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import Children
from benchmarks.noise import Noise, percentile
from benchmarks.report import append
from tests.support import process
from tests.support.light_client.plain_socket import LightSocket, connect
from tests.support.server import Server

_PROCESSES = 2
_GRANT_EVERY_S = 0.4


@dataclass(frozen=True)
class Result:
    """One run. Latencies in ms; `noise`: what the machine adds, see benchmarks/noise.py."""

    clients: int
    kb_each: float
    web_kb_each: float
    join_snapshot_p50_ms: float
    join_snapshot_p99_ms: float
    sync_p50_ms: float
    sync_p99_ms: float
    sync_wake_noise_ms: float
    grant_p50_ms: float
    grant_p99_ms: float
    grant_max_ms: float
    grant_wake_noise_ms: float
    grant_disk_noise_ms: float
    grant_disk_noise_max_ms: float
    statements: int
    statement_ack_p50_ms: float
    statement_ack_p99_ms: float
    statement_wake_noise_ms: float
    statement_disk_noise_ms: float
    statement_disk_noise_max_ms: float
    web_us_per_delivery: float
    web_cpu_percent: float
    faults: tuple[str, ...]


def _flat(lists: Sequence[list[float]]) -> list[float]:
    return [value for each in lists for value in each]


async def _granted(desk: LightSocket, crowds: Children, ids: Sequence[str]) -> list[float]:
    """How long each grant took to each client."""
    asked_ns = {}
    for participant_id in ids:
        asked_ns[participant_id] = time.monotonic_ns()
        await desk.ask("floor.grant", {"participant_id": participant_id, "duration_ms": 300_000})
        await asyncio.sleep(_GRANT_EVERY_S)
    latencies = []
    for client in (each for crowd in await crowds.do({"do": "grants"}) for each in crowd):
        latencies += [(client[each] - asked_ns[each]) / 1e6 for each in ids]
    return latencies


async def measure(clients: int, grants: int, rate: int, seconds: int, where: Path | None) -> Result:
    """One run with a server of its own, whose database lies below `where`."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=where)))
        server = await stack.enter_async_context(Server(data_dir=directory / "data"))
        consultation = await asyncio.to_thread(server.create_consultation)

        def token(role: str, name: str) -> str:
            return server.token(consultation, role, name)

        crowds = await Children.start(stack, _PROCESSES, "benchmarks.light_sockets", server.url)
        desk = await connect(server.url, "/desk", token("chair", "主持人"))
        stack.callback(desk.close)
        web, tree = [server.web_pid()], server.tree()
        tokens = [token("member", f"委员{number}") for number in range(clients)]
        warm = clients // 10
        shares = [tokens[n:warm:_PROCESSES] for n in range(_PROCESSES)]
        await crowds.do(*({"do": "join", "tokens": each, "at_once": 4} for each in shares))
        before, web_before = process.rss_bytes(tree), process.rss_bytes(web)
        shares = [tokens[warm + n :: _PROCESSES] for n in range(_PROCESSES)]
        joins = _flat(await crowds.do(*({"do": "join", "tokens": each, "at_once": 4} for each in shares)))
        await asyncio.sleep(2)
        grown, web_grown = process.rss_bytes(tree) - before, process.rss_bytes(web) - web_before

        with Noise(server.data_dir) as sync_noise:
            syncs = _flat(await crowds.do({"do": "sync", "count": 20}))
        snapshot = (await desk.ask("room.sync"))[1]
        ids = [each["id"] for each in snapshot["participants"]]
        with Noise(server.data_dir) as grant_noise:
            granted = await _granted(desk, crowds, ids[:: max(1, len(ids) // grants)][:grants])

        await desk.ask("floor.end")
        count = rate * seconds
        begin_ns = time.monotonic_ns() + 500_000_000
        with Noise(server.data_dir) as statement_noise:
            cpu_s, began_s = process.cpu_s(web), time.monotonic()
            acks = _flat(
                await crowds.do(
                    *(
                        {
                            "do": "write",
                            "first": n * count,
                            "count": count // _PROCESSES,
                            "every_s": _PROCESSES / rate,
                            "begin_ns": begin_ns + n * 1_000_000_000 // rate,
                        }
                        for n in range(_PROCESSES)
                    )
                )
            )
            cpu_s, took_s = process.cpu_s(web) - cpu_s, time.monotonic() - began_s
        final = (await desk.ask("room.sync"))[1]
        await crowds.do({"do": "reach", "version": final["version"]})
        checks = await crowds.do({"do": "check"})
        status, body = await asyncio.to_thread(
            server.get, f"/api/v1/consultations/{consultation}/statements?limit=200", token("chair", "主持人")
        )
        assert status == 200, body
        listed = [each["id"] for each in json.loads(body)["items"]]
        faults = _faults(checks, listed, count, final)
        return Result(
            clients=clients,
            kb_each=grown / (clients - warm) / 1024,
            web_kb_each=web_grown / (clients - warm) / 1024,
            join_snapshot_p50_ms=percentile(joins, 0.5),
            join_snapshot_p99_ms=percentile(joins, 0.99),
            sync_p50_ms=percentile(syncs, 0.5),
            sync_p99_ms=percentile(syncs, 0.99),
            sync_wake_noise_ms=sync_noise.wake_p99_ms,
            grant_p50_ms=percentile(granted, 0.5),
            grant_p99_ms=percentile(granted, 0.99),
            grant_max_ms=max(granted),
            grant_wake_noise_ms=grant_noise.wake_p99_ms,
            grant_disk_noise_ms=grant_noise.sync_p99_ms,
            grant_disk_noise_max_ms=grant_noise.sync_max_ms,
            statements=count,
            statement_ack_p50_ms=percentile(acks, 0.5),
            statement_ack_p99_ms=percentile(acks, 0.99),
            statement_wake_noise_ms=statement_noise.wake_p99_ms,
            statement_disk_noise_ms=statement_noise.sync_p99_ms,
            statement_disk_noise_max_ms=statement_noise.sync_max_ms,
            web_us_per_delivery=cpu_s * 1e6 / (count * (clients + 1)),
            web_cpu_percent=100 * cpu_s / took_s,
            faults=faults,
        )


def _faults(
    checks: Sequence[dict[str, Any]], listed: list[str], count: int, final: dict[str, Any]
) -> tuple[str, ...]:
    """What got lost or out of order."""
    faults = []
    orders = {tuple(order) for each in checks for order in each["orders"]}
    if len(orders) != 1:
        faults.append(f"{len(orders)} different orders of statements")
    for order in orders:
        if len(order) != count or len(set(order)) != count:
            faults.append(f"{len(set(order))} statements of {count} arrived, {len(order)} times")
        if list(order[: len(listed)]) != listed:
            faults.append("the record has another order")
    if final["statement_count"] != count:
        faults.append(f"the record holds {final['statement_count']} statements of {count}")
    faults += [f"{each['holes']} holes in the versions" for each in checks if each["holes"]]
    faults += [f"{each['closed']} connections were closed" for each in checks if each["closed"]]
    return tuple(faults)


_ROWS = (
    ("grant to all, p50", "grant_p50_ms", "ms", ""),
    ("grant to all, p99", "grant_p99_ms", "ms", "300"),
    ("grant to all, worst", "grant_max_ms", "ms", ""),
    ("… the machine woke a process late by, p99", "grant_wake_noise_ms", "ms", ""),
    ("… an empty commit took the disk, p99", "grant_disk_noise_ms", "ms", ""),
    ("… the same, worst", "grant_disk_noise_max_ms", "ms", ""),
    ("snapshot on request, p50", "sync_p50_ms", "ms", "100"),
    ("snapshot on request, p99", "sync_p99_ms", "ms", "100"),
    ("… the machine woke a process late by, p99", "sync_wake_noise_ms", "ms", ""),
    ("snapshot while others join, p50", "join_snapshot_p50_ms", "ms", ""),
    ("snapshot while others join, p99", "join_snapshot_p99_ms", "ms", ""),
    ("memory of a participant, all processes", "kb_each", "kB", "200"),
    ("… web process", "web_kb_each", "kB", ""),
    ("statement, sent to acked, p50", "statement_ack_p50_ms", "ms", ""),
    ("statement, sent to acked, p99", "statement_ack_p99_ms", "ms", ""),
    ("… the machine woke a process late by, p99", "statement_wake_noise_ms", "ms", ""),
    ("… an empty commit took the disk, p99", "statement_disk_noise_ms", "ms", ""),
    ("… the same, worst", "statement_disk_noise_max_ms", "ms", ""),
    ("CPU of the web process per statement delivered", "web_us_per_delivery", "µs", ""),
    ("CPU of the web process at that rate", "web_cpu_percent", "%", ""),
)


def table(results: Sequence[Result]) -> str:
    """Medians of the runs, lowest and highest beside them."""
    lines = ["| | median | lowest to highest | wanted below |", "| --- | --- | --- | --- |"]
    for label, name, unit, limit in _ROWS:
        values = [getattr(each, name) for each in results]
        low, high = min(values), max(values)
        lines.append(
            f"| {label} | {statistics.median(values):.1f} {unit} | {low:.1f} to {high:.1f} | {limit} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Several runs; the medians of what each measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.signalling", description=__doc__)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--grants", type=int, default=30)
    parser.add_argument("--rate", type=int, default=40, help="statements a second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("build/signalling.jsonl"))
    parser.add_argument("--where", type=Path, help="folder for the database; /dev/shm leaves the disk out")
    options = parser.parse_args()
    results = []
    for _ in range(options.repeat):
        result = asyncio.run(
            measure(options.clients, options.grants, options.rate, options.seconds, options.where)
        )
        results.append(result)
        append(options.out, [json.dumps(asdict(result))])
        print(json.dumps(asdict(result)), flush=True)
    print("\n" + table(results))
    faults = [fault for each in results for fault in each.faults]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
