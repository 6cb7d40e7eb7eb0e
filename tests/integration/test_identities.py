"""Viewers show who they are through the doors: by short message, by WeChat, and where they have to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from conference.model.permissions import Role
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Signalling, signalling

PUBLIC = "/api/v1/public/consultations"
NUMBER = "13800138000"
Json = Any


class Outside:
    """The gateway of short messages and WeChat."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.openids = {"good": "openid7"}

    async def message(self, request: web.Request) -> web.Response:
        self.messages.append(await request.json())
        return web.Response(status=204)

    async def token(self, request: web.Request) -> web.Response:
        openid = self.openids.pop(request.query["code"], None)  # once, as WeChat has it
        if openid is None:
            return web.json_response({"errcode": 40029, "errmsg": "invalid code"}, content_type="text/plain")
        return web.json_response({"access_token": "T", "openid": openid}, content_type="text/plain")


@pytest.fixture
async def outside() -> AsyncIterator[tuple[Outside, str]]:
    there, app = Outside(), web.Application()
    app.router.add_post("/sms", there.message)
    app.router.add_get("/sns/oauth2/access_token", there.token)
    async with TestServer(app) as server:
        yield there, str(server.make_url("")).rstrip("/")


@pytest.fixture
async def server(tmp_path: Path, outside: tuple[Outside, str]) -> AsyncIterator[Signalling]:
    url = outside[1]
    async with signalling(
        tmp_path,
        trusted_proxies=("127.0.0.1",),
        public_url="https://live.example",
        webhook_url=f"{url}/sms",
        webhook_secret="s" * 16,
        phone_codes=True,
        wechat_app_id="wx1",
        wechat_app_secret="secret of the account",
        wechat_authorize_url=url,
        wechat_api_url=url,
    ) as running:
        yield running


class Viewer:
    """A browser with its cookies."""

    def __init__(self, server: Signalling, cid: str = "c") -> None:
        self.base = f"{server.url}{PUBLIC}/{cid}"
        self.jar = aiohttp.CookieJar(unsafe=True)

    async def ask(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        async with (
            aiohttp.ClientSession(cookie_jar=self.jar) as session,
            session.request(
                method, self.base + path, json=body, headers={"X-Forwarded-For": "198.51.100.7"}
            ) as response,
        ):
            assert (
                "identity" not in path or not response.ok or response.headers["Cache-Control"] == "no-store"
            )
            return response.status, await response.json(content_type=None)

    async def post(self, text: str) -> tuple[int, Json]:
        return await self.ask("POST", "/comments", {"text": text, "key": text.encode().hex()})


async def staff(
    server: Signalling, method: str, path: str, role: Role, body: Json = None
) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {server.token(role, role.value)}"}
    url = f"{server.url}/api/v1/consultations/c{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, json=body) as got,
    ):
        return got.status, await got.json()


async def require(server: Signalling, wanted: str = "required") -> tuple[int, Json]:
    _, now = await staff(server, "GET", "", Role.SECRETARIAT)
    body = {"revision": now["revision"], "comment_identity": wanted}
    return await staff(server, "PATCH", "", Role.SECRETARIAT, body)


async def test_by_short_message_where_it_is_required(
    server: Signalling, outside: tuple[Outside, str]
) -> None:
    viewer, other = Viewer(server), Viewer(server)
    _, page = await viewer.ask("GET", "")
    assert page["identity"] == {"kinds": ["phone", "wechat"], "required": False}
    assert (await require(server))[1]["comment_identity"] == "required"

    async def is_told() -> bool:
        return bool((await viewer.ask("GET", ""))[1]["identity"]["required"])

    await eventually(is_told)
    assert (await viewer.post("先写的"))[0] == 403
    assert (await viewer.post("先写的"))[1]["code"] == "identity_required"
    status, begun = await viewer.ask("POST", "/identity", {"kind": "phone", "phone": " 138 0013 8000 "})
    assert (status, begun["url"]) == (201, None)
    assert begun["again_wall_ms"] - begun["expires_wall_ms"] == 60_000 - 600_000
    (message,) = outside[0].messages
    assert (message["phone"], message["kind"]) == (NUMBER, "sms")

    answer = {"answer": message["code"]}
    assert (await other.ask("POST", f"/identity/{begun['id']}", answer))[1]["code"] == "identity_lapsed"
    status, wrong = await viewer.ask("POST", f"/identity/{begun['id']}", {"answer": "no"})
    assert (status, wrong["code"], wrong["left"]) == (422, "identity_wrong", 4)
    assert await viewer.ask("GET", "/identity") == (200, {"kind": None})
    assert await viewer.ask("POST", f"/identity/{begun['id']}", answer) == (200, {"kind": "phone"})
    assert await viewer.ask("GET", "/identity") == (200, {"kind": "phone"})
    status, made = await viewer.post("先写的")
    assert status == 202
    assert (await other.post("别人的"))[0] == 403

    _, queue = await staff(server, "GET", "/comments/groups", Role.MODERATOR)
    assert [each["representative"]["identity"] for each in queue["items"]] == ["phone"]
    path = f"/comments/{made['id']}/identity"
    assert (await staff(server, "GET", path, Role.MODERATOR))[0] == 403
    known = await staff(server, "GET", path, Role.ADMINISTRATOR)
    assert known == (200, {"kind": "phone", "subject": NUMBER})
    await staff(server, "POST", f"/comments/{made['id']}/approve", Role.MODERATOR, {})
    _, shown = await other.ask("GET", "/comments")
    assert "identity" not in shown["items"][0], "moderators see it, the public does not"


