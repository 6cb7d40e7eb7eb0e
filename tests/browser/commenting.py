"""The public that comments, and the moderator who decides, over REST: what a page in a browser is tested with."""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from tests.browser.settled import present
from tests.support.browser import BrowserClient
from tests.support.server import Server

Json = dict[str, Any]

WRITTEN = (
    ("在外打工的女儿", "外省", "想知道县里有没有短期托养，农忙时可以把父母送去住半个月。"),
    ("石桥小学退休教师", "石桥村", "互助点白天有人，晚上没人。能不能安排夜间巡访？"),
    ("南坪老李", "南坪镇", "子女在外地，家里装的呼叫器坏了该找谁修？"),
    ("杏林", "柳塘街道", "村里老人不会用手机，助餐点能不能接受现金？行动不便的，饭菜能不能送到家？"),
)


@dataclass
class Device:
    """A browser of somebody else, with its cookie. All methods block."""

    server: Server
    consultation: str
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/public/consultations/{self.consultation}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        with opener.open(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def post(self, text: str, nickname: str = "", region: str | None = None) -> str:
        """The id of the comment."""
        made = self.call("POST", "/comments", {"text": text, "nickname": nickname, "region": region})
        return str(made["id"])


@dataclass
class Public:
    """Everybody who comments on one consultation. All methods block."""

    server: Server
    consultation: str
    departments: dict[str, str] = field(default_factory=dict)  # names to codes of links
    department_ids: dict[str, str] = field(default_factory=dict)

    def device(self) -> Device:
        return Device(self.server, self.consultation)

    def staff(self, method: str, path: str, body: Json | None = None, role: str = "moderator") -> Any:
        """The JSON of the answer; fails with what the server said."""
        token = self.server.token(self.consultation, role, "陈审核")
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/consultations/{self.consultation}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(
                f"{method} {path} → {error.code} {error.read().decode(errors='replace')}"
            ) from None

    def decide(self, comment_id: str, decision: str, reason: str | None = None) -> None:
        body = {} if reason is None else {"reason": reason}
        self.staff("POST", f"/comments/{comment_id}/{decision}", body)

    def wrote(self, *comments: tuple[str, str, str]) -> list[str]:
        """Comments of as many devices, all approved, the last one shown last; their ids."""
        found = [self.device().post(text, nickname, region) for nickname, region, text in comments]
        for comment_id in found:
            self.decide(comment_id, "approve")
        return found

    def answered(
        self, comment_id: str, text: str, *, department: str = "市民政局", approve: bool = True
    ) -> str:
        """The case about it, answered by the department through its link; its id."""
        case = self.assigned(comment_id, department)
        path = f"/cases/{case['id']}/answer"
        body = {"text": text, "visibility": "public", "handler": "养老服务科"}
        self.door(self.departments[department], path, body)
        if approve:
            self.office("POST", f"/responses/{case['id']}/approve", {})
        return str(case["id"])

    def assigned(self, comment_id: str, department: str = "市民政局", *, due_in_days: int = 14) -> Json:
        """The case about it, in the hands of a department."""
        if department not in self.departments:
            made = self.office("POST", "/departments", {"name": department})
            url = self.office("GET", f"/departments/{made['id']}/link")["url"]
            self.departments[department] = url.rpartition("/")[2]
            self.department_ids[department] = made["id"]
        case = self.office("POST", "/responses", {"comment_id": comment_id})
        due_ms = int(time.time() * 1000) + due_in_days * 86_400_000
        body = {"department_id": self.department_ids[department], "due_wall_ms": due_ms}
        return dict(self.office("POST", f"/responses/{case['id']}/assign", body)["response"])

    def office(self, method: str, path: str, body: Json | None = None) -> Any:
        return self.staff(method, path, body, "secretariat")

    def door(self, code: str, path: str, body: Json) -> Any:
        """What a department does by its link."""
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/department{path}",
            method="POST",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer dept.{code}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def all(self) -> list[Json]:
        """As moderators see them, newest first."""
        return list(self.staff("GET", "/comments")["items"])

    def with_text(self, text: str) -> list[Json]:
        return [each for each in self.all() if each["text"] == text]


async def write(viewer: BrowserClient, text: str, *, nickname: str = "杏花村", region: str = "") -> None:
    """As somebody does it on the page."""
    await viewer.fill("comment-input", text)
    await viewer.fill("comment-nickname", nickname)
    if region:
        await viewer.fill("comment-region", region)
    await viewer.tap("comment-submit")


ITEMS_JS = """() => [...document.querySelectorAll('[data-testid="comment-item"]')]
  .filter((e) => e.checkVisibility())
  .map((e) => ({ id: e.dataset.id ?? null, status: e.dataset.status, text: e.querySelector('.tx').innerText,
                 all: e.innerText, mine: e.classList.contains('mine') }))"""


async def items(viewer: BrowserClient) -> list[Json]:
    """The comments that the page shows, from the top."""
    return list(await viewer.evaluate(ITEMS_JS))


async def shows(
    viewer: BrowserClient, text: str, status: str, *, says: str = "", timeout_s: float = 30.0
) -> Json:
    """Wait until it stands there in that state, once."""

    def found(now: list[Json]) -> bool:
        there = [each for each in now if each["text"] == text]
        return len(there) == 1 and there[0]["status"] == status and says in there[0]["all"]

    now = await viewer.wait_until(
        lambda: items(viewer), found, timeout_s=timeout_s, what=f"shows {text} {status} {says}"
    )
    return next(each for each in now if each["text"] == text)


async def opened(viewer: BrowserClient, url: str) -> None:
    await viewer.open(url)
    await present(viewer, "comments")
