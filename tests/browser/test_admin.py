"""An administrator at work: from the list of consultations to a body, an account, and its end."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from uuid import uuid4

import pytest

from tests.browser.commenting import Public
from tests.browser.office import Office
from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_admin import ADMIN_SCENES, fill_up, log_in, rule
from tests.browser.scenes_floor import desk_url, faults, go_live
from tests.browser.settled import present, reads, settled
from tests.browser.test_rehearsal import absent
from tests.support.browser import BrowserFactory
from tests.support.eventually import eventually
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]


async def test_a_body_an_account_and_its_end(server: Server, browsers: BrowserFactory) -> None:
    office = await asyncio.to_thread(Office, server, "guanli", "administrator")
    client = await browsers.launch(name="管理员")
    page = client.page
    await client.open(server.url)
    await client.fill("login-name", office.login)
    await client.fill("login-password", office.password)
    await client.tap("login-button")
    await client.tap("administration")
    await present(client, "overview-title")

    await client.tap("admin-organizations")
    await present(client, "organization-row")
    await page.get_by_test_id("organization-add").first.click()
    await client.fill("organization-name", "石桥县政协")
    await client.tap("organization-save")
    await reads(client, "已添加石桥县政协")

    await client.tap("admin-users")
    await client.tap("user-add")
    await client.fill("user-login", "chen-yu")
    await client.fill("user-name", "陈玉兰")
    await page.get_by_test_id("user-organization").select_option(label="石桥县政协")
    await client.fill("user-password", "kurz")
    await client.tap("user-save")
    await reads(client, "密码至少 10 个字符")
    await client.tap("user-generate")
    await client.tap("user-save")
    await present(client, "password-given")
    password = (await page.get_by_test_id("password-given").inner_text()).strip()
    await client.tap("password-noted")

    body = {"login": "chen-yu", "password": password}
    who = (await asyncio.to_thread(office.call, "POST", "/sessions", body))["user"]
    assert (who["name"], who["organization"]["name"]) == ("陈玉兰", "石桥县政协")

    row = page.locator('[data-testid="user-row"][data-login="chen-yu"]')
    await row.get_by_test_id("user-disable").click()
    await client.tap("confirm")
    await reads(client, "已停用陈玉兰的账号")
    with pytest.raises(AssertionError, match="401"):
        await asyncio.to_thread(office.call, "POST", "/sessions", body)
    await row.get_by_test_id("user-enable").click()
    await reads(client, "已恢复陈玉兰的账号")
    await asyncio.to_thread(office.call, "POST", "/sessions", body)

    await client.tap("admin-trace")
    await present(client, "audit-line", 5)
    await page.get_by_test_id("audit-action").select_option("organization.added")
    await reads(client, "石桥县政协")
    async with page.expect_download() as downloading:
        await client.tap("audit-table")
    table = (await (await downloading.value).path()).read_text("utf-8-sig")
    head, *found = csv.reader(io.StringIO(table))
    assert head[:2] == ["时间", "谁"]
    assert any("石桥县政协" in each[7] for each in found), found
    assert {each[4] for each in found} == {"添加机构"}
    client.assert_quiet()


async def test_rules_of_a_body_are_given_and_felt(server: Server, browsers: BrowserFactory) -> None:
    """A second consultation, a film and a desk: what is refused says why, and the meeting goes on."""
    office = await asyncio.to_thread(Office, server, "guize", "administrator")
    name = "临水县政协"
    county = (
        await asyncio.to_thread(office.call, "POST", "/organizations", {"name": name, "level": "county"})
    )["id"]
    secretary = await asyncio.to_thread(Office, server, "linshui", "secretariat", name)
    one, two = [await asyncio.to_thread(secretary.published, title) for title in ("第一场", "第二场")]
    admin = await browsers.launch(name="管理员")
    await log_in(admin, office, "/admin")
    await present(admin, "overview-title")
    await admin.tap("admin-rules")
    row = admin.page.locator(f'[data-testid="rules-row"][data-id="{county}"]')
    await row.get_by_test_id("rules-change").click()
    await admin.fill("rules-live", "0")
    await admin.tap("rules-save")
    await reads(admin, "请填 1 到 1000 的整数")
    await admin.fill("rules-live", "1")
    await admin.fill("rules-people", "40")
    await admin.fill("rules-space", "9")
    await admin.page.get_by_test_id("rules-keeps").select_option("days")
    await admin.fill("rules-days", "30")
    await present(admin, "rules-deletes")
    await admin.tap("rules-save")
    await reads(admin, f"已保存{name}的规则")
    for words in ("最多 1 场", "每间最多 40 人", "最多 9 GB", "保存 30 天"):
        assert words in await row.inner_text()

    desk = await browsers.launch(name="会务")
    await desk.open(desk_url(server, one))
    await desk.tap("start-consultation")
    await present(desk, "recording-card")
    await reads(admin, "1 场进行中")
    other = await browsers.launch(name="另一场")
    await other.open(desk_url(server, two))
    await other.tap("start-consultation")
    await reads(other, "同时进行的协商会已到规定的上限")
    assert await asyncio.to_thread(status_of, secretary, two) == "scheduled"

    await asyncio.to_thread(fill_up, server, one, 9_300_000_000)
    await present(desk, "storage-warning")
    await reads(desk, "会议照常开始和录制，片子暂时不能上传")
    await present(admin, "rules-full")
    assert await asyncio.to_thread(status_of, secretary, one) == "live"
    await asyncio.to_thread(rule, office, county)
    await absent(desk, "storage-warning")
    await other.tap("start-consultation")

    async def live() -> bool:
        return await asyncio.to_thread(status_of, secretary, two) == "live"

    await other.wait_until(live, what="is live once the rule is gone")
    assert await admin.axe() == []
    for each in (admin, desk):
        each.assert_quiet()


async def test_the_lists_of_a_body_count_in_its_consultations(
    server: Server, browsers: BrowserFactory, tmp_path: Path
) -> None:
    """A word, a term and a template: given at one place, felt by the public, read by whoever prints the minutes."""
    office = await asyncio.to_thread(Office, server, "cibiao", "administrator")
    name = "平湖县政协"
    county = (
        await asyncio.to_thread(office.call, "POST", "/organizations", {"name": name, "level": "county"})
    )["id"]
    secretary = await asyncio.to_thread(Office, server, "pinghu", "secretariat", name)
    consultation = await asyncio.to_thread(secretary.published, "词表起作用的一场")
    client = await browsers.launch(name="管理员")
    page = client.page
    await log_in(client, office, "/admin/words")
    await present(client, "word-text")
    await page.get_by_test_id("words-body").select_option(county)
    await reads(client, "还没有本机构的审核词")
    await client.fill("word-text", "校园贷")
    await page.get_by_test_id("word-level").select_option("block")
    await client.tap("word-add")
    await present(client, "word", 1)
    await client.fill("term-wrong", "颐养院")
    await client.fill("term-right", "怡养苑")
    await client.tap("term-add")
    await present(client, "term", 1)

    wrong = tmp_path / "模板.docx"
    wrong.write_bytes(b"no document")
    await page.get_by_test_id("template-file").set_input_files(wrong)
    await reads(client, "这不是 Word 文档")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="下载样板").click()
    sample = tmp_path / "本单位纪要.docx"
    await (await downloading.value).save_as(sample)
    await page.get_by_test_id("template-file").set_input_files(sample)
    await reads(client, "已换上“本单位纪要.docx”")
    assert await client.axe() == []
    client.assert_quiet()

    path = f"/consultations/{consultation}"
    revision = (await asyncio.to_thread(secretary.call, "GET", path))["revision"]
    await asyncio.to_thread(secretary.call, "PATCH", path, {"revision": revision, "is_public": True})
    await asyncio.to_thread(go_live, server, consultation)
    public = Public(server, consultation)

    async def status() -> str:
        """What becomes of a comment with the word, each time from another device and in other words."""
        text = f"校园贷的事 {uuid4().hex[:8]}"
        made = await asyncio.to_thread(
            public.device().call, "POST", "/comments", {"text": text, "nickname": "老李"}
        )
        return str(made["status"])

    assert await status() == "rejected"
    found = await asyncio.to_thread(office.call, "GET", f"/organizations/{county}/terms")
    assert [(each["wrong"], each["right"]) for each in found["items"]] == [("颐养院", "怡养苑")]
    await client.tap("template-remove")
    await client.tap("confirm")
    await reads(client, "现在用的是系统自带的版式")
    await page.get_by_role("button", name="移出“校园贷”").click()
    await reads(client, "还没有本机构的审核词")
    await eventually(status, lambda said: said == "pending", timeout_s=20, every_s=1, what="it follows")


def status_of(office: Office, consultation: str) -> str:
    return str(office.call("GET", f"/consultations/{consultation}")["status"])


@pytest.mark.parametrize("screen", ["phone", "laptop"])
@pytest.mark.parametrize("name", list(ADMIN_SCENES))
async def test_the_pages_fit(server: Server, browsers: BrowserFactory, name: str, screen: str) -> None:
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await faults(stage.client) == []


@pytest.mark.parametrize("name", ["admin-rules", "admin-rules-changed"])
async def test_rules_fit_at_twice_the_text(server: Server, browsers: BrowserFactory, name: str) -> None:
    async with scene(name, server, browsers, SCREENS["laptop"]) as stage:
        await stage.client.evaluate("() => { document.documentElement.style.fontSize = '200%' }")
        await settled(stage.client)
        assert await stage.client.horizontal_overflow() == 0
        assert await faults(stage.client) == []
