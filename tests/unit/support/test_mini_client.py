"""The page-less client in Chromium against the real server, and a light client beside it."""

import pytest

from tests.support.browser import BrowserFactory
from tests.support.eventually import eventually
from tests.support.light_client import VideoSource, WhepPlayer, WhipPublisher
from tests.support.light_client.vp8 import CodeReader
from tests.support.media import participant_video, speech_wav, vp8_clip
from tests.support.mini_client import MiniClient
from tests.support.server import Server

pytestmark = pytest.mark.browser


async def test_publishes_and_plays(server: Server, consultation: str, browsers: BrowserFactory) -> None:
    token = server.token(consultation)
    base = f"{server.url}/{{}}/{consultation}"
    browser = await browsers.launch(name="mini", video=participant_video(5, seconds=2), audio=speech_wav())
    mini = MiniClient(browser)
    await mini.open(server.url)
    location = await mini.publish("camera", base.format("whip") + "?label=camera", token)
    camera = location.rpartition("/")[2]

    async with WhepPlayer(token=token) as player:  # the browser's picture in a light client
        reader = CodeReader()
        reader.attach(player.peer)
        await player.play(f"{base.format('whep')}/{camera}")
        await eventually(lambda: any(code and code.participant == 5 for code in reader.codes), timeout_s=15)
        await eventually(lambda: player.stream("audio"), what="sound")

    async with WhipPublisher([VideoSource(frames=vp8_clip(6), fps=15)], token=token) as publisher:  # and back
        await publisher.publish(base.format("whip"))
        await mini.play("screen", f"{base.format('whep')}/{publisher.participant_id}", token)
        await mini.shows("screen", 6)
        assert await mini.state("screen") == "connected"
    assert await mini.remove("camera") in (200, 204)
