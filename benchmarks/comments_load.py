"""`python -m benchmarks.comments_load`: a public that writes 500 different comments a second, into a real server.

Filter, groups of near-duplicates, trace and limits are on, the load comes over HTTP from a process of its own, a desk
listens. At the end the server is killed; each comment that was answered with 202 must be in the database, or the exit
code is 1. `--parts`: `sqlite` and `postgres`, the load; `board`, what a server costs that starts with 100,000 comments;
`room`, how late packets of a meeting are beside the load and without it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks.comment_sentences import sentences
from benchmarks.noise import Noise, percentile
from benchmarks.ours import Ours
from benchmarks.report import append
from benchmarks.scenario import Load, Scenario, run
from conference.model.comment import Comment, CommentState, Level
from conference.storage.database import Database, open_engine, sqlite_url
from conference.text.reader import TextReader
from tests.support import process
from tests.support.light_client.plain_socket import LightSocket, connect
from tests.support.postgres_server import postgres_server
from tests.support.server import Server

BOARD: Final = 99_990  # ten below the most that there may be
WANTED_P99_MS, WANTED_DESK_MS, WANTED_RISE_MS, WANTED_READ_S = 300.0, 1_000.0, 1.0, 5.0
_OUT: Final = Path("build/comments_load.jsonl")
_ARGUMENTS: Final = ["--trusted-proxies", "127.0.0.1", "--log-level", "warning"]


class Crowd:
    """The process that writes. Use it with `async with`; `report` when the server is gone or all is said."""

    def __init__(self, url: str, consultation: str, rate: float, seconds: float, seed: int = 1) -> None:
        self._arguments = [url, consultation, f"{rate:g}", f"{seconds:g}", str(seed)]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Crowd:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.comment_crowd", *self._arguments),
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 26,
        )
        assert await self._line() == "ready"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()

    async def report(self) -> dict[str, Any]:
        return dict(json.loads(await self._line()))


# ── the load ────────────────────────────────────────────────────────────────────────────────────


async def load(storage: str, rate: float, seconds: float, where: Path | None) -> dict[str, Any]:
    """One run into SQLite or PostgreSQL."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=where)))
        url, arguments = sqlite_url(directory / "data" / "yuanshang.sqlite3"), list(_ARGUMENTS)
        environment = {}
        if storage == "postgres":
            url = stack.enter_context(postgres_server(durable=True))
            environment["YUANSHANG_DATABASE_URL"] = url
        server = Server(data_dir=directory / "data", arguments=arguments, environment=environment)
        await asyncio.to_thread(server.start)
        stack.callback(server.kill)
        consultation = await asyncio.to_thread(server.create_consultation)
        token = server.token(consultation, "moderator", "审核员")
        desk = await connect(server.url, "/desk", token)
        stack.callback(desk.close)
        web, tree = server.web_pid(), server.tree()
        crowd = await stack.enter_async_context(Crowd(server.url, consultation, rate, seconds + 5))
        with Noise(server.data_dir) as noise:
            cpu_s, busy_s = process.cpu_s([web]), process.machine_busy_s()
            began_s = time.monotonic()
            lists_ms = await _looks(desk, began_s + 0.5 + seconds)
            cpu_s, busy_s = process.cpu_s([web]) - cpu_s, process.machine_busy_s() - busy_s
            passed_s = time.monotonic() - began_s
            rss_mb = process.rss_bytes([web]) / 1e6
            for pid in tree:  # all at once, as by a power cut
                os.kill(pid, signal.SIGKILL)
        said = await crowd.report()
        missing, stored = await _missing(url, consultation, [each for _, each in said["done"]])
        behind_ms = _behind_ms(desk, [each for each, _ in said["done"]])
        return {
            "part": storage,
            "rate": rate,
            "seconds": seconds,
            "answered": len(said["done"]),
            "answered_per_s": round(len(said["done"]) / seconds, 1),
            "others": said["others"],
            "stored": stored,
            "answered_but_missing": missing,
            "p50_ms": percentile(said["latencies_ms"], 0.5),
            "p99_ms": percentile(said["latencies_ms"], 0.99),
            "max_ms": max(said["latencies_ms"]),
            "desk_behind_p50_ms": round(percentile(behind_ms, 0.5)),
            "desk_behind_p99_ms": round(percentile(behind_ms, 0.99)),
            "desk_list_p50_ms": round(percentile(lists_ms, 0.5)),
            "desk_list_p99_ms": round(percentile(lists_ms, 0.99)),
            "web_cores": round(cpu_s / passed_s, 2),
            "machine_cores": round(busy_s / passed_s, 2),
            "rss_mb": round(rss_mb),
            "wake_noise_p99_ms": round(noise.wake_p99_ms, 1),
            "disk_noise_p99_ms": round(noise.sync_p99_ms, 1),
        }


