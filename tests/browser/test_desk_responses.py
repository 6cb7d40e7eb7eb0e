"""办理 in real Chromium: from the session to a department, which has nothing but a link, and to everybody."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.browser.ledger import ANSWER, ASKED, FIRST, OTHER, Ledger, at_department, at_desk, stands
from tests.browser.scenes import LAPTOP, PHONE
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
async def ledger(server: Server) -> Ledger:
    return await asyncio.to_thread(Ledger, server)


async def usable(*clients: BrowserClient) -> None:
    for client in clients:
        assert await client.axe() == []
        assert await client.horizontal_overflow() == 0


async def history(desk: BrowserClient) -> list[str]:
    """Actions, newest first."""
    return list(
        await desk.evaluate(
            "() => [...document.querySelectorAll('[data-testid=case-history]')].map((e) => e.dataset.action)"
        )
    )


async def test_from_the_session_to_an_answer_that_everybody_reads(
    ledger: Ledger, browsers: BrowserFactory
) -> None:
    case_id = await asyncio.to_thread(ledger.promoted, ASKED)
    desk = await at_desk(browsers, ledger)
    await desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await stands(desk, "response-item", "unassigned")
    await stands(desk, "case", "unassigned")

    # Assigned to a department that is added on the way; its link is what it needs.
    await desk.tap("case-assign")
    await desk.tap("department-add")
    await desk.fill("department-name", "市民政局")
    await desk.tap("department-save")
    await desk.tap("confirm")
    await stands(desk, "case", "assigned")
    await reads(desk, "已分派给市民政局")
    await desk.tap("departments")
    await present(desk, "department-row")
    await usable(desk)
    await desk.tap("department-copy")
    await reads(desk, "链接已复制")
    link = str(await desk.evaluate("() => navigator.clipboard.readText()"))
    assert link.startswith(f"{ledger.server.url}/d/")
    await desk.page.keyboard.press("Escape")

    # Another browser, without any login: one case, one field. What is written stays when the page is closed.
    clerk = await at_department(browsers, link)
    await stands(clerk, "standing", "assigned")
    await reads(clerk, ASKED)
    await usable(clerk)
    await clerk.fill("answer-input", FIRST)
    await clerk.page.reload()
    await present(clerk, "answer-input")
    field = "() => document.querySelector('[data-testid=answer-input]').value"
    assert await clerk.evaluate(field) == FIRST
    await clerk.fill("answer-handler", "养老服务科 李科员")
    await clerk.tap("answer-submit")
    await stands(clerk, "standing", "submitted")
    await usable(clerk)

    # The secretariat sends it back with a reason; the clerk finds the reason and the text to mend.
    await stands(desk, "case", "submitted")
    assert (await asyncio.to_thread(ledger.in_public))["items"][0]["answer"] is None, "not before approval"
    await desk.tap("answer-return")
    await desk.fill("reason", "请写清什么时候、找谁")
    await desk.tap("confirm")
    await stands(desk, "case", "assigned")
    await clerk.page.reload()
    await stands(clerk, "standing", "assigned")
    await reads(clerk, "请写清什么时候、找谁")
    assert await clerk.evaluate(field) == FIRST
    await clerk.fill("answer-input", ANSWER)
    await clerk.tap("answer-submit")
    await stands(clerk, "standing", "submitted")

    # Approved, taken back in time, approved again: everybody reads it.
    await stands(desk, "case", "submitted")
    await usable(desk)
    await desk.tap("answer-approve")
    await stands(desk, "case", "answered")
    await desk.page.get_by_role("button", name="撤销").click()
    await stands(desk, "case", "submitted")
    await desk.tap("answer-approve")
    await stands(desk, "case", "answered")
    shown = await eventually(
        lambda: asyncio.to_thread(ledger.in_public),
        lambda page: page["counts"]["answered"] == 1,
        what="the public reads it",
    )
    (item,) = shown["items"]
    assert (item["id"], item["department"], item["promoted"]) == (case_id, "市民政局", True)
    assert item["answer"]["text"] == ANSWER
    await clerk.page.reload()
    await stands(clerk, "standing", "answered")
    await usable(clerk, desk)
    actions = await desk.wait_until(
        lambda: history(desk), lambda now: now[:1] == ["response.approved"], what="shows what was done"
    )
    assert actions[-1] == "response.opened"
    assert actions.count("response.submitted") == 2
    assert "response.unapproved" in actions
    desk.assert_quiet()
    clerk.assert_quiet()


async def test_more_time_and_not_ours(ledger: Ledger, browsers: BrowserFactory) -> None:
    civil = await asyncio.to_thread(ledger.department, "市民政局")
    await asyncio.to_thread(ledger.department, "市卫健委")
    case_id = await asyncio.to_thread(ledger.assigned, ASKED, civil)
    due_ms = (await asyncio.to_thread(ledger.case, case_id))["due_wall_ms"]
    desk = await at_desk(browsers, ledger)
    clerk = await at_department(browsers, await asyncio.to_thread(ledger.link, civil))

    # More time, for a reason; granted with one click.
    await clerk.tap("ask-extension")
    await clerk.fill("reason", "要和卫健委一起看现场")
    await usable(clerk)
    await clerk.tap("confirm")
    await reads(clerk, "等秘书处同意")
    await present(desk, "extension-asked")
    await reads(desk, "要和卫健委一起看现场")
    await usable(desk)
    await desk.tap("extension-grant")
    await reads(desk, "已延期到")
    case = await asyncio.to_thread(ledger.case, case_id)
    assert case["due_wall_ms"] > due_ms
    assert (case["extended"], case["extension"]) == (1, None)

    # Asked again, it is refused with a reason, and the date stays.
    await clerk.page.reload()
    await clerk.tap("ask-extension")
    await clerk.fill("reason", "还要时间")
    await clerk.tap("confirm")
    await present(desk, "extension-asked")
    await desk.tap("extension-deny")
    await desk.fill("reason", "网友已经等了很久")
    await desk.tap("confirm")
    await desk.wait_until(lambda: desk.count("extension-asked"), lambda n: n == 0, what="decided it")
    assert (await asyncio.to_thread(ledger.case, case_id))["due_wall_ms"] == case["due_wall_ms"]

    # Not ours: it leaves the department's page, and the secretariat reads why and finds somebody else.
    await clerk.page.reload()
    await clerk.tap("refuse-case")
    await clerk.fill("reason", "巡诊由市卫健委负责")
    await clerk.tap("confirm")
    await present(clerk, "department-empty")
    await usable(clerk)
    await stands(desk, "case", "unassigned")
    await reads(desk, "巡诊由市卫健委负责")
    await desk.tap("case-assign")
    await desk.page.get_by_test_id("assign-department").select_option(label="市卫健委")
    await desk.tap("confirm")
    await stands(desk, "case", "assigned")
    await reads(desk, "分派给市卫健委")
    # A department that nothing reaches cannot be reminded, and the page says what to do.
    await desk.tap("case-remind")
    await reads(desk, "提醒送不到")
    desk.assert_quiet(allowed=r"favicon|Failed to load resource")
    clerk.assert_quiet()


async def test_a_renewed_link_opens_nothing(ledger: Ledger, browsers: BrowserFactory) -> None:
    civil = await asyncio.to_thread(ledger.department, "市民政局")
    case_id = await asyncio.to_thread(ledger.assigned, ASKED, civil)
    old = await asyncio.to_thread(ledger.link, civil)
    clerk = await at_department(browsers, old)
    await clerk.fill("answer-input", FIRST)
    desk = await at_desk(browsers, ledger)
    await desk.tap("departments")
    await desk.tap("department-renew")
    await reads(desk, "原来的链接马上失效")
    await usable(desk)
    await desk.tap("confirm")
    new = await eventually(
        lambda: asyncio.to_thread(ledger.link, civil), lambda link: link != old, what="has another link"
    )

    # The page that is open can submit nothing any more, and neither can whoever opens the old link.
    await clerk.tap("answer-submit")
    await present(clerk, "link-dead")
    assert (await asyncio.to_thread(ledger.case, case_id))["state"] == "assigned"
    await clerk.open(old)
    await present(clerk, "link-dead")
    assert ASKED not in str(await clerk.evaluate("() => document.body.innerText"))
    await usable(clerk)
    await clerk.open(new)
    await stands(clerk, "standing", "assigned")
    desk.assert_quiet()


async def test_an_answer_for_the_authors_alone(ledger: Ledger, browsers: BrowserFactory) -> None:
    civil = await asyncio.to_thread(ledger.department, "市民政局")
    case_id = await asyncio.to_thread(ledger.assigned, ASKED, civil)
    clerk = await at_department(browsers, await asyncio.to_thread(ledger.link, civil), screen=LAPTOP)
    # Without a word nothing is sent.
    await clerk.tap("answer-submit")
    await reads(clerk, "请先写答复内容")
    await clerk.fill("answer-input", ANSWER)
    # The network goes, and what was written stays.
    await clerk.offline(True)
    await clerk.tap("answer-submit")
    await reads(clerk, "没有提交成功")
    await clerk.offline(False)
    await clerk.tap("answer-submit")
    await stands(clerk, "standing", "submitted")

    # On a telephone the list and the case take turns, and the back key leads to the list.
    desk = await at_desk(browsers, ledger, screen=PHONE)
    await present(desk, "response-item")
    assert await desk.count("case") == 0
    await desk.page.get_by_test_id("response-item").get_by_role("button").first.tap()
    await stands(desk, "case", "submitted")
    assert await desk.count("response-item") == 0
    await desk.page.go_back()
    await present(desk, "response-item")
    await desk.page.go_forward()
    await stands(desk, "case", "submitted")
    await desk.tap("answer-visibility-change")
    await reads(desk, "只回复提问人")
    await usable(desk)
    await desk.tap("answer-approve")
    await stands(desk, "case", "answered")
    (item,) = (await asyncio.to_thread(ledger.in_public))["items"]
    assert (item["answer"], item["is_private"]) == (None, True)
    assert ANSWER not in json.dumps(await asyncio.to_thread(ledger.in_public), ensure_ascii=False)

    # Taken up again: the department answers anew, and what it said before still counts.
    await desk.tap("case-reopen")
    await desk.fill("reason", "网友说巡访没有到")
    await desk.tap("confirm")
    await stands(desk, "case", "assigned")
    await clerk.page.reload()
    await stands(clerk, "standing", "assigned")
    await reads(clerk, "网友说巡访没有到")
    assert (await asyncio.to_thread(ledger.case, case_id))["answer"]["visibility"] == "private"
    desk.assert_quiet()


async def test_the_list_by_state_department_and_words(ledger: Ledger, browsers: BrowserFactory) -> None:
    civil = await asyncio.to_thread(ledger.department, "市民政局")
    await asyncio.to_thread(ledger.assigned, ASKED, civil)
    waiting = await asyncio.to_thread(ledger.promoted, OTHER)
    desk = await at_desk(browsers, ledger)
    await present(desk, "response-item", 2)
    await stands(desk, "response-item", "unassigned")  # what the secretariat has to do comes first
    await reads(desk, "1 件待分派，0 件答复待审核")

    async def only(text: str) -> None:
        await desk.wait_until(
            lambda: desk.evaluate(
                "() => [...document.querySelectorAll('[data-testid=response-item] .tx')].map((e) => e.innerText)"
            ),
            lambda now: now == [text],
            what=f"shows {text} alone",
        )

    await desk.tap("view-assigned")
    await only(ASKED)
    await desk.tap("view-unassigned")
    await only(OTHER)
    await desk.tap("view-open")
    await desk.fill("response-search", "夜间")
    await only(ASKED)
    await desk.fill("response-search", "")
    await present(desk, "response-item", 2)

    # Somebody else assigns it meanwhile: the page follows by itself.
    await asyncio.to_thread(ledger.call, "POST", f"/responses/{waiting}/assign", {"department_id": civil})
    await reads(desk, "0 件，都处理好了")
    await usable(desk)
    desk.assert_quiet()


async def test_who_may_only_look(ledger: Ledger, browsers: BrowserFactory) -> None:
    await asyncio.to_thread(ledger.promoted, ASKED)
    chair = await browsers.launch(name="chair", screen=LAPTOP)
    token = ledger.server.token(ledger.cid, "chair", "刘主持")
    await chair.open(f"{ledger.server.url}/desk/{ledger.cid}/responses#token={token}")
    await stands(chair, "case", "unassigned")
    await reads(chair, "分派和审核由秘书处进行")
    for test_id in ("case-assign", "case-close", "departments", "answer-approve"):
        assert await chair.count(test_id) == 0, test_id
    await usable(chair)
    chair.assert_quiet()
