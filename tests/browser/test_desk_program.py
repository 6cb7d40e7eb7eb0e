"""The desk's program, cut-off and recordings in real Chromium against a real server that composes and records."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Request

from tests.browser.office import Office, Prepared, prepare
from tests.browser.whole import said, shows
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import vp8_clip
from tests.support.server import Server

PROGRAMS = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

HALLS = ("主会场", "青禾县分会场")
PATIENCE_S = 60.0


@dataclass
class Meeting:
    """A live consultation with two halls that send sound and picture, and somebody of the office at the desk."""

    server: Server
    prepared: Prepared
    desk: BrowserClient
    whep: list[str]  # methods of the preview's requests

    @property
    def path(self) -> str:
        return f"/consultations/{self.prepared.consultation}"

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return await asyncio.to_thread(self.prepared.office.call, method, self.path + path, body)

    async def state(self, test_id: str, wanted: str) -> None:
        """Wait for `data-state` of an element."""
        await self.desk.wait_until(
            lambda: self.desk.evaluate(
                "(id) => document.querySelector(`[data-testid=${id}]`)?.dataset.state", test_id
            ),
            lambda now: now == wanted,
            timeout_s=PATIENCE_S,
            what=f"has {test_id} {wanted}",
        )

    async def actions(self) -> list[str]:
        lines = await self.call("GET", "/audit?newest=true&limit=200")
        return [str(line["action"]) for line in lines["items"]]


async def hall(server: Server, cid: str, number: int, name: str) -> RoomClient:
    token = server.token(cid, "venue_operator", name, name)
    client = RoomClient(server.url, token, receive=False)
    await client.connect()
    sound = AudioSource(level_db=25 if number == 1 else 127)
    picture = VideoSource(fps=15, frames=await asyncio.to_thread(vp8_clip, number))
    await client.publish([sound, picture], names=["microphone", "camera"])
    return client


async def log_in(desk: BrowserClient, server: Server, office: Office) -> None:
    await desk.open(server.url)
    await desk.fill("login-name", office.login)
    await desk.fill("login-password", office.password)
    await desk.tap("login-button")
    await shows(desk, "create-consultation")


@asynccontextmanager
async def meeting(server: Server, browsers: BrowserFactory) -> AsyncIterator[Meeting]:
    prepared = await asyncio.to_thread(prepare, server)
    cid = prepared.consultation
    halls = [await hall(server, cid, number, name) for number, name in enumerate(HALLS, start=1)]
    desk = await browsers.launch(name="刘欣", screen=LAPTOP)
    whep: list[str] = []

    def note(request: Request) -> None:
        if "/whep/" in request.url:
            whep.append(request.method)

    desk.page.on("request", note)
    try:
        await log_in(desk, server, prepared.office)
        one = Meeting(server, prepared, desk, whep)
        await one.call("POST", "/start")
        yield one
    finally:
        for each in halls:
            await each.close()


async def words(desk: BrowserClient, test_id: str, wanted: str) -> None:
    await desk.wait_until(
        lambda: desk.evaluate(
            "(id) => document.querySelector(`[data-testid=${id}]`)?.innerText ?? ''", test_id
        ),
        lambda text: wanted in text,
        timeout_s=PATIENCE_S,
        what=f"{test_id} says {wanted}",
    )


BRIGHTNESS_JS = """() => {
  const video = document.querySelector('[data-testid=program-preview] video');
  if (!video?.videoWidth) return 0;
  const canvas = new OffscreenCanvas(32, 18), context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 32, 18);
  const all = context.getImageData(0, 0, 32, 18).data;
  return all.reduce((sum, value) => sum + value, 0) / all.length;
}"""


async def test_the_program_is_seen_and_directed_and_costs_nothing_out_of_sight(
    server: Server, browsers: BrowserFactory
) -> None:
    async with meeting(server, browsers) as one:
        desk = one.desk
        await desk.open(f"{server.url}/desk/{one.prepared.consultation}")
        await one.state("program", "on")
        await desk.wait_until(
            lambda: desk.evaluate(BRIGHTNESS_JS), lambda now: now > 80, timeout_s=PATIENCE_S, what="a picture"
        )
        await words(desk, "program-shows", HALLS[0])

        await desk.page.get_by_role("radio", name="手动").click()
        await shows(desk, "program-person", 2)
        await desk.page.get_by_role("radio", name="宫格").click()
        await words(desk, "program-shows", "宫格")
        await desk.page.get_by_role("radio", name="发言人").click()
        await words(desk, "program-shows", f"发言人（{HALLS[0]}）")
        await desk.page.get_by_test_id("program-person").filter(has_text=HALLS[1]).click()
        await words(desk, "program-shows", f"发言人（{HALLS[1]}）")
        await desk.page.get_by_role("radio", name="自动").click()
        await shows(desk, "program-layout", 0)
        await words(desk, "program-shows", HALLS[0])
        assert (await one.actions()).count("program.directed") >= 3

        opened = one.whep.count("POST")
        await desk.tap("place-record")
        await desk.tap("side-record")
        await desk.wait_until(
            lambda: one.whep.count("DELETE"), lambda n: n == opened, what="gives the preview back"
        )
        await desk.tap("place-run")
        await desk.wait_until(
            lambda: desk.evaluate(BRIGHTNESS_JS), lambda now: now > 80, timeout_s=PATIENCE_S, what="it again"
        )
        assert one.whep.count("POST") == opened + 1

        await one.state("recording-state", "on")
        await desk.tap("recording-pause")
        await one.state("recording-state", "paused")
        await said(desk, "现在说的不会保存")
        await desk.tap("recording-pause")
        await one.state("recording-state", "on")
        assert {"recording.paused", "recording.resumed"} <= set(await one.actions())
        assert await desk.axe() == []
        desk.assert_quiet()


async def test_the_cut_acts_at_the_press_is_seen_on_every_desk_and_goes_back(
    server: Server, browsers: BrowserFactory
) -> None:
    async with meeting(server, browsers) as one:
        desk, cid = one.desk, one.prepared.consultation
        other = await browsers.launch(name="审核员", screen=LAPTOP)
        await other.open(f"{server.url}/desk/{cid}#token={server.token(cid, 'moderator', '审核员')}")
        await desk.open(f"{server.url}/desk/{cid}/attendance")
        await shows(other, "cutoff")
        await shows(desk, "cutoff")
        took_ms = await desk.evaluate(
            """() => new Promise((done) => {
              const at = performance.now();
              document.querySelector('[data-testid=cutoff]').click();
              const look = () => document.querySelector('[data-testid=cutoff-bar]')
                ? done(performance.now() - at) : requestAnimationFrame(look);
              look();
            })"""
        )
        assert took_ms < 1000
        assert (await one.call("GET", "/broadcast"))["cut"]["by"] == "刘欣"
        await words(other, "cutoff-bar", "刘欣在")
        await shows(other, "cutoff", 0)

        await desk.tap("place-run")
        await desk.tap("cutoff-withdraw")
        await desk.fill("withdraw-from", "0:00")
        await desk.fill("withdraw-to", "9:59:59")
        await desk.fill("withdraw-reason", "画面出现个人证件")
        await said(desk, "还没有到这个时间")
        await desk.fill("withdraw-to", "0:01")
        await desk.tap("confirm")
        await said(desk, "已撤下 0:00 至 0:01")

        await other.tap("cutoff-restore")
        await other.tap("confirm")
        await shows(desk, "cutoff-bar", 0)
        await shows(desk, "cutoff")
        broadcast = await one.call("GET", "/broadcast")
        assert broadcast["cut"] is None
        assert [each["kind"] for each in broadcast["withdrawn"]] == ["withdrawn", "cut"]

        await desk.tap("place-record")
        await desk.tap("side-record")
        await shows(desk, "withdrawn-item", 2)
        await desk.tap("reinstate")
        await desk.tap("confirm")
        await said(desk, "请填写原因")
        await desk.fill("reinstate-reason", "核对过，可以公开")
        await desk.tap("confirm")
        await said(desk, "已恢复公开")
        await shows(desk, "reinstate", 1)
        actions = set(await one.actions())
        assert {f"broadcast.{each}" for each in ("cut", "withdrawn", "restored", "reinstated")} <= actions
        assert await desk.axe() == []
        desk.assert_quiet()
        other.assert_quiet()


async def test_recordings_are_listed_taken_and_deleted(server: Server, browsers: BrowserFactory) -> None:
    async with meeting(server, browsers) as one:
        desk = one.desk
        await desk.open(f"{server.url}/desk/{one.prepared.consultation}/record")
        await one.state("recording-card", "on")
        await shows(desk, "recording-item", 4)
        await asyncio.sleep(2)  # there is no other way for a recording to become longer
        await one.call("POST", "/end")
        await one.state("recording-card", "ended")
        await shows(desk, "recording-download")

        async def finished() -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = (await one.call("GET", "/recordings"))["items"]
            assert all(each["state"] == "done" for each in rows)
            return rows

        rows = await desk.wait_until(finished, timeout_s=PATIENCE_S, what="all files are finished")
        tracks = [each for each in rows if each["source"] != "program"]
        assert len(tracks) >= 4
        await desk.tap("recording-refresh")

        ranges: list[str] = []
        desk.page.on("request", lambda request: ranges.extend(filter(None, [request.headers.get("range")])))
        await desk.page.get_by_test_id("recording-source").select_option("camera")
        await shows(desk, "recording-item", 2)
        row = desk.page.get_by_test_id("recording-item").filter(has_text=HALLS[1])
        async with desk.page.expect_download(timeout=60_000) as waiting:
            await row.get_by_test_id("recording-download").click()
        taken = await waiting.value
        assert taken.suggested_filename.startswith(f"{HALLS[1]}-画面-")
        content = await asyncio.to_thread(Path(await taken.path()).read_bytes)
        wanted = next(each for each in tracks if each["name"] == HALLS[1] and each["source"] == "camera")
        assert hashlib.sha256(content).hexdigest() == wanted["sha256"]
        assert ranges == [f"bytes=0-{wanted['size_bytes'] - 1}"]

        await row.get_by_test_id("recording-delete").click()
        await shows(desk, "delete-word")
        confirm = desk.page.get_by_test_id("confirm")
        assert await confirm.is_disabled()
        await desk.fill("delete-word", "删除")
        await desk.tap("confirm")
        await shows(desk, "recording-item", 1)
        assert wanted["id"] not in {each["id"] for each in (await one.call("GET", "/recordings"))["items"]}
        assert {"recording.downloaded", "recording.deleted"} <= set(await one.actions())
        assert await desk.axe() == []
        desk.assert_quiet()
