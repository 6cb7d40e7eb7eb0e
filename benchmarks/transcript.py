"""`python -m benchmarks.transcript`: what a transcript of three hours costs at the doors: opening, searching, files.

4,000 segments of some seventy characters, half of them corrected, in a web process of its own event loop here. Exits
with 1 when a bound is missed.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from conference.model.permissions import Role
from conference.model.transcript import TranscriptSegment
from conference.services.rooms import RoomLimits
from tests.support.eventually import eventually
from tests.support.transcripts import keep, said
from tests.unit.signaling.harness import Signalling, signalling

SEGMENTS = 4_000
OPENING_S, FILE_S = 1.0, 10.0
_WORDS = (
    "协商",
    "民主",
    "水利",
    "改造",
    "老旧",
    "小区",
    "停车",
    "资金",
    "问题",
    "委员",
    "建议",
    "教育",
    "医疗",
    "养老",
    "交通",
)
_BEAT_S = 0.005


@dataclass(slots=True)
class Figure:
    """One request: how long it took, what came, and the longest time that nothing else was done."""

    name: str
    seconds: float
    kilobytes: int
    held_s: float
    bound_s: float | None


class Beat:
    """Wakes up all the time; how late it does tells how long the event loop was held."""

    def __init__(self) -> None:
        self.held_s = 0.0

    async def run(self) -> None:
        while True:
            before_s = time.perf_counter()
            await asyncio.sleep(_BEAT_S)
            self.held_s = max(self.held_s, time.perf_counter() - before_s - _BEAT_S)


def segments() -> list[TranscriptSegment]:
    """Thirty-five words each, one of ten behind a pause."""
    chance, made = random.Random(7), list[TranscriptSegment]()
    for number in range(SEGMENTS):
        words = [(chance.choice(_WORDS), 500 if chance.random() < 0.1 else 0) for _ in range(35)]
        each = said(number, *words)
        text = each.text.replace("协商", "共同协商")
        made.append(replace(each, text=text, is_edited=True, automatic=()) if number % 2 else each)
    return made


@asynccontextmanager
async def served() -> AsyncIterator[Signalling]:
    """A web process with the transcript in its database."""
    with tempfile.TemporaryDirectory() as directory:
        async with signalling(Path(directory), RoomLimits()) as server:
            made = segments()
            for first in range(0, len(made), 200):
                await keep(server.process.database, made[first : first + 200])
            yield server


async def measured() -> list[Figure]:
    figures: list[Figure] = []
    async with served() as server, aiohttp.ClientSession() as session:
        beat = Beat()
        beating = asyncio.create_task(beat.run())
        headers = {"Authorization": f"Bearer {server.token(Role.SECRETARIAT, ttl_s=3600)}"}
        consultation = f"{server.url}/api/v1/consultations/c"

        async def ask(
            name: str, method: str, path: str, bound_s: float | None = None, body: Any = None
        ) -> None:
            beat.held_s, begun_s = 0.0, time.perf_counter()
            async with session.request(method, consultation + path, json=body, headers=headers) as response:
                data = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{path}: {response.status}")
            await eventually(lambda: not server.process.terms.is_rendering, timeout_s=300)
            seconds = time.perf_counter() - begun_s
            figures.append(Figure(name, seconds, len(data) // 1000, beat.held_s, bound_s))

        await ask("opening", "GET", "/transcript?brief=1&limit=5000", OPENING_S)
        await ask("opening once more", "GET", "/transcript?brief=1&limit=5000", OPENING_S)
        await ask("500 with words", "GET", "/transcript?limit=500")
        await ask("search, two words", "GET", "/transcript/search?q=协商 水利&limit=100")
        await ask("find", "GET", "/transcript/find?q=协商")
        for kind in ("json", "txt", "srt", "vtt", "docx", "pdf", "xlsx"):
            await ask(kind, "GET", f"/transcript.{kind}", FILE_S)
        seen = [{"id": f"seg_{number:04}", "revision": 1} for number in range(SEGMENTS)]
        await ask(
            "replace in all",
            "POST",
            "/transcript/replace",
            None,
            {"find": "水利", "replace": "水务", "segments": seen},
        )
        await ask(
            "a term, until all follow",
            "PUT",
            "/terms",
            None,
            {"items": [{"wrong": "交通", "right": "交通运输"}]},
        )
        beating.cancel()
    return figures


def main() -> int:
    figures = asyncio.run(measured())
    for each in figures:
        bound = "" if each.bound_s is None else f"  wanted: below {each.bound_s:.0f} s"
        print(
            f"{each.name:26} {each.seconds:7.2f} s {each.kilobytes:7} KB"
            f"  held {each.held_s * 1000:4.0f} ms{bound}"
        )
    missed = [each.name for each in figures if each.bound_s is not None and each.seconds > each.bound_s]
    if missed:
        print(f"missed: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
