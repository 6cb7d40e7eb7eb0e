"""Coming in as named scenes: entry code, staff, personal link, second device, waiting room, telephones in the hall.

python -m tests.browser.scenes_entry FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.meeting import enter
from tests.browser.office import Prepared, prepare
from tests.browser.scenes import SCENES, Stage, checked, gather_people
from tests.browser.scenes_floor import chair_of, take
from tests.browser.settled import present, reads
from tests.support.light_client import RoomClient

LARGE = "?size=large"


async def prepared(stage: Stage, **options: bool) -> Prepared:
    """An office on the stage's server; its consultation takes the place of the stage's own."""
    done = await asyncio.to_thread(lambda: prepare(stage.server, **options))
    stage.consultation = done.consultation
    return done


async def code_typed(stage: Stage) -> None:
    await stage.client.open(stage.server.url + "/")
    await stage.client.tap("entry-code")
    await stage.client.page.keyboard.type("407")


async def code_typed_large(stage: Stage) -> None:
    await stage.client.open(f"{stage.server.url}/{LARGE}")
    await stage.client.tap("entry-code")
    await stage.client.page.keyboard.type("407")


async def code_name(stage: Stage) -> None:
    done = await prepared(stage)
    await stage.client.open(stage.server.url + "/")
    await stage.client.fill("entry-code", done.code)
    await stage.client.tap("code-next")
    await present(stage.client, "code-name")


async def login_error(stage: Stage) -> None:
    await prepared(stage)
    await stage.client.open(stage.server.url + "/")
    await stage.client.fill("login-name", "liuxin")
    await stage.client.fill("login-password", "12345678")
    await stage.client.tap("login-button")
    await stage.client.wait_until(
        lambda: stage.client.evaluate("() => document.querySelectorAll('.staff .hint.bad').length")
    )


async def meetings(stage: Stage, query: str = "") -> None:
    done = await prepared(stage)
    for title in ("提升基层医疗服务能力", "加强农村饮用水水源地保护"):
        await asyncio.to_thread(done.office.call, "POST", "/consultations", {"title": title})
    await stage.client.open(f"{stage.server.url}/{query}")
    await stage.client.fill("login-name", done.office.login)
    await stage.client.fill("login-password", done.office.password)
    await stage.client.tap("login-button")
    await present(stage.client, "consultation-item")


async def meetings_large(stage: Stage) -> None:
    await meetings(stage, LARGE)


async def new_meeting(stage: Stage) -> None:
    await meetings(stage)
    await stage.client.tap("create-consultation")
    await present(stage.client, "new-title")


async def by_link(stage: Stage) -> None:
    done = await prepared(stage)
    await stage.client.open(done.link(done.remote))
    await checked(stage)


async def by_link_large(stage: Stage) -> None:
    """For an invitee who asked for large text."""
    done = await prepared(stage, large_text=True)
    await stage.client.open(done.link(done.remote))
    await checked(stage)


async def by_link_chair(stage: Stage) -> None:
    done = await prepared(stage)
    await stage.client.open(done.link(done.chair))
    await checked(stage)


async def link_expired(stage: Stage) -> None:
    await stage.client.open(f"{stage.server.url}/j/aaaaaaaaaaaaaaaaaaaaaaaa")
    await present(stage.client, "refusal")


async def second_device(stage: Stage) -> None:
    done = await prepared(stage)
    code = str(done.remote["link"]).rsplit("/", 1)[-1]
    entered = await asyncio.to_thread(done.office.call, "POST", f"/links/{code}/enter")
    other = RoomClient(stage.server.url, entered["token"], receive=False)
    await other.connect()
    stage.people.append(other)
    await stage.client.open(done.link(done.remote))
    await stage.client.tap("join-button", timeout_s=30)
    await present(stage.client, "take-over")


async def waiting(stage: Stage, query: str = "") -> RoomClient:
    done = await prepared(stage, waiting_room=True)
    chair = await chair_of(stage)
    await stage.client.open(done.link(done.remote) + query)
    await stage.client.tap("join-button", timeout_s=30)
    await present(stage.client, "waiting-room")
    return chair


async def waiting_large(stage: Stage) -> None:
    await waiting(stage, LARGE)


async def waiting_check(stage: Stage) -> None:
    await waiting(stage)
    await stage.client.page.get_by_role("button", name="检查设备").click()
    await checked(stage)


async def refused(stage: Stage) -> None:
    chair = await waiting(stage)
    person = (await chair.request("room.sync", {}))["waiting"][0]
    await chair.request("participant.refuse", {"participant_id": person["participant_id"]})
    await reads(stage.client, "主持人没有同意")


async def hall_code(stage: Stage, query: str = "") -> str:
    """The address of the join page of a telephone in the hall."""
    done = await prepared(stage)
    body = {"code": done.code, "name": "何委员", "device": "d" * 32}
    entered = await asyncio.to_thread(done.office.call, "POST", "/entry-codes/enter", body)
    return f"{stage.server.url}/room/{stage.consultation}{query}#token={entered['token']}"


async def hall_join(stage: Stage) -> None:
    await stage.client.open(await hall_code(stage))
    await checked(stage)


async def in_hall(stage: Stage, query: str = "") -> str:
    address = await hall_code(stage, query)
    await gather_people(stage)
    await stage.client.open(address)
    me = await enter(stage.client)
    await stage.sees_people()
    return me


async def in_hall_large(stage: Stage) -> None:
    await in_hall(stage, LARGE)


async def hall_turn(stage: Stage) -> None:
    me = await in_hall(stage)
    chair = await chair_of(stage)
    await chair.request("floor.grant", {"participant_id": me, "duration_ms": 300_000})
    await present(stage.client, "turn")


async def ducked(stage: Stage) -> None:
    """The operator of the hall while a telephone in it has the floor."""
    done = await prepared(stage)
    await gather_people(stage)
    body = {"code": done.code, "name": "何委员", "device": "d" * 32}
    entered = await asyncio.to_thread(done.office.call, "POST", "/entry-codes/enter", body)
    phone = RoomClient(stage.server.url, entered["token"], receive=False)
    await phone.connect()
    stage.people.append(phone)
    await stage.client.open(done.link(done.hall))
    await enter(stage.client)
    chair = await chair_of(stage)
    await chair.request("floor.grant", {"participant_id": phone.participant_id, "duration_ms": 300_000})
    await present(stage.client, "ducked")
    await stage.sees_people()


async def letting_in(stage: Stage) -> None:
    """The chair's room with three before the door."""
    done = await prepared(stage, waiting_room=True)
    await stage.client.open(done.link(done.chair))
    await enter(stage.client)
    for name in ("吴委员", "郑研究员"):
        token = stage.server.token(stage.consultation, "member", name)
        person = RoomClient(stage.server.url, token, receive=False)
        stage.people.append(person)
        await person.connect()
    body = {"code": done.code, "name": "赵女士", "device": "d" * 32}
    entered = await asyncio.to_thread(done.office.call, "POST", "/entry-codes/enter", body)
    guest = RoomClient(stage.server.url, entered["token"], receive=False)
    stage.people.append(guest)
    await guest.connect()
    await reads(stage.client, "赵女士在等候进入")


