"""Adaptive pictures between real browsers: what a viewer shows, and how large, decides what is sent and encoded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.browser.meeting import enter
from tests.browser.scenes import LANDSCAPE
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import participant_video, speech_wav, vp8_clip
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LARGE, SMALL = Screen(1440, 900), Screen(400, 300)
STAGE, STRIP = 1, 5  # the numbers coded in the pictures


async def _join(
    browsers: BrowserFactory, server: Server, consultation: str, number: int, role: str, size: tuple[int, int]
) -> tuple[BrowserClient, str]:
    video = await asyncio.to_thread(participant_video, number, size, 15, 4.0)
    sound = await asyncio.to_thread(speech_wav)
    client = await browsers.launch(name=f"{role} {number}", video=video, audio=sound, screen=LARGE)
    await client.open(server.room_url(consultation, server.token(consultation, role, f"{role}{number}")))
    return client, await enter(client)


async def _height(viewer: BrowserClient, participant_id: str) -> int:
    """Of the picture as it is decoded, not as it is drawn."""
    streams = [each for each in await viewer.inbound() if each.participant_id == participant_id]
    return max((int(each.number("frameHeight")) for each in streams if each.kind == "video"), default=0)


async def _packets(viewer: BrowserClient, participant_id: str, kind: str) -> int:
    streams = [each for each in await viewer.inbound() if each.participant_id == participant_id]
    return sum(each.packets for each in streams if each.kind == kind)


async def _sent_layers(sender: BrowserClient) -> set[str]:
    return {
        str(report["rid"])
        for report in await sender.outbound()
        if report["kind"] == "video" and report.get("active")
    }


async def _is_sent(viewer: BrowserClient, participant_id: str, kind: str) -> bool:
    """Whether anything comes within a second."""
    before = await _packets(viewer, participant_id, kind)
    await asyncio.sleep(1)
    return await _packets(viewer, participant_id, kind) > before


@pytest.fixture
async def other(server: Server, consultation: str) -> AsyncIterator[RoomClient]:
    """Somebody in the strip, who speaks, too."""
    person = RoomClient(server.url, server.token(consultation, "member", "吴委员"), receive=False)
    await person.connect()
    sound = AudioSource(level_db=127)
    picture = VideoSource(fps=15, frames=await asyncio.to_thread(vp8_clip, STRIP))
    await person.publish([sound, picture], names=["microphone", "camera"])
    yield person
    await person.close()


@pytest.mark.core
async def test_a_viewer_is_sent_what_its_tiles_show_and_no_more_is_encoded(
    server: Server, consultation: str, browsers: BrowserFactory, other: RoomClient
) -> None:
    sender, sender_id = await _join(browsers, server, consultation, STAGE, "venue_operator", (1280, 720))
    viewer, _ = await _join(browsers, server, consultation, 2, "member", (640, 360))
    await viewer.sees({sender_id: STAGE, other.participant_id: STRIP}, timeout_s=40)

    async def height() -> int:
        return await _height(viewer, sender_id)

    await viewer.wait_until(height, lambda now: now == 720, timeout_s=60, what="has the whole picture")

    async def layers() -> set[str]:
        return await _sent_layers(sender)

    # A small window: a small layer, and the sender encodes the large one no more.
    await viewer.resize(SMALL)
    await viewer.wait_until(height, lambda now: 0 < now < 720, timeout_s=30, what="has a smaller picture")
    await sender.wait_until(layers, lambda now: "f" not in now, timeout_s=30, what="pauses its largest layer")
    await viewer.sees({sender_id: STAGE})

    # Large again: the layer comes back by itself.
    await viewer.resize(LARGE)
    await sender.wait_until(layers, lambda now: "f" in now, timeout_s=30, what="sends its largest layer")
    await viewer.wait_until(height, lambda now: now == 720, timeout_s=60, what="has the whole picture again")

    # A window that has place for the stage alone: who is not shown is heard, and no picture is sent.
    await viewer.resize(LANDSCAPE)

    async def pictures() -> bool:
        return await _is_sent(viewer, other.participant_id, "video")

    await viewer.wait_until(pictures, lambda sent: not sent, timeout_s=30, what="is sent no hidden picture")
    assert await _is_sent(viewer, other.participant_id, "audio")
    await viewer.resize(LARGE)
    await viewer.wait_until(pictures, timeout_s=30, what="is sent the picture that is shown again")
    await viewer.sees({other.participant_id: STRIP})
    for client in (sender, viewer):
        client.assert_quiet()
