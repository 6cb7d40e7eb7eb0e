"""The public page in real Chromium, with a real server that makes a real program."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from playwright.async_api import Route

from tests.browser.airing import PROMOTED, TITLE, Airing, airing, plays, reaches, state
from tests.browser.commenting import Public, shows, write
from tests.browser.scenes import LAPTOP, PHONE, SCREENS, scene
from tests.browser.scenes_floor import AGENDA
from tests.browser.scenes_live import LIVE_SCENES
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.server import Server

PROGRAMS = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
async def staged(server: Server) -> AsyncIterator[Airing]:
    async with airing(server) as made:
        yield made


async def public(staged: Airing) -> dict[str, Any]:
    status, body = await asyncio.to_thread(
        staged.server.get, f"/api/v1/public/consultations/{staged.consultation}"
    )
    assert status == 200
    return dict(json.loads(body))


async def on_air(staged: Airing) -> dict[str, Any]:
    """Live, with something to play."""
    await staged.post("start")
    found = await eventually(lambda: public(staged), lambda page: page["live"], timeout_s=60)
    return dict(found)


def said(viewer: BrowserClient, test_id: str) -> Callable[[], Any]:
    return lambda: viewer.evaluate(
        "(id) => document.querySelector(`[data-testid=${id}]`)?.innerText ?? ''", test_id
    )


@pytest.mark.core
async def test_from_the_title_card_to_the_replay(staged: Airing, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="viewer", screen=LAPTOP)
    await viewer.open(staged.url())
    await reaches(viewer, "before")
    await present(viewer, "title-card")
    await reads(viewer, TITLE)
    assert await viewer.count("agenda-item") == len(AGENDA) + 1
    assert await viewer.count("promotion-card") == 0

    # Going live comes by itself, with picture, and without sound as long as nobody has touched the page.
    page = await on_air(staged)
    await reaches(viewer, "live")
    now = await plays(viewer)
    assert (now["how"], now["muted"]) == ("hls", True)
    assert now["width"] > 0
    assert now["shown"]
    await viewer.tap("unmute")
    now = await plays(viewer)
    assert now["muted"] is False
    assert now["heard"] > 0
    assert await viewer.count("unmute") == 0

    # The clock is that of the meeting, a few seconds behind it.
    assert now["program_ms"] is not None
    assert now["program_ms"] < await ahead_ms(staged, page)

    # What somebody writes carries the time that they are watching, not that of the meeting.
    everybody = Public(staged.server, staged.consultation)
    await write(viewer, "听得清楚")
    await shows(viewer, "听得清楚", "pending")
    watched = (await state(viewer))["program_ms"]
    (stored,) = await asyncio.to_thread(everybody.all)
    assert watched - 5_000 < stored["program_time_ms"] <= watched < await ahead_ms(staged, page)

    await staged.step()
    await staged.speak()
    await viewer.wait_until(
        said(viewer, "current-item"), lambda text: AGENDA[0][1] in text, what="has an item"
    )
    await viewer.wait_until(
        said(viewer, "current-speaker"), lambda text: "刘主持" in text, what="has a speaker"
    )
    for _ in range(3):
        await staged.step()
    await viewer.wait_until(
        said(viewer, "promotion-card"), lambda text: PROMOTED in text, what="has a promotion"
    )
    assert await viewer.axe() == []

    # Sound alone, without a picture to pay for.
    await viewer.page.get_by_test_id("quality").select_option("audio")
    await viewer.wait_until(
        lambda: state(viewer),
        lambda now: now["playing"] and now["width"] == 0,
        timeout_s=40,
        what="is sound only",
    )
    await viewer.page.get_by_test_id("quality").select_option("auto")
    await viewer.wait_until(
        lambda: state(viewer),
        lambda now: now["playing"] and now["width"] > 0,
        timeout_s=40,
        what="has a picture",
    )

    # Cut off: no picture, no sound, no name of who speaks; and back by itself.
    await staged.chair.request("broadcast.cut", {})
    await viewer.wait_until(
        lambda: state(viewer), lambda now: now["phase"] == "cut", timeout_s=10, what="is cut"
    )
    await present(viewer, "cut-card")
    now = await state(viewer)
    assert (now["has_source"], now["shown"], now["playing"]) == (False, False, False)
    assert await viewer.count("current-speaker") == 0
    assert await viewer.count("promotion-card") == 0
    await staged.chair.request("broadcast.restore", {})
    await reaches(viewer, "live")
    now = await plays(viewer)
    assert now["muted"] is False

    # The end turns it into the replay, which plays from its beginning and jumps by chapters.
    await staged.post("end")
    await reaches(viewer, "replay", timeout_s=60)
    await viewer.tap("tap-to-play")
    now = await plays(viewer)
    assert now["at_s"] < 30
    chapters = (await public(staged))["replay"]["chapters"]
    assert [each["title"] for each in chapters if each["kind"] == "promotion"] == [PROMOTED]
    last = max(each for each in range(len(chapters)) if chapters[each]["kind"] == "item")
    nth = [each["kind"] for each in chapters[:last]].count("item")
    await viewer.page.get_by_test_id("chapter").nth(nth).click()
    await viewer.wait_until(
        lambda: state(viewer),
        lambda now: now["program_ms"] is not None and now["program_ms"] >= chapters[last]["from_ms"] - 1000,
        what="went to the chapter",
    )
    await plays(viewer)
    assert await viewer.axe() == []

    # A link to a moment, as the list of answers has it, opens there, or where the picture comes back after it.
    moment_s = chapters[last]["from_ms"] // 1000
    await viewer.open(staged.url(f"?at={moment_s}"))
    await reaches(viewer, "replay")
    now = await viewer.wait_until(
        lambda: state(viewer),
        lambda now: now["at_s"] and now["program_ms"] is not None,
        what="opened at a moment",
    )
    assert now["program_ms"] >= moment_s * 1000 - 500
    assert not now["playing"]
    assert viewer.page_errors == []


async def ahead_ms(staged: Airing, page: dict[str, Any]) -> float:
    """Program time now, by the wall clock of this machine, which is the server's."""
    return time.time() * 1000 - float(page["started_wall_ms"])


