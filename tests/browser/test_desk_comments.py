"""留言 at the desk in real Chromium: two moderators, the chair and somebody in the room, with a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.browser.commenting import Json, Public
from tests.browser.meeting import enter
from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_desk_comments import DESK_COMMENT_SCENES
from tests.browser.settled import present, reads
from tests.support.browser import PHONE, BrowserClient, BrowserFactory, Screen
from tests.support.eventually import eventually
from tests.support.light_client import RoomClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LAPTOP = Screen(1440, 900)
CARERS = "护理员一个月两千出头，留不住人，待遇怎么解决？"
NIGHTS = "互助点白天有人，晚上没人。能不能安排夜间巡访？"
CASH = "助餐点能不能接受现金？村里老人不会用手机"
COINS = "食堂只能扫码，老人拿着硬币没处用"
DOGS = "隔壁的狗半夜老是叫，吵得人睡不着"
ENDINGS = ("", "。", "啊", "，谢谢", "！")

ROWS_JS = """() => [...document.querySelectorAll('.gq > [data-testid="comment-item"]')].map((e) => ({
  id: e.dataset.groupId, text: e.querySelector('.tx').innerText.trim(), all: e.innerText,
  count: parseInt(e.querySelector('.cnt').innerText), at: e.getAttribute('aria-current') === 'true',
  focused: e === document.activeElement}))"""


@pytest.fixture
async def public(server: Server) -> Public:
    """Of a consultation that is live: five people ask one thing, three another, and so on."""
    made = Public(server, server.create_consultation("推进县域养老服务高质量发展"))
    await asyncio.to_thread(made.staff, "POST", "/start", None, "chair")
    return made


def crowd(public: Public) -> None:
    for text, people in ((CARERS, 5), (NIGHTS, 4), (CASH, 3), (COINS, 2), (DOGS, 1)):
        for ending in ENDINGS[:people]:
            public.device().post(text + ending, "城关老王", "石桥村")


async def moderator(browsers: BrowserFactory, public: Public, name: str, **more: Any) -> BrowserClient:
    desk = await browsers.launch(name=name, screen=more.pop("screen", LAPTOP))
    token = public.server.token(public.consultation, "moderator", name)
    await desk.open(f"{public.server.url}/desk/{public.consultation}/comments#token={token}")
    await present(desk, "comment-list")
    return desk


async def rows(desk: BrowserClient) -> list[Json]:
    return list(await desk.evaluate(ROWS_JS))


async def lists(desk: BrowserClient, *texts: str) -> list[Json]:
    """Wait until the rows stand for these, from the top."""

    def right(now: list[Json]) -> bool:
        return len(now) == len(texts) and all(
            each["text"].startswith(text) for each, text in zip(now, texts, strict=True)
        )

    return list(await desk.wait_until(lambda: rows(desk), right, what=f"lists {texts}"))


async def at_row(desk: BrowserClient, text: str) -> None:
    def there(now: list[Json]) -> bool:
        return [each["text"][: len(text)] for each in now if each["at"] and each["focused"]] == [text]

    await desk.wait_until(lambda: rows(desk), there, what=f"is at {text}")


async def says(desk: BrowserClient, text: str, words: str) -> None:
    """Wait until the row of that text says so."""

    def said(now: list[Json]) -> bool:
        return any(each["text"].startswith(text) and words in each["all"] for each in now)

    await desk.wait_until(lambda: rows(desk), said, what=f"says {words} at {text}")


async def stand(public: Public, text: str, **states: int) -> list[Json]:
    """Wait until the comments that begin so are in these states; gives them."""

    def found() -> list[Json]:
        items = public.staff("GET", "/comments?limit=100")["items"]
        return [each for each in items if each["text"].startswith(text)]

    def right(now: list[Json]) -> bool:
        seen = [each["state"] for each in now]
        return {state: seen.count(state) for state in set(seen)} == states

    return list(await eventually(lambda: asyncio.to_thread(found), right, what=f"{text}: {states}"))


async def press(desk: BrowserClient, *keys: str) -> None:
    for key in keys:
        await desk.page.keyboard.press(key)


@pytest.mark.core
async def test_from_the_queue_to_the_room(public: Public, browsers: BrowserFactory) -> None:
    await asyncio.to_thread(crowd, public)
    chen = await moderator(browsers, public, "陈审核")
    liu = await moderator(browsers, public, "刘审核")
    first = await lists(chen, CARERS, NIGHTS, CASH, COINS, DOGS)
    assert [each["count"] for each in first] == [5, 4, 3, 2, 1]
    await lists(liu, CARERS, NIGHTS, CASH, COINS, DOGS)
    await reads(chen, "在线审核员：刘审核、我")

    # What one stays at is one's own: the other sees whose it is, and cannot decide on it.
    await press(chen, "j")
    await at_row(chen, NIGHTS)
    await says(chen, NIGHTS, "由我处理")
    await says(liu, NIGHTS, "陈审核处理中")
    await press(liu, "j", "a")
    await reads(liu, "陈审核正在处理这一组")
    await stand(public, NIGHTS, pending=4)

    # By keyboard alone: approved, undone, approved; the next row has its turn and the focus.
    await press(chen, "a")
    await at_row(chen, CASH)
    await reads(chen, "已通过 4 条")
    await stand(public, NIGHTS, approved=4)
    await press(chen, "z")
    await lists(chen, CARERS, NIGHTS, CASH, COINS, DOGS)
    await stand(public, NIGHTS, pending=4)
    await at_row(chen, NIGHTS)
    await press(chen, "a")
    await stand(public, NIGHTS, approved=4)
    await lists(chen, CARERS, CASH, COINS, DOGS)

    # Rejected with a reason.
    await press(chen, "j", "j")
    await at_row(chen, DOGS)
    await press(chen, "r")
    await present(chen, "reasons")
    await press(chen, "4")
    (rejected,) = await stand(public, DOGS, rejected=1)
    assert rejected["reject_reason"] == "与议题无关"
    await lists(chen, CARERS, CASH, COINS)

    # Two groups that mean the same become one.
    await at_row(chen, COINS)
    await press(chen, "m", "k")
    await at_row(chen, CASH)
    await press(chen, "Enter")
    merged = await lists(chen, CARERS, CASH)
    assert merged[1]["count"] == 5
    assert len({each["group_id"] for each in await stand(public, COINS, pending=2)}) == 1

    # Proposed by one press, and in another browser the chair's list has it.
    chair = await browsers.launch(name="刘主持", screen=LAPTOP)
    token = public.server.token(public.consultation, "chair", "刘主持")
    await chair.open(f"{public.server.url}/desk/{public.consultation}#token={token}")
    token = public.server.token(public.consultation, "department", "市民政局")
    department = RoomClient(public.server.url, token, receive=False)
    await department.connect()
    member = await browsers.launch(name="陈委员", screen=PHONE)
    token = public.server.token(public.consultation, "member", "陈委员")
    await member.open(public.server.room_url(public.consultation, token))
    await enter(member)
    assert await member.count("promotion-card") == 0
    await at_row(chen, CASH)
    await press(chen, "p")
    await reads(chen, "已推荐给主持人")
    await says(chen, CASH, "已推荐")
    await present(chair, "proposal")
    await reads(chair, "石桥村等 5 人")

    # The chair takes it, gives the floor for the answer, and ends it: each by one press.
    await chair.tap("promotion-take")
    await present(member, "promotion-card")
    card = await member.evaluate("() => document.querySelector('[data-testid=promotion-card]').innerText")
    assert CASH in card
    assert "网友“城关老王”" in card
    assert "石桥村" in card
    await stand(public, CASH, promoted=1, pending=2)
    await chair.wait_until(lambda: chair.count("promotion-answer"), bool, what="offers to give the floor")
    await chair.tap("promotion-answer")
    await reads(member, "市民政局正在回应")
    await reads(chair, "市民政局回应中")
    await chair.tap("promotion-end")
    await member.wait_until(lambda: member.count("promotion-card"), lambda n: n == 0, what="has no card")
    await chair.wait_until(lambda: chair.count("promotion-current"), lambda n: n == 0, what="ended it")
    await department.close()
    for client in (chen, liu, chair, member):
        client.assert_quiet()


async def test_variants_words_and_the_chairs_no(public: Public, browsers: BrowserFactory) -> None:
    await asyncio.to_thread(crowd, public)
    desk = await moderator(browsers, public, "陈审核")
    await lists(desk, CARERS, NIGHTS, CASH, COINS, DOGS)
    await present(desk, "group-member", 5)

    # One of the group is split off and comes back into the queue by itself; undone, it is where it was.
    boxes = desk.page.get_by_test_id("group-member").locator("input")
    await boxes.nth(4).check()
    await desk.tap("split-off")
    await desk.wait_until(lambda: rows(desk), lambda now: now[0]["count"] == 4 and len(now) == 6)
    await press(desk, "u")
    await desk.wait_until(lambda: rows(desk), lambda now: now[0]["count"] == 5 and len(now) == 5)

    # Another one stands for the group.
    await present(desk, "group-member", 5)
    await boxes.nth(2).check()
    await press(desk, "e")
    await desk.wait_until(lambda: rows(desk), lambda now: now[0]["text"] == CARERS + ENDINGS[2])

    # Several groups at once.
    await desk.page.get_by_test_id("comment-list").get_by_test_id("comment-mark").nth(1).check()
    await desk.page.get_by_test_id("comment-list").get_by_test_id("comment-mark").nth(2).check()
    await desk.tap("marked-approve")
    await stand(public, NIGHTS, approved=4)
    await stand(public, CASH, approved=3)
    await lists(desk, CARERS, COINS, DOGS)

    # A word of the list holds what comes from now on, with the reason beside it, and is overruled by a person.
    await desk.tap("words-open")
    await desk.fill("word-text", "广场舞")
    await desk.tap("word-add")
    await present(desk, "word")
    await press(desk, "Escape")
    late = "广场舞的音响能不能小声一点"
    await asyncio.to_thread(public.device().post, late)
    await stand(public, late, held=1)
    await desk.tap("queue-held")
    await lists(desk, late)
    await says(desk, late, "命中词表“广场舞”，已暂缓")
    await desk.tap("comment-approve")
    await stand(public, late, approved=1)

    # Proposed, and the chair does not want it.
    await desk.tap("queue-approved")
    await desk.wait_until(lambda: rows(desk), lambda now: len(now) == 3)
    await desk.tap("comment-promote")
    chair = await browsers.launch(name="刘主持", screen=PHONE)
    token = public.server.token(public.consultation, "chair", "刘主持")
    await chair.open(f"{public.server.url}/desk/{public.consultation}#token={token}")
    await present(chair, "proposal")
    await chair.tap("promotion-decline")
    await chair.wait_until(lambda: chair.count("proposal"), lambda n: n == 0, what="has no proposal")
    await desk.wait_until(
        lambda: rows(desk), lambda now: "已推荐" not in "".join(each["all"] for each in now)
    )
    # Handed to a department.
    await desk.tap("comment-refer")
    await reads(desk, "已交办，编号")
    cases = await asyncio.to_thread(public.office, "GET", "/responses")
    assert [each["state"] for each in cases["items"]] == ["unassigned"]
    for client in (desk, chair):
        assert await client.axe() == []
        client.assert_quiet()


# What is drawn anew while nobody looks away: rows that were put in, taken out or moved, and the longest stall.
WATCH_JS = """() => {
  window.__moved = 0
  window.__stall = 0
  let last = performance.now()
  const frame = () => {
    const now = performance.now()
    window.__stall = Math.max(window.__stall, now - last)
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  const count = (all) => {
    for (const each of all) window.__moved += each.addedNodes.length + each.removedNodes.length
  }
  new MutationObserver(count).observe(document.querySelector('.gq'), { childList: true })
}"""


async def test_a_flood_moves_nothing_under_ones_hands(public: Public, browsers: BrowserFactory) -> None:
    device = public.device()
    subjects = ("修路", "路灯", "医保", "学校", "公交", "停车", "噪声", "供水", "垃圾", "集市")

    def flood(begin: int, count: int) -> None:
        """All different: nobody's is near another's."""
        for number in range(begin, begin + count):
            device.jar.clear()
            subject, place = subjects[number % 10], f"{number * 7919 % 9973}号院"
            device.post(
                f"{place}门口的{subject}问题反映了{number}次，{chr(0x4E00 + number * 37)}一直没有人来看"
            )

    await asyncio.to_thread(flood, 0, 150)
    desk = await moderator(browsers, public, "陈审核")
    await desk.wait_until(lambda: rows(desk), lambda now: len(now) >= 60, what="shows the queue")
    assert len(await rows(desk)) < 150, "only what is near the window is drawn"
    await desk.page.locator("select").select_option("newest")
    await desk.wait_until(lambda: rows(desk), lambda now: "149次" in now[0]["text"], what="shows the newest")
    await press(desk, "j")
    before = await desk.wait_until(lambda: rows(desk), lambda now: any(each["focused"] for each in now))
    await desk.evaluate(WATCH_JS)
    await asyncio.to_thread(flood, 150, 150)

    def fresh(words: str) -> bool:
        return "有 150 组新留言" in words

    button = "() => document.querySelector('[data-testid=comments-fresh]')?.innerText ?? ''"
    await desk.wait_until(lambda: desk.evaluate(button), fresh, timeout_s=30, what="counts what came")
    after = await rows(desk)
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert [each["id"] for each in after if each["focused"]] == [
        each["id"] for each in before if each["focused"]
    ]
    moved, stall = await desk.evaluate("() => [window.__moved, window.__stall]")
    assert moved == 0
    assert stall < 2_000, "the page stood still"
    await press(desk, "n")
    await desk.wait_until(
        lambda: rows(desk), lambda now: now[0]["id"] != before[0]["id"], what="shows new ones"
    )
    now = await rows(desk)
    assert [each["id"] for each in now if each["focused"]] == [now[0]["id"]], (
        "the old one is far below by now"
    )
    assert len(now) < 150
    desk.assert_quiet()


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("desk-comments", "phone"),
        ("desk-comments-large", "laptop"),
        ("desk-comments-reasons", "laptop"),
        ("run-proposals-large", "phone"),
        ("room-promotion", "landscape"),
        ("room-promotion-large", "phone"),
    ],
)
async def test_every_face_fits_and_everybody_can_use_it(
    name: str, screen: str, server: Server, browsers: BrowserFactory
) -> None:
    assert name in DESK_COMMENT_SCENES
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await stage.client.horizontal_overflow() == 0
        assert await stage.client.axe() == []
        clipped = await stage.client.evaluate(
            """() => [...document.querySelectorAll("button, label, .tag, .promo p")]
                .filter((e) => e.checkVisibility() && !e.closest(".ell")
                               && (e.getBoundingClientRect().right > innerWidth + 1
                                   || (getComputedStyle(e).overflow === "hidden"
                                       && e.scrollWidth > e.clientWidth + 1)))
                .map((e) => e.innerText)"""
        )
        assert clipped == []
