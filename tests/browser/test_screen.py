"""Big screens in real Chromium: what a hall's loudspeakers get, and that nobody has to stand beside one."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.browser.airing import airing
from tests.browser.office import HALL, Prepared, prepare
from tests.support.browser import SILENCE, WALL, BrowserClient, BrowserFactory, Screen
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource, WhipPublisher
from tests.support.link import Link, loopback_address
from tests.support.media import opus_packets, speech_wav, vp8_clip
from tests.support.server import Server

PROGRAMS = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

SOAK_MINUTES = float(os.environ.get("YUANSHANG_SCREEN_MINUTES", "0"))
"""How long the screen stands; without it as long as two restarts take."""
TTL_S = 40  # of a token that is to expire while its screen stands
HD = Screen(1280, 720)

STATE_JS = """() => {
  const one = (name) => document.querySelector(`[data-testid="${name}"]`)
  const page = one("big-screen"), hall = one("hall-screen"), card = one("screen-card")
  const video = one("screen-program")?.querySelector("video")
  return {
    phase: page?.dataset.phase ?? null,
    link: page?.dataset.link ?? null,
    mode: hall?.dataset.mode ?? null,
    stands: hall?.dataset.stands === "true",
    card: card?.dataset.kind ?? null,
    pictures: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
    said: document.body.innerText,
    life: window.__life ?? null,
  }
}"""

# How light the program's picture on the page is, the kept one where that lies over it: 0 is black.
LIGHT_JS = """() => {
  const box = document.querySelector('[data-testid="screen-program"]')
  const kept = box.querySelector("canvas")
  const from = getComputedStyle(kept).display === "none" ? box.querySelector("video") : kept
  const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 18 })
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.drawImage(from, 0, 0, 32, 18)
  const all = pen.getImageData(0, 0, 32, 18).data
  return Math.max(...all.filter((_, at) => at % 4 < 3))
}"""


async def state(screen: BrowserClient) -> dict[str, Any]:
    return dict(await screen.evaluate(STATE_JS))


async def is_so(screen: BrowserClient, timeout_s: float = 40.0, **wanted: Any) -> dict[str, Any]:
    """Wait until the screen's state holds all of this."""
    found = await screen.wait_until(
        lambda: state(screen),
        lambda now: wanted.items() <= now.items(),
        timeout_s=timeout_s,
        what=f"is {wanted}",
    )
    return dict(found)


async def moves(screen: BrowserClient, timeout_s: float = 60.0) -> None:
    """Wait until the program's picture is on the screen and goes on."""
    first = await is_so(screen, timeout_s, mode="program", stands=False, link="connected")

    def gone_on(now: dict[str, Any]) -> bool:
        # Another connection begins to count anew.
        return bool(now["mode"] == "program" and not now["stands"] and now["pictures"] != first["pictures"])

    await screen.wait_until(lambda: state(screen), gone_on, timeout_s=timeout_s, what="shows new pictures")


@asynccontextmanager
async def voice(server: Server, token: str) -> AsyncIterator[RoomClient]:
    """Somebody who says sentences into the room all the time."""
    packets = await asyncio.to_thread(lambda: opus_packets(speech_wav()))
    client = RoomClient(server.url, token)
    await client.connect()
    try:
        await client.publish([AudioSource(packets=packets, level_db=20)], names=["microphone"])
        yield client
    finally:
        await client.close()


def screen_link(prepared: Prepared) -> str:
    return prepared.office.address(str(prepared.hall["screen_link"]))


def operator_token(prepared: Prepared) -> str:
    code = str(prepared.hall["link"]).rpartition("/")[2]
    return str(prepared.office.call("POST", f"/links/{code}/enter")["token"])


async def quiet(screen: BrowserClient, participant_id: str) -> None:
    """For as long as speech with its pauses takes, nothing of this voice arrives."""
    assert await screen.loudness(participant_id, over_s=2) < SILENCE
    for stream in await screen.inbound():
        assert (stream.participant_id, stream.kind) != (participant_id, "audio"), "not even a line for it"


