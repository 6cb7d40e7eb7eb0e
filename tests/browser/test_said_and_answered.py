"""From what one of the public writes to the session, to a department's answer and to the account of it all.

One consultation with everybody in real browsers: two viewers, a moderator, the chair, a member in the room, the
secretariat, and a department that has nothing but a link.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.airing import plays, reaches
from tests.browser.commenting import items, opened, shows, write
from tests.browser.ledger import Ledger, at_department, at_desk, stands
from tests.browser.meeting import enter
from tests.browser.program_picture import has_card, seen
from tests.browser.settled import present, reads
from tests.browser.test_desk_comments import at_row, lists, moderator, press, rows
from tests.browser.whole import download
from tests.support.browser import LAPTOP, PHONE, BrowserClient, BrowserFactory
from tests.support.inset import inset_clip
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import opus_packets, tone_wav
from tests.support.server import Server

PROGRAMS = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

ASKED = "村里老人不会用手机，助餐点能不能接受现金？"
ALIKE = "食堂只能扫码，老人拿着硬币没处用"
ANSWER = "可以用现金，也可以刷社保卡，明年一月起覆盖全部 94 个行政村。"
FPS = 15


@pytest.fixture
async def ledger(server: Server) -> AsyncIterator[Ledger]:
    """A session that is live: the main venue has the floor, and a picture that can be read."""
    made = await asyncio.to_thread(Ledger, server)
    hall = RoomClient(server.url, server.token(made.cid, "chair", "刘主持", "主会场"), receive=False)
    await hall.connect()
    frames = await asyncio.to_thread(inset_clip, 1, "vp8", FPS, FPS * 40, FPS)
    sound = await asyncio.to_thread(lambda: opus_packets(tone_wav(440)))
    await hall.publish(
        [AudioSource(packets=sound, level_db=20), VideoSource(fps=FPS, frames=frames)],
        names=["microphone", "camera"],
    )
    await hall.request("floor.grant", {"participant_id": hall.participant_id, "duration_ms": 600_000})
    yield made
    await hall.close()


async def watches(browsers: BrowserFactory, ledger: Ledger, name: str, phone: bool) -> BrowserClient:
    viewer = await browsers.launch(name=name, screen=PHONE if phone else LAPTOP)
    await opened(viewer, f"{ledger.server.url}/live/{ledger.cid}")
    await reaches(viewer, "live", timeout_s=60)
    await plays(viewer)
    return viewer


async def test_what_a_viewer_asks_is_put_to_the_session_and_answered(
    ledger: Ledger, browsers: BrowserFactory, tmp_path: Path
) -> None:
    author = await watches(browsers, ledger, "author", phone=True)
    other = await watches(browsers, ledger, "other", phone=False)
    await other.wait_until(lambda: seen(other), lambda now: now is not None, what="sees the main venue")
    await write(author, ASKED, nickname="杏林", region="柳塘街道")
    await shows(author, ASKED, "pending")
    await write(other, ALIKE, nickname="石桥老刘")
    await shows(other, ALIKE, "pending")
    assert [each["text"] for each in await items(author)] == [ASKED], "nobody sees another's"
    assert [each["text"] for each in await items(other)] == [ALIKE]

    await put_to_the_session(ledger, browsers, author, other)
    await answered_by_link(ledger, browsers)

    # Those who asked see the answer where they asked, and everybody on the page of answers.
    for viewer, text in ((author, ASKED), (other, ALIKE)):
        await shows(viewer, text, "answered", says=ANSWER, timeout_s=60)
    await author.tap("rate-satisfied", timeout_s=90)  # one's own are asked for once a minute by then
    await present(author, "rated")
    anybody = await browsers.launch(name="anybody", screen=PHONE)
    await anybody.open(f"{ledger.server.url}/answers/{ledger.cid}")
    await present(anybody, "response-item")
    await reads(anybody, ANSWER)

    await asyncio.to_thread(ledger.public.staff, "POST", "/end", None, "chair")
    await accounted_for(ledger, browsers, tmp_path)
    for client in browsers.clients:
        client.assert_quiet(allowed=r"favicon|Failed to load resource")


async def put_to_the_session(
    ledger: Ledger, browsers: BrowserFactory, author: BrowserClient, other: BrowserClient
) -> None:
    """The moderator finds both, merges and proposes them; the chair takes them; everybody sees the card."""
    desk = await moderator(browsers, ledger.public, "陈审核")
    await desk.wait_until(lambda: rows(desk), lambda now: len(now) == 2, what="lists both")
    first, second = (each["text"] for each in await rows(desk))
    await press(desk, "j")
    await at_row(desk, second)
    await press(desk, "m", "k")
    await at_row(desk, first)
    await press(desk, "Enter")
    (merged,) = await lists(desk, ASKED)
    assert merged["count"] == 2

    chair = await browsers.launch(name="刘主持", screen=LAPTOP)
    token = ledger.server.token(ledger.cid, "chair", "刘主持")
    await chair.open(f"{ledger.server.url}/desk/{ledger.cid}#token={token}")
    member = await browsers.launch(name="陈委员", screen=PHONE)
    await member.open(ledger.server.room_url(ledger.cid, ledger.server.token(ledger.cid, "member", "陈委员")))
    await enter(member)
    await at_row(desk, ASKED)
    await press(desk, "p")
    await present(chair, "proposal")
    assert await member.count("promotion-card") == 0
    await chair.tap("promotion-take")

    for client in (member, author, other):
        await present(client, "promotion-card")
        await reads(client, ASKED)
    await other.wait_until(
        lambda: has_card(other, 0), timeout_s=40, what="has the card in the program's picture"
    )
    await shows(author, ASKED, "promoted", timeout_s=60)
    await shows(other, ALIKE, "promoted", timeout_s=60)
    await chair.tap("promotion-end")
    for client in (member, author):
        await client.wait_until(
            lambda client=client: client.count("promotion-card"),
            lambda count: count == 0,
            timeout_s=60,
            what="has no card any more",
        )
    for client in (desk, chair, member):
        await client.close()


async def answered_by_link(ledger: Ledger, browsers: BrowserFactory) -> None:
    """The case that the promotion opened is assigned, answered and approved."""
    desk = await at_desk(browsers, ledger)
    await stands(desk, "case", "unassigned")
    await reads(desk, "等 2 人")
    await desk.tap("case-assign")
    await desk.tap("department-add")
    await desk.fill("department-name", "市民政局")
    await desk.tap("department-save")
    await desk.tap("confirm")
    await stands(desk, "case", "assigned")
    (department,) = (await asyncio.to_thread(ledger.call, "GET", "/departments"))["items"]
    clerk = await at_department(browsers, await asyncio.to_thread(ledger.link, department["id"]))
    await stands(clerk, "standing", "assigned")
    await clerk.fill("answer-input", ANSWER)
    await clerk.tap("answer-submit")
    await stands(clerk, "standing", "submitted")
    await stands(desk, "case", "submitted")
    await desk.tap("answer-approve")
    await stands(desk, "case", "answered")
    for client in (desk, clerk):
        await client.close()


async def accounted_for(ledger: Ledger, browsers: BrowserFactory, folder: Path) -> None:
    """The account counts it, and what is kept verifies."""
    desk = await at_desk(browsers, ledger)
    await desk.tap("account-link")
    await present(desk, "account")
    await reads(desk, "1 件意见交办，1 件已答复")
    account = await asyncio.to_thread(ledger.call, "GET", "/account")
    assert (account["comments"]["received"], account["comments"]["groups"]) == (2, 1)
    assert account["viewers"]["total"] >= 2

    await desk.open(f"{ledger.server.url}/desk/{ledger.cid}/trace")
    await present(desk, "trace-line")
    archive = folder / "archive.zip"
    await asyncio.to_thread(archive.write_bytes, await download(desk, "archive"))
    said = await asyncio.to_thread(ledger.server.run, "archive", "verify", str(archive))
    assert said
