"""The stream itself in Chromium, by hls.js alone: over a cut and back without a pause, and over the worker's death."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.clock import SystemClock
from tests.integration.test_live_http import Stage
from tests.support.browser import BrowserFactory
from tests.support.eventually import eventually
from tests.support.program_writer import PART_MS, REAL
from tests.unit.services.fakes import ManualClock
from tests.unit.signaling.harness import signalling

HLS = Path(__file__).parents[2] / "web_client" / "node_modules" / "hls.js" / "dist" / "hls.light.min.js"
WITHDRAWN = "fragLoadError HTTP Error 404 Not Found"  # "!" would say that the player gives up
PROBE = """<!doctype html><video muted autoplay></video><script src="/probe/hls.js"></script><script>
const video = document.querySelector('video'), canvas = document.createElement('canvas');
canvas.width = canvas.height = 8;
window.errors = []; window.greys = []; window.stalls = 0;
const hls = new Hls({ lowLatencyMode: true, startLevel: 0, maxLiveSyncPlaybackRate: 1.05 });
hls.on(Hls.Events.ERROR, (_, data) =>
  window.errors.push(data.details + (data.fatal ? '!' : '') + (data.error ? ' ' + data.error.message : '')));
video.addEventListener('waiting', () => { if (video.currentTime > 1) window.stalls += 1; });
hls.loadSource('720p.m3u8'); hls.attachMedia(video);
setInterval(() => {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 10, 10, 20, 20, 0, 0, 8, 8);
  window.greys.push(context.getImageData(4, 4, 1, 1).data[0]);
}, 100);
window.look = () => ({ at: video.currentTime, greys: window.greys, errors: window.errors, stalls: window.stalls,
  behind: hls.latency, date: hls.playingDate ? hls.playingDate.getTime() : null });
</script>"""


class RealTime(ManualClock):
    """The machine's clocks."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()

    def wall_ms(self) -> int:
        return SystemClock().wall_ms()

    def forward(self, seconds: float) -> None:
        """Time passes by itself."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    clock = RealTime()
    async with signalling(tmp_path, clock=clock) as server, aiohttp.ClientSession() as session:
        yield Stage(server, session, tmp_path, clock)


class OnAir:
    """Writes parts in real time."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.is_killed = False

    async def run(self) -> None:
        while True:
            seen = await self.stage.server.process.broadcasts.view("c")
            now_ms = seen.program_time_ms or 0
            while not self.is_killed and self.stage.writer.time_ms + PART_MS <= now_ms - 100:
                self.stage.writer.parts(1)
            await asyncio.sleep(0.02)


@pytest.mark.browser
async def test_hls_js_plays_on_over_a_cut_and_a_restart(stage: Stage, browsers: BrowserFactory) -> None:
    await stage.patch(is_public=True)
    await stage.post("start")
    stage.writer = stage.written(REAL)
    seen = await stage.server.process.broadcasts.view("c")
    stage.writer.begin(seen.program_time_ms or 0)
    air = OnAir(stage)
    writing = asyncio.create_task(air.run())
    try:
        await eventually(lambda: stage.writer.time_ms > 8_000, timeout_s=30)
        viewer = await browsers.launch()
        page = viewer.page
        await page.route("**/probe/hls.js", lambda route: route.fulfill(path=str(HLS)))
        await page.route("**/live/c/probe", lambda route: route.fulfill(body=PROBE, content_type="text/html"))
        await page.goto(f"{stage.server.url}/live/c/probe")

        async def look() -> dict[str, Any]:
            found: dict[str, Any] = await page.evaluate("window.look()")
            return found

        async def has_played(seconds: float) -> None:
            begin = (await look())["at"]

            async def is_there() -> bool:
                return bool((await look())["at"] > begin + seconds)

            await eventually(is_there, timeout_s=30)

        await has_played(3)

        async def is_near() -> bool:
            return bool(0 < (await look())["behind"] < 2.5)

        await eventually(is_near, timeout_s=60)  # who began late catches up, as on the page
        await eventually(lambda: stage.server.process.cards.renditions, timeout_s=20)
        await stage.post("broadcast/cut", back_s=4)
        shades = set[int]()

        async def stands_still() -> bool:
            shades.clear()
            shades.update(round(each) for each in (await look())["greys"][-10:])
            return max(shades) - min(shades) <= 3

        await has_played(4)
        await eventually(stands_still, timeout_s=20, what="a still picture")
        await stage.post("broadcast/restore")
        await has_played(4)
        after = await look()
        pictures = set(after["greys"][-15:])
        assert pictures - shades, "the program again"
        # A piece may be withdrawn while the player asks for it; it goes on with the card.
        assert set(after["errors"]) <= {WITHDRAWN}
        assert after["stalls"] == 0

        air.is_killed = True
        stage.writer.kill()
        await asyncio.sleep(0.5)
        seen = await stage.server.process.broadcasts.view("c")
        stage.writer.begin((seen.program_time_ms or 0) + 100)
        air.is_killed = False
        await has_played(4)
        last = await look()
        assert [each for each in last["errors"] if "!" in each] == []
        now_ms = (await stage.server.process.broadcasts.view("c")).program_time_ms or 0
        started = (await stage.server.process.broadcasts.view("c")).consultation.started_at_ms or 0
        assert 100 < now_ms - (last["date"] - started) < 6_000
    finally:
        writing.cancel()
