"""会场 in real Chromium: a hall that is really in the room, is written to, and breaks off; and how the place looks."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_venues import VENUE_SCENES
from tests.browser.whole import download, said, shows
from tests.support.browser import LAPTOP, BrowserFactory
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import vp8_clip
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

HALL, OTHER = "石桥村连线点", "青禾县分会场"


async def prepare(server: Server, consultation: str, *names: str) -> None:
    """Venues on the list."""
    headers = {"Authorization": f"Bearer {server.token(consultation, 'secretariat', '刘秘书')}"}
    url = f"{server.url}/api/v1/consultations/{consultation}/venues"
    async with aiohttp.ClientSession(headers=headers) as session:
        for name in names:
            venue = {"name": name, "kind": "point", "place": "一楼", "operator_name": "丁会计"}
            async with session.post(url, json=venue) as response:
                assert response.status == 201, await response.text()


async def test_a_hall_is_watched_written_to_and_missed(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    await prepare(server, consultation, OTHER, HALL)
    token = server.token(consultation, "venue_operator", "丁会计", HALL)
    operator = RoomClient(server.url, token, receive=False)
    await operator.connect()
    picture = VideoSource(fps=15, frames=await asyncio.to_thread(vp8_clip, 3))
    await operator.publish([AudioSource(level_db=10), picture], names=["microphone", "camera"])

    desk = await browsers.launch(name="刘秘书", screen=LAPTOP)
    token = server.token(consultation, "secretariat", "刘秘书")
    await desk.open(f"{server.url}/desk/{consultation}#token={token}")
    await desk.tap("place-venues")
    await shows(desk, "venue-row", 2)
    rows = desk.page.get_by_test_id("venue-row")
    hall = rows.filter(has_text=HALL)
    # It is here and was not checked: the one in need stands first, and is open.
    assert await rows.first.get_attribute("data-reason") == "not_checked"
    assert HALL in await desk.page.get_by_test_id("venue-side").inner_text()
    still = hall.get_by_test_id("venue-still")
    await desk.wait_until(lambda: still.get_attribute("data-still"), lambda on: on == "true", timeout_s=40)
    live = desk.page.get_by_test_id("venue-live")
    await desk.wait_until(lambda: live.get_attribute("data-playing"), lambda on: on == "true", timeout_s=40)

    await desk.fill("venue-message-input", "请把话筒传给何委员。")
    await desk.tap("venue-message-send")
    told = await operator.wait_event("venue.message")
    assert (told["message"]["text"], told["message"]["from_venue"]) == ("请把话筒传给何委员。", False)
    await operator.request("venue.message", {"text": "收到，何委员已就座。", "key": "k" * 8})
    await said(desk, "收到，何委员已就座。")
    before = len(operator.events)
    await desk.tap("send-steps")
    steps = await operator.wait_event("venue.message", after=before)
    assert steps["message"]["text"].splitlines()[1].startswith("1. 做一次联调")
    await shows(desk, "venue-message", 3)
    assert await desk.axe() == []

    table = (await download(desk, "board-export")).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in table] == ["会场", OTHER, HALL]
    assert "还没有联调" in table[2]

    # Its line breaks: the row says so at once, and waits for it.
    await operator.drop()
    await desk.wait_until(
        lambda: hall.get_attribute("data-reason"), lambda reason: reason == "away", timeout_s=30
    )
    assert await hall.get_attribute("data-verdict") == "act"
    await said(desk, f"{HALL}断线，正在等它回来")
    await operator.close()


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("venues-side", "phone"),
        ("venues-side-large", "laptop"),
        ("venues-cut", "laptop"),
        ("venues-before", "phone"),
    ],
)
async def test_it_fits_and_everybody_can_use_it(
    name: str, screen: str, server: Server, browsers: BrowserFactory
) -> None:
    assert name in VENUE_SCENES
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await stage.client.horizontal_overflow() == 0
        assert await stage.client.axe() == []
