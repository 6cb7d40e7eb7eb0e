"""Personal links, two devices, the entry code of a hall and the waiting room, in real Chromium."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.browser.meeting import connected, enter
from tests.browser.office import Prepared, prepare
from tests.support.browser import PHONE, BrowserClient, BrowserFactory
from tests.support.light_client import RoomClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]


async def shows(client: BrowserClient, test_id: str, *, timeout_s: float = 30.0) -> None:
    async def there() -> bool:
        return await client.count(test_id) > 0

    await client.wait_until(there, timeout_s=timeout_s, what=f"shows {test_id}")


async def text(client: BrowserClient, selector: str) -> str:
    return str(await client.evaluate("(s) => document.querySelector(s)?.innerText ?? ''", selector))


async def chair_in(server: Server, prepared: Prepared) -> RoomClient:
    """A chair without a page."""
    token = server.token(prepared.consultation, "chair", "秘书处席")
    chair = RoomClient(server.url, token, receive=False)
    await chair.connect()
    return chair


async def test_a_personal_link_is_one_participant_on_one_device(
    server: Server, browsers: BrowserFactory
) -> None:
    prepared = await asyncio.to_thread(prepare, server)
    link = prepared.link(prepared.remote)
    path = f"/consultations/{prepared.consultation}/participants"
    first = await browsers.launch(name="first")
    await first.open(link)
    await shows(first, "join-button")
    assert await asyncio.to_thread(prepared.office.call, "GET", path) == {"items": [], "next": None}
    me = await enter(first)
    assert "/j/" in first.page.url, "the link stays in the address"

    await first.page.reload()
    assert await enter(first) == me, "a reload is the same participant"

    second = await browsers.launch(name="second", screen=PHONE)
    await second.open(link)
    await second.tap("join-button", timeout_s=30)
    await shows(second, "take-over")
    assert (await first.connection_state() or {})["state"] == "connected", "nobody is put out by asking"
    await second.tap("stay-there")
    await second.tap("take-over")
    await connected(second)
    assert await second.own_id() == me
    await shows(first, "second-device")
    assert "已移到另一台设备" in await text(first, "h1")

    await first.tap("take-over")
    await connected(first)
    assert await first.own_id() == me
    await shows(second, "second-device")
    items = (await asyncio.to_thread(prepared.office.call, "GET", path))["items"]
    assert [(each["id"], each["name"], each["sector"]) for each in items] == [
        (me, "陈委员", "社会福利和社会保障界")
    ]
    for client in (first, second):
        client.assert_quiet()


async def test_a_link_that_was_replaced_leads_to_the_code(server: Server, browsers: BrowserFactory) -> None:
    prepared = await asyncio.to_thread(prepare, server)
    invitees = f"/consultations/{prepared.consultation}/invitees"
    await asyncio.to_thread(prepared.office.call, "POST", f"{invitees}/{prepared.remote['id']}/link")
    client = await browsers.launch(name="late")
    await client.open(prepared.link(prepared.remote))
    await client.wait_until(lambda: text(client, "h1"), lambda said: said == "链接已失效")
    await client.page.get_by_role("link", name="输入会议码").click()
    await shows(client, "entry-code")


async def test_a_phone_enters_by_the_code_of_its_hall_and_is_admitted(
    server: Server, browsers: BrowserFactory
) -> None:
    prepared = await asyncio.to_thread(prepare, server, waiting_room=True)
    chair = await chair_in(server, prepared)
    phone = await browsers.launch(name="phone", screen=PHONE)
    await phone.open(server.url)
    wrong = "000000" if prepared.code != "000000" else "111111"
    await phone.fill("entry-code", wrong)
    await phone.tap("code-next")
    await phone.wait_until(
        lambda: text(phone, ".encode .hint"), lambda said: "还可再试" in said, what="says how many tries"
    )
    await phone.fill("entry-code", prepared.code)
    await phone.tap("code-next")
    await shows(phone, "code-name")
    await phone.fill("code-name", "何委员")
    await phone.tap("code-enter")

    await phone.tap("join-button", timeout_s=30)
    await shows(phone, "waiting-room")
    assert re.search(r"等待主持人同意.*何委员", await text(phone, "[data-testid=waiting-room]"), re.S)
    waiting = (await chair.request("room.sync", {}))["waiting"]
    assert [(each["name"], each["in_hall"], each["known"]) for each in waiting] == [("何委员", True, True)]
    await phone.page.reload()
    await phone.tap("join-button", timeout_s=30)
    await shows(phone, "waiting-room")
    waiting = (await chair.request("room.sync", {}))["waiting"]
    assert len(waiting) == 1, "a reload keeps the place"

    await chair.request("participant.admit", {"participant_id": waiting[0]["participant_id"]})
    await connected(phone)
    assert await phone.count("toggle-microphone") == 0
    assert await phone.count("in-hall") == 1
    assert await phone.evaluate("() => document.querySelectorAll('audio').length") == 0
    me = await phone.own_id()
    assert me == waiting[0]["participant_id"]

    await phone.tap("raise-hand")
    await chair.request("floor.grant", {"participant_id": me, "duration_ms": 60_000})
    await phone.tap("turn-open")

    async def heard() -> bool:
        people = (await chair.request("room.sync", {}))["participants"]
        return any(each["id"] == me and each["microphone"] for each in people)

    await phone.wait_until(heard, what="is heard during its turn")
    assert await phone.count("toggle-microphone") == 1
    await chair.request("floor.end", {})
    await shows(phone, "in-hall")
    phone.assert_quiet(allowed=r"favicon|Failed to load resource")
    await chair.close()


async def test_the_chair_lets_in_and_refuses_from_the_room(server: Server, browsers: BrowserFactory) -> None:
    prepared = await asyncio.to_thread(prepare, server, waiting_room=True)
    chair = await browsers.launch(name="chair")
    await chair.open(prepared.link(prepared.chair))
    await enter(chair)
    for name in ("甲委员", "乙委员"):
        person = await browsers.launch(name=name, screen=PHONE)
        await person.open(
            server.room_url(prepared.consultation, server.token(prepared.consultation, "member", name))
        )
        await person.tap("join-button", timeout_s=30)
        await shows(person, "waiting-room")
    admitted, refused = browsers.clients[-2:]
    await chair.wait_until(
        lambda: text(chair, "[data-testid=open-waiting]"), lambda said: "2" in said, what="counts two"
    )
    await chair.tap("open-waiting")
    await chair.tap("admit-person")
    await connected(admitted)
    await chair.wait_until(lambda: chair.count("waiting-person"), lambda count: count == 1)
    await chair.tap("refuse-person")
    await refused.wait_until(lambda: text(refused, "h1"), lambda said: "没有同意" in said)


async def test_a_hall_is_lower_while_its_telephone_speaks(server: Server, browsers: BrowserFactory) -> None:
    prepared = await asyncio.to_thread(prepare, server)
    chair = await chair_in(server, prepared)
    operator = await browsers.launch(name="operator")
    await operator.open(prepared.link(prepared.hall))
    await enter(operator)
    body = {"code": prepared.code, "name": "何委员", "device": "d" * 32}
    entered = await asyncio.to_thread(prepared.office.call, "POST", "/entry-codes/enter", body)
    phone = RoomClient(server.url, entered["token"], receive=False)
    await phone.connect()
    await chair.request("floor.grant", {"participant_id": phone.participant_id, "duration_ms": 60_000})
    await shows(operator, "ducked")
    await chair.request("floor.end", {})
    await operator.wait_until(lambda: operator.count("ducked"), lambda count: count == 0)
    for client in (phone, chair):
        await client.close()
