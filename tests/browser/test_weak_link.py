"""What somebody on a failing link reads in the room: the last picture stays, sound goes on, and a word says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.browser.meeting import enter
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.link import Conditions, Link, loopback_address
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server

pytestmark = [pytest.mark.net, pytest.mark.browser, pytest.mark.timeout(300)]

WIDE, THIN = Conditions(delay_ms=20), Conditions(delay_ms=20, rate_bps=70_000)


async def _hint(viewer: BrowserClient) -> str:
    return str(
        await viewer.evaluate("() => document.querySelector('[data-testid=weak-hint]')?.dataset.kind ?? ''")
    )


async def _paused(viewer: BrowserClient) -> int:
    return int(
        await viewer.evaluate(
            "() => document.querySelectorAll('[data-testid=participant-tile][data-paused=true]').length"
        )
    )


async def test_a_collapsed_link_keeps_sound_and_says_so_until_it_is_back(
    start_server: Any, start_link: Any, browsers: BrowserFactory
) -> None:
    host = loopback_address()
    server: Server = start_server(media_addresses=[host])
    link: Link = start_link(Link(("127.0.0.1", server.media_port), listen_host=host, down=WIDE))
    consultation = server.create_consultation()
    video, speech = await asyncio.gather(
        asyncio.to_thread(participant_video, 1, (1280, 720), 15, 4.0), asyncio.to_thread(speech_wav)
    )
    sender = await browsers.launch(name="主会场", video=video, audio=speech)
    await sender.open(server.room_url(consultation, server.token(consultation, "chair", "主会场")))
    sender_id = await enter(sender)
    viewer = await browsers.launch(name="旁听")
    await viewer.open(server.room_url(consultation, server.token(consultation, "observer", "旁听")))
    await enter(viewer)
    await viewer.sees({sender_id: 1}, timeout_s=40)
    assert await _hint(viewer) == ""

    link.set(down=THIN)
    await viewer.wait_until(lambda: _hint(viewer), lambda hint: hint == "soundOnly", timeout_s=40)
    assert await _paused(viewer) == 1
    # The last picture stays, and the voice goes on.
    await viewer.sees({sender_id: 1})
    await viewer.hears(sender_id)

    link.set(down=WIDE)
    await viewer.wait_until(lambda: _paused(viewer), lambda paused: paused == 0, timeout_s=40)
    await viewer.wait_until(lambda: _hint(viewer), lambda hint: hint == "", timeout_s=20)
    await viewer.sees({sender_id: 1})
    viewer.assert_quiet()
