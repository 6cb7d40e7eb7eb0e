"""A camera as the one who prepares, and those in the room, have it: found, added and tried out at the desk, seen and
heard in two browsers, gone and back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from signaling.network import announced_addresses
from tests.browser.meeting import enter
from tests.browser.office import TITLE
from tests.support.browser import LAPTOP, PHONE, BrowserClient, BrowserFactory
from tests.support.onvif_device import OnvifDevice, Profile
from tests.support.ports import free_port
from tests.support.rtsp_server import TONE_HZ, RtspServer, is_installed
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# The ground of the camera's picture, and whether the ball moves: the pixels of a tile, small.
PICTURE_JS = """(id) => {
  const tile = document.querySelector(`[data-testid="participant-tile"][data-participant-id="${id}"]`)
  const video = tile && tile.querySelector("video")
  if (!video || !video.videoWidth) return null
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 })
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.drawImage(video, 0, 0, 64, 36)
  const all = pen.getImageData(0, 0, 64, 36).data
  const sum = all.reduce((sum, each) => sum + each, 0)
  return { ground: [...all.slice(4 * 65, 4 * 65 + 3)], sum, at: video.currentTime }
}"""
# The frequency that is loudest in what one line brings; 0 for silence.
TONE_JS = """async (mid) => {
  window.__tones ??= {}
  if (!window.__tones[mid]) {
    const lines = window.yuanshangDebug.subscribeConnection.getTransceivers()
    const { track } = lines.find((each) => each.mid === mid).receiver
    const context = new AudioContext()
    const analyser = Object.assign(context.createAnalyser(), { fftSize: 16384, smoothingTimeConstant: 0 })
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    await context.resume()
    window.__tones[mid] = { context, analyser }
  }
  const { context, analyser } = window.__tones[mid]
  const bins = new Float32Array(analyser.frequencyBinCount)
  analyser.getFloatFrequencyData(bins)
  const loudest = bins.indexOf(Math.max(...bins))
  return bins[loudest] < -60 ? 0 : loudest * context.sampleRate / analyser.fftSize
}"""


@pytest.fixture(scope="module")
def device() -> Iterator[RtspServer]:
    assert is_installed("x264enc"), (
        "GStreamer's RTSP server is not installed: see TEST_PACKAGES in the Makefile"
    )
    with RtspServer(free_port(), user="admin", password="geheim") as device:
        yield device


async def sees_the_ball(client: BrowserClient, camera: str, *, timeout_s: float = 30.0) -> None:
    """Two pictures that follow each other, on the camera's ground."""
    before: list[dict[str, Any]] = []

    async def moving() -> bool:
        now = await client.evaluate(PICTURE_JS, camera)
        red, green, blue = now["ground"]
        assert blue > green + 40 > red + 40, now
        before.append(now)
        return len(before) > 1 and before[-2]["at"] < now["at"] and before[-2]["sum"] != now["sum"]

    await client.wait_until(moving, timeout_s=timeout_s, what="sees the camera's picture")


async def hears_the_tone(client: BrowserClient, camera: str) -> None:
    async def right() -> bool:
        lines = [
            each.mid
            for each in await client.inbound()
            if each.kind == "audio" and each.participant_id == camera
        ]
        heard = [await client.evaluate(TONE_JS, mid) for mid in lines if mid]
        assert any(abs(each - TONE_HZ) < 8 for each in heard), heard
        return True

    await client.wait_until(right, timeout_s=20, what=f"hears {TONE_HZ} Hz")


async def camera_in_room(client: BrowserClient) -> str:
    """The participant that bears the camera's name."""
    found = await client.wait_until(
        lambda: client.evaluate(
            """() => [...document.querySelectorAll('[data-testid="participant-tile"]')]
                 .find((each) => each.textContent.includes("主席台"))?.dataset.participantId"""
        ),
        timeout_s=30,
        what="has a tile for the camera",
    )
    return str(found)


async def text_of(client: BrowserClient, test_id: str) -> str:
    return str(await client.page.get_by_test_id(test_id).inner_text())


