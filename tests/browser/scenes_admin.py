"""Administration as named scenes: what goes on, bodies, people, a refusal beside its field.

python -m tests.browser.scenes_admin FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.browser.office import Office
from tests.browser.scenes import SCENES, Stage, gather_people
from tests.browser.scenes_floor import desk_url, go_live, take
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient
from tests.support.eventually import eventually_sync
from tests.support.light_client import RoomClient
from tests.support.server import Server

LARGE = "?size=large"
COUNTY = "青禾县政协"


async def log_in(client: BrowserClient, office: Office, address: str) -> None:
    """On the page itself, which asks who one is."""
    await client.open(f"{office.server.url}{address}")
    await client.fill("login-name", office.login)
    await client.fill("login-password", office.password)
    await client.tap("login-button")


def administrators(stage: Stage) -> Office:
    """Of a city with a county below it and two more accounts; once for each server, with another login each."""
    office = Office(stage.server, f"guanli-{stage.consultation[-8:].lower()}", "administrator")
    bodies = office.call("GET", "/organizations")["items"]
    county = next((each for each in bodies if each["name"] == COUNTY), None)
    if county is None:
        county = office.call("POST", "/organizations", {"name": COUNTY, "level": "county"})
    known = {each["login"] for each in office.call("GET", "/users")["items"]}
    for login, name, role in (("wu-min", "吴敏", "secretariat"), ("he-chun", "何春生", "moderator")):
        if login not in known:
            body = {"login": login, "name": name, "role": role, "password": "eine lange Reihe Wörter"}
            made = office.call("POST", "/users", {**body, "organization_id": county["id"]})
            if role == "moderator":
                office.call("PATCH", f"/users/{made['id']}", {"disabled": True})
    return office


async def at(stage: Stage, address: str, query: str = "") -> Office:
    office = await asyncio.to_thread(administrators, stage)
    await log_in(stage.client, office, address + query)
    return office


async def overview(stage: Stage, query: str = "") -> None:
    await gather_people(stage)
    await at(stage, "/admin", query)
    await present(stage.client, "ongoing")


async def overview_large(stage: Stage) -> None:
    await overview(stage, LARGE)


async def organizations(stage: Stage, query: str = "") -> None:
    await at(stage, "/admin/organizations", query)
    await present(stage.client, "organization-row", 2)


async def organizations_large(stage: Stage) -> None:
    await organizations(stage, LARGE)


async def organization_taken(stage: Stage) -> None:
    """A name that is taken, said beside the field."""
    await organizations(stage)
    await stage.client.page.get_by_test_id("organization-add").first.click()
    await stage.client.fill("organization-name", COUNTY)
    await stage.client.tap("organization-save")
    await reads(stage.client, "已有同名的机构")


async def users(stage: Stage, query: str = "") -> None:
    await at(stage, "/admin/users", query)
    await present(stage.client, "user-row", 3)


async def users_large(stage: Stage) -> None:
    await users(stage, LARGE)


async def user_added(stage: Stage, query: str = "") -> None:
    await users(stage, query)
    await stage.client.tap("user-add")
    await stage.client.fill("user-login", "chen-yu")
    await stage.client.fill("user-name", "陈玉兰")
    await stage.client.tap("user-generate")


async def user_added_large(stage: Stage) -> None:
    await user_added(stage, LARGE)


async def user_disabled(stage: Stage) -> None:
    await users(stage)
    await stage.client.page.get_by_test_id("user-disable").first.click()
    await present(stage.client, "confirm")


def fill_up(server: Server, consultation: str, size_bytes: int) -> None:
    """A recording of that size, of which the server takes notice: a file of holes, and a film that does not fit."""
    path = server.data_dir / "recordings" / consultation / "1" / "1.webm"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size_bytes)
    token = server.token(consultation, "secretariat", "刘欣")
    request = urllib.request.Request(
        f"{server.url}/api/v1/consultations/{consultation}/clips?name=film.mp4",
        method="POST",
        data=b"film",
        headers={"Authorization": f"Bearer {token}"},
    )

    def code() -> str:
        try:
            urllib.request.urlopen(request, timeout=20).close()
        except urllib.error.HTTPError as error:
            return str(json.loads(error.read())["code"])
        return ""

    # What was measured less than ten seconds ago is believed, as after a start.
    eventually_sync(code, lambda said: said == "storage_quota", timeout_s=20, every_s=1.0)


def end(server: Server, consultation: str) -> None:
    """And what it was filled up with is gone."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/consultations/{consultation}/end",
        method="POST",
        headers={"Authorization": f"Bearer {server.token(consultation, 'chair', '刘主持')}"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    (server.data_dir / "recordings" / consultation / "1" / "1.webm").unlink(missing_ok=True)


def rule(office: Office, organization_id: str, **rules: int) -> None:
    none = dict.fromkeys(("max_live", "max_participants", "max_storage_gb", "retention_days"))
    office.call("PUT", f"/organizations/{organization_id}/rules", {**none, **rules})


@dataclass
class Ruled:
    """A county that is live with two people and has used most of its space."""

    office: Office
    county: str
    consultation: str


def under_rules(stage: Stage) -> Ruled:
    office = administrators(stage)
    bodies = office.call("GET", "/organizations")["items"]
    county = str(next(each["id"] for each in bodies if each["name"] == COUNTY))
    rule(office, county)
    secretary = Office(stage.server, f"mishu-{stage.consultation[-8:].lower()}", organization=COUNTY)
    for before in secretary.call("GET", "/consultations?status=live")["items"]:  # of an earlier scene
        end(stage.server, before["id"])
    consultation = secretary.published("推进县域养老服务高质量发展")
    go_live(stage.server, consultation)
    rule(office, county, max_live=20, max_participants=50, max_storage_gb=9, retention_days=90)
    fill_up(stage.server, consultation, 9_300_000_000)
    rule(office, county, max_live=20, max_participants=50, max_storage_gb=10, retention_days=90)
    return Ruled(office, county, consultation)


async def ruled(stage: Stage) -> Ruled:
    made = await asyncio.to_thread(under_rules, stage)
    for name in ("何委员", "陈委员"):
        token = stage.server.token(made.consultation, "member", name)
        person = RoomClient(stage.server.url, token, receive=False)
        await person.connect()
        stage.people.append(person)
    return made


async def seen_rules(stage: Stage, query: str = "") -> Ruled:
    made = await ruled(stage)
    await log_in(stage.client, made.office, "/admin/rules" + query)
    await present(stage.client, "rules-row", 2)
    await present(stage.client, "rules-near")
    await reads(stage.client, "2 人在线")
    return made


async def rules(stage: Stage) -> None:
    await seen_rules(stage)


async def rules_large(stage: Stage) -> None:
    await seen_rules(stage, LARGE)


async def rules_full(stage: Stage) -> None:
    made = await ruled(stage)
    await asyncio.to_thread(rule, made.office, made.county, max_live=1, max_participants=2, max_storage_gb=9)
    await log_in(stage.client, made.office, "/admin/rules")
    await present(stage.client, "rules-full")
    await reads(stage.client, "2 人在线")


async def rules_changed(stage: Stage, query: str = "") -> None:
    """The dialog of a body, with fewer days and a number that cannot be."""
    made = await seen_rules(stage, query)
    row = stage.client.page.locator(f'[data-testid="rules-row"][data-id="{made.county}"]')
    await row.get_by_test_id("rules-change").click()
    await stage.client.fill("rules-people", "9000")
    await stage.client.fill("rules-days", "30")
    await present(stage.client, "rules-deletes")
    await stage.client.tap("rules-save")
    await reads(stage.client, "请填 1 到 300 的整数")


async def rules_changed_large(stage: Stage) -> None:
    await rules_changed(stage, LARGE)


async def rules_failed(stage: Stage) -> None:
    office = await asyncio.to_thread(administrators, stage)
    await stage.client.page.route("**/api/v1/rules", lambda route: route.abort())
    await log_in(stage.client, office, "/admin/rules")
    await reads(stage.client, "没有读到")


async def rules_from_above(stage: Stage) -> None:
    """An administrator of the county: the limits are given, the days are not."""
    await ruled(stage)
    login = f"xian-{stage.consultation[-8:].lower()}"
    below = await asyncio.to_thread(Office, stage.server, login, "administrator", COUNTY)
    await log_in(stage.client, below, "/admin/rules")
    await stage.client.tap("rules-change")
    await present(stage.client, "rules-from-above")


async def rules_on_the_desk(stage: Stage, query: str = "") -> None:
    """What the desk of such a body is told."""
    made = await ruled(stage)
    await asyncio.to_thread(rule, made.office, made.county, max_storage_gb=9)
    await stage.client.open(desk_url(stage.server, made.consultation, query))
    await present(stage.client, "storage-warning")


async def rules_on_the_desk_large(stage: Stage) -> None:
    await rules_on_the_desk(stage, LARGE)


WORDS = (
    "校园贷",
    "互助会",
    "特效药",
    "内部名额",
    "代办",
    "走后门",
    "免费领",
    "刷单",
    "传销",
    "假疫苗",
    "包治",
    "高息",
)


def listed(stage: Stage) -> tuple[Office, str]:
    """A county with words of all four kinds, terms, and the sample as its template."""
    office = administrators(stage)
    bodies = office.call("GET", "/organizations")["items"]
    county = str(next(each["id"] for each in bodies if each["name"] == COUNTY))
    levels = ("block", "hold", "mark", "pass")
    words = [{"text": text, "level": levels[place % 4]} for place, text in enumerate(WORDS)]
    terms = [
        {"wrong": "颐养院", "right": "怡养苑"},
        {"wrong": "青河县", "right": "青禾县"},
        {"wrong": "", "right": "县域养老服务高质量发展三年行动计划"},
    ]
    office.call("PUT", f"/organizations/{county}/words", {"items": words})
    office.call("PUT", f"/organizations/{county}/terms", {"items": terms})
    return office, county


async def words(stage: Stage, query: str = "") -> None:
    office, county = await asyncio.to_thread(listed, stage)
    await log_in(stage.client, office, "/admin/words" + query)
    await present(stage.client, "words-body")
    await stage.client.page.get_by_test_id("words-body").select_option(county)
    await present(stage.client, "word", len(WORDS))
    with tempfile.TemporaryDirectory() as folder:
        async with stage.client.page.expect_download() as downloading:
            await stage.client.page.get_by_role("button", name="下载样板").click()
        sample = Path(folder) / "青禾县政协会议纪要.docx"
        await (await downloading.value).save_as(sample)
        await stage.client.page.get_by_test_id("template-file").set_input_files(sample)
        await present(stage.client, "template")


async def words_large(stage: Stage) -> None:
    await words(stage, LARGE)


async def words_empty(stage: Stage) -> None:
    """Of a body that has none yet, with a file that is no template."""
    await at(stage, "/admin/words")
    await present(stage.client, "word-text")
    with tempfile.TemporaryDirectory() as folder:
        wrong = Path(folder) / "模板.docx"
        wrong.write_bytes(b"no document")
        await stage.client.page.get_by_test_id("template-file").set_input_files(wrong)
        await reads(stage.client, "这不是 Word 文档")


async def words_failed(stage: Stage) -> None:
    office = await asyncio.to_thread(administrators, stage)
    await stage.client.page.route("**/api/v1/organizations/*/words", lambda route: route.abort())
    await log_in(stage.client, office, "/admin/words")
    await reads(stage.client, "没有读到")


async def audit(stage: Stage, query: str = "") -> None:
    """With the newest line open."""
    await at(stage, "/admin/trace", query)
    await present(stage.client, "audit-line", 3)
    await stage.client.page.locator(".audit summary").first.click()


async def audit_large(stage: Stage) -> None:
    await audit(stage, LARGE)


async def stranger(stage: Stage) -> None:
    """Somebody who is logged in, and no administrator."""
    office = await asyncio.to_thread(Office, stage.server, f"mi-{stage.consultation[-8:].lower()}")
    await log_in(stage.client, office, "/admin")
    await reads(stage.client, "这一页只对管理员开放")


ADMIN_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "admin": overview,
    "admin-large": overview_large,
    "admin-organizations": organizations,
    "admin-organizations-large": organizations_large,
    "admin-organization-taken": organization_taken,
    "admin-users": users,
    "admin-users-large": users_large,
    "admin-user-added": user_added,
    "admin-user-added-large": user_added_large,
    "admin-user-disabled": user_disabled,
    "admin-rules": rules,
    "admin-rules-large": rules_large,
    "admin-rules-full": rules_full,
    "admin-rules-changed": rules_changed,
    "admin-rules-changed-large": rules_changed_large,
    "admin-rules-failed": rules_failed,
    "admin-rules-from-above": rules_from_above,
    "admin-words": words,
    "admin-words-large": words_large,
    "admin-words-empty": words_empty,
    "admin-words-failed": words_failed,
    "desk-rules": rules_on_the_desk,
    "desk-rules-large": rules_on_the_desk_large,
    "admin-trace": audit,
    "admin-trace-large": audit_large,
    "admin-stranger": stranger,
}
SCENES.update(ADMIN_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(ADMIN_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