async def _looks(desk: LightSocket, until_s: float) -> list[float]:
    """A moderator looks at the first page of the queue every two seconds; how long each took."""
    taken: list[float] = []
    while (left_s := until_s - time.monotonic()) > 0:
        await asyncio.sleep(min(2.0, left_s))
        if time.monotonic() < until_s:
            taken.append((await desk.ask("comments.list"))[0])
    return taken


def _behind_ms(desk: LightSocket, answered_s: Sequence[float]) -> list[float]:
    """For each comment: from its answer to the first update of the desk that counts it."""
    told: list[tuple[int, float]] = []
    for at_ns, name, body in desk.events():
        if name == "comments.updated":
            told.append((sum(body["counts"]["states"].values()), at_ns / 1e9))
    counted = [count for count, _ in told]
    behind: list[float] = []
    for number, at_s in enumerate(sorted(answered_s), 1):
        place = bisect_left(counted, number)
        if place < len(told):  # else the server was killed before
            behind.append(max(0.0, told[place][1] - at_s) * 1000)
    return behind


async def _missing(url: str, consultation: str, answered: Sequence[str]) -> tuple[int, int]:
    """How many of these are not in the database, and how many are there."""
    database = Database(open_engine(url))
    async with database.reading() as unit:
        there = {each.id async for page in unit.comments.pages(consultation, 100) for each in page}
    await database.close()
    return len(set(answered) - there), len(there)


# ── a board of 100,000 ──────────────────────────────────────────────────────────────────────────


