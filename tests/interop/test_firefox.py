"""Firefox in the room with Chromium: each sees the other's picture in pixels and hears it in the decoder's energy."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from tests.browser.meeting import enter
from tests.interop.firefox import EXECUTABLE, Firefox
from tests.interop.sending import whip_sender
from tests.interop.watching import moves
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.eventually import eventually
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server
from tests.support.shared_screen import TITLE, open_shared_screen

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which(EXECUTABLE) is None, reason=f"needs {EXECUTABLE}"),
]
FIRST, SECOND, THIRD, SCREEN = 1, 2, 3, 7  # the numbers coded in Chromium's pictures


@pytest.fixture
async def firefox() -> AsyncIterator[Firefox]:
    async with Firefox() as browser:
        yield browser


async def _chromium_joins(
    browsers: BrowserFactory, server: Server, consultation: str, number: int
) -> tuple[BrowserClient, str]:
    video = await asyncio.to_thread(participant_video, number, (640, 360), 15, 4.0)
    speech = await asyncio.to_thread(speech_wav)
    client = await browsers.launch(name=f"Chromium {number}", video=video, audio=speech, share_title=TITLE)
    token = server.token(consultation, "member", f"委员{number}")
    await client.open(server.room_url(consultation, token))
    return client, await enter(client)


async def _firefox_joins(firefox: Firefox, server: Server, consultation: str) -> str:
    token = server.token(consultation, "member", "火狐")
    await firefox.open(server.room_url(consultation, token))
    await firefox.tap("join-button", timeout_s=30)
    await firefox.connected()
    return await firefox.own_id()


async def test_firefox_and_chromium_see_and_hear_each_other(
    server: Server, consultation: str, browsers: BrowserFactory, firefox: Firefox
) -> None:
    chromium, first = await _chromium_joins(browsers, server, consultation, FIRST)
    fox = await _firefox_joins(firefox, server, consultation)

    await firefox.sees({first: {FIRST}})
    await firefox.hears(first)
    await moves(chromium, fox)
    await chromium.hears(fox)

    # A shared screen stands beside the camera, and goes again.
    await open_shared_screen(chromium, SCREEN)
    await chromium.tap("share-screen")
    await firefox.sees({first: {FIRST, SCREEN}})
    await chromium.tap("share-screen")
    await firefox.sees({first: {FIRST}})
    chromium.assert_quiet()
    assert not [line for line in firefox.console if "error" in line.split(":")[0]], firefox.console


async def test_firefox_goes_on_when_one_leaves_and_another_comes(
    server: Server, consultation: str, browsers: BrowserFactory, firefox: Firefox
) -> None:
    _, first = await _chromium_joins(browsers, server, consultation, FIRST)
    fox = await _firefox_joins(firefox, server, consultation)
    second_browser, second = await _chromium_joins(browsers, server, consultation, SECOND)
    await firefox.sees({first: {FIRST}, second: {SECOND}})
    lines = await firefox.evaluate("() => yuanshangDebug.subscribeConnection.getTransceivers().length")

    await second_browser.tap("leave-button")

    async def only_first() -> bool:
        return set(await firefox.codes_by_tile()) == {first, fox}

    await firefox.wait_until(only_first, timeout_s=20, what="lost the tile of who left")
    await second_browser.close()

    third_browser, third = await _chromium_joins(browsers, server, consultation, THIRD)
    await firefox.sees({first: {FIRST}, third: {THIRD}})
    await firefox.hears(third)
    await moves(third_browser, fox)
    now = await firefox.evaluate("() => yuanshangDebug.subscribeConnection.getTransceivers().length")
    assert now == lines, "the newcomer took the slots of who left"


async def test_firefox_without_an_h264_decoder_hears_who_sends_h264(
    server: Server, consultation: str, browsers: BrowserFactory, firefox: Firefox
) -> None:
    """It has H264 from a plugin that it downloads; until then it takes VP8 only."""
    page, sender = await whip_sender(browsers, server, FIRST, consultation, "H264")
    before = server.metrics().value("yuanshang_media_unsupported_codec_total")
    await _firefox_joins(firefox, server, consultation)
    await firefox.hears(sender)
    streams = [one for one in await firefox.inbound() if one.participant_id == sender]
    assert not any(one.packets for one in streams if one.kind == "video")

    def refused() -> float:
        return server.metrics().value("yuanshang_media_unsupported_codec_total") - before

    await eventually(refused, lambda n: n == 1, what="is counted")

    await page.remove("sender")
    _, other = await whip_sender(browsers, server, SECOND, consultation, "VP8")
    await firefox.sees({other: {SECOND}})


async def test_each_is_sent_the_layer_that_the_others_window_needs(
    server: Server, consultation: str, browsers: BrowserFactory, firefox: Firefox
) -> None:
    video = await asyncio.to_thread(participant_video, FIRST, (1280, 720), 15, 4.0)
    speech = await asyncio.to_thread(speech_wav)
    chromium = await browsers.launch(name="Chromium", video=video, audio=speech, screen=Screen(1440, 900))
    await chromium.open(server.room_url(consultation, server.token(consultation, "member", "委员")))
    first = await enter(chromium)
    fox = await _firefox_joins(firefox, server, consultation)
    await firefox.resize(1440, 900)

    async def heights() -> tuple[int, int]:
        """Of Chromium's picture in Firefox, and of Firefox's in Chromium."""
        return await _height(firefox, first), await _height(chromium, fox)

    async def sent() -> tuple[int, int]:
        return await _sent_layers(firefox), await _sent_layers(chromium)

    async def resize(width: int, height: int) -> None:
        await asyncio.gather(firefox.resize(width, height), chromium.resize(Screen(width, height)))

    await firefox.wait_until(heights, lambda now: now == (720, 720), timeout_s=60, what="whole pictures")
    before = [await _frozen_s(firefox, first), await _frozen_s(chromium, fox)]
    for _ in range(2):
        await resize(400, 300)
        await firefox.wait_until(heights, lambda now: max(now) < 720, timeout_s=30, what="smaller pictures")
        await firefox.wait_until(sent, lambda now: max(now) == 1, timeout_s=30, what="one layer each")
        await resize(1440, 900)
        await firefox.wait_until(heights, lambda now: now == (720, 720), timeout_s=60, what="whole again")
    after = [await _frozen_s(firefox, first), await _frozen_s(chromium, fox)]
    print(f"frozen while eight layers were changed, s: {[b - a for a, b in zip(before, after, strict=True)]}")
    await firefox.sees({first: {FIRST}})
    await moves(chromium, fox)
    chromium.assert_quiet()


async def _height(viewer: BrowserClient | Firefox, participant_id: str) -> int:
    streams = [one for one in await viewer.inbound() if one.participant_id == participant_id]
    return max((int(one.number("frameHeight")) for one in streams if one.kind == "video"), default=0)


async def _frozen_s(viewer: BrowserClient | Firefox, participant_id: str) -> float:
    streams = [one for one in await viewer.inbound() if one.participant_id == participant_id]
    return sum(one.frozen_s for one in streams if one.kind == "video")


async def _sent_layers(sender: BrowserClient | Firefox) -> int:
    """Encodings that are switched on; Firefox's statistics do not say."""
    return int(
        await sender.evaluate(
            """() => Math.max(...yuanshangDebug.publishConnection.getSenders()
                 .filter((each) => each.track?.kind === "video")
                 .map((each) => each.getParameters().encodings.filter((one) => one.active).length))"""
        )
    )
