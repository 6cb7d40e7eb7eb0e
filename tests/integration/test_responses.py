"""The ledger of answers through the doors: desk, department, public; real mail and a real webhook; bad input."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP, Envelope

from conference.model.permissions import Role
from tests.integration.test_comments import Viewer
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Signalling, signalling

CID = "/api/v1/consultations/c"
DOOR = "/api/v1/department"
SECRET = "sixteen letters!"
TEXT = "助餐点能不能接受现金？"
ANSWER = "可以用现金，也可以刷社保卡。"
DAY_MS = 86_400_000
Json = Any


@dataclass
class Mailbox:
    """A mail server that keeps what it takes. `refuse`: what it answers to the next ones."""

    messages: list[EmailMessage] = field(default_factory=list)
    refuse: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse.pop(0)
        content = envelope.original_content
        assert content is not None
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"


@dataclass
class Gateway:
    """Whatever sends short messages. `refuse`: what it answers to the next ones."""

    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.refuse:
            return web.Response(status=self.refuse.pop(0))
        self.posts.append((dict(request.headers), body))
        return web.Response()


@dataclass
class Stage:
    server: Signalling
    mailbox: Mailbox
    gateway: Gateway

    async def ask(
        self, method: str, path: str, body: Json = None, role: Role = Role.SECRETARIAT, **headers: str
    ) -> tuple[int, Json]:
        token = {"Authorization": f"Bearer {self.server.token(role, role.value)}", **headers}
        return await request(method, self.server.url + CID + path, token, body)

    async def door(self, code: str, method: str, path: str = "", body: Json = None) -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer dept.{code}"}
        return await request(method, self.server.url + DOOR + path, headers, body)

    async def done(self, method: str, path: str, body: Json = None) -> Json:
        status, made = await self.ask(method, path, body)
        assert status in (200, 201), made
        return made

    async def department(self, name: str = "市民政局", **more: str) -> tuple[str, str]:
        """Its id, and the code of its link."""
        made = await self.done("POST", "/departments", {"name": name, **more})
        link = (await self.done("GET", f"/departments/{made['id']}/link"))["url"]
        assert link.startswith("https://huiyi.example.cn/d/")
        return made["id"], link.rpartition("/")[2]

    async def case(self, viewer: Viewer, text: str = TEXT) -> Json:
        """A comment that is shown, and its case."""
        comment = await viewer.post(text)
        assert (await self.ask("POST", f"/comments/{comment['id']}/approve"))[0] == 200
        return await self.done("POST", "/responses", {"comment_id": comment["id"]})


async def request(method: str, url: str, headers: dict[str, str], body: Json = None) -> tuple[int, Json]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, json=body) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text else dict(response.headers)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    mailbox, gateway = Mailbox(), Gateway()
    app = web.Application()
    app.router.add_post("/sms", gateway.take)
    receiver = TestServer(app)
    await receiver.start_server()
    mail = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, hostname="localhost", enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    port = mail.sockets[0].getsockname()[1]
    try:
        async with signalling(
            tmp_path,
            trusted_proxies=("127.0.0.1",),
            public_url="https://huiyi.example.cn",
            smtp_url=f"smtp://127.0.0.1:{port}",
            smtp_from="会务组 <huiwu@example.cn>",
            webhook_url=str(receiver.make_url("/sms")),
            webhook_secret=SECRET,
        ) as server:
            yield Stage(server, mailbox, gateway)
    finally:
        mail.close()
        await receiver.close()


async def test_from_a_comment_to_a_rated_answer(stage: Stage) -> None:
    viewer, other = Viewer(stage.server), Viewer(stage.server, "198.51.100.8")
    department_id, code = await stage.department(contact="王科", phone="13800000000")
    opened = await stage.case(viewer)
    assert (opened["state"], opened["number"], opened["department"]) == ("unassigned", 1, None)
    assert re.fullmatch(r"第 \d{4}-\d{4}-01 号", opened["label"])
    again = await stage.done("POST", "/responses", {"comment_id": opened["comment_id"]})
    assert again["id"] == opened["id"]
    at = f"/responses/{opened['id']}"

    due_ms = opened["opened_wall_ms"] + 20 * DAY_MS
    assigned = await stage.done(
        "POST", f"{at}/assign", {"department_id": department_id, "due_wall_ms": due_ms}
    )
    assert assigned["response"]["department"] == {"id": department_id, "name": "市民政局"}
    status, door = await stage.door(code, "GET")
    assert status == 200
    assert door["department"] == {"name": "市民政局"}
    assert door["consultation"].keys() == {"id", "title", "organization", "started_wall_ms"}
    assert [each["id"] for each in door["cases"]] == [opened["id"]]
    assert "13800000000" not in json.dumps(door)
    one = (await stage.door(code, "GET", f"/cases/{opened['id']}"))[1]
    assert one["case"]["text"] == TEXT

    said = {"text": ANSWER, "visibility": "public", "handler": "李科员"}
    status, answered = await stage.door(code, "POST", f"/cases/{opened['id']}/answer", said)
    assert (status, answered["case"]["state"]) == (200, "submitted")
    assert (await stage.door(code, "POST", f"/cases/{opened['id']}/answer", said))[0] == 200, "sent again"
    public = f"{stage.server.url}/api/v1/public/consultations/c/responses"
    before = (await request("GET", public, {}))[1]
    assert (before["items"][0]["state"], before["items"][0]["answer"]) == ("pending", None)
    returned = await stage.done("POST", f"{at}/return", {"reason": "请写清从什么时候开始"})
    assert returned["response"]["returned_reason"] == "请写清从什么时候开始"
    better = {**said, "text": ANSWER + "\n从明年一月起。"}
    assert (await stage.door(code, "POST", f"/cases/{opened['id']}/answer", better))[0] == 200
    approved = await stage.done("POST", f"{at}/approve", {})
    assert approved["response"]["state"] == "answered"

    shown = (await request("GET", public, {}))[1]
    assert shown["counts"] == {"total": 1, "answered": 1, "pending": 0, "overdue": 0}
    assert shown["items"][0]["answer"]["text"] == better["text"]
    assert shown["items"][0]["department"] == "市民政局"
    comments = (await viewer.ask("GET"))[1]
    assert [each["status"] for each in comments["items"]] == ["answered"]
    mine = (await viewer.ask("GET", f"/mine?ids={opened['comment_id']}"))[1]["items"][0]["response"]
    assert (mine["state"], mine["answer"]["text"], mine["rating"]) == ("answered", better["text"], None)

    rated = f"/../responses/{opened['id']}"
    assert (await other.ask("POST", f"{rated}/rating", json={"rating": "satisfied"}))[0] == 404
    assert (await viewer.ask("POST", f"{rated}/follow-up", json={"text": "乡镇也可以吗？"}))[0] == 204
    assert (await viewer.ask("POST", f"{rated}/rating", json={"rating": "satisfied"}))[0] == 204
    detail = await stage.done("GET", at)
    assert detail["response"]["state"] == "closed"
    assert detail["response"]["ratings"] == {"satisfied": 1, "fairly": 0, "unsatisfied": 0}
    assert [each["text"] for each in detail["response"]["follow_ups"]] == ["乡镇也可以吗？"]
    actions = [each["action"] for each in detail["history"] if each["action"].startswith("response.")]
    assert actions == [
        "response.closed",
        "response.rated",
        "response.followed_up",
        "response.approved",
        "response.submitted",
        "response.returned",
        "response.submitted",
        "response.assigned",
        "response.opened",
    ]
    by_action = {each["action"]: each for each in detail["history"]}
    assert by_action["response.submitted"]["by"] == "市民政局"
    assert by_action["response.returned"]["detail"]["reason"] == "请写清从什么时候开始"
    assert by_action["response.assigned"]["detail"]["name"] == "市民政局"


async def test_letters_reach_mailbox_and_gateway(stage: Stage) -> None:
    stage.mailbox.refuse = ["451 later"]
    stage.gateway.refuse = [404]
    department_id, code = await stage.department(
        contact="王科", email="wang@example.org", phone="13800000000"
    )
    opened = await stage.case(Viewer(stage.server))
    at = f"/responses/{opened['id']}"
    await stage.done("POST", f"{at}/assign", {"department_id": department_id})
    reminders = stage.server.process.reminders
    await reminders.tick()
    history = (await stage.done("GET", at))["history"]
    told = {
        each["action"]: each["detail"]["fault"] for each in history if each["action"].startswith("notice.")
    }
    assert told == {"notice.failed": "answered 404", "notice.delayed": "answered 451"}
    assert not stage.mailbox.messages
    assert not stage.gateway.posts

    assert (await stage.done("POST", f"{at}/remind"))["response"]["reminded"] == 1
    assert (await stage.done("POST", f"{at}/remind"))["response"]["reminded"] == 1, "once a minute"
    await reminders.tick()
    (message,) = stage.mailbox.messages
    assert message["To"] == "王科 <wang@example.org>"
    assert message["From"] == "会务组 <huiwu@example.cn>"
    assert opened["label"] in message["Subject"]
    text = message.get_content()
    assert f"https://huiyi.example.cn/d/{code}" in text
    assert TEXT not in text, "what the public wrote is read behind the link"
    ((headers, body),) = stage.gateway.posts
    said = json.loads(body)
    assert (said["kind"], said["phone"], said["case"]) == ("sms", "13800000000", opened["label"])
    at_s = headers["X-Yuanshang-Timestamp"]
    expected = hmac.new(SECRET.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Yuanshang-Signature"] == f"sha256={expected}"
    assert headers["Idempotency-Key"] == said["id"]
    await reminders.tick()
    assert (len(stage.mailbox.messages), len(stage.gateway.posts)) == (1, 1), "once each"
    sent = [each["action"] for each in (await stage.done("GET", at))["history"]]
    assert sent.count("notice.sent") == 2


async def test_a_link_that_is_not_good_opens_nothing(stage: Stage) -> None:
    department_id, code = await stage.department()
    _, other = await stage.department("市财政局")
    opened = await stage.case(Viewer(stage.server))
    rid = opened["id"]
    await stage.done("POST", f"/responses/{rid}/assign", {"department_id": department_id})
    assert (await stage.door(other, "GET"))[1]["cases"] == []
    assert (await stage.door(other, "GET", f"/cases/{rid}"))[1]["code"] == "not_found"
    refused = await stage.door(other, "POST", f"/cases/{rid}/answer", {"text": "x"})
    assert refused[1]["code"] == "not_found"
    renewed = (await stage.done("POST", f"/departments/{department_id}/renew"))["url"].rpartition("/")[2]
    answers = [
        await stage.door(each, "GET") for each in (code, "", "x", "a" * 24, "%00", "' or 1=1", "a" * 900)
    ]
    token = {"Authorization": f"Bearer {stage.server.token(Role.SECRETARIAT)}"}
    answers.append(await request("GET", stage.server.url + DOOR, token))
    answers.append(await request("GET", stage.server.url + DOOR, {}))
    assert {status for status, _ in answers} == {404}
    assert len({json.dumps(body) for _, body in answers}) == 1, "all are told the same"
    assert answers[0][1]["code"] == "link_not_found"
    assert (await stage.door(renewed, "GET"))[0] == 200
    first, second = [(await stage.door(renewed, "GET"))[1] for _ in range(2)]
    assert first == second, "looking changes nothing"
    for _ in range(40):
        status, body = await stage.door("a" * 24, "GET")
    assert (status, body["code"]) == (429, "rate_limited")
    assert (await stage.door(renewed, "GET"))[0] == 429, "a guess that is right opens nothing either"


async def test_a_department_asks_for_time_and_sends_back(stage: Stage) -> None:
    department_id, code = await stage.department()
    opened = await stage.case(Viewer(stage.server))
    at, inside = f"/responses/{opened['id']}", f"/cases/{opened['id']}"
    assigned = (await stage.done("POST", f"{at}/assign", {"department_id": department_id}))["response"]
    later_ms = assigned["due_wall_ms"] + 7 * DAY_MS
    sooner = {"until_wall_ms": assigned["due_wall_ms"], "reason": "要问财政"}
    assert (await stage.door(code, "POST", f"{inside}/extension", sooner))[0] == 400
    asked = await stage.door(code, "POST", f"{inside}/extension", {**sooner, "until_wall_ms": later_ms})
    assert asked[1]["case"]["extension"]["reason"] == "要问财政"
    denied = await stage.done("POST", f"{at}/deny-extension", {"reason": "已经延过"})
    assert denied["response"]["extension"] is None
    status, body = await stage.ask("POST", f"{at}/deny-extension", {"reason": "已经延过"})
    assert (status, body["code"]) == (409, "response_changed")
    granted = (await stage.done("POST", f"{at}/extend", {"until_wall_ms": later_ms}))["response"]
    assert (granted["due_wall_ms"], granted["extended"]) == (later_ms, 1)
    status, refused = await stage.door(code, "POST", f"{inside}/refuse", {"reason": "属于财政"})
    assert (status, refused["case"]["state"], refused["case"]["returned_reason"]) == (
        200,
        "unassigned",
        "属于财政",
    )
    assert (await stage.door(code, "GET"))[1]["cases"] == []
    listed = await stage.done("GET", "/responses?state=unassigned&text=现金")
    assert [each["id"] for each in listed["items"]] == [opened["id"]]
    assert listed["counts"] == {
        **dict.fromkeys(("assigned", "due_soon", "overdue", "submitted", "answered", "closed"), 0),
        "unassigned": 1,
        "all": 1,
    }


async def test_a_private_answer_is_for_those_who_asked(stage: Stage) -> None:
    viewer = Viewer(stage.server)
    department_id, code = await stage.department()
    opened = await stage.case(viewer)
    at = f"/responses/{opened['id']}"
    await stage.done("POST", f"{at}/assign", {"department_id": department_id})
    said = {"text": "请带身份证到窗口办理。", "visibility": "public", "handler": ""}
    assert (await stage.door(code, "POST", f"/cases/{opened['id']}/answer", said))[0] == 200
    await stage.done("POST", f"{at}/approve", {"visibility": "private"})
    public = f"{stage.server.url}/api/v1/public/consultations/c/responses"
    (item,) = (await request("GET", public, {}))[1]["items"]
    assert (item["state"], item["answer"], item["is_private"]) == ("answered", None, True)
    assert (item["comment_id"], item["group_id"]) == (opened["comment_id"], opened["group_id"])
    mine = (await viewer.ask("GET", f"/mine?ids={opened['comment_id']}"))[1]["items"][0]["response"]
    assert mine["answer"]["text"] == said["text"]
    undone = (await stage.done("POST", f"{at}/unapprove"))["response"]
    assert undone["state"] == "submitted"
    assert [each["status"] for each in (await viewer.ask("GET"))[1]["items"]] == ["approved"]


async def test_polling_costs_little(stage: Stage) -> None:
    opened = await stage.case(Viewer(stage.server))
    token = {"Authorization": f"Bearer {stage.server.token(Role.MODERATOR)}"}
    public = {"Accept": "application/json"}
    for path, headers in (
        (f"{CID}/responses", token),
        (f"{CID}/responses/{opened['id']}", token),
        (f"{CID}/departments", token),
        ("/api/v1/public/consultations/c/responses", public),
    ):
        url = stage.server.url + path
        async with aiohttp.ClientSession() as session:
            async with session.get(url, headers=headers) as response:
                assert response.status == 200
                tag = response.headers["ETag"]
            async with session.get(url, headers={**headers, "If-None-Match": tag}) as response:
                assert response.status == 304, path
                assert not await response.read()


async def test_what_is_taken_to_the_session_is_a_case(stage: Stage) -> None:
    viewer = Viewer(stage.server)
    assert (await stage.ask("POST", "/start", role=Role.CHAIR))[0] == 200
    comment = await viewer.post(TEXT)
    status, promoted = await stage.ask("POST", f"/comments/{comment['id']}/promote", role=Role.CHAIR)
    assert (status, promoted["state"]) == (200, "current")
    (case,) = (await stage.done("GET", "/responses"))["items"]
    assert case["promotion_id"] == promoted["promotion"]["id"]
    assert case["program_from_ms"] is not None
    assert case["program_to_ms"] is None
    (item,) = (await request("GET", f"{stage.server.url}/api/v1/public/consultations/c/responses", {}))[1][
        "items"
    ]
    assert item["promoted"]


async def test_bad_input_is_answered_plainly(stage: Stage) -> None:
    department_id, code = await stage.department()
    opened = await stage.case(Viewer(stage.server))
    at = f"/responses/{opened['id']}"
    bad: list[tuple[str, str, Json, int]] = [
        ("GET", "/responses?state=sleeping", None, 400),
        ("GET", "/responses?limit=x", None, 400),
        ("GET", "/responses/rs_none", None, 404),
        ("POST", "/responses", {"comment_id": "m_none"}, 404),
        ("POST", "/responses", {"comment_id": "../x"}, 400),
        ("POST", f"{at}/assign", {"department_id": "dp_none"}, 404),
        ("POST", f"{at}/assign", {"department_id": department_id, "due_wall_ms": 1}, 400),
        ("POST", f"{at}/assign", {"department_id": department_id, "due_wall_ms": 2**53}, 400),
        ("POST", f"{at}/approve", {}, 409),
        ("POST", f"{at}/approve", {"visibility": "secret"}, 400),
        ("POST", f"{at}/return", {"reason": ""}, 400),
        ("POST", f"{at}/return", {"reason": "  \u200b "}, 400),
        ("POST", f"{at}/return", {"reason": "x" * 501}, 400),
        ("POST", f"{at}/reopen", {"reason": "x"}, 409),
        ("POST", f"{at}/remind", None, 409),
        ("POST", "/departments", {"name": "市民政局"}, 409),
        ("POST", "/departments", {"name": ""}, 400),
        ("POST", "/departments", {"name": "x", "email": "a@b.cn\r\nBcc: c@d.cn"}, 400),
        ("POST", "/departments", {"name": "x", "email": "nobody"}, 400),
        ("PATCH", "/departments/dp_none", {"name": "x"}, 404),
        ("GET", "/departments/dp_none/link", None, 404),
    ]
    for method, path, body, status in bad:
        answered, said = await stage.ask(method, path, body)
        assert (answered, said["status"]) == (status, status), (path, body, said)
    await stage.done("POST", f"{at}/assign", {"department_id": department_id})
    inside = f"/cases/{opened['id']}/answer"
    for body in (
        {},
        {"text": ""},
        {"text": " \n "},
        {"text": "x" * 1001},
        {"text": "x\x00"},
        [1],
        {"text": 5},
    ):
        assert (await stage.door(code, "POST", inside, body))[0] == 400, body
    huge = await stage.door(code, "POST", inside, {"text": "x" * 100_000})
    assert huge[0] == 413
    markup = "<script>alert(1)</script>'; DROP TABLE responses;--\u202e"
    status, made = await stage.door(code, "POST", inside, {"text": markup})
    assert (status, made["case"]["answer"]["text"]) == (
        200,
        "<script>alert(1)</script>'; DROP TABLE responses;--",
    )
    rating = f"/../responses/{opened['id']}/rating"
    viewer = Viewer(stage.server)
    assert (await viewer.ask("POST", rating, json={"rating": "superb"}))[0] == 400
    assert (await viewer.ask("POST", rating, json={"rating": "satisfied"}))[0] == 404
    await eventually(lambda: stage.server.process.reminders)
    assert len(await asyncio.gather(*(stage.ask("GET", "/responses") for _ in range(5)))) == 5