# What Safari says of a playlist and Chromium does not: the date of its first moment, from EXT-X-PROGRAM-DATE-TIME.
START_DATE_JS = """(() => {
  let dated = null
  HTMLVideoElement.prototype.getStartDate = function () {
    if (!dated && this.currentSrc) {
      dated = new Date(NaN)
      fetch(this.currentSrc.replace("index.m3u8", "720p.m3u8"))
        .then((response) => response.text())
        .then((text) => (dated = new Date(/EXT-X-PROGRAM-DATE-TIME:(.*)/.exec(text)[1])))
    }
    return dated ?? new Date(NaN)
  }
})()"""


async def test_the_browsers_own_player(staged: Airing, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="iPhone", screen=PHONE)
    await viewer.context.add_init_script(START_DATE_JS)
    asked: list[str] = []
    viewer.page.on("request", lambda request: asked.append(request.url))
    page = await on_air(staged)
    await viewer.open(staged.url("?native=1"))
    await reaches(viewer, "live")
    playlist = f"{staged.server.url}/live/{staged.consultation}/index.m3u8"
    now = await viewer.wait_until(
        lambda: state(viewer), lambda now: now["source"] == playlist, what="has the playlist"
    )
    assert now["how"] == "native"
    assert not any("hls-playback" in url for url in asked)
    if await viewer.evaluate(
        "() => document.createElement('video').canPlayType('application/vnd.apple.mpegurl')"
    ):
        now = await plays(viewer)
        assert now["width"] > 0
    now = await viewer.wait_until(
        lambda: state(viewer), lambda now: now["program_ms"] is not None, what="has a clock"
    )
    assert 0 <= now["program_ms"] < await ahead_ms(staged, page)


