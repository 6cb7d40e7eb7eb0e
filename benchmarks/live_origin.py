"""The server of benchmarks.viewers, without rooms: `DIRECTORY LL_LIMIT`, says its port and the writer's process.

A program of 2.5 Mbit/s is written beside it, in real time, by a process of its own that tells facts as the worker does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from conference.model.permissions import Role
from tests.support.program_writer import PART_MS, REAL, ProgramWriter
from tests.unit.signaling.harness import Signalling, signalling

MADE_AFTER_S = 0.25  # composing, coding and writing hold a part back for so long


async def _serve(directory: Path, ll_limit: int) -> None:
    async with signalling(directory, live_ll_limit=ll_limit) as server:
        await _go_live(server)
        now_ms = (await server.process.broadcasts.view("c")).program_time_ms
        assert now_ms is not None
        feeder = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.live_origin", "write", str(directory / "program" / "c"),
            str(now_ms), str(time.monotonic()),
            stdout=asyncio.subprocess.PIPE, limit=1 << 20,
        )  # fmt: skip
        assert feeder.stdout is not None
        says_port = True
        try:
            while line := await feeder.stdout.readline():
                fact = json.loads(line)
                server.process.stores.take("c", fact)
                if says_port and fact["fact"] == "segment" and fact["number"] >= 4:
                    says_port = False
                    print(urlsplit(server.url).port, feeder.pid, flush=True)
        finally:
            if feeder.returncode is None:
                feeder.kill()
            await feeder.wait()


async def _go_live(server: Signalling) -> None:
    path = f"{server.url}/api/v1/consultations/c"
    headers = {"Authorization": f"Bearer {server.token(Role.SECRETARIAT)}"}
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
        async with session.get(path) as answer:
            revision = (await answer.json())["revision"]
        async with session.patch(path, json={"revision": revision, "is_public": True}):
            pass
        async with session.post(f"{path}/start"):
            pass


def _write(directory: Path, program_time_ms: int, at_s: float) -> None:
    """Parts as they become due, for ever."""
    writer = ProgramWriter(
        directory, lambda fact: print(json.dumps(dict(fact)), flush=True), sizes=REAL, busy=True
    )
    begun_s = time.monotonic()  # coding the material took its time
    writer.begin(program_time_ms + round((begun_s - at_s) * 1000))
    count = 0
    while True:
        count += 1
        due_s = begun_s + count * PART_MS / 1000 + MADE_AFTER_S
        time.sleep(max(0.0, due_s - time.monotonic()))
        writer.parts(1)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        _write(Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    else:
        asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
