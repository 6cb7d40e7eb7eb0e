"""Telephones and WeChat against stand-ins on real sockets: what is sent, what comes back, and what never does."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import ValidationError
from structlog.testing import capture_logs

from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind
from signaling.auth.sealer import AddressSealer, SubjectVault
from signaling.identity import providers_of
from signaling.identity.phone import PhoneIdentity
from signaling.identity.wechat import WechatIdentity
from signaling.notifiers.webhook import WebhookNotifier, signature
from signaling.settings import Settings

SECRET = "s3cret" * 4
Json = Any


@dataclass
class StandIn:
    """Answers as told; remembers what it was asked."""

    answer: web.Response | None = None
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        assert self.answer is not None
        return self.answer


@pytest.fixture
async def other() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", stand_in.handle)
    async with TestServer(app) as server:
        stand_in.url = str(server.make_url("")).rstrip("/")
        yield stand_in


@pytest.fixture
def logged() -> Iterator[list[Json]]:
    with capture_logs() as lines:
        yield lines


def wechat_at(url: str) -> WechatIdentity:
    return WechatIdentity("wx123", SECRET, public_url="https://live.example", authorize_url=url, api_url=url)


async def code_of(call: Any) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call
    return caught.value.code


async def test_a_code_goes_out_by_the_webhook(other: StandIn) -> None:
    other.answer = web.Response(status=204)
    provider = PhoneIdentity(WebhookNotifier(other.url, SECRET).post)
    question = provider.begin("p1", "c", "社区养老服务能力提升远程协商会（第二次会议）", "138 0013 8000")
    assert other.asked == [], "nothing is sent before it is stored"
    await provider.ask(question)
    (request,), (body,) = other.asked, other.bodies

    message = json.loads(body)
    assert (message["kind"], message["phone"], message["code"]) == ("sms", "13800138000", question.answer)
    assert question.answer in message["text"]
    assert "社区养老服务能力提升远程协商会" in message["text"]
    assert len(message["text"]) <= 70, "one short message"
    at = request.headers["X-Yuanshang-Timestamp"]
    assert request.headers["X-Yuanshang-Signature"] == f"sha256={signature(SECRET.encode(), at, body)}"
    assert await provider.named(question.answer) is None


def test_codes_are_six_digits_of_any_kind() -> None:
    async def nowhere(key: str, message: object) -> None:
        raise AssertionError

    provider = PhoneIdentity(nowhere)
    codes = {provider.begin("p", "c", "x", "13800138000").answer for _ in range(300)}
    assert {len(each) for each in codes} == {6}
    assert all(each.isdecimal() for each in codes)
    assert len(codes) > 290
    assert {each[0] for each in codes} == set("0123456789")


@pytest.mark.parametrize("status", [301, 400, 429, 500])
async def test_a_gateway_that_does_not_take_it(other: StandIn, status: int) -> None:
    other.answer = web.Response(status=status, headers={"Location": "/elsewhere"})
    provider = PhoneIdentity(WebhookNotifier(other.url, SECRET).post)
    assert (
        await code_of(provider.ask(provider.begin("p1", "c", "x", "13800138000"))) == "identity_unavailable"
    )
    assert len(other.asked) == 1, "nobody follows, nobody repeats"


async def test_a_gateway_that_nobody_reaches() -> None:
    """Who comes when the queue of a listener is full gets no answer at all, as behind a firewall."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        hook = WebhookNotifier(f"http://127.0.0.1:{full.getsockname()[1]}/", SECRET, connect_s=0.2)
        provider = PhoneIdentity(hook.post, patience_s=60)
        question = provider.begin("p1", "c", "x", "13800138000")
        assert await code_of(provider.ask(question)) == "identity_unavailable"


