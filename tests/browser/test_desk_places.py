"""The desk's places in real Chromium: background material, who waits at the door, putting a meeting off."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.office import prepare
from tests.browser.whole import download, said, shows
from tests.support.browser import LAPTOP, BrowserFactory
from tests.support.light_client import RoomClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def test_the_secretariat_prepares_lets_in_and_puts_off(
    server: Server, browsers: BrowserFactory
) -> None:
    prepared = await asyncio.to_thread(prepare, server, waiting_room=True)
    path = f"/consultations/{prepared.consultation}"
    desk = await browsers.launch(name="刘欣", screen=LAPTOP)
    await desk.open(server.url)
    await desk.fill("login-name", prepared.office.login)
    await desk.fill("login-password", prepared.office.password)
    await desk.tap("login-button")
    await shows(desk, "create-consultation")
    await desk.open(f"{server.url}/desk/{prepared.consultation}/prepare")

    text = "调研报告：助餐点覆盖率百分之六十。".encode()
    await shows(desk, "venue-row", 1)
    await desk.page.get_by_test_id("file-input").set_input_files(
        {"name": "report.txt", "mimeType": "text/plain", "buffer": text}
    )
    await shows(desk, "briefing-file", 1)
    async with desk.page.expect_download(timeout=30_000) as waiting:
        await desk.page.get_by_test_id("briefing-file").locator("button").first.click()
    file = await (await waiting.value).path()
    assert await asyncio.to_thread(file.read_bytes) == text
    links = await download(desk, "links-export")
    assert links.startswith(b"PK"), "a workbook of the links"

    people = []
    for name in ("甲委员", "乙委员", "丙委员", "丁委员"):
        person = RoomClient(server.url, server.token(prepared.consultation, "member", name), receive=False)
        await person.connect()
        people.append(person)
    await desk.tap("place-run")
    await shows(desk, "waiting-person", 4)
    await desk.tap("admit")
    await people[0].admitted()
    await shows(desk, "waiting-person", 3)
    await desk.page.get_by_test_id("waiting-person").first.get_by_role("button", name="不同意").click()
    await shows(desk, "waiting-person", 2)
    await desk.tap("admit-all")
    await people[2].admitted()
    await people[3].admitted()
    await shows(desk, "waiting", 0)
    await shows(desk, "desk-participant", 3)
    await said(desk, "丁委员")
    for person in people:
        await person.close()

    await desk.tap("place-prepare")
    await desk.tap("prepare-more")
    await desk.page.get_by_role("menuitem", name="延期").click()
    await desk.fill("reason", "暴雨")
    await desk.tap("confirm")
    await desk.wait_until(
        lambda: asyncio.to_thread(prepared.office.call, "GET", path),
        lambda one: one["status"] == "postponed",
        what="has put it off",
    )
    await said(desk, "已延期")
    desk.assert_quiet()
