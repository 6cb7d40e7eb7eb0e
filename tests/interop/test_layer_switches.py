"""A picture whose tile grows and shrinks changes its layer; neither Firefox nor Chromium shows a freeze for it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from tests.browser.meeting import enter
from tests.interop import smoothness
from tests.interop.firefox import EXECUTABLE, Firefox
from tests.interop.test_firefox import _firefox_joins, _height
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server

pytestmark = [pytest.mark.interop, pytest.mark.browser, pytest.mark.timeout(400)]

SENDER = 1
LARGE, SMALL = (1440, 900), (400, 300)
ROUNDS = 3
FREEZE_MS = 1000


@pytest.fixture
async def firefox() -> AsyncIterator[Firefox]:
    if shutil.which(EXECUTABLE) is None:
        pytest.skip(f"needs {EXECUTABLE}")
    async with Firefox() as browser:
        yield browser


async def _sender(browsers: BrowserFactory, server: Server, consultation: str) -> str:
    video = await asyncio.to_thread(participant_video, SENDER, (1280, 720), 15, 4.0)
    speech = await asyncio.to_thread(speech_wav)
    client = await browsers.launch(name="sender", video=video, audio=speech, screen=Screen(*LARGE))
    await client.open(server.room_url(consultation, server.token(consultation, "venue_operator", "主会场")))
    return await enter(client)


async def _resize(viewer: BrowserClient | Firefox, size: tuple[int, int]) -> None:
    if isinstance(viewer, Firefox):
        await viewer.resize(*size)
    else:
        await viewer.resize(Screen(*size))


async def _grows_and_shrinks(viewer: BrowserClient | Firefox, sender: str) -> None:
    async def decoded() -> int:
        return await _height(viewer, sender)

    async def height() -> int:
        """Of the last frame that was presented."""
        return ((0, *(await smoothness.shown(viewer)).heights))[-1]

    await _resize(viewer, LARGE)
    await viewer.wait_until(decoded, lambda now: now == 720, timeout_s=60, what="has the whole picture")
    await smoothness.watch(viewer, sender)
    await viewer.wait_until(height, lambda now: now == 720, timeout_s=20, what="shows the whole picture")
    for _ in range(ROUNDS):
        await _resize(viewer, SMALL)
        await viewer.wait_until(height, lambda now: 0 < now < 720, timeout_s=40, what="has a smaller picture")
        await _resize(viewer, LARGE)
        await viewer.wait_until(
            height, lambda now: now == 720, timeout_s=60, what="has the whole picture again"
        )
    shown = await smoothness.shown(viewer)
    print(f"{viewer.name}: longest time without a new frame {shown.longest_gap_ms:.0f} ms, {shown}")
    assert shown.longest_gap_ms < FREEZE_MS
    assert len(shown.heights) > 2 * ROUNDS


async def test_firefox_shows_no_freeze_when_its_layer_changes(
    server: Server, consultation: str, browsers: BrowserFactory, firefox: Firefox
) -> None:
    sender = await _sender(browsers, server, consultation)
    await _firefox_joins(firefox, server, consultation)
    await firefox.sees({sender: {SENDER}})
    await _grows_and_shrinks(firefox, sender)


async def test_chromium_shows_no_freeze_when_its_layer_changes(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    sender = await _sender(browsers, server, consultation)
    speech = await asyncio.to_thread(speech_wav)
    video = await asyncio.to_thread(participant_video, 2, (640, 360), 15, 4.0)
    viewer = await browsers.launch(name="Chromium", video=video, audio=speech, screen=Screen(*LARGE))
    await viewer.open(server.room_url(consultation, server.token(consultation, "member", "委员")))
    await enter(viewer)
    await viewer.sees({sender: SENDER})
    await _grows_and_shrinks(viewer, sender)
