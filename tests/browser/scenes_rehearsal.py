"""Rehearsals as named scenes: the desk before, amid and at the end of one, the room, the waiting room.

python -m tests.browser.scenes_rehearsal FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.meeting import enter
from tests.browser.scenes import SCENES, Stage, gather_people
from tests.browser.scenes_floor import chair_of, desk_url, set_agenda, take
from tests.browser.settled import present
from tests.support.server import Server


def rehearse(server: Server, consultation: str) -> None:
    """POST …/rehearsal/start as the chair."""
    request = urllib.request.Request(
        f"{server.url}/api/v1/consultations/{consultation}/rehearsal/start",
        method="POST",
        headers={"Authorization": f"Bearer {server.token(consultation, 'chair', '刘主持')}"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


async def rehearsed(stage: Stage) -> None:
    """People, an agenda that has begun, somebody who speaks; nobody else's picture is of it."""
    await gather_people(stage)
    chair = await chair_of(stage)
    await set_agenda(chair)
    await asyncio.to_thread(rehearse, stage.server, stage.consultation)
    await chair.request("agenda.next", {})
    await chair.request(
        "floor.grant", {"participant_id": stage.people[0].participant_id, "duration_ms": 300_000}
    )


async def before(stage: Stage) -> None:
    await gather_people(stage)
    await set_agenda(await chair_of(stage))
    await stage.client.open(desk_url(stage.server, stage.consultation))
    await present(stage.client, "rehearsal-start")


async def asked(stage: Stage) -> None:
    await before(stage)
    await stage.client.tap("rehearsal-start")
    await present(stage.client, "confirm")


async def desk(stage: Stage, query: str = "") -> None:
    await rehearsed(stage)
    await stage.client.open(desk_url(stage.server, stage.consultation, query))
    await present(stage.client, "rehearsal-sign")
    await present(stage.client, "agenda-next")


async def desk_large(stage: Stage) -> None:
    await desk(stage, "?size=large")


async def desk_english(stage: Stage) -> None:
    await desk(stage, "?lang=en")


async def end(stage: Stage) -> None:
    await desk(stage)
    is_wide = await stage.client.evaluate("() => innerWidth >= 1000")
    if is_wide:
        await stage.client.tap("rehearsal-end")
    else:
        await stage.client.page.get_by_role("button", name="更多", exact=True).first.click()
        await stage.client.page.get_by_role("dialog").get_by_role("button", name="结束演练").click()
    await present(stage.client, "rehearsal-keep")


async def comments(stage: Stage) -> None:
    await rehearsed(stage)
    token = stage.server.token(stage.consultation, "moderator", "陈审核")
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}/comments#token={token}")
    await present(stage.client, "rehearsal-comment")
    await stage.client.page.get_by_test_id("rehearsal-comment").get_by_role("textbox").fill("停车太难了")
    await stage.client.page.get_by_test_id("rehearsal-comment").get_by_role("button").click()
    await present(stage.client, "comment-item")


async def room(stage: Stage, query: str = "") -> None:
    await rehearsed(stage)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await enter(stage.client)
    await present(stage.client, "rehearsal-sign")
    await stage.sees_people()


async def room_large(stage: Stage) -> None:
    await room(stage, "?size=large")


REHEARSAL_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "rehearsal-before": before,
    "rehearsal-asked": asked,
    "rehearsal-desk": desk,
    "rehearsal-desk-large": desk_large,
    "rehearsal-desk-english": desk_english,
    "rehearsal-end": end,
    "rehearsal-comments": comments,
    "rehearsal-room": room,
    "rehearsal-room-large": room_large,
}
SCENES.update(REHEARSAL_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(REHEARSAL_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
