"""A session that was answered for: cases, departments and the secretariat's office, over REST and at its pages."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.commenting import Public
from tests.browser.office import TITLE, Office
from tests.browser.scenes import LAPTOP, PHONE
from tests.browser.settled import present
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually_sync
from tests.support.server import Server

ASKED = "互助点白天有人，晚上没人。能不能安排夜间巡访？"
OTHER = "养老院收费能不能公开，让大家比一比？"
FIRST = "会安排夜间巡访。"
ANSWER = "已在石桥村等 12 个互助点试行夜间巡访，每晚 8 时和 10 时各一次。巡访电话：12345 转养老服务。"
DEPARTMENTS = ("市民政局", "市卫健委", "市财政局", "市医保局", "市自然资源局", "市住建局", "市交通局")
Json = dict[str, Any]


class Ledger:
    """A session that is live, its public, and the secretariat's office. All methods block."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cid = server.create_consultation(TITLE)
        self.public = Public(server, self.cid)
        self.office = Office(server, login=f"liuxin-{self.cid[-8:].lower()}")
        self.public.staff("POST", "/start", None, "chair")

    def promoted(self, text: str) -> str:
        """A comment that the chair took to the session; the id of its case, which opened by itself."""
        comment_id = self.written(text)
        self.public.staff("POST", f"/comments/{comment_id}/promote", {}, "chair")
        (case,) = eventually_sync(
            lambda: [each for each in self.cases() if each["text"] == text], what="opened a case by itself"
        )
        return str(case["id"])

    def written(self, text: str) -> str:
        comment_id = self.public.device().post(text, "石桥小学退休教师", "石桥村")
        self.public.decide(comment_id, "approve")
        return comment_id

    def cases(self) -> list[Json]:
        return list(self.call("GET", "/responses")["items"])

    def case(self, case_id: str) -> Json:
        return dict(self.call("GET", f"/responses/{case_id}")["response"])

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        return self.office.call(method, f"/consultations/{self.cid}{path}", body)

    def department(self, name: str, **more: str) -> str:
        return str(self.call("POST", "/departments", {"name": name, **more})["id"])

    def link(self, department_id: str) -> str:
        return self.office.address(self.call("GET", f"/departments/{department_id}/link")["url"])

    def assigned(self, text: str, department_id: str) -> str:
        case_id = self.promoted(text)
        self.call("POST", f"/responses/{case_id}/assign", {"department_id": department_id})
        return case_id

    def in_public(self) -> Json:
        status, body = self.server.get(f"/api/v1/public/consultations/{self.cid}/responses")
        assert status == 200
        return dict(json.loads(body))


def answered(server: Server) -> Ledger:
    """Two cases put to the session, the first answered by 市民政局; five more with as many departments."""
    ledger = Ledger(server)
    civil, *others = [ledger.department(name) for name in DEPARTMENTS]
    case_id = ledger.assigned(ASKED, civil)
    code = ledger.link(civil).rpartition("/")[2]
    ledger.office.token, kept = f"dept.{code}", ledger.office.token
    body = {"text": ANSWER, "visibility": "public", "handler": ""}
    ledger.office.call("POST", f"/department/cases/{case_id}/answer", body)
    ledger.office.token = kept
    ledger.call("POST", f"/responses/{case_id}/approve", {})
    ledger.promoted(OTHER)
    for number, department_id in enumerate(others):
        comment_id = ledger.written(
            f"{DEPARTMENTS[number + 1]}能不能说说今年第 {number + 1} 项打算怎么安排？"
        )
        case = ledger.call("POST", "/responses", {"comment_id": comment_id})
        ledger.call("POST", f"/responses/{case['id']}/assign", {"department_id": department_id})
    return ledger


async def log_in(desk: BrowserClient, ledger: Ledger) -> None:
    session = json.dumps({"token": ledger.office.token, "expires_at_ms": 4_102_444_800_000})
    await desk.open(ledger.server.url + "/")
    await desk.evaluate("(kept) => localStorage.setItem('yuanshang.staff', kept)", session)


async def at_desk(browsers: BrowserFactory, ledger: Ledger, **options: Any) -> BrowserClient:
    desk = await browsers.launch(name="secretariat", **({"screen": LAPTOP} | options))
    await log_in(desk, ledger)
    await desk.open(f"{ledger.server.url}/desk/{ledger.cid}/responses")
    await present(desk, "response-gauge")
    return desk


async def at_department(browsers: BrowserFactory, link: str, **options: Any) -> BrowserClient:
    clerk = await browsers.launch(name="department", **({"screen": PHONE} | options))
    await clerk.open(link)
    return clerk


async def stands(client: BrowserClient, test_id: str, status: str, *, timeout_s: float = 30.0) -> None:
    """Wait until the first of these is in that state."""
    await client.wait_until(
        lambda: client.evaluate(
            '(id) => document.querySelector(`[data-testid="${id}"]`)?.dataset.status ?? null', test_id
        ),
        lambda now: now == status,
        timeout_s=timeout_s,
        what=f"has {test_id} as {status}",
    )
