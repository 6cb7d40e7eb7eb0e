"""The console of a venue in real Chromium: several cameras of one page, who sees which, and everybody can use it."""

from __future__ import annotations

import pytest

from tests.browser.meeting import enter
from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_console import FOUR_CAMERAS, open_cameras, returned
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.light_client import RoomClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LAPTOP = Screen(1440, 900)
VENUE = "青禾县分会场"
TILES_JS = """(id) => [...document.querySelectorAll(`[data-testid=participant-tile][data-participant-id="${id}"]`)]
  .filter((tile) => tile.querySelector('video')?.videoWidth > 0 && !tile.querySelector('video').paused)
  .map((tile) => tile.querySelector('.plate').innerText.replace(/\\s+/g, ' ').trim())"""


async def labels_seen(viewer: BrowserClient, of: str) -> list[str]:
    """The plates of all pictures of a participant that run."""
    return sorted(await viewer.evaluate(TILES_JS, of))


@pytest.mark.core
async def test_each_camera_of_one_page_is_seen_under_its_label(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    hall = await browsers.launch(name=VENUE, screen=LAPTOP, flags=FOUR_CAMERAS)
    await hall.open(
        server.room_url(consultation, server.token(consultation, "venue_operator", "马师傅", VENUE))
    )
    me = await enter(hall)
    await open_cameras(hall, 0, 2, 3)
    await returned(hall)

    member = await browsers.launch(name="吴委员", screen=LAPTOP)
    await member.open(server.room_url(consultation, server.token(consultation, "member", "吴委员")))
    await enter(member)
    await member.page.keyboard.press("g")

    async def plates() -> list[str]:
        return await labels_seen(member, me)

    wanted = [f"马师傅 机位 {n}" for n in (1, 3, 4)]
    await member.wait_until(plates, lambda seen: seen == wanted, timeout_s=40, what="sees each camera")

    # Which one stands for the venue is the operator's choice, and a name is changed while all go on.
    async with RoomClient(
        server.url, server.token(consultation, "secretariat", "秘书处"), receive=False
    ) as desk:

        def main() -> list[str]:
            return [one["label"] for one in desk.participants[me]["publications"] if one["main"]]

        await hall.wait_until(main, lambda now: now == ["机位 1"], what="has a main camera")
        await hall.tap("venue-camera", 2)
        await hall.wait_until(main, lambda now: now == ["机位 3"], what="has another main camera")
        await hall.tap("venue-cameras")
        await hall.fill("camera-name", "发言席")
        await hall.page.keyboard.press("Tab")
        await hall.page.keyboard.press("Escape")
        renamed = ["马师傅 机位 3", "马师傅 机位 4", "马师傅 发言席"]
        await member.wait_until(
            plates, lambda seen: seen == sorted(renamed), timeout_s=30, what="sees the new name"
        )

        # Taken out, a camera leaves the room at once, and another stands for the venue where it was the main one.
        await hall.tap("venue-cameras")
        await hall.tap("camera-switch", 2)
        await hall.page.keyboard.press("Escape")
        await member.wait_until(
            plates, lambda seen: len(seen) == 2 and "马师傅 机位 3" not in seen, timeout_s=30, what="sees two"
        )
        await hall.wait_until(
            main, lambda now: len(now) == 1 and now != ["机位 3"], what="goes on with another"
        )
    for client in (hall, member):
        client.assert_quiet()


async def test_who_comes_second_is_told_and_may_take_over(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    first = await browsers.launch(name="马师傅", screen=LAPTOP, flags=FOUR_CAMERAS)
    second = await browsers.launch(name="李师傅", screen=LAPTOP, flags=FOUR_CAMERAS)
    ids = []
    for client in (first, second):
        token = server.token(consultation, "venue_operator", client.name, VENUE)
        await client.open(server.room_url(consultation, token))
        ids.append(await enter(client))
        if client is first:
            await returned(first)

    async with RoomClient(server.url, server.token(consultation, "chair", "刘主持"), receive=False) as chair:

        def sending() -> list[bool]:
            return [
                any(one["source"] == "camera" for one in chair.participants[each]["publications"])
                for each in ids
            ]

        await reads(second, "马师傅正在操作这个会场")
        await second.wait_until(sending, lambda now: now == [True, False], what="sends nothing unasked")
        await second.tap("venue-take-over")
        await second.wait_until(sending, lambda now: now == [False, True], timeout_s=30, what="sends instead")
        await reads(first, "您在协助")
        assert await first.count("venue-act") == 0


async def test_words_go_to_the_staff_and_come_back(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    hall = await browsers.launch(name=VENUE, screen=LAPTOP)
    await hall.open(
        server.room_url(consultation, server.token(consultation, "venue_operator", "马师傅", VENUE))
    )
    await enter(hall)
    async with RoomClient(
        server.url, server.token(consultation, "secretariat", "秘书处"), receive=False
    ) as desk:
        await hall.tap("talk-quick", 2)
        await desk.wait_event("venue.message")
        await desk.request(
            "venue.message", {"venue_id": VENUE, "text": "马上来人", "key": "a-key-of-the-desk"}
        )
        await reads(hall, "马上来人")
        said = await hall.evaluate(
            "() => [...document.querySelectorAll('[data-testid=talk-message] p')].map((each) => each.innerText)"
        )
        assert said == ["需要帮助", "马上来人"]
        # Muted is what the whole hall can read.
        await hall.tap("toggle-microphone")
        await present(hall, "venue-muted")
    hall.assert_quiet()


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("console", "laptop"),
        ("console-turn", "phone"),
        ("console-muted", "laptop"),
        ("console-dark", "phone"),
        ("console-asked", "phone"),
        ("console-large", "phone"),
    ],
)
async def test_it_fits_and_everybody_can_use_it(
    name: str, screen: str, server: Server, browsers: BrowserFactory
) -> None:
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await stage.client.horizontal_overflow() == 0
        assert await stage.client.axe() == []
        if (name, screen) == ("console", "laptop"):
            scrolls = "() => document.documentElement.scrollHeight > innerHeight + 1"
            assert not await stage.client.evaluate(scrolls), "one screen, without scrolling"
