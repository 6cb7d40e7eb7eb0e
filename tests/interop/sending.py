"""A page that publishes by WHIP in one chosen codec, with the coded picture and speech."""

from __future__ import annotations

import asyncio

from tests.support.browser import BrowserFactory
from tests.support.media import participant_video, speech_wav
from tests.support.mini_client import MiniClient
from tests.support.server import Server


async def whip_sender(
    browsers: BrowserFactory, server: Server, number: int, consultation: str, codec: str
) -> tuple[MiniClient, str]:
    """A page that publishes by WHIP; its participant id."""
    video = await asyncio.to_thread(participant_video, number, (640, 360), 15, 4.0)
    speech = await asyncio.to_thread(speech_wav)
    page = MiniClient(await browsers.launch(name=f"sender {number}", video=video, audio=speech))
    await page.open(server.url)
    token = server.token(consultation, "member", f"编码器{number}")
    location = await page.publish("sender", f"{server.url}/whip/{consultation}", token, codec=codec)
    return page, location.rpartition("/")[2]
