"""Agenda, floor, statements and the chair's desk as named scenes, for screenshots and for the checks of every page.

python -m tests.browser.scenes_floor FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.meeting import enter
from tests.browser.scenes import SCENES, SCREENS, Stage, gather_people, scene
from tests.browser.settled import present
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.light_client import RoomClient
from tests.support.server import Server

AGENDA = (
    ("report", "主持人介绍协商议题", 10, None),
    ("report", "市民政局通报情况", 20, "市民政局"),
    ("discussion", "互动讨论", 40, None),
    ("response", "部门回应", 30, "民政、卫健、财政、医保、自然资源"),
    ("summary", "主持人小结", 10, None),
)
STATEMENTS = (
    (2, "县职教中心可以开护理班，定向招本村青年，学费由县里补。"),
    (3, "助餐点可以和民宿、饭店合作，错峰做老人餐，成本能降三成。"),
    (2, "建议把巡访和快递进村结合，快递员顺路看一看老人。"),
)


def desk_url(server: Server, consultation: str, query: str = "", name: str = "刘主持") -> str:
    return f"{server.url}/desk/{consultation}{query}#token={server.token(consultation, 'chair', name)}"


def go_live(server: Server, consultation: str) -> None:
    """POST …/start as the chair."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/consultations/{consultation}/start",
        method="POST",
        headers={"Authorization": f"Bearer {server.token(consultation, 'chair', '刘主持')}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


async def chair_of(stage: Stage) -> RoomClient:
    """A chair without a page."""
    token = stage.server.token(stage.consultation, "chair", "刘主持")
    chair = RoomClient(stage.server.url, token, receive=False)
    await chair.connect()
    stage.people.append(chair)
    return chair


async def set_agenda(chair: RoomClient) -> None:
    fields = ("kind", "title", "planned_minutes", "speaker")
    await chair.request("agenda.set", {"items": [dict(zip(fields, item, strict=True)) for item in AGENDA]})


async def running(stage: Stage, *, grant: int | None = 0) -> RoomClient:
    """Live, in the third item, one who speaks, three hands, three statements."""
    await gather_people(stage)
    people = list(stage.people)
    chair = await chair_of(stage)
    await set_agenda(chair)
    await asyncio.to_thread(go_live, stage.server, stage.consultation)
    for _ in range(3):
        await chair.request("agenda.next", {})
    for person in (people[1], people[3]):
        await person.request("floor.request", {})
    ids = []
    for number, (who, text) in enumerate(STATEMENTS):
        added = await people[who].request("statement.add", {"text": text, "key": f"scene-key-{number}"})
        ids.append(added["statement"]["id"])
    await people[0].request("statement.like", {"id": ids[1], "liked": True})
    await people[3].request(
        "statement.add", {"text": "同意，费用可以再细算。", "reply_to": ids[1], "key": "scene-key-reply"}
    )
    if grant is not None:
        await chair.request(
            "floor.grant", {"participant_id": people[grant].participant_id, "duration_ms": 300_000}
        )
    return chair


async def floor(stage: Stage) -> None:
    await running(stage)
    await stage.client.open(stage.url("member", "陈委员"))
    await enter(stage.client)
    await present(stage.client, "floor-clock")
    await stage.sees_people()


async def floor_large(stage: Stage) -> None:
    await running(stage)
    await stage.client.open(stage.url("member", "陈委员", query="?size=large"))
    await enter(stage.client)
    await present(stage.client, "floor-clock")
    await stage.sees_people()


async def last_minute(stage: Stage) -> None:
    chair = await running(stage, grant=None)
    await stage.client.open(stage.url("member", "陈委员"))
    await enter(stage.client)
    speaker = stage.people[0].participant_id
    await chair.request("floor.grant", {"participant_id": speaker, "duration_ms": 50_000})
    await present(stage.client, "floor-clock")
    await stage.sees_people()


async def turn(stage: Stage) -> None:
    """The chair gives the floor to somebody who did not agree to being opened."""
    chair = await running(stage, grant=None)
    await stage.client.open(stage.url("member", "陈委员"))
    me = await enter(stage.client)
    await chair.request("floor.mode", {"mode": "chair"})
    await chair.request("floor.grant", {"participant_id": me, "duration_ms": 300_000})
    await present(stage.client, "turn")


async def written(stage: Stage) -> None:
    await floor(stage)
    if await stage.client.evaluate("() => innerWidth < 861"):
        await stage.client.page.locator(".rctl .ctl", has_text="更多").click()
        await stage.client.tap("open-statements")
    else:
        await stage.client.page.get_by_role("tab", name="书面发言").click()
    await stage.client.tap("statement-input")
    await stage.client.page.keyboard.insert_text("护理员待遇要和工作年限挂钩。")


async def at_desk(client: BrowserClient) -> None:
    """Agenda, queue and statements of `running` are there."""
    await present(client, "agenda-item", len(AGENDA))
    await present(client, "floor-grant")
    await present(client, "statement", len(STATEMENTS))


async def desk(stage: Stage) -> None:
    await running(stage)
    await stage.client.open(desk_url(stage.server, stage.consultation, name="秘书处席"))
    await at_desk(stage.client)


async def desk_large(stage: Stage) -> None:
    await running(stage)
    await stage.client.open(desk_url(stage.server, stage.consultation, "?size=large"))
    await at_desk(stage.client)


async def desk_before(stage: Stage) -> None:
    await stage.client.open(desk_url(stage.server, stage.consultation))
    await present(stage.client, "start-consultation")


async def desk_edit(stage: Stage) -> None:
    await desk(stage)
    await stage.client.tap("agenda-edit")
    await present(stage.client, "agenda-row", len(AGENDA))


FLOOR_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "floor": floor,
    "floor-large": floor_large,
    "last-minute": last_minute,
    "turn": turn,
    "written": written,
    "desk": desk,
    "desk-large": desk_large,
    "desk-before": desk_before,
    "desk-edit": desk_edit,
}
SCENES.update(FLOOR_SCENES)

CLIPPED_JS = """() => [...document.querySelectorAll("button, .ctl, label, .tabs > *")]
  .filter((e) => e.checkVisibility() && !e.closest(".ell") && e.scrollWidth > e.clientWidth + 1)
  .map((e) => e.innerText)"""


async def faults(client: BrowserClient) -> list[str]:
    """What every page must not have: wider than the window, serious accessibility findings, clipped labels."""
    found = await client.axe()
    if overflow := await client.horizontal_overflow():
        found.append(f"{overflow} px wider than the window")
    return found + [f"clipped: {label}" for label in await client.evaluate(CLIPPED_JS)]


async def take(folder: Path, names: list[str], screens: list[str]) -> None:
    with Server(programs=True) as server:
        async with BrowserFactory() as browsers:
            for name in names:
                for screen in screens:
                    async with scene(name, server, browsers, SCREENS[screen]) as stage:
                        picture = await stage.client.screenshot(f"{name}-{screen}", folder)
                        print(picture, await faults(stage.client), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(FLOOR_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
