"""A rehearsal in real Chromium: the desk begins and ends it, the room says so, the public page stays as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.browser.airing import Airing, airing, plays, reaches
from tests.browser.meeting import enter
from tests.browser.scenes import LAPTOP, PHONE
from tests.browser.scenes_floor import desk_url
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.server import Server

PROGRAMS = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# Every face that the page has had since, and whether anything was ever played.
WATCH_JS = """() => {
  const main = document.querySelector("main")
  window.faces = [main.dataset.phase]
  new MutationObserver(() => window.faces.push(main.dataset.phase)).observe(main, { attributes: true })
}"""


@pytest.fixture
async def staged(server: Server) -> AsyncIterator[Airing]:
    async with airing(server) as made:
        yield made


async def absent(client: BrowserClient, test_id: str) -> None:
    async def gone() -> bool:
        return await client.count(test_id) == 0

    await client.wait_until(gone, what=f"shows no {test_id} any more")


async def is_made(staged: Airing) -> None:
    """The program can be played by those inside."""
    token = staged.server.token(staged.consultation, "secretariat", "秘书处")

    async def there() -> bool:
        path = f"/live/{staged.consultation}/720p.m3u8"
        status, _ = await asyncio.to_thread(staged.server.get, path, token)
        return bool(status == 200)

    await eventually(there, timeout_s=60, what="a program")


async def public(staged: Airing) -> dict[str, Any]:
    path = f"/api/v1/public/consultations/{staged.consultation}"
    status, body = await asyncio.to_thread(staged.server.get, path)
    assert status == 200
    return dict(json.loads(body))


async def test_nobody_outside_sees_a_rehearsal(staged: Airing, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="viewer", screen=PHONE)
    await viewer.open(staged.url())
    await reaches(viewer, "before")
    await viewer.evaluate(WATCH_JS)
    before = await public(staged)
    desk = await browsers.launch(name="desk", screen=LAPTOP)
    await desk.open(desk_url(staged.server, staged.consultation, name="王主持"))
    member = await browsers.launch(name="member", screen=PHONE)
    token = staged.server.token(staged.consultation, "member", "陈委员")
    await member.open(f"{staged.server.url}/room/{staged.consultation}#token={token}")
    await enter(member)

    await desk.tap("rehearsal-start")
    await desk.tap("confirm")
    await present(desk, "rehearsal-sign")
    await present(member, "rehearsal-sign")
    await reads(member, "演练中")
    await desk.tap("agenda-next")
    await staged.speak()
    await staged.chair.request("statement.add", {"text": "演练发言", "key": "k" * 20})
    await is_made(staged)
    await desk.wait_until(
        lambda: desk.evaluate("() => document.querySelector('[data-testid=recording-state]')?.dataset.state"),
        lambda state: state == "on",
        what="is recorded",
    )
    now = await public(staged)
    for changing in ("beacon", "viewers"):
        now.pop(changing, None)
        before.pop(changing, None)
    assert now == before

    await desk.tap("rehearsal-end")
    await present(desk, "rehearsal-clear")
    await desk.tap("confirm")
    await present(desk, "rehearsal-start")
    await absent(member, "rehearsal-sign")
    await absent(desk, "rehearsal-sign")
    await reads(desk, "还没有开始")

    async def clean() -> bool:
        return not await desk.evaluate("() => document.body.innerText.includes('演练发言')")

    await desk.wait_until(clean, what="shows no statement of the rehearsal")
    assert set(await viewer.evaluate("() => window.faces")) == {"before"}

    # The meeting itself begins a moment later, with the same people, and the public sees it.
    await desk.tap("start-consultation")
    await reaches(viewer, "live", timeout_s=60)
    played = await plays(viewer)
    assert played["program_ms"] is not None
    page = await public(staged)
    assert page["status"] == "live"
    assert page.get("current_item") is None
    assert all(item["state"] == "pending" for item in page["agenda"])


async def test_the_meeting_can_begin_out_of_a_rehearsal(staged: Airing, browsers: BrowserFactory) -> None:
    desk = await browsers.launch(name="desk", screen=LAPTOP)
    await desk.open(desk_url(staged.server, staged.consultation, name="王主持"))
    await desk.tap("rehearsal-start")
    await desk.tap("confirm")
    await present(desk, "rehearsal-sign")
    await desk.tap("start-consultation")
    await reads(desk, "结束演练，正式开始会议？")
    await desk.tap("confirm")
    await absent(desk, "rehearsal-sign")
    await eventually(lambda: public(staged), lambda page: page["status"] == "live", timeout_s=40)
