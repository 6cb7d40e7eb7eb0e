"""A receiver's picture follows what its link carries, in real Chromium and through the link emulator."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.browser.meeting import enter
from tests.browser.test_network import received
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.link import Conditions, Link, loopback_address
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server

pytestmark = [pytest.mark.net, pytest.mark.browser, pytest.mark.timeout(300)]

WIDE = Conditions(delay_ms=20)


async def height(client: BrowserClient) -> int:
    """Of the one picture that it receives."""
    return max(
        (int(one.stats["frameHeight"]) for one in await client.inbound() if "frameHeight" in one.stats),
        default=0,
    )


async def test_the_picture_follows_the_link_down_and_up_and_sound_goes_on(
    start_server: Any, start_link: Any, browsers: BrowserFactory
) -> None:
    host = loopback_address()
    server: Server = start_server(media_addresses=[host])
    link: Link = start_link(Link(("127.0.0.1", server.media_port), listen_host=host, down=WIDE))
    consultation = server.create_consultation()
    sender = await browsers.launch(
        name="主会场", video=participant_video(1, (1280, 720), 15, 4.0), audio=speech_wav()
    )
    await sender.open(server.room_url(consultation, server.token(consultation, "chair", "主会场")))
    sender_id = await enter(sender)
    viewer = await browsers.launch(name="旁听")
    await viewer.open(server.room_url(consultation, server.token(consultation, "observer", "旁听")))
    await enter(viewer)
    await viewer.wait_until(lambda: height(viewer), lambda h: h == 720, timeout_s=40, what="sees it whole")

    async def down_to(most: int) -> None:
        await viewer.wait_until(
            lambda: height(viewer), lambda h: h <= most, timeout_s=30, what=f"at most {most} lines"
        )

    for rate_bps, most in ((400e3, 360), (150e3, 180)):
        link.set(down=Conditions(delay_ms=20, rate_bps=rate_bps))
        began = time.monotonic()
        await down_to(most)
        before = await received(viewer, sender_id)
        print(
            f"\n{rate_bps / 1e3:.0f} kbit/s: {await height(viewer)} lines after {time.monotonic() - began:.1f} s"
        )
        await viewer.hears(sender_id)
        after = await received(viewer, sender_id)
        print({key: round(after[key] - before[key], 3) for key in after})

    link.set(down=WIDE)
    began = time.monotonic()
    await viewer.wait_until(
        lambda: height(viewer), lambda h: h == 720, timeout_s=30, what="sees it whole again"
    )
    print(f"whole again after {time.monotonic() - began:.1f} s")
    viewer.assert_quiet()
