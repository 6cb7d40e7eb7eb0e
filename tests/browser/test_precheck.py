"""The pre-check of a venue in real Chromium: a healthy hall passes, and each fault that is put into one is found.

Camera and microphone are Chromium's fake devices with files, the network is the link emulator, the air between
loudspeaker and microphone is tests.browser.precheck's.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pypdf
import pytest

from tests.browser.precheck import ITEMS, Hall, check_one, measured, rows, with_air
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.link import Conditions, Link, loopback_address
from tests.support.server import Server
from tests.support.venue_media import Camera, Microphone, hall_sound, hall_video

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

_NETWORK_S = 90.0
PASSED, FAILED, WARNING = "passed", "failed", "warning"


async def operator(
    browsers: BrowserFactory, camera: Camera = "good", microphone: Microphone = "good", **options: Any
) -> BrowserClient:
    video = await asyncio.to_thread(hall_video, camera)
    audio = await asyncio.to_thread(hall_sound, microphone)
    return await browsers.launch(name="赵六", video=video, audio=audio, screen=LAPTOP, **options)


async def paused(client: BrowserClient) -> bool:
    stage = await client.evaluate(
        "() => document.querySelector('[data-testid=precheck-stand]')?.dataset.stage ?? ''"
    )
    return bool(stage == "paused")


async def all_wait(client: BrowserClient) -> bool:
    return {verdict for verdict, _ in (await rows(client)).values()} == {"waiting"}


@pytest.mark.core
async def test_a_healthy_venue_passes_and_its_sheet_is_at_the_desk(
    server: Server, browsers: BrowserFactory
) -> None:
    hall = await asyncio.to_thread(Hall, server)
    client = await operator(browsers)
    await with_air(client)
    await client.open(hall.url())
    await client.tap("precheck-begin")
    # Pausing drops what is being measured; going on begins it anew.
    await client.tap("precheck-pause")
    await client.wait_until(lambda: paused(client), what="is paused")
    await client.wait_until(lambda: all_wait(client), what="measures nothing")
    await client.tap("precheck-resume")
    for item in ITEMS[:5]:
        assert await measured(client, item) == (PASSED, ""), item
    assert await client.axe() == []
    assert await measured(client, "network", timeout_s=_NETWORK_S) == (PASSED, "")
    assert await measured(client, "clock") == (PASSED, "")
    await client.tap("precheck-screen-whole")
    await client.tap("precheck-plate-right")
    assert await measured(client, "nameplate") == (PASSED, "")
    await client.tap("precheck-hand-in")
    await client.wait_until(lambda: client.count("precheck-handed"), what="has handed it in")
    (sheet,) = await asyncio.to_thread(hall.sheets)
    assert (sheet["number"], sheet["venue_id"]) == (1, hall.venue["id"])
    verdicts = {each["item"]: (each["verdict"], each["faults"]) for each in sheet["items"]}
    # A headless screen has the size that the browser was given, 1280 x 800: its shape is worth a word.
    assert verdicts.pop("projection") == (WARNING, ["ratio"])
    assert {verdict for verdict, _ in verdicts.values()} == {PASSED}, verdicts
    assert 30_000 < sheet["took_ms"] < 600_000
    assert await client.axe() == []
    async with client.page.expect_download() as downloading:
        await client.tap("precheck-paper")
    paper = await (await downloading.value).path()
    text = pypdf.PdfReader(io.BytesIO(paper.read_bytes())).pages[0].extract_text()
    assert "签名有效" in text
    client.assert_quiet()


async def test_echo_and_dead_loudspeakers_are_red_until_there_is_a_reason(
    server: Server, browsers: BrowserFactory
) -> None:
    hall = await asyncio.to_thread(Hall, server)
    client = await operator(browsers)
    await with_air(client, residual=0.8)
    assert await check_one(client, hall, "echo") == (FAILED, "echo")
    await client.evaluate("() => { window.air.residual = 0.003 }")
    await client.tap("precheck-again-echo")
    assert await measured(client, "echo") == (PASSED, "")
    await client.evaluate("() => { window.air.loud = 0 }")
    await client.tap("precheck-rest")
    for item in ITEMS[:3]:
        assert await measured(client, item) == (PASSED, ""), item
    assert await measured(client, "loudspeaker") == (FAILED, "not_heard")
    for item in ("network", "projection", "nameplate"):
        await client.wait_until(
            lambda item=item: _runs(client, item), what=f"has come to {item}", timeout_s=20.0
        )
        await client.tap("precheck-skip")
        await client.fill("reason", "明天再测")
        await client.tap("confirm")
    words = await client.evaluate(
        "() => document.querySelector('[data-testid=precheck-missing]').textContent"
    )
    assert "会场音箱" in words
    assert await client.evaluate("() => document.querySelector('[data-testid=precheck-hand-in]').disabled")
    await client.tap("precheck-explain-loudspeaker")
    await client.fill("reason", "音箱明天到")
    await client.tap("confirm")
    await client.tap("precheck-hand-in")
    await client.wait_until(lambda: client.count("precheck-handed"), what="has handed it in")
    (sheet,) = await asyncio.to_thread(hall.sheets)
    assert sheet["verdict"] == FAILED
    found = {each["item"]: (each["verdict"], each["reason"]) for each in sheet["items"]}
    assert found["loudspeaker"] == (FAILED, "音箱明天到")
    assert found["network"] == ("skipped", "明天再测")
    client.assert_quiet()


async def _runs(client: BrowserClient, item: str) -> bool:
    return (await rows(client))[item][0] == "running"


@pytest.mark.parametrize(
    ("camera", "microphone", "found"),
    [
        ("frozen", "silent", {"camera": (FAILED, "frozen"), "microphone": (FAILED, "silent")}),
        ("dark", "clipped", {"light": (WARNING, "dark"), "microphone": (FAILED, "clipped")}),
    ],
)
async def test_a_bad_camera_and_a_bad_microphone_are_found(
    server: Server,
    browsers: BrowserFactory,
    camera: Camera,
    microphone: Microphone,
    found: dict[str, tuple[str, str]],
) -> None:
    hall = await asyncio.to_thread(Hall, server)
    client = await operator(browsers, camera, microphone)
    for item, expected in found.items():
        assert await check_one(client, hall, item) == expected
    client.assert_quiet()


async def test_without_permission_the_sheet_says_what_does_not_open(
    server: Server, browsers: BrowserFactory
) -> None:
    hall = await asyncio.to_thread(Hall, server)
    client = await browsers.launch(name="赵六", permission="ask", flags=["--deny-permission-prompts"])
    assert await check_one(client, hall, "camera") == (FAILED, "no_camera")
    assert await check_one(client, hall, "microphone") == (FAILED, "no_microphone")


@pytest.mark.net
async def test_loss_blocked_udp_and_a_thin_uplink_are_found(
    start_server: Any, start_link: Any, browsers: BrowserFactory
) -> None:
    host = loopback_address()
    server: Server = start_server(media_addresses=[host])
    page_port = server.port
    link: Link = start_link(
        Link(("127.0.0.1", server.media_port), listen_host=host, tcp={page_port: ("127.0.0.1", page_port)})
    )
    hall = await asyncio.to_thread(Hall, server)
    client = await operator(browsers)
    await client.open(hall.url("?item=network", host))
    await client.tap("precheck-begin")
    assert await measured(client, "network", timeout_s=_NETWORK_S) == (PASSED, "")

    async def again() -> tuple[str, str]:
        await client.tap("precheck-again-network")
        return await measured(client, "network", timeout_s=_NETWORK_S)

    link.set(up=Conditions(loss=0.05))
    verdict, faults = await again()
    assert (verdict, faults.split()[0]) == (WARNING, "loss"), faults

    # Datagrams vanish, streams pass: a firewall that lets no UDP through.
    link.set(up=Conditions(loss=1.0), down=Conditions(loss=1.0))
    verdict, faults = await again()
    assert (verdict, "udp_blocked" in faults.split()) == (WARNING, True), faults

    link.set(up=Conditions(rate_bps=300_000, queue_ms=1000), down=Conditions())
    verdict, faults = await again()
    assert (verdict, "thin_up" in faults.split()) == (FAILED, True), faults

    link.set(up=Conditions(), down=Conditions())
    assert await again() == (PASSED, "")
    client.assert_quiet()
