"""问效表 in real Chromium: it counts what happened, fits on one A4 page, and can be taken away."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.browser.ledger import DEPARTMENTS, answered, log_in
from tests.browser.scenes import LAPTOP, PHONE
from tests.browser.settled import present, reads
from tests.browser.whole import cells, download
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


async def printed_pages(client: BrowserClient) -> int:
    """Of the page as Chromium prints it."""
    paper = await client.page.pdf(prefer_css_page_size=True, print_background=True)
    return len(re.findall(rb"/Type\s*/Page[^s]", paper))


async def test_it_counts_fits_on_a_page_and_is_taken_away(server: Server, browsers: BrowserFactory) -> None:
    ledger = await asyncio.to_thread(answered, server)
    desk = await browsers.launch(name="secretariat", screen=LAPTOP)
    await log_in(desk, ledger)
    await desk.open(f"{server.url}/desk/{ledger.cid}/responses")
    await desk.tap("account-link")
    await present(desk, "account")
    cases = len(DEPARTMENTS) + 1
    await reads(desk, f"{cases} 件意见交办，1 件已答复")
    figures = await desk.evaluate(
        """() => Object.fromEntries(['received', 'shown', 'promoted', 'total', 'answered'].map((key) =>
             [key, document.querySelector(`[data-testid=account-${key}] dd`).firstChild.data]))"""
    )
    wanted = {"received": cases, "shown": cases, "promoted": 2, "total": cases, "answered": 1}
    assert figures == {key: str(value) for key, value in wanted.items()}
    assert await desk.count("account-department") == len(DEPARTMENTS)
    assert await desk.axe() == []
    assert await desk.horizontal_overflow() == 0

    paper = await download(desk, "account-pdf")
    assert paper.startswith(b"%PDF")
    book = cells(await download(desk, "account-xlsx"))
    assert any("市民政局" in row or str(cases) in row for row in book), book
    assert await printed_pages(desk) == 1
    desk.assert_quiet()

    # The same on a telephone, and printed as large as its reader likes it.
    await desk.resize(PHONE)
    await desk.open(f"{server.url}/account/{ledger.cid}?size=large")
    await present(desk, "account")
    assert await desk.horizontal_overflow() == 0
    assert await desk.axe() == []
    assert await printed_pages(desk) == 1
    await desk.open(f"{server.url}/account/{ledger.cid}?size=normal&lang=en")
    await reads(desk, f"{cases} cases handed to departments")
    assert await printed_pages(desk) == 1


async def test_it_is_not_for_everybody(server: Server, browsers: BrowserFactory) -> None:
    cid = await asyncio.to_thread(server.create_consultation, "推进县域养老服务高质量发展")
    member = await browsers.launch(name="member", screen=PHONE)
    token = server.token(cid, "member", "陈委员")
    await member.open(f"{server.url}/account/{cid}#token={token}")
    await present(member, "refusal")
    assert await member.count("account") == 0
    stranger = await browsers.launch(name="stranger", screen=PHONE)
    await stranger.open(f"{server.url}/account/{cid}")
    await present(stranger, "refusal")
    assert await stranger.axe() == []
