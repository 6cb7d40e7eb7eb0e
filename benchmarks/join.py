"""How long joining takes for a person: from the click on join to the first picture of somebody else, in Chromium."""

import asyncio
import statistics
from dataclasses import dataclass

from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import participant_video, speech_wav, vp8_clip
from tests.support.server import Server


@dataclass(frozen=True)
class JoinTimes:
    """Milliseconds of several joins, each of a new browser context's page."""

    milliseconds: tuple[float, ...]

    def __str__(self) -> str:
        each = ", ".join(f"{value:.0f}" for value in sorted(self.milliseconds))
        return f"join, click to first remote picture: median {statistics.median(self.milliseconds):.0f} ms of {each}"


async def _join_once(browser: BrowserClient, url: str) -> float:
    await browser.open(url)
    await browser.wait_until(lambda: browser.count("join-button"), what="join page")
    await browser.watch_join()
    # The camera's preview is up: joining is not made faster or slower by it.
    await browser.wait_until(
        lambda: browser.evaluate(
            "() => [...document.querySelectorAll('video')].some((v) => v.videoWidth > 0)"
        ),
        what="preview",
    )
    await browser.tap("join-button")
    milliseconds = await browser.wait_until(browser.join_time_ms, what="first picture")
    await browser.tap("leave-button")
    return float(milliseconds)


async def join_times(joins: int) -> JoinTimes:
    """One participant sends; a browser joins again and again, from a new page each time."""
    async with Server() as server, BrowserFactory() as factory:
        consultation = await asyncio.to_thread(server.create_consultation)
        token = await asyncio.to_thread(server.token, consultation)
        async with RoomClient(server.url, token) as sender:
            await sender.publish([AudioSource(), VideoSource(frames=vp8_clip(9), fps=15)])
            browser = await factory.launch(
                name="joiner", video=participant_video(2, seconds=2), audio=speech_wav()
            )
            await browser.evaluate("() => 0")
            times: list[float] = []
            for _ in range(joins):
                times.append(await _join_once(browser, server.room_url(consultation, token)))
                await browser.open("about:blank")
            return JoinTimes(tuple(times))