async def test_a_gateway_that_says_nothing(logged: list[Json]) -> None:
    begun = asyncio.Event()

    async def never(key: str, message: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    provider = PhoneIdentity(never, patience_s=0.01)
    await provider.ask(provider.begin("p1", "c", "x", "13800138000"))
    assert begun.is_set()
    assert [each["event"] for each in logged] == ["identity.message_slow"], "the message may come yet"


def test_wechat_is_asked_to_come_back_here_only() -> None:
    question = wechat_at("https://open.weixin.qq.com").begin(
        "a1b2", "c/../x?y", "标题", "https://evil.example"
    )
    assert question.url is not None
    parts = urlsplit(question.url)
    assert (parts.netloc, parts.path, parts.fragment) == (
        "open.weixin.qq.com",
        "/connect/oauth2/authorize",
        "wechat_redirect",
    )
    assert parse_qsl(parts.query) == [
        ("appid", "wx123"),
        ("redirect_uri", "https://live.example/live/c%2F..%2Fx%3Fy"),
        ("response_type", "code"),
        ("scope", "snsapi_base"),
        ("state", "a1b2"),
    ]
    assert (question.subject, question.answer) == ("", "")


async def test_wechat_names_the_viewer(other: StandIn) -> None:
    body = {
        "access_token": "T",
        "expires_in": 7200,
        "openid": "oLVPpjqs9BhvzwPj5A-vTYAX3GLc",
        "scope": "snsapi_base",
    }
    other.answer = web.json_response(body, content_type="text/plain")  # as it does
    assert await wechat_at(other.url).named("071 &x") == "oLVPpjqs9BhvzwPj5A-vTYAX3GLc"
    (request,) = other.asked
    assert request.path == "/sns/oauth2/access_token"
    assert dict(request.query) == {
        "appid": "wx123",
        "secret": SECRET,
        "code": "071 &x",
        "grant_type": "authorization_code",
    }


@pytest.mark.parametrize("errcode", [40029, 40163, 42003])
async def test_a_code_that_wechat_does_not_know(other: StandIn, errcode: int) -> None:
    other.answer = web.json_response({"errcode": errcode, "errmsg": "invalid code"})
    assert await wechat_at(other.url).named("x") is None


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, '{"errcode": -1, "errmsg": "system error"}'),
        (200, '{"errcode": 40125, "errmsg": "invalid appsecret"}'),
        (200, '{"openid": ""}'),
        (200, '{"openid": ["o"]}'),
        (200, '{"openid": "a b"}'),
        (200, "[]"),
        (200, "null"),
        (200, "<html>"),
        (200, ""),
        (500, "oops"),
        (302, ""),
    ],
)
async def test_wechat_answers_nonsense(other: StandIn, logged: list[Json], status: int, text: str) -> None:
    other.answer = web.Response(status=status, text=text, headers={"Location": "/"})
    assert await code_of(wechat_at(other.url).named("the code")) == "identity_unavailable"
    assert len(logged) == 1
    assert SECRET not in str(logged)
    assert "the code" not in str(logged)


async def test_wechat_is_not_there(logged: list[Json]) -> None:
    assert await code_of(wechat_at("http://127.0.0.1:9").named("the code")) == "identity_unavailable"
    assert SECRET not in str(logged)


HOOK = {"webhook_url": "https://sms.example", "webhook_secret": SECRET}
WECHAT = {"wechat_app_id": "wx1", "wechat_app_secret": "x"}


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ({}, []),
        (HOOK, []),
        ({**HOOK, "phone_codes": True}, [IdentityKind.PHONE]),
        ({**WECHAT, "public_url": "https://live.example"}, [IdentityKind.WECHAT]),
        (
            {**HOOK, **WECHAT, "phone_codes": True, "public_url": "https://live.example"},
            [IdentityKind.PHONE, IdentityKind.WECHAT],
        ),
    ],
)
def test_what_a_server_offers(given: dict[str, Any], kinds: list[IdentityKind]) -> None:
    assert [each.kind for each in providers_of(Settings(**given))] == kinds


@pytest.mark.parametrize(
    "given",
    [
        {"phone_codes": True},
        WECHAT,
        {"wechat_app_id": "wx1", "public_url": "https://live.example"},
        {**WECHAT, "wechat_app_id": "wx&1", "public_url": "https://live.example"},
        {"wechat_api_url": "ftp://x"},
    ],
)
def test_settings_that_do_not_go_together(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**given)


def test_fingerprints_need_the_key() -> None:
    vault, again, another = SubjectVault(b"k" * 32), SubjectVault(b"k" * 32), SubjectVault(b"l" * 32)
    assert vault.fingerprint("13800138000") == again.fingerprint("13800138000")
    assert vault.fingerprint("13800138000") != another.fingerprint("13800138000")
    assert again.open(vault.seal("13800138000")) == "13800138000"
    with pytest.raises(ConferenceError):
        AddressSealer(b"k" * 32).open(vault.seal("13800138000"))
    assert len(vault.seal("o" * 128)) <= 300, "as wide as its column"
