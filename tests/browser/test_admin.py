"""An administrator at work: from the list of consultations to a body, an account, and its end."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.office import Office
from tests.browser.scenes import SCREENS, scene
from tests.browser.scenes_admin import ADMIN_SCENES
from tests.browser.scenes_floor import faults
from tests.browser.settled import present, reads
from tests.support.browser import BrowserFactory
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
    client.assert_quiet()


@pytest.mark.parametrize("screen", ["phone", "laptop"])
@pytest.mark.parametrize("name", list(ADMIN_SCENES))
async def test_the_pages_fit(server: Server, browsers: BrowserFactory, name: str, screen: str) -> None:
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await faults(stage.client) == []
