"""Comments on the public page in real Chromium: written, kept, sent once, decided, liked, answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Request, Route

from tests.browser.commenting import WRITTEN, Public, items, opened, shows, write
from tests.browser.scenes import LAPTOP, PHONE
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.light_client import RoomClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MINE = "希望护理员培训能开到乡镇，培训补贴按时发。"


# Whether the words can be read: neither below the edge nor behind the picture or the form.
UNCOVERED_JS = """(text) => {
  const words = [...document.querySelectorAll('[data-testid="comment-item"] .tx')].find((e) => e.innerText === text)
  const box = words.getBoundingClientRect()
  return [box.top + 2, box.bottom - 2].every((y) => words.contains(document.elementFromPoint(box.left + 5, y)))
}"""


@pytest.fixture
async def public(server: Server) -> Public:
    """Of a consultation that is live."""
    made = Public(server, server.create_consultation("推进县域养老服务高质量发展"))
    await asyncio.to_thread(made.staff, "POST", "/start", None, "chair")
    return made


@pytest.fixture
async def chair(public: Public) -> AsyncIterator[RoomClient]:
    token = public.server.token(public.consultation, "chair", "刘主持")
    client = RoomClient(public.server.url, token, receive=False)
    await client.connect()
    yield client
    await client.close()


def url(public: Public, query: str = "") -> str:
    return f"{public.server.url}/live/{public.consultation}{query}"


async def open_tab(viewer: BrowserClient, name: str) -> None:
    await viewer.tap(f"tab-{name}")
    await viewer.wait_until(
        lambda: viewer.evaluate(
            "(id) => document.querySelector(`[data-testid=${id}]`).getAttribute('aria-selected')",
            f"tab-{name}",
        ),
        lambda chosen: chosen == "true",
        what=f"opened {name}",
    )


async def test_from_writing_to_being_seen(public: Public, browsers: BrowserFactory) -> None:
    await asyncio.to_thread(public.wrote, *WRITTEN)
    author = await browsers.launch(name="author", screen=PHONE)
    await opened(author, url(public))
    await present(author, "comment-item", len(WRITTEN))
    assert await author.count("comment-nickname") == 0, "one line until touched"
    await write(author, MINE, region="柳塘街道")
    mine = await shows(author, MINE, "pending", says="已收到，审核后显示")
    assert mine["mine"]
    assert await author.evaluate(UNCOVERED_JS, MINE), "its author sees it without looking for it"
    (stored,) = await asyncio.to_thread(public.with_text, MINE)
    assert (stored["nickname"], stored["region"], stored["state"]) == ("杏花村", "柳塘街道", "pending")

    # Reloaded, it is there with its state, and the name is remembered; nobody else sees it.
    await opened(author, url(public))
    await shows(author, MINE, "pending")
    await author.tap("comment-input")
    nickname = "() => document.querySelector('[data-testid=comment-nickname]').value"
    assert await author.evaluate(nickname) == "杏花村"
    other = await browsers.launch(name="other", screen=LAPTOP)
    await opened(other, url(public))
    await present(other, "comment-item", len(WRITTEN))
    assert MINE not in [each["text"] for each in await items(other)]

    # Approved, it comes by itself, to its author as shown.
    await asyncio.to_thread(public.decide, stored["id"], "approve")
    theirs = await shows(other, MINE, "approved")
    assert not theirs["mine"]
    assert (await items(other))[0]["text"] == MINE, "newest first"
    assert (await shows(author, MINE, "approved", says="已显示"))["mine"]

    # Liked once by another device, and reported.
    await other.tap("comment-like")
    await other.wait_until(
        lambda: asyncio.to_thread(public.with_text, MINE),
        lambda found: found[0]["likes"] == 1,
        what="was liked",
    )
    await other.tap("comment-report")
    await reads(other, "已举报，审核员会再看")
    assert (await asyncio.to_thread(public.with_text, MINE))[0]["reports"] == 1
    await opened(other, url(public))
    await reads(other, "已举报，审核员会再看")
    liked = "() => document.querySelector('[data-testid=comment-like]').getAttribute('aria-pressed')"
    assert await other.evaluate(liked) == "true"
    assert await other.axe() == []
    assert await author.axe() == []
    assert await author.horizontal_overflow() == 0

    # Hidden, it goes from both; the author is told and may mend it.
    await asyncio.to_thread(public.decide, stored["id"], "hide")
    await other.page.mouse.move(5, 5)
    await other.wait_until(
        lambda: items(other),
        lambda now: MINE not in [each["text"] for each in now],
        timeout_s=40,
        what="shows it no more",
    )
    await opened(author, url(public))
    await open_tab(author, "mine")
    await shows(author, MINE, "rejected", says="未显示")
    await author.tap("comment-mend")
    field = "() => document.querySelector('[data-testid=comment-input]').value"
    assert await author.evaluate(field) == MINE
    assert author.page_errors == other.page_errors == []


async def test_without_a_network_it_is_kept_and_sent_once(public: Public, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="weak", screen=PHONE)
    await opened(viewer, url(public))
    await viewer.offline(True)
    await write(viewer, MINE)
    await shows(viewer, MINE, "sending", says="网络不稳，联网后自动发出")
    assert await asyncio.to_thread(public.all) == []

    # A draft and what is on its way survive the page being closed and opened again.
    draft = "还没有写完的另一条"
    await viewer.fill("comment-input", draft)
    await viewer.offline(False)
    await viewer.page.context.route("**/comments", lambda route: route.abort())
    await opened(viewer, url(public))
    await shows(viewer, MINE, "sending")
    field = "() => document.querySelector('[data-testid=comment-input]').value"
    assert await viewer.evaluate(field) == draft
    await viewer.page.context.unroute("**/comments")
    await viewer.evaluate("() => window.dispatchEvent(new Event('online'))")
    await shows(viewer, MINE, "pending", says="已收到，审核后显示")
    assert len(await asyncio.to_thread(public.all)) == 1


async def test_an_answer_that_got_lost(public: Public, browsers: BrowserFactory) -> None:
    """The server has it, the page does not know: what comes again is the same comment, the very first one, too."""
    viewer = await browsers.launch(name="unlucky", screen=PHONE)
    lost: list[str] = []

    async def lose(route: Route, request: Request) -> None:
        if request.method == "POST" and not lost:
            lost.append(str(json.loads(request.post_data or "{}")["key"]))
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await viewer.page.route("**/comments", lose)
    await opened(viewer, url(public))
    await write(viewer, MINE)
    await eventually(lambda: asyncio.to_thread(public.with_text, MINE), lambda found: len(found) == 1)
    await viewer.evaluate("() => window.dispatchEvent(new Event('online'))")
    await shows(viewer, MINE, "pending")
    assert len(lost) == 1
    assert len(await asyncio.to_thread(public.with_text, MINE)) == 1


async def test_cut_off_it_waits(public: Public, chair: RoomClient, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="patient", screen=LAPTOP)
    await opened(viewer, url(public))
    await chair.request("broadcast.cut", {})
    await viewer.wait_until(
        lambda: viewer.evaluate("() => document.querySelector('[data-testid=comments]').dataset.commenting"),
        lambda state: state == "paused",
        what="is paused",
    )
    placeholder = "() => document.querySelector('[data-testid=comment-input]').placeholder"
    assert await viewer.evaluate(placeholder) == "留言暂停，可以先写好"
    await write(viewer, MINE)
    await shows(viewer, MINE, "sending", says="留言暂停中，恢复后自动发出")
    assert await viewer.axe() == []
    assert await asyncio.to_thread(public.all) == []
    await chair.request("broadcast.restore", {})
    await shows(viewer, MINE, "pending")
    assert len(await asyncio.to_thread(public.with_text, MINE)) == 1


async def test_tricks_limits_and_mending(public: Public, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="curious", screen=PHONE)
    await opened(viewer, url(public))
    submit = "document.querySelector('[data-testid=comment-submit]')"
    disabled = f"() => {submit}.getAttribute('aria-disabled') === 'true'"
    assert await viewer.evaluate(disabled)
    await viewer.fill("comment-input", "好" * 301)
    await reads(viewer, "多了 1 字，请删短一些")
    assert await viewer.evaluate(disabled)
    await viewer.fill("comment-input", "🙂" * 300)
    await reads(viewer, "300 / 300 字")
    assert not await viewer.evaluate(disabled)

    script = "<img src=x onerror=\"document.title='坏'\"><b>护理员</b>"
    await write(viewer, script)
    made = await shows(viewer, script, "pending")
    await asyncio.to_thread(public.decide, made["id"], "approve")
    await shows(viewer, script, "approved")
    assert "坏" not in await viewer.evaluate("() => document.title")

    # What holds a number is told so once a moderator turned it down, never before.
    phone = "请打我电话 13800138000 详谈养老院的事"
    await write(viewer, phone)
    held = await shows(viewer, phone, "pending", says="已收到，审核后显示")
    await asyncio.to_thread(public.decide, held["id"], "reject")
    await open_tab(viewer, "mine")
    await shows(viewer, phone, "rejected", says="未显示：含有个人电话。修改后可以重新发送")
    await viewer.tap("comment-withdraw")
    await shows(viewer, script, "withdrawn", says="已撤回")
    assert viewer.page_errors == []


async def test_nothing_moves_under_a_reader(public: Public, browsers: BrowserFactory) -> None:
    many = [
        (f"网友{n}", "柳塘街道", f"第 {n} 条：希望村里的助餐点{'早一点开门' * (n % 4 + 1)}")
        for n in range(60)
    ]
    await asyncio.to_thread(public.wrote, *many)
    viewer = await browsers.launch(name="reader", screen=LAPTOP)
    await opened(viewer, url(public))
    await present(viewer, "comment-item", 2)
    panel = "document.querySelector('#tabs-panel')"
    await viewer.evaluate(f"() => {{ {panel}.scrollTop = 400 }}")
    first = await items(viewer)
    await asyncio.to_thread(public.wrote, *WRITTEN)
    await present(viewer, "comments-fresh")
    await reads(viewer, "有 4 条新留言")
    assert [each["id"] for each in await items(viewer)] == [each["id"] for each in first]
    assert await viewer.evaluate(f"() => {panel}.scrollTop") == 400
    await viewer.tap("comments-fresh")
    await viewer.wait_until(
        lambda: items(viewer), lambda now: now[0]["text"] == WRITTEN[-1][2], what="shows the new ones"
    )
    assert await viewer.evaluate(f"() => {panel}.scrollTop") < 100

    # Older ones are asked for.
    assert many[0][2] not in [each["text"] for each in await items(viewer)]
    await viewer.evaluate(f"() => {{ {panel}.scrollTop = 1e6 }}")
    await viewer.tap("comments-older")
    await viewer.wait_until(
        lambda: items(viewer), lambda now: now[-1]["text"] == many[0][2], what="shows the oldest"
    )


async def test_a_department_answers(public: Public, browsers: BrowserFactory) -> None:
    """The author follows it from the page, rates the answer and asks further; everybody reads it in two places."""
    ids = await asyncio.to_thread(public.wrote, *WRITTEN)
    author = await browsers.launch(name="author", screen=PHONE)
    await opened(author, url(public))
    await write(author, MINE)
    mine = (await shows(author, MINE, "pending"))["id"]
    await asyncio.to_thread(public.decide, mine, "approve")
    case = await asyncio.to_thread(public.assigned, mine)
    await open_tab(author, "mine")
    await shows(author, MINE, "approved", says="已交市民政局办理，")
    answer = "培训班每季度开到乡镇一次，补贴当月发到卡上。"
    await asyncio.to_thread(public.answered, mine, answer)
    await asyncio.to_thread(public.answered, ids[0], "请带身份证到窗口登记。")
    await asyncio.to_thread(public.assigned, ids[1], "市财政局")
    await opened(author, url(public))
    await open_tab(author, "mine")
    await shows(author, MINE, "answered", says=answer)
    assert await author.axe() == []
    assert await author.horizontal_overflow() == 0

    await author.tap("rate-fairly")
    await reads(author, "您的评价：基本满意")
    await author.tap("follow-up")
    await author.fill("follow-up-input", "你们这些蠢货")
    await author.tap("follow-up-send")
    await reads(author, "这句话没有发出，请换个说法再发")
    await author.fill("follow-up-input", "外出打工的能不能上网课？")
    await author.tap("follow-up-send")
    await reads(author, "已转给秘书处")
    card = (await asyncio.to_thread(public.office, "GET", f"/responses/{case['id']}"))["response"]
    assert card["ratings"] == {"satisfied": 0, "fairly": 1, "unsatisfied": 0}
    assert [each["text"] for each in card["follow_ups"]] == ["外出打工的能不能上网课？"]

    # Everybody: in the place of the comment, under 答复, and on a page of its own.
    other = await browsers.launch(name="other", screen=LAPTOP)
    await opened(other, url(public))
    await shows(other, MINE, "answered", says=answer)
    await open_tab(other, "answers")
    await present(other, "response-item", 3)
    assert await other.axe() == []
    await other.tap("to-answers")
    await present(other, "answers-page")
    await reads(other, answer)
    figures = "() => document.querySelector('[data-testid=answer-figures]').innerText.replace(/\\s+/g, ' ')"
    assert (
        await other.evaluate(figures) == "交办 3 件 已答复 2 件 办理中 1 件 多久答复 不到 1 天（一半的事项）"
    )
    assert await other.count("response-item") == 2
    assert await other.count("rate-satisfied") == 0, "only who asked rates"
    await other.fill("answer-search", "每季度 民政")
    await other.wait_until(lambda: other.count("response-item"), lambda n: n == 1, what="found it")
    await other.fill("answer-search", "没有这个词")
    await reads(other, "没有找到“没有这个词”")
    await other.page.get_by_role("button", name="清除").click()
    await other.page.get_by_role("radio", name="办理中 1").click()
    await reads(other, "市财政局，")
    assert await other.axe() == []

    # On that page, too, the author is known and may think otherwise.
    await author.open(f"{public.server.url}/answers/{public.consultation}")
    await reads(author, "您的评价：基本满意")
    assert await author.horizontal_overflow() == 0
    assert await author.axe() == []
    await author.page.get_by_role("button", name="改评价").click()
    await author.tap("rate-satisfied")
    await reads(author, "您的评价：满意")
    await reads(author, "已办结")
    assert author.page_errors == other.page_errors == []


async def test_answers_of_nothing(server: Server, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(name="curious", screen=PHONE)
    await viewer.open(f"{server.url}/answers/c_nothing")
    await present(viewer, "answers-gone")
    made = server.create_consultation("推进县域养老服务高质量发展")
    await viewer.open(f"{server.url}/answers/{made}")
    await reads(viewer, "还没有交办的留言")
    assert await viewer.axe() == []


async def test_the_old_page_takes_comments_too(public: Public, browsers: BrowserFactory) -> None:
    await asyncio.to_thread(public.wrote, *WRITTEN)
    viewer = await browsers.launch(name="old", screen=PHONE)
    await viewer.open(url(public, "?old=1"))
    await reads(viewer, WRITTEN[-1][2])
    await viewer.fill("comment-input", MINE)
    await viewer.tap("comment-submit")
    await reads(viewer, "已收到，审核后显示")
    (stored,) = await asyncio.to_thread(public.with_text, MINE)
    assert stored["state"] == "pending"
    assert await viewer.horizontal_overflow() == 0
    assert await viewer.axe() == []