async def letting_in_list(stage: Stage) -> None:
    await letting_in(stage)
    if await stage.client.evaluate("() => innerWidth < 1101"):
        await stage.client.page.locator(".rctl .ctl", has_text="更多").click()
        await stage.client.tap("more-waiting")
    else:
        await stage.client.tap("open-waiting")
    await present(stage.client, "waiting-person", 3)


async def _waiting(stage: Stage) -> None:
    await waiting(stage)


async def _in_hall(stage: Stage) -> None:
    await in_hall(stage)


ENTRY_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "code": code_typed,
    "code-large": code_typed_large,
    "code-name": code_name,
    "login-error": login_error,
    "meetings": meetings,
    "meetings-large": meetings_large,
    "new-meeting": new_meeting,
    "link": by_link,
    "link-large": by_link_large,
    "link-chair": by_link_chair,
    "link-expired": link_expired,
    "second-device": second_device,
    "waiting": _waiting,
    "waiting-large": waiting_large,
    "waiting-check": waiting_check,
    "refused": refused,
    "hall-join": hall_join,
    "in-hall": _in_hall,
    "in-hall-large": in_hall_large,
    "hall-turn": hall_turn,
    "ducked": ducked,
    "letting-in": letting_in,
    "letting-in-list": letting_in_list,
}
SCENES.update(ENTRY_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(ENTRY_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
