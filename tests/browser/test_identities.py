"""Viewers show who they are in real Chromium: by a code, and by WeChat's way out of the page and back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.browser.commenting import Public, opened, shows, write
from tests.browser.scenes import LAPTOP, PHONE
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

MINE = "助餐点能不能接受现金？"
IN_WECHAT = "Object.defineProperty(navigator, 'userAgent', {get: () => 'Mozilla/5.0 Chrome/116 MicroMessenger/8.0.47'})"


@dataclass
class Outside:
    """The gateway of short messages, and WeChat, which is another site."""

    port: int = 0
    codes: list[str] = field(default_factory=list)
    server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def message(self, request: web.Request) -> web.Response:
        self.codes.append((await request.json())["code"])
        return web.Response(status=204)

    async def authorize(self, request: web.Request) -> web.Response:
        back = (
            f"{request.query['redirect_uri']}?{urlencode({'code': 'c0de', 'state': request.query['state']})}"
        )
        raise web.HTTPFound(back)

    async def home(self, request: web.Request) -> web.Response:
        """The public address is a proxy before the server."""
        assert self.server is not None
        raise web.HTTPFound(f"{self.server.url}{request.path_qs}")

    async def token(self, request: web.Request) -> web.Response:
        known = request.query["code"] == "c0de" and request.query["secret"] == "secret of the account"
        return web.json_response({"openid": "openid7"} if known else {"errcode": 40029})


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    there, app = Outside(), web.Application()
    app.router.add_post("/sms", there.message)
    app.router.add_get("/connect/oauth2/authorize", there.authorize)
    app.router.add_get("/sns/oauth2/access_token", there.token)
    app.router.add_get("/live/{cid}", there.home)
    async with TestServer(app) as server:
        there.port = server.port or 0
        yield there


@pytest.fixture
async def public(outside: Outside, start_server: Callable[..., Server]) -> Public:
    """Of a consultation that is live and asks who comments."""
    options = {
        "public-url": outside.url,
        "webhook-url": f"{outside.url}/sms",
        "webhook-secret": "s" * 16,
        "wechat-app-id": "wx1",
        "wechat-app-secret": "secret of the account",
        "wechat-authorize-url": outside.url,
        "wechat-api-url": outside.url,
    }
    arguments = ["--phone-codes", *(part for name, value in options.items() for part in (f"--{name}", value))]
    server = outside.server = await asyncio.to_thread(start_server, arguments=arguments)
    server.url = f"http://127.0.0.1:{server.port}"  # it says the public one of itself
    made = Public(server, server.create_consultation("推进县域养老服务高质量发展"))
    await asyncio.to_thread(made.staff, "POST", "/start", None, "chair")
    return made


def url(public: Public, query: str = "") -> str:
    return f"{public.server.url}/live/{public.consultation}{query}"


async def require(public: Public) -> None:
    now = await asyncio.to_thread(public.office, "GET", "")
    body = {"revision": now["revision"], "comment_identity": "required"}
    await asyncio.to_thread(public.office, "PATCH", "", body)


async def kind_shown(viewer: BrowserClient, kind: str) -> None:
    await viewer.wait_until(
        lambda: viewer.evaluate(
            "() => document.querySelector('[data-testid=identity-row]')?.dataset.kind ?? null"
        ),
        lambda now: now == kind,
        what=f"shows {kind}",
    )


async def picture(viewer: BrowserClient, name: str) -> None:
    """For whoever wants to look."""
    folder = os.environ.get("IDENTITY_PICTURES")
    if folder:
        await viewer.screenshot(name, Path(folder))


async def looks_right(viewer: BrowserClient) -> None:
    assert await viewer.axe() == []
    assert await viewer.horizontal_overflow() == 0


@pytest.mark.parametrize(("screen", "query"), [(PHONE, ""), (PHONE, "?size=large"), (LAPTOP, "")])
async def test_a_comment_waits_for_its_author_and_goes(
    public: Public, outside: Outside, browsers: BrowserFactory, screen: Screen, query: str
) -> None:
    await require(public)
    viewer = await browsers.launch(screen=screen)
    await opened(viewer, url(public, query))
    await reads(viewer, "本场留言需要先验证身份")
    await write(viewer, MINE)
    await reads(viewer, "请先验证身份，验证后自动发出")
    assert await asyncio.to_thread(public.all) == []
    await picture(viewer, f"identity-wanted-{screen.width}{query[1:]}")
    await looks_right(viewer)

    await viewer.tap("identity-open")
    await present(viewer, "identity-phone")
    await looks_right(viewer)
    await viewer.fill("identity-phone", "12345")
    await viewer.tap("identity-send")
    await reads(viewer, "请填 11 位手机号")
    await picture(viewer, f"identity-number-{screen.width}{query[1:]}")
    await viewer.fill("identity-phone", "138 0013 8000")
    await viewer.tap("identity-send")
    await reads(viewer, "验证码已发到 138****8000")
    code = outside.codes[-1]
    wrong = f"{(int(code) + 1) % 10**6:06}"
    await viewer.fill("identity-code", wrong)
    await reads(viewer, "验证码不对，请核对后再输入")
    await looks_right(viewer)
    await picture(viewer, f"identity-code-{screen.width}{query[1:]}")
    await viewer.fill("identity-code", code)
    await shows(viewer, MINE, "pending")
    assert await viewer.count("identity-dialog") == 0
    (stored,) = await asyncio.to_thread(public.all)
    assert stored["identity"] == "phone"
    assert "13800138000" not in public.server.logs

    # After reload it is remembered, and the server knows it still.
    await opened(viewer, url(public))
    assert await viewer.count("identity-open") == 0
    await write(viewer, "再写一条")
    await shows(viewer, "再写一条", "pending")


async def test_by_wechat_and_back(public: Public, browsers: BrowserFactory) -> None:
    viewer = await browsers.launch(screen=PHONE)
    await viewer.page.add_init_script(IN_WECHAT)
    await opened(viewer, url(public))
    assert await viewer.count("identity-row") == 0, "who only watches is not asked"
    await viewer.fill("comment-input", MINE)
    await reads(viewer, "验证身份，答复时便于核实")
    await viewer.tap("identity-open")
    await present(viewer, "identity-wechat")
    await picture(viewer, "identity-wechat")
    await viewer.tap("identity-wechat")
    await kind_shown(viewer, "wechat")
    parts = urlsplit(viewer.page.url)
    assert (parts.path, parts.query) == (f"/live/{public.consultation}", ""), "no code stays in the address"
    await reads(viewer, "已验证微信")
    await viewer.tap("comment-submit")
    await shows(viewer, MINE, "pending")
    (stored,) = await asyncio.to_thread(public.all)
    assert stored["identity"] == "wechat"


async def test_a_stranger_s_way_back_proves_nothing(public: Public, browsers: BrowserFactory) -> None:
    """Somebody is sent a link with a code and a state that are another's."""
    device = public.device()
    begun = await asyncio.to_thread(device.call, "POST", "/identity", {"kind": "wechat"})
    victim = await browsers.launch(screen=LAPTOP)
    await opened(victim, url(public, f"?code=c0de&state={begun['id']}"))
    await reads(victim, "微信验证没有成功，请再试一次")
    assert await asyncio.to_thread(device.call, "GET", "/identity") == {"kind": None}
    await write(victim, MINE)
    await shows(victim, MINE, "pending")
    (stored,) = await asyncio.to_thread(public.all)
    assert stored["identity"] is None


