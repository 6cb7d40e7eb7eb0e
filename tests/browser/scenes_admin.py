"""Administration as named scenes: what goes on, bodies, people, a refusal beside its field.

python -m tests.browser.scenes_admin FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.office import Office
from tests.browser.scenes import SCENES, Stage, gather_people
from tests.browser.scenes_floor import take
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient

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
