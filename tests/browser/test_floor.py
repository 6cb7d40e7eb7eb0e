"""The floor in real browsers: a telephone asks, the desk gives it the floor, a hall hears it without a tap."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.meeting import enter, muted
from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_floor import desk_url, faults, go_live
from tests.browser.settled import present
from tests.support.browser import LAPTOP, PHONE, BrowserFactory
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


async def test_the_floor_opens_a_telephone_that_agreed_to_it(
    server: Server, browsers: BrowserFactory
) -> None:
    consultation = server.create_consultation("推进县域养老服务高质量发展")
    await asyncio.to_thread(go_live, server, consultation)
    speech, video = await asyncio.gather(
        asyncio.to_thread(speech_wav), asyncio.to_thread(participant_video, 3, (640, 360), 15, 4.0)
    )
    phone, hall, desk = await asyncio.gather(
        browsers.launch(name="吴委员", video=video, audio=speech, screen=PHONE),
        browsers.launch(name="主会场", video=video, screen=LAPTOP),
        browsers.launch(name="刘主持", screen=LAPTOP),
    )
    await phone.open(server.room_url(consultation, server.token(consultation, "member", "吴委员")))
    await phone.wait_until(
        lambda: phone.evaluate("() => [...document.querySelectorAll('video')].some((v) => v.videoWidth > 0)"),
        what="has checked its devices",
    )
    await phone.tap("consent")
    assert await phone.evaluate("() => !!document.querySelector('.consent [role=switch][aria-checked=true]')")
    me = await enter(phone)
    await phone.tap("toggle-microphone")
    await muted(phone, is_muted=True)
    await hall.open(
        server.room_url(consultation, server.token(consultation, "venue_operator", "主会场", "主会场"))
    )
    await enter(hall)
    await hall.hears_no_more(me)

    await desk.open(desk_url(server, consultation))
    await phone.tap("raise-hand")
    await desk.tap("floor-grant")
    await hall.hears(me)
    await muted(phone, is_muted=False)
    for client in (phone, hall, desk):
        await present(client, "floor-clock")
    assert await phone.count("turn") == 0, "nothing to press"

    await desk.tap("floor-end")
    await muted(phone, is_muted=True)
    await hall.hears_no_more(me)

    # What is written on the telephone is taken to the floor at the desk.
    await phone.page.locator(".rctl .ctl", has_text="更多").tap()
    await phone.tap("open-statements")
    await phone.fill("statement-input", "助餐点能不能错峰开放？")
    await phone.tap("statement-send")
    await desk.tap("statement-take")

    async def taken() -> bool:
        return bool(await phone.evaluate("() => document.body.innerText.includes('已带到会上')"))

    await phone.wait_until(taken, what="sees that it was taken")
    for client in (phone, hall, desk):
        client.assert_quiet()


async def test_the_pages_fit_and_everybody_can_use_them(server: Server, browsers: BrowserFactory) -> None:
    for name, screen in (("floor", "phone"), ("desk", "laptop"), ("desk-large", "phone")):
        async with scene(name, server, browsers, SCREENS[screen]) as stage:
            assert await faults(stage.client) == [], (name, screen)