async def test_the_same_as_text(staged: Airing, browsers: BrowserFactory) -> None:
    await staged.step()
    await on_air(staged)
    await staged.speak()
    viewer = await browsers.launch(name="weak", screen=PHONE)
    asked: list[str] = []
    viewer.page.on("request", lambda request: asked.append(request.url))
    await viewer.open(staged.url("?text=1"))
    await present(viewer, "text-page")
    await viewer.wait_until(
        lambda: viewer.evaluate(
            "() => [...document.querySelectorAll('[data-testid=text-entry]')].map((e) => e.innerText).join('\\n')"
        ),
        lambda text: AGENDA[0][1] in text and "刘主持" in text,
        timeout_s=30,
        what="tells item and speaker",
    )
    await viewer.wait_until(
        lambda: viewer.evaluate(
            "() => document.querySelector('[data-testid=text-still]')?.naturalWidth ?? 0"
        ),
        timeout_s=40,
        what="shows a still",
    )
    assert not any(".m3u8" in url or ".m4s" in url for url in asked)
    await viewer.tap("text-pictures")
    await viewer.wait_until(
        lambda: viewer.evaluate("() => document.querySelectorAll('main img').length"),
        lambda count: count == 0,
        what="shows no picture",
    )
    asked.clear()
    await viewer.tap("text-sound")
    await viewer.wait_until(
        lambda: viewer.evaluate("() => document.querySelector('audio').currentTime"),
        timeout_s=30,
        what="is heard",
    )
    assert not any("/720p/" in url or "/360p/" in url or url.endswith(".jpg") for url in asked)
    await viewer.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
    assert await viewer.horizontal_overflow() == 0
    assert await viewer.axe() == []
    await viewer.open(staged.url("?text=1"))
    await present(viewer, "text-page")
    assert await viewer.count("text-still") == 0, "the switch is remembered"


async def test_browsers_that_are_too_old(staged: Airing, browsers: BrowserFactory) -> None:
    await staged.step()
    viewer = await browsers.launch(name="old", screen=PHONE)

    async def unreadable(route: Route) -> None:
        await route.fulfill(content_type="text/javascript", body="const a = b ??= ;")

    await viewer.page.route("**/assets/live-*.js", unreadable)
    await viewer.open(staged.url())
    await present(viewer, "old-page")
    await reads(viewer, "浏览器版本太旧")
    await reads(viewer, TITLE)
    assert await viewer.count("text-page") == 0
    await viewer.page.unroute("**/assets/live-*.js")
    await on_air(staged)
    await viewer.open(staged.url("?old=1"))
    await reads(viewer, f"当前议程：{AGENDA[0][1]}")
    await reads(viewer, "直播中")
    assert await viewer.horizontal_overflow() == 0


async def test_without_a_way_to_play(staged: Airing, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="nothing", screen=PHONE)
    await viewer.context.add_init_script(
        "delete window.MediaSource; HTMLMediaElement.prototype.canPlayType = () => ''"
    )
    await on_air(staged)
    await viewer.open(staged.url())
    await present(viewer, "cannot-play")
    await viewer.page.get_by_role("link", name="看图文直播").click()
    await present(viewer, "text-page")


async def test_what_is_not_public_is_not_found(server: Server, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="curious", screen=PHONE)
    await viewer.open(f"{server.url}/live/c_nothing")
    await present(viewer, "live-gone")
    assert await viewer.axe() == []


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("live-before", "landscape"),
        ("live-before-large", "phone"),
        ("live-large", "phone"),
        ("live-replay-large", "laptop"),
    ],
)
async def test_every_face_fits_and_everybody_can_use_it(
    name: str, screen: str, server: Server, browsers: BrowserFactory
) -> None:
    assert name in LIVE_SCENES
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await stage.client.horizontal_overflow() == 0
        assert await stage.client.axe() == []
        clipped = await stage.client.evaluate(
            """() => [...document.querySelectorAll(".titlecard p, button, label, .tag")]
                .filter((e) => e.checkVisibility() && e.closest(".titlecard, .pbar, .pright")
                               && (e.getBoundingClientRect().right > innerWidth + 1
                                   || e.scrollWidth > e.clientWidth + 1))
                .map((e) => e.innerText)"""
        )
        assert clipped == []