@pytest.mark.core
async def test_a_halls_loudspeakers_get_none_of_its_own_voice(
    server: Server, browsers: BrowserFactory
) -> None:
    """Done when 2: console, encoder and telephone of a hall speak, and its screen hears the others alone."""
    prepared = await asyncio.to_thread(prepare, server)
    cid = prepared.consultation
    operator = await asyncio.to_thread(operator_token, prepared)
    elsewhere = server.token(cid, "venue_operator", "石桥村", "石桥村连线点")
    packets = await asyncio.to_thread(lambda: opus_packets(speech_wav()))
    async with voice(server, elsewhere) as remote:
        screen = await browsers.launch(name="screen", screen=HD, autoplay=True)
        await screen.open(screen_link(prepared))
        await is_so(screen, phase="inside", link="connected")
        await screen.hears(remote.participant_id, timeout_s=40)

        console = await browsers.launch(
            name="console", audio=await asyncio.to_thread(speech_wav), autoplay=True
        )
        token = f"{server.url}/room/{cid}#token={operator}"
        await console.open(token)
        await console.tap("join-button", timeout_s=30)

        def seated() -> str | None:
            found = [each["id"] for each in remote.participants.values() if each["venue"] == HALL]
            return str(found[0]) if found else None

        own = str(await eventually(seated, timeout_s=30, what="the hall's console"))
        encoder = WhipPublisher([AudioSource(packets=packets, level_db=20)], token=operator)
        by_encoder = await encoder.publish(f"{server.url}/whip/{cid}?label=主席台")
        try:
            # Everybody else hears the hall by both ways, and what is measured is speech.
            for voice_id in (own, by_encoder):
                await remote.receives(voice_id, "microphone", packets=50)
            for loudspeaker in (screen, console):
                await loudspeaker.hears(remote.participant_id)
                for voice_id in (own, by_encoder):
                    await quiet(loudspeaker, voice_id)
            # The others fall silent: what is left in the hall's loudspeakers is nothing at all.
            await remote.request("participant.update", {"microphone": False})
            await screen.hears_no_more(remote.participant_id)
            before = sum((await screen.sound_energy()).values())
            await remote.receives(own, "microphone", packets=100)
            assert sum((await screen.sound_energy()).values()) - before < SILENCE
        finally:
            await encoder.close()
        screen.assert_quiet()


async def test_a_browser_that_refuses_sound_asks_for_one_press(
    server: Server, browsers: BrowserFactory
) -> None:
    """Before anybody speaks, for whoever sets it up would have gone by then."""
    cid = server.create_consultation("推进县域养老服务高质量发展")
    screen = await browsers.launch(name="screen", screen=HD)
    await screen.open(f"{server.url}/screen/{cid}#token={server.token(cid, 'observer', '大屏')}")
    await is_so(screen, phase="inside")
    await screen.tap("open-sound")
    await screen.wait_until(
        lambda: screen.count("open-sound"), lambda count: count == 0, what="has taken the button away"
    )
    async with voice(server, server.token(cid, "member", "陈委员")) as member:
        await screen.hears(member.participant_id)
    assert await screen.count("open-sound") == 0


async def test_it_recovers_alone_from_two_restarts(server: Server, browsers: BrowserFactory) -> None:
    """Done when 4. In an hour with YUANSHANG_SCREEN_MINUTES=60, else as fast as it goes."""
    async with airing(server) as stage:
        await stage.post("start")
        screen = await browsers.launch(name="screen", screen=HD, autoplay=True)
        token = server.token(stage.consultation, "observer", "大屏", "主会场", ttl=TTL_S)
        expires_s = time.monotonic() + TTL_S + 1
        await screen.open(f"{server.url}/screen/{stage.consultation}#token={token}")
        await moves(screen)
        await screen.evaluate("() => { window.__life = 'first' }")
        # The token expires; the screen goes on by its secret.
        await asyncio.sleep(max(0.0, expires_s - time.monotonic()))
        part_s = SOAK_MINUTES * 60 / 3
        for victim in ("parent", "media", "parent"):
            await asyncio.sleep(part_s)
            await moves(screen)
            await asyncio.to_thread(server.kill9, victim)
            if victim == "parent":
                found = await is_so(screen, stands=True, mode="program")
                assert "正在重新连接" in found["said"]
                assert await screen.evaluate(LIGHT_JS) > 60, "the last picture stays"
                await stage.chair.drop()
                await asyncio.to_thread(server.restart)
                async with airing_again(stage.server, stage.consultation) as speaker:
                    await moves(screen)
                    await screen.hears(speaker.participant_id)
            else:
                await moves(screen)
        await asyncio.sleep(part_s)
        now = await state(screen)
        assert now["life"] == "first", "the page was never loaded anew"
        assert now["phase"] == "inside"
        screen.assert_quiet(allowed=r"favicon|Failed to load resource|WebSocket|ERR_CONNECTION")


