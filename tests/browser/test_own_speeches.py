"""我的发言 in real Chromium: a personal link after the end shows what its bearer said, with the sound of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.browser.settled import present, reads, settled
from tests.browser.transcribed import CIVIL, LIN, SAID, Transcribed, missing, speaking, spoken
from tests.browser.whole import shows
from tests.support.browser import PHONE, BrowserFactory
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

OWN = "村里的互助养老点，最缺的不是房子。"
OTHERS = "助餐点可以用现金，也可以刷社保卡。"


async def test_a_personal_link_leads_to_ones_own_speeches(server: Server, browsers: BrowserFactory) -> None:
    session = await asyncio.to_thread(Transcribed, server, over=False)
    path = f"/consultations/{session.cid}/invitees"
    body = {"name": LIN.name, "role": "member", "sector": "医药卫生界"}
    invitee = await asyncio.to_thread(session.office.call, "POST", path, body)
    entered = await asyncio.to_thread(
        session.office.call, "POST", f"/links/{invitee['link'].rpartition('/')[2]}/enter"
    )
    async with speaking(session, token=entered["token"]) as participant_id:
        (gap,) = await missing(session, 6000)
    await asyncio.to_thread(session.call, "POST", "/end")
    said = [
        replace(spoken(session.cid, number, who, gap["from_ms"] + at_ms, words), participant_id=whose)
        for number, (who, whose, at_ms, words) in enumerate(
            [(LIN, participant_id, 500, SAID[5][2]), (CIVIL, "p_other", 1500, SAID[3][2])]
        )
    ]
    await asyncio.to_thread(lambda: session.keep(said, agenda=False))

    member = await browsers.launch(name="林委员", screen=PHONE)
    await member.open(session.office.address(str(invitee["link"])))
    await present(member, "own-speech")
    await reads(member, OWN)
    assert OTHERS not in await member.evaluate("() => document.body.innerText"), "nothing of others"
    await settled(member)
    assert await member.axe() == []
    assert await member.horizontal_overflow() == 0

    await member.tap("own-hear")
    await present(member, "own-stop")
    await shows(member, "own-hear", 1)  # it was heard to its end, or stopped
    member.assert_quiet()


async def test_whoever_said_nothing_is_told_so(server: Server, browsers: BrowserFactory) -> None:
    session = await asyncio.to_thread(Transcribed, server)
    await asyncio.to_thread(session.keep)
    guest = await browsers.launch(name="陈委员", screen=PHONE)
    token = server.token(session.cid, "member", "陈委员")
    await guest.open(f"{server.url}/room/{session.cid}#token={token}")
    await present(guest, "own-nothing")
    await reads(guest, "会上没有记录到您的发言")