@pytest.mark.parametrize("path", [pytest.param("/baseline", marks=pytest.mark.core), "/b-frames"])
async def test_a_camera_from_the_desk_to_the_room_and_back_after_its_end(
    server: Server, browsers: BrowserFactory, device: RtspServer, path: str
) -> None:
    cid = server.create_consultation(TITLE)
    desk = await browsers.launch(screen=LAPTOP, name="desk")
    token = server.token(cid, "secretariat", "秘书处")
    await desk.open(f"{server.url}/desk/{cid}/prepare#token={token}")
    await desk.tap("venue-add")
    await desk.fill("venue-name", "青禾县分会场")
    await desk.tap("venue-save")

    # A wrong password is said before anybody depends on it; what is right shows a picture.
    await desk.tap("camera-add")
    await desk.fill("camera-label", "主席台")
    await desk.fill("camera-address", device.url(path))
    await desk.fill("camera-user", "admin")
    await desk.fill("camera-password", "falsch")
    await desk.page.get_by_text("使用这路摄像机的声音").click()
    await desk.tap("camera-test")
    await desk.page.locator('[data-testid="camera-look"][data-reason="password_wrong"]').wait_for(
        timeout=25_000
    )
    assert "用户名或密码不对" in await text_of(desk, "camera-look")
    await desk.fill("camera-password", "geheim")
    await desk.tap("camera-test")
    await desk.page.get_by_test_id("camera-still").wait_for(timeout=25_000)
    await desk.tap("camera-save")
    page = await desk.evaluate("() => document.documentElement.outerHTML")
    assert "geheim" not in page

    members = await asyncio.gather(
        browsers.launch(screen=LAPTOP, name="member"), browsers.launch(screen=PHONE, name="phone")
    )
    for number, member in enumerate(members):
        await member.open(server.room_url(cid, server.token(cid, "member", f"委员{number}")))
        await enter(member)
    camera = await camera_in_room(members[0])
    for member in members:
        await sees_the_ball(member, camera)
        await hears_the_tone(member, camera)
    row = desk.page.get_by_test_id("camera-row")
    await row.locator(".camsays.ok").wait_for(timeout=60_000)
    assert "画面正常，640×360" in await row.inner_text()

    await asyncio.to_thread(device.kill)
    await row.locator(".camsays.bad").wait_for(timeout=60_000)
    await asyncio.to_thread(device.start)
    await asyncio.gather(*(sees_the_ball(member, camera, timeout_s=5) for member in members))
    await row.locator(".camsays.ok").wait_for(timeout=60_000)
    for client in (desk, *members):
        client.assert_quiet()


async def test_a_camera_is_found_and_its_picture_chosen_without_knowing_its_address(
    server: Server, browsers: BrowserFactory, device: RtspServer
) -> None:
    cid = server.create_consultation(TITLE)
    desk = await browsers.launch(screen=PHONE, name="desk")
    await desk.open(f"{server.url}/desk/{cid}/prepare#token={server.token(cid, 'secretariat', '秘书处')}")
    await desk.tap("venue-add")
    await desk.fill("venue-name", "青禾县分会场")
    await desk.tap("venue-save")
    profiles = [
        Profile("big", "Profile_1", "rtsp://192.168.99.99/4k", encoding="H265", size=(3840, 2160)),
        Profile("main", "Profile_2", f"rtsp://192.168.99.99:{device.port}/baseline", size=(640, 360)),
    ]
    async with OnvifDevice(profiles, name="会议室摄像机") as found:
        await found.answer_searches(announced_addresses("0.0.0.0", ()))
        await desk.tap("camera-add")
        await desk.tap("camera-find")
        shown = desk.page.get_by_test_id("camera-device").filter(has_text=f"127.0.0.1:{found.port}")
        await shown.click(timeout=20_000)
        await desk.fill("camera-find-user", "admin")
        await desk.fill("camera-find-password", "falsch")
        await desk.tap("camera-read")
        await desk.page.locator('[data-testid="camera-streams"][data-reason="password_wrong"]').wait_for(
            timeout=25_000
        )
        await desk.fill("camera-find-password", "geheim")
        await desk.tap("camera-read")
        streams = desk.page.get_by_test_id("camera-stream")
        await streams.first.wait_for(timeout=25_000)
        texts = await streams.all_inner_texts()
        assert ["H264" in each for each in texts] == [True, False]
        assert "需要转码" in texts[1]
        assert await streams.first.locator("input").is_checked()
        assert await desk.horizontal_overflow() == 0
        assert await desk.axe() == []
        await desk.tap("camera-use")
    fields = [
        await desk.page.get_by_test_id(f"camera-{each}").input_value()
        for each in ("label", "address", "user", "password")
    ]
    assert fields == ["会议室摄像机", device.url("/baseline"), "admin", "geheim"]
    await desk.tap("camera-test")
    await desk.page.get_by_test_id("camera-still").wait_for(timeout=25_000)
    desk.assert_quiet()
