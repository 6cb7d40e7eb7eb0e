"""办理, the department's page and 问效表 as named scenes.

python -m tests.browser.scenes_responses FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tests.browser.ledger import ANSWER, Ledger, answered, log_in
from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_floor import take
from tests.browser.settled import present
from tests.support.eventually import eventually_sync

LARGE: Final = "?size=large"
DAY_MS: Final = 86_400_000
CIVIL, HEALTH, FINANCE = "市民政局", "市卫健委", "市财政局"
LATE = "护理员一个月两千出头，留不住人，待遇怎么解决？"
SUBMITTED = "互助点白天有人，晚上没人。能不能安排夜间巡访？"
REFUSED = "乡镇卫生院能不能定期到养老院巡诊，配药也方便些？"
OPEN = "养老院收费能不能公开，让大家比一比？"
SOON = "农忙时能不能把父母送到镇上住半个月？"
RETURNED = "高龄津贴手机上认证太麻烦，能不能在村里办？"
DONE = "子女在外地，家里装的呼叫器坏了该找谁修？"
TIME = "老房子没有电梯，能不能给楼道装扶手和坐凳？"


class Busy(Ledger):
    """A ledger with a case in every state, most of them with one department."""

    def fill(self) -> None:
        named = {"contact": "王科", "phone": "13800007724"}
        self.ids = {name: self.department(name, **named) for name in (CIVIL, HEALTH, FINANCE)}
        self.cases_of: dict[str, str] = {}
        self.referred(LATE, FINANCE, due_ms=1500)
        self.promoted(OPEN)
        for text, name, days in ((SUBMITTED, CIVIL, 9), (REFUSED, CIVIL, 12), (SOON, CIVIL, 2)):
            self.referred(text, name, due_ms=days * DAY_MS)
        for text, days in ((RETURNED, 14), (DONE, 20), (TIME, 5)):
            self.referred(text, CIVIL, due_ms=days * DAY_MS)
        for text in (SUBMITTED, RETURNED, DONE):
            self.door(CIVIL, text, "answer", {"text": ANSWER, "visibility": "public", "handler": "李科员"})
        reason = "请写清从什么时候开始、找谁"
        self.call("POST", f"/responses/{self.cases_of[RETURNED]}/return", {"reason": reason})
        self.call("POST", f"/responses/{self.cases_of[DONE]}/approve", {})
        self.door(CIVIL, REFUSED, "refuse", {"reason": "巡诊由市卫健委负责"})
        wanted = {"until_wall_ms": now_ms() + 15 * DAY_MS, "reason": "需要和住建局一起看现场"}
        self.door(CIVIL, TIME, "extension", wanted)
        eventually_sync(
            lambda: self.call("GET", "/responses?state=overdue")["items"], what="the first is late"
        )

    def referred(self, text: str, name: str, *, due_ms: int) -> None:
        case_id = self.promoted(text)
        body = {"department_id": self.ids[name], "due_wall_ms": now_ms() + due_ms}
        self.call("POST", f"/responses/{case_id}/assign", body)
        self.cases_of[text] = case_id

    def door(self, name: str, text: str, verb: str, body: dict[str, object]) -> None:
        """What the department does with its link."""
        code = self.link(self.ids[name]).rpartition("/")[2]
        kept, self.office.token = self.office.token, f"dept.{code}"
        try:
            self.office.call("POST", f"/department/cases/{self.cases_of[text]}/{verb}", body)
        finally:
            self.office.token = kept


def now_ms() -> int:
    return int(time.time() * 1000)


async def busy(stage: Stage) -> Busy:
    ledger = await asyncio.to_thread(Busy, stage.server)
    await asyncio.to_thread(ledger.fill)
    return ledger


async def at_ledger(stage: Stage, query: str = "", text: str = "") -> Busy:
    ledger = await busy(stage)
    await log_in(stage.client, ledger)
    case = f"#case={ledger.cases_of[text]}" if text else ""
    await stage.client.open(f"{stage.server.url}/desk/{ledger.cid}/responses{query}{case}")
    await present(stage.client, "case" if text else "response-gauge")
    return ledger


async def ledger_empty(stage: Stage) -> None:
    ledger = await asyncio.to_thread(Ledger, stage.server)
    await log_in(stage.client, ledger)
    await stage.client.open(f"{stage.server.url}/desk/{ledger.cid}/responses")
    await present(stage.client, "responses-empty")


async def ledger_list(stage: Stage) -> None:
    await at_ledger(stage)
    await present(stage.client, "response-item", 4)


async def ledger_large(stage: Stage) -> None:
    await at_ledger(stage, LARGE)
    await present(stage.client, "response-item", 2)


async def case_submitted(stage: Stage) -> None:
    await at_ledger(stage, text=SUBMITTED)


async def case_submitted_large(stage: Stage) -> None:
    await at_ledger(stage, LARGE, text=SUBMITTED)


async def case_refused(stage: Stage) -> None:
    await at_ledger(stage, text=REFUSED)


async def case_extension(stage: Stage) -> None:
    await at_ledger(stage, text=TIME)


async def case_assigning(stage: Stage) -> None:
    await at_ledger(stage, text=REFUSED)
    await stage.client.tap("case-assign")
    await present(stage.client, "assign-department")


async def ledger_departments(stage: Stage) -> None:
    await at_ledger(stage)
    button = stage.client.page.get_by_role("button", name="部门与链接")
    await button.locator("visible=true").first.click()
    await present(stage.client, "department-row", 3)


async def at_door(stage: Stage, name: str = CIVIL, text: str = "", query: str = "") -> None:
    ledger = await busy(stage)
    link = await asyncio.to_thread(ledger.link, ledger.ids[name])
    case = f"#case={ledger.cases_of[text]}" if text else ""
    await stage.client.open(link + query + case)
    await present(stage.client, "standing")


async def department_late(stage: Stage) -> None:
    await at_door(stage, FINANCE)


async def department_late_large(stage: Stage) -> None:
    await at_door(stage, FINANCE, query=LARGE)


async def department_returned(stage: Stage) -> None:
    await at_door(stage, text=RETURNED)


async def department_submitted(stage: Stage) -> None:
    await at_door(stage, text=SUBMITTED)


async def department_answered(stage: Stage) -> None:
    await at_door(stage, text=DONE)


async def department_asking(stage: Stage) -> None:
    await at_door(stage, text=SOON)
    await stage.client.tap("ask-extension")
    await present(stage.client, "until")


async def department_dead(stage: Stage) -> None:
    await stage.client.open(f"{stage.server.url}/d/abcdefghijklmnopqrstuvwx")
    await present(stage.client, "link-dead")


async def account_of(stage: Stage, query: str = "") -> None:
    ledger = await asyncio.to_thread(answered, stage.server)
    await log_in(stage.client, ledger)
    await stage.client.open(f"{stage.server.url}/account/{ledger.cid}{query}")
    await present(stage.client, "account")


async def account_large(stage: Stage) -> None:
    await account_of(stage, LARGE)


RESPONSE_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "responses-empty": ledger_empty,
    "responses": ledger_list,
    "responses-large": ledger_large,
    "responses-submitted": case_submitted,
    "responses-submitted-large": case_submitted_large,
    "responses-refused": case_refused,
    "responses-extension": case_extension,
    "responses-assigning": case_assigning,
    "responses-departments": ledger_departments,
    "department-late": department_late,
    "department-late-large": department_late_large,
    "department-returned": department_returned,
    "department-submitted": department_submitted,
    "department-answered": department_answered,
    "department-asking": department_asking,
    "department-dead": department_dead,
    "account": account_of,
    "account-large": account_large,
}
SCENES.update(RESPONSE_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(RESPONSE_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