@asynccontextmanager
async def airing_again(server: Server, cid: str) -> AsyncIterator[RoomClient]:
    """Another speaker with picture and sound, after those from before are gone."""
    client = RoomClient(server.url, server.token(cid, "chair", "刘主持", "主会场"), receive=False)
    await client.connect()
    try:
        packets = await asyncio.to_thread(lambda: opus_packets(speech_wav()))
        frames = await asyncio.to_thread(vp8_clip, 1)
        sound, picture = AudioSource(packets=packets, level_db=20), VideoSource(fps=15, frames=frames)
        await client.publish([sound, picture], names=["microphone", "camera"])
        yield client
    finally:
        await client.drop()


async def test_an_outage_of_the_network_leaves_the_last_picture(
    start_server: Any, start_link: Any, browsers: BrowserFactory
) -> None:
    """First of the web alone, which nobody in the hall needs to know of; then of everything."""
    host = loopback_address()
    server: Server = start_server(media_addresses=[host], programs=True)
    link: Link = start_link(Link(("127.0.0.1", server.media_port), listen_host=host))
    async with airing(server) as stage:
        await stage.post("start")
        screen = await browsers.launch(name="screen", screen=HD, autoplay=True)
        token = server.token(stage.consultation, "observer", "大屏")
        await screen.open(f"{server.url}/screen/{stage.consultation}#token={token}")
        await moves(screen)
        await screen.offline(True)
        await is_so(screen, link="reconnecting")
        found = await is_so(screen, mode="program", stands=False)
        assert "正在重新连接" not in found["said"]
        link.outage()
        found = await is_so(screen, mode="program", stands=True)
        assert "正在重新连接" in found["said"]
        assert await screen.evaluate(LIGHT_JS) > 60, "the last picture stays"
        link.outage(False)
        await screen.offline(False)
        await moves(screen)
        await stage.post("end")
        await is_so(screen, card="end")
        # Who comes now sees the same.
        await screen.page.reload()
        await is_so(screen, card="end")


async def test_a_consultation_that_has_not_begun_is_a_title_card(
    server: Server, browsers: BrowserFactory
) -> None:
    prepared = await asyncio.to_thread(prepare, server)
    screen = await browsers.launch(name="screen", screen=WALL, autoplay=True)
    await screen.open(screen_link(prepared))
    found = await is_so(screen, phase="inside", card="before")
    assert "推进县域养老服务高质量发展" in found["said"]
    path = f"/consultations/{prepared.consultation}/venues/{prepared.hall['id']}/link"
    await asyncio.to_thread(prepared.office.call, "POST", path)
    found = await is_so(screen, phase="refused", card="refused")
    assert "大屏链接已失效" in found["said"]


async def test_the_pointer_goes_and_help_comes_with_the_mouse(
    server: Server, browsers: BrowserFactory
) -> None:
    cid = server.create_consultation("推进县域养老服务高质量发展")
    screen = await browsers.launch(name="screen", screen=HD, autoplay=True)
    await screen.open(f"{server.url}/screen/{cid}#token={server.token(cid, 'observer', '大屏')}")
    await is_so(screen, phase="inside")
    pointer = "() => getComputedStyle(document.querySelector('.bigscreen')).cursor"
    await screen.wait_until(lambda: screen.evaluate(pointer), lambda found: found == "none")
    await screen.page.mouse.move(300, 300)
    await screen.page.mouse.move(320, 300)
    await screen.wait_until(lambda: screen.count("screen-setup"), what="says how to fill the screen")
    await screen.wait_until(lambda: screen.evaluate(pointer), lambda found: found == "none")
    assert await screen.count("screen-setup") == 0
    await screen.page.mouse.click(640, 300)
    full = "() => document.fullscreenElement !== null"
    await screen.wait_until(lambda: screen.evaluate(full), what="fills the screen")
    assert not await screen.axe()
