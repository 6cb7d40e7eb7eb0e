"""The desk with 300 invitees and more than 500 lines of the trace: what each step costs the page's main thread.

python -m benchmarks.desk_pages

A real server and a real Chromium. Beside the sum stands the longest single task: what a person would notice as a halt.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Final

from tests.browser.office import Office
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.server import Server
from tests.support.tables import people

INVITEES: Final = 300
EDITS: Final = 220  # each a line, beside one for every invitee
_WATCH: Final = """() => {
  window.__longest = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.__longest = Math.max(window.__longest, each.duration);
  }).observe({ entryTypes: ["longtask"] });
}"""


def prepare(office: Office) -> str:
    """A published consultation with everybody on its list; gives its id."""
    consultation: str = office.call("POST", "/consultations", {"title": "三百人的协商会"})["id"]
    path = f"/consultations/{consultation}"
    office.call("PATCH", path, {"revision": 1, "scheduled_at_ms": 1_893_456_000_000})
    office.call("POST", f"{path}/venues", {"name": "主会场", "kind": "main"})
    rows = [
        (f"委员{n:03d}", "经济界", "委员" if n else "主持人", "主会场", f"138{n:08d}", "某单位", "")
        for n in range(INVITEES)
    ]
    upload = urllib.request.Request(
        f"{office.server.url}/api/v1{path}/invitees/import?name=list.xlsx",
        method="POST",
        data=people(*rows),
        headers={"Authorization": f"Bearer {office.token}", "Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(upload, timeout=60) as response:
        assert json.load(response)["counts"]["ok"] == INVITEES
    office.call("POST", f"{path}/invitees/import/apply")
    office.call(
        "PUT", f"{path}/agenda", {"items": [{"title": "发言", "kind": "speech", "planned_minutes": 10}]}
    )
    revision = office.call("GET", path)["revision"]
    for number in range(EDITS):
        edit = {"revision": revision + number, "briefing": f"第 {number} 稿"}
        office.call("PATCH", path, edit)
    office.call("POST", f"{path}/publish")
    return consultation


class Steps:
    """Reads the page's main thread before and after each step."""

    def __init__(self, desk: BrowserClient) -> None:
        self._desk = desk
        self._before_s = 0.0

    async def begin(self) -> None:
        self._devtools = await self._desk.context.new_cdp_session(self._desk.page)
        await self._devtools.send("Performance.enable")
        await self._desk.evaluate(_WATCH)
        self._before_s = await self._busy_s()

    async def _busy_s(self) -> float:
        found = (await self._devtools.send("Performance.getMetrics"))["metrics"]
        return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))

    async def end(self, name: str, rows: int) -> None:
        await self._desk.evaluate("() => new Promise((done) => requestIdleCallback(() => done(true)))")
        busy_s = await self._busy_s()
        longest = await self._desk.evaluate(
            "() => { const value = window.__longest; window.__longest = 0; return value; }"
        )
        print(
            f"| {name} | {rows} | {(busy_s - self._before_s) * 1000:.0f} ms | {longest:.0f} ms |", flush=True
        )
        self._before_s = busy_s


async def rows_until(desk: BrowserClient, test_id: str, wanted: int, scrolled: str) -> int:
    """Scroll to the end again and again until there are so many rows."""

    async def further() -> int:
        await desk.evaluate("(s) => document.querySelector(s).scrollBy(0, 50000)", scrolled)
        return await desk.count(test_id)

    await desk.wait_until(
        further, lambda count: count >= wanted, timeout_s=60, what=f"has {wanted} {test_id}"
    )
    return await desk.count(test_id)


async def more_rows(desk: BrowserClient, before: int) -> None:
    await desk.wait_until(lambda: desk.count("invitee-row"), lambda count: count > before, what="shows more")


async def measure(server: Server, browsers: BrowserFactory) -> None:
    office = await asyncio.to_thread(Office, server)
    consultation = await asyncio.to_thread(prepare, office)
    desk = await browsers.launch(name="desk", screen=LAPTOP)
    await desk.open(server.url)
    await desk.fill("login-name", office.login)
    await desk.fill("login-password", office.password)
    await desk.tap("login-button")
    await desk.wait_until(lambda: desk.count("create-consultation"), bool, what="is logged in")
    await desk.open(f"{server.url}/desk/{consultation}/prepare")
    await desk.wait_until(lambda: desk.count("invitee-row"), bool, timeout_s=30, what="shows invitees")
    steps = Steps(desk)
    await steps.begin()
    print("| step | rows | main thread | longest task |\n| --- | --- | --- | --- |")
    while (before := await desk.count("invitee-row")) < INVITEES:
        await desk.tap("invitee-more")
        await more_rows(desk, before)
    await steps.end("筹备: show more, to the last invitee", INVITEES)
    await desk.tap("place-attendance")
    await desk.wait_until(lambda: desk.count("attendance-row"), bool, what="shows attendance")
    await steps.end("签到 opened", await desk.count("attendance-row"))
    await steps.end(
        "签到 scrolled to its end", await rows_until(desk, "attendance-row", INVITEES, ".attend .scroll")
    )
    await desk.tap("place-trace")
    await desk.wait_until(lambda: desk.count("trace-line"), bool, what="shows the trace")
    await steps.end("留痕 opened", await desk.count("trace-line"))
    await steps.end(
        "留痕 scrolled through 500 lines", await rows_until(desk, "trace-line", 500, ".lines .scroll")
    )


async def main() -> None:
    with Server() as server:
        async with BrowserFactory() as browsers:
            await measure(server, browsers)


if __name__ == "__main__":
    asyncio.run(main())