async def board(count: int, where: Path | None) -> dict[str, Any]:
    """A server that starts with so many comments: first look, first comment, memory, and how others fare meanwhile."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=where)))
        server = Server(data_dir=directory / "data", arguments=_ARGUMENTS)
        await asyncio.to_thread(server.start)
        stack.callback(server.kill)
        consultation = await asyncio.to_thread(server.create_consultation)
        await asyncio.to_thread(server.stop)
        await _fill(server.data_dir / "yuanshang.sqlite3", consultation, count)
        await asyncio.to_thread(server.start)
        web = server.web_pid()
        before_mb = process.rss_bytes([web]) / 1e6
        desk = await connect(server.url, "/desk", server.token(consultation, "moderator", "审核员"))
        stack.callback(desk.close)
        cpu_s = process.cpu_s([web])
        async with _pings(desk) as pings_ms:
            other = await connect(server.url, "/desk", server.token(consultation, "moderator", "另一位"))
            stack.callback(other.close)
            read_ms, page = await other.ask("comments.list")
            assert sum(page["counts"]["states"].values()) == count
        cpu_s = process.cpu_s([web]) - cpu_s
        url = f"{server.url}/api/v1/public/consultations/{consultation}/comments"
        async with _pings(desk) as more_pings_ms, aiohttp.ClientSession() as session:
            began_s = time.monotonic()
            async with session.post(url, json={"nickname": "网友", "text": "桥头的栏杆断了一截"}) as response:
                assert response.status == 202, await response.text()
            first_post_s = time.monotonic() - began_s
        pings_ms += more_pings_ms
        after_mb = process.rss_bytes([web]) / 1e6
        lists_ms = [(await desk.ask("comments.list"))[0] for _ in range(5)]
        searches_ms = [(await desk.ask("comments.list", {"search": "路灯"}))[0] for _ in range(3)]
        topics_ms = (await desk.ask("comments.topics"))[0]
        return {
            "part": "board",
            "comments": count,
            "cold_read_s": round(read_ms / 1000, 2),
            "cold_read_cpu_s": round(cpu_s, 2),
            "first_post_s": round(first_post_s, 2),
            "others_meanwhile_p50_ms": round(percentile(pings_ms, 0.5), 1),
            "others_meanwhile_p99_ms": round(percentile(pings_ms, 0.99), 1),
            "others_meanwhile_max_ms": round(max(pings_ms), 1),
            "list_ms": round(statistics.median(lists_ms)),
            "search_ms": round(statistics.median(searches_ms)),
            "topics_ms": round(topics_ms),
            "rss_before_mb": round(before_mb),
            "rss_mb": round(after_mb),
        }


@asynccontextmanager
async def _pings(desk: LightSocket) -> AsyncIterator[list[float]]:
    """A small request twenty times a second while the block runs: how long each took."""
    taken: list[float] = []
    over = asyncio.Event()

    async def ping() -> None:
        while not over.is_set():
            taken.append((await desk.ask("room.sync"))[0])
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        group.create_task(ping())
        try:
            yield taken
        finally:
            over.set()


async def _fill(path: Path, consultation: str, count: int) -> None:
    """Comments as the server would have written them."""
    reader = TextReader()
    judge, grouping = reader.judge(()), reader.grouping()
    made: list[Comment] = []
    wall_ms = time.time_ns() // 1_000_000
    for number, text in enumerate(sentences(count, 3), 1):
        comment_id = f"m_bench{number:011d}"
        verdict = judge.judge(text, "网友", None)
        is_shown = number % 3 == 0
        made.append(
            Comment(
                id=comment_id,
                consultation_id=consultation,
                number=number,
                nickname=f"网友{number % 5000}",
                region=None,
                text=text,
                program_time_ms=None,
                at_wall_ms=wall_ms + number,
                state=CommentState.APPROVED if is_shown else CommentState.PENDING,
                level=Level(verdict.level),
                reasons=verdict.reasons,
                group_id=grouping.add(comment_id, text),
                device_hash=f"{number:064x}",
                key=f"bench-{number:012d}",
                address="x" * 64,
                shown_number=number // 3 if is_shown else None,
            )
        )
    database = Database(open_engine(sqlite_url(path)))
    for first in range(0, count, 1_000):
        async with database.transaction() as unit:
            await unit.comments.add(made[first : first + 1_000])
    await database.checkpoint()
    await database.close()


# ── the room beside it ──────────────────────────────────────────────────────────────────────────

_SCENARIO: Final = Scenario("1x10", subscribers=10)


class _Meeting(Ours):
    """Our server as the benchmark of forwarding starts it, behind a proxy that names addresses."""

    def __init__(self, *, is_loaded: bool) -> None:
        super().__init__()
        self.name = "beside the load" if is_loaded else "without"

    def start(self) -> None:
        self.server = Server(arguments=_ARGUMENTS).start()
        self._consultation = self.server.create_consultation("bench")
        self._token = self.server.token(self._consultation, "chair", "bench")

    def crowd(self, rate: float, seconds: float) -> Crowd:
        """Those who write into it."""
        assert self.server is not None
        return Crowd(self.server.url, self._consultation, rate, seconds)


async def room(rate: float, seconds: float, repeat: int) -> dict[str, Any]:
    """Packets of one to ten others, in turns with and without the load on the same server."""
    found: dict[bool, list[Any]] = {False: [], True: []}
    for _ in range(repeat):
        for is_loaded in (False, True):
            meeting = _Meeting(is_loaded=is_loaded)
            await asyncio.to_thread(meeting.start)
            try:
                async with AsyncExitStack() as stack:
                    if is_loaded:
                        await stack.enter_async_context(meeting.crowd(rate, seconds + 15))
                    found[is_loaded].append(await run(meeting, _SCENARIO, Load(seconds=seconds)))
            finally:
                await asyncio.to_thread(meeting.stop)

    def middle(is_loaded: bool, name: str) -> float:
        return statistics.median(float(getattr(each, name)) for each in found[is_loaded])

    pairs = zip(found[False], found[True], strict=True)
    return {
        "part": "room",
        "rate": rate,
        "seconds": seconds,
        "repeat": repeat,
        **{
            f"{name}{'_loaded' if is_loaded else ''}": middle(is_loaded, name)
            for name in ("p50_ms", "p99_ms", "loss_percent", "media_us_per_packet")
            for is_loaded in (False, True)
        },
        "p99_rise_ms": round(statistics.median(after.p99_ms - before.p99_ms for before, after in pairs), 2),
    }


def faults(result: dict[str, Any]) -> list[str]:
    """What is not as the product promises."""
    found: list[str] = []
    match result["part"]:
        case "sqlite" | "postgres":
            if result["answered_but_missing"]:
                found.append(f"{result['answered_but_missing']} answered comments are not in the database")
            if result["answered_per_s"] < 0.98 * result["rate"]:
                found.append(f"{result['answered_per_s']} a second, not {result['rate']}")
            if result["p99_ms"] >= WANTED_P99_MS:
                found.append(f"p99 {result['p99_ms']} ms")
            if result["desk_behind_p99_ms"] >= WANTED_DESK_MS:
                found.append(f"the desk is {result['desk_behind_p99_ms']} ms behind")
        case "board" if result["cold_read_s"] >= WANTED_READ_S:
            found.append(f"the first look took {result['cold_read_s']} s")
        case "room" if result["p99_rise_ms"] >= WANTED_RISE_MS:
            found.append(f"packets are {result['p99_rise_ms']} ms later at p99")
    return [f"{result['part']}: {each}" for each in found]


def main() -> None:
    """Run the parts; print and keep a line of JSON for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comments_load", description=__doc__)
    parser.add_argument("--parts", default="sqlite,postgres,board,room")
    parser.add_argument("--rate", type=float, default=500.0, help="comments a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--comments", type=int, default=BOARD, help="on the board")
    parser.add_argument("--repeat", type=int, default=3, help="runs of the room, each way")
    parser.add_argument("--where", type=Path, help="folder for the database; /dev/shm leaves the disk out")
    options = parser.parse_args()
    failed: list[str] = []
    for part in options.parts.split(","):
        if part == "board":
            result = asyncio.run(board(options.comments, options.where))
        elif part == "room":
            result = asyncio.run(room(options.rate, min(options.seconds, 20.0), options.repeat))
        else:
            result = asyncio.run(load(part, options.rate, options.seconds, options.where))
        print(json.dumps(result, ensure_ascii=False), flush=True)
        append(_OUT, [json.dumps(result, ensure_ascii=False)])
        failed += faults(result)
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
