"""The room inspector in real Chromium: a real meeting and its trail, and connections in trouble on every screen."""

from __future__ import annotations

import json

import pytest

from tests.browser.meeting import enter
from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_inspector import INSPECTOR_SCENES
from tests.browser.whole import download, shows
from tests.support.browser import LAPTOP, BrowserFactory
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def test_a_real_meeting_is_read_out_and_its_trail_taken(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    member = await browsers.launch(name="陈委员")
    await member.open(server.room_url(consultation, server.token(consultation, "member", "陈委员")))
    member_id = await enter(member)
    async with RoomClient(server.url, server.token(consultation, "chair", "主持人")) as chair:
        await chair.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        await chair.receives(member_id, "camera", packets=60)

        desk = await browsers.launch(name="刘秘书", screen=LAPTOP)
        token = server.token(consultation, "secretariat", "刘秘书")
        await desk.open(f"{server.url}/desk/{consultation}#token={token}")
        await desk.tap("place-inspector")
        await shows(desk, "inspected", 2)
        row = desk.page.get_by_test_id("inspected").filter(has_text="陈委员")
        assert await row.get_attribute("data-path") == "udp"
        await row.get_by_role("button").click()
        await shows(desk, "received", 2)
        side = desk.page.get_by_test_id("inspected-side")

        async def told() -> bool:
            text = await side.inner_text()
            return "UDP 直连" in text and "×" in text and "主持人 摄像头" in text and "分" in text

        await desk.wait_until(told, what="reads layers, way and what is received")
        assert await desk.axe() == []

        async def kept() -> list[dict[str, object]]:
            lines = (await download(desk, "inspector-trail")).splitlines()
            return [json.loads(line) for line in lines]

        trail = await desk.wait_until(kept, lambda lines: len(lines) >= 2, what="a step was kept")
        assert {line["participant_id"] for line in trail} <= {member_id, chair.participant_id}
        assert "陈委员" not in json.dumps(trail, ensure_ascii=False)

        # The media process starts anew: rows stay while the page says so, and everybody is back by itself.
        server.kill9("media")
        await desk.wait_until(told, what="is back", timeout_s=60)
    await desk.tap("inspected-close")
    await shows(desk, "inspected-side", 0)


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("inspector", "phone"),
        ("inspector-side-large", "phone"),
        ("inspector-side-large", "laptop"),
        ("inspector-trouble", "laptop"),
    ],
)
async def test_it_fits_and_everybody_can_use_it(
    name: str, screen: str, server: Server, browsers: BrowserFactory
) -> None:
    assert name in INSPECTOR_SCENES
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await stage.client.horizontal_overflow() == 0
        assert await stage.client.axe() == []
