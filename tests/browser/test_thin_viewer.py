"""One viewer on 300 kbit/s, another on none: the pictures of the second are what they were, in real Chromium."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Self

import pytest

from tests.browser.meeting import enter
from tests.browser.test_downlink import height
from tests.browser.test_network import received
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.by_the_link import by_the_link
from tests.support.link import Conditions, Link
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server

pytestmark = [pytest.mark.net, pytest.mark.browser, pytest.mark.timeout(300)]

HOST = "127.0.0.1"
WIDE, THIN = Conditions(delay_ms=20), Conditions(delay_ms=20, rate_bps=300e3)
WATCH_S = 15.0


@dataclass(frozen=True)
class Watched:
    """What a viewer saw for a while: every height of the picture, pictures a second, the share of time it stood."""

    lines: frozenset[int]
    frames_per_s: float
    frozen: float

    @classmethod
    async def over(cls, viewer: BrowserClient, sender_id: str) -> Self:
        before, began = await received(viewer, sender_id), time.monotonic()
        lines = set()
        while time.monotonic() - began < WATCH_S:
            lines.add(await height(viewer))
            await asyncio.sleep(0.5)
        after, lasted = await received(viewer, sender_id), time.monotonic() - began
        gone = {key: after[key] - before[key] for key in ("framesDecoded", "totalFreezesDuration")}
        return cls(frozenset(lines), gone["framesDecoded"] / lasted, gone["totalFreezesDuration"] / lasted)


async def test_a_viewer_on_300_kbit_does_not_lower_anybody_elses_picture(
    start_server: Any, start_link: Any, browsers: BrowserFactory
) -> None:
    server: Server = start_server(media_addresses=[HOST])
    link: Link = start_link(Link((HOST, server.media_port), down=WIDE))
    consultation = server.create_consultation()
    video = participant_video(1, (1280, 720), 15, 4.0)
    sender = await browsers.launch(name="主会场", video=video, audio=speech_wav())
    await sender.open(server.room_url(consultation, server.token(consultation, "chair", "主会场")))
    sender_id = await enter(sender)
    thin, other = await browsers.launch(name="甲"), await browsers.launch(name="乙")
    await by_the_link(thin, HOST, link)
    for viewer in (thin, other):
        await viewer.open(server.room_url(consultation, server.token(consultation, "observer", viewer.name)))
        await enter(viewer)
    for viewer in (thin, other):
        await viewer.wait_until(
            lambda viewer=viewer: height(viewer),
            lambda lines: lines == 720,
            timeout_s=60,
            what="sees it whole",
        )

    undisturbed = await Watched.over(other, sender_id)
    link.set(down=THIN)
    await thin.wait_until(
        lambda: height(thin), lambda lines: 0 < lines <= 360, timeout_s=40, what="gets a smaller picture"
    )
    beside = await Watched.over(other, sender_id)
    print(
        f"\nthe other before: {undisturbed}; beside the thin one: {beside}; that one: {await height(thin)} lines"
    )
    await thin.hears(sender_id)
    assert undisturbed.lines == beside.lines == {720}
    assert beside.frames_per_s > 0.8 * undisturbed.frames_per_s
