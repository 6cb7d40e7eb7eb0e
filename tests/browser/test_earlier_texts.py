"""A record that was made anew, in real Chromium: what was written by hand before is read beside it and taken back."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest

from tests.browser.settled import present, reads, settled
from tests.browser.transcribed import Transcribed, at_minutes
from tests.browser.whole import shows
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

BY_HAND: Final = "（一）助餐点保留现金支付。由市民政局负责。"
CORRECTED: Final = "现在开会，今天协商县域养老服务工作。"


async def transcribed(server: Server) -> Transcribed:
    session = await asyncio.to_thread(Transcribed, server)
    await asyncio.to_thread(session.keep)
    return session


async def at_record(desk: BrowserClient) -> None:
    await desk.page.get_by_role("tab", name="会议记录").click()
    await present(desk, "minutes-doc")


async def correct(session: Transcribed) -> None:
    """Somebody corrects a segment of the transcript."""
    path = f"/transcript/{session.segments[0].id}"
    shown = await asyncio.to_thread(session.call, "GET", path)
    body = {"revision": shown["revision"], "text": CORRECTED}
    await asyncio.to_thread(session.call, "PATCH", path, body)


async def record(session: Transcribed) -> dict[str, Any]:
    overview = await asyncio.to_thread(session.call, "GET", "/minutes")
    return {each["key"]: each["text"] for each in overview["record"]["sections"]}


async def write_by_hand(session: Transcribed) -> None:
    made = await asyncio.to_thread(session.call, "POST", "/minutes/record")
    body = {"revision": made["revision"], "sections": [{"key": "decisions", "text": BY_HAND}]}
    await asyncio.to_thread(session.call, "PATCH", f"/minutes/{made['id']}", body)


async def test_what_is_made_anew_gives_back_what_was_written_by_hand(
    server: Server, browsers: BrowserFactory
) -> None:
    session = await transcribed(server)
    await write_by_hand(session)
    await correct(session)
    desk = await at_minutes(browsers, session)
    await at_record(desk)
    await present(desk, "minutes-outdated")
    await reads(desk, "这份会议记录不是最新的")
    await desk.tap("outdated-remake")
    await desk.tap("confirm")
    await shows(desk, "minutes-outdated", 0)
    assert (await record(session))["decisions"] == ""

    await desk.tap("minutes-earlier")
    decisions = desk.page.locator('[data-testid=earlier-section][data-key="decisions"]')
    await decisions.get_by_text(BY_HAND).wait_for()
    assert "刘" in await desk.page.get_by_test_id("earlier-written").inner_text()
    assert "没有文字" in await decisions.get_by_test_id("earlier-now").inner_text()
    await settled(desk)
    assert await desk.axe() == []
    await decisions.get_by_test_id("earlier-take").click()
    await decisions.get_by_test_id("earlier-now").get_by_text("1 段两份都有").wait_for()
    assert (await record(session))["decisions"] == BY_HAND
    desk.assert_quiet()


async def test_where_nothing_was_replaced_it_is_said(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    await asyncio.to_thread(session.call, "POST", "/minutes/record")
    desk = await at_minutes(browsers, session)
    await at_record(desk)
    await desk.tap("minutes-earlier")
    await present(desk, "earlier-none")
    await reads(desk, "稿子里的文字还没有被代替过。")


async def test_what_cannot_be_read_is_asked_for_again(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    await write_by_hand(session)
    desk = await at_minutes(browsers, session)
    await at_record(desk)
    await desk.page.route("**/earlier", lambda route: route.abort())
    await desk.tap("minutes-earlier")
    await reads(desk, "没有读到早前的文本")
    await desk.page.unroute("**/earlier")
    await desk.tap("earlier-again")
    await present(desk, "earlier-none")