async def test_by_wechat(server: Signalling) -> None:
    viewer, attacker = Viewer(server), Viewer(server)
    status, begun = await viewer.ask("POST", "/identity", {"kind": "wechat", "phone": "https://evil.example"})
    assert status == 201
    query = dict(parse_qsl(urlsplit(begun["url"]).query))
    assert query["redirect_uri"] == "https://live.example/live/c"
    assert query["state"] == begun["id"]
    stolen = await attacker.ask("POST", f"/identity/{query['state']}", {"answer": "good"})
    assert (stolen[0], stolen[1]["code"]) == (409, "identity_lapsed")
    assert (await viewer.ask("POST", f"/identity/{query['state']}", {"answer": "bad"}))[0] == 422
    shown = await viewer.ask("POST", f"/identity/{query['state']}", {"answer": "good"})
    assert shown == (200, {"kind": "wechat"})
    assert (await viewer.post("微信用户"))[0] == 202
    elsewhere = Viewer(server, "other")
    elsewhere.jar = viewer.jar
    assert await elsewhere.ask("GET", "/identity") == (200, {"kind": None})


async def test_guesses_at_once(server: Signalling, outside: tuple[Outside, str]) -> None:
    viewer = Viewer(server)
    _, begun = await viewer.ask("POST", "/identity", {"kind": "phone", "phone": NUMBER})
    code = outside[0].messages[0]["code"]
    wrong = [f"{(int(code) + 1 + n) % 10**6:06}" for n in range(12)]
    path = f"/identity/{begun['id']}"
    answers = await asyncio.gather(*(viewer.ask("POST", path, {"answer": each}) for each in wrong))
    assert sorted(each["code"] for _, each in answers) == ["identity_lapsed"] * 7 + ["identity_wrong"] * 5
    assert (await viewer.ask("POST", path, {"answer": code}))[1]["code"] == "identity_lapsed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "fax"},
        {"kind": "phone"},
        {"kind": "phone", "phone": "12345"},
        {"kind": "phone", "phone": "1" * 41},
        {"kind": "phone", "phone": "13800138000\x00"},
        {"kind": "phone", "phone": 13800138000},
        [],
    ],
)
async def test_bad_input(server: Signalling, outside: tuple[Outside, str], body: Json) -> None:
    status, said = await Viewer(server).ask("POST", "/identity", body)
    assert (status, said["code"]) == (400, "bad_request")
    assert outside[0].messages == []


async def test_answers_to_nothing(server: Signalling) -> None:
    viewer = Viewer(server)
    for proof_id in ("x", "a" * 200, "%00", "..%2Fx"):
        status, _ = await viewer.ask("POST", f"/identity/{proof_id}", {"answer": "123456"})
        assert status in (400, 404, 409)
    for answer in ("", "x" * 513, None, 7, "a\x00"):
        assert (await viewer.ask("POST", "/identity/x", {"answer": answer}))[0] == 400
    for cid in ("nowhere", "%20"):
        assert (await Viewer(server, cid).ask("POST", "/identity", {"kind": "wechat"}))[0] == 404
        assert (await Viewer(server, cid).ask("GET", "/identity"))[0] == 404


async def test_a_number_is_in_no_log(
    server: Signalling, outside: tuple[Outside, str], capfd: pytest.CaptureFixture[str]
) -> None:
    viewer = Viewer(server)
    _, begun = await viewer.ask("POST", "/identity", {"kind": "phone", "phone": NUMBER})
    await viewer.ask("POST", f"/identity/{begun['id']}", {"answer": outside[0].messages[0]["code"]})
    _, trace = await staff(server, "GET", "/audit?limit=100", Role.SECRETARIAT)
    said = json.dumps(trace, ensure_ascii=False)
    assert "identity.proven" in said
    assert NUMBER not in said + "".join(capfd.readouterr())


async def test_a_server_that_offers_none(tmp_path: Path) -> None:
    async with signalling(tmp_path) as server:
        viewer = Viewer(server)
        assert (await viewer.ask("GET", ""))[1]["identity"] is None
        assert (await viewer.ask("POST", "/identity", {"kind": "phone", "phone": NUMBER}))[0] == 404
        assert await staff(server, "GET", "/identity", Role.SECRETARIAT) == (200, {"kinds": []})
        status, said = await require(server)
        assert (status, said["code"]) == (409, "identity_not_offered")
        assert (await require(server, "optional"))[0] == 200
        assert (await viewer.post("谁都可以写"))[0] == 202