async def test_a_server_that_offers_none(server: Server, browsers: BrowserFactory) -> None:
    public = Public(server, server.create_consultation())
    await asyncio.to_thread(public.staff, "POST", "/start", None, "chair")
    viewer = await browsers.launch(screen=PHONE)
    await opened(viewer, url(public))
    await write(viewer, MINE)
    await shows(viewer, MINE, "pending")
    await viewer.fill("comment-input", "再写")
    assert await viewer.count("identity-row") == 0


@pytest.mark.parametrize("screen", [PHONE, LAPTOP])
async def test_the_secretariat_wants_it(public: Public, browsers: BrowserFactory, screen: Screen) -> None:
    token = public.server.token(public.consultation, "secretariat", "刘欣")
    desk = await browsers.launch(screen=screen)
    await desk.open(f"{public.server.url}/desk/{public.consultation}/prepare#token={token}")
    await reads(desk, "网友可以自愿验证（手机或微信）")
    select = desk.page.get_by_test_id("edit-identity")
    await select.select_option("required")
    await reads(desk, "没有验证（手机或微信）的网友不能留言。")
    now = await asyncio.to_thread(public.office, "GET", "")
    assert now["comment_identity"] == "required"
    await select.scroll_into_view_if_needed()
    await picture(desk, f"identity-prepare-{screen.width}")
    await looks_right(desk)
