"""Pages of pictures and a weak network as scenes: what the server would say of it is said between server and page.

python -m tests.browser.screenshots FOLDER weak-saving weak-sound-only …
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import WebSocketRoute

from tests.browser.meeting import enter
from tests.browser.scenes import SCENES, Stage, gather_people
from tests.browser.settled import present, reads
from tests.support.light_client import RoomClient

LARGE = "?size=large"
# Publication ids of all pictures of others, the one on the stage first.
SHOWN_JS = """() => [...document.querySelectorAll('[data-testid=participant-tile][data-publication-id]')]
  .map((tile) => tile.dataset.publicationId)"""


class Between:
    """Stands between the page's socket and the server; what the server itself says of the allocation stays here."""

    def __init__(self) -> None:
        self._page: WebSocketRoute | None = None

    async def stand(self, stage: Stage) -> None:
        """Before the page is opened."""
        await stage.client.page.route_web_socket("**/socket.io/**", self._connect)

    def _connect(self, page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        self._page = page

        def told(message: str | bytes) -> None:
            if not (isinstance(message, str) and '["media.allocation"' in message):
                page.send(message)

        server.on_message(told)

    def tell(self, event: str, payload: dict[str, Any]) -> None:
        """As the server would on the namespace of the room."""
        assert self._page is not None
        self._page.send(f"42/room,{json.dumps([event, payload])}")


async def told(stage: Stage, between: Between, paused: Callable[[int], bool], *, sound_only: bool) -> None:
    """What is sent of each picture on the page, by its place: nothing of those that are paused."""
    shown = await stage.client.evaluate(SHOWN_JS)
    tracks = [
        {
            "publication_id": each,
            "layer": None if paused(place) else "h",
            "height": 0 if paused(place) else 360,
            "reason": "bandwidth" if paused(place) else "size",
        }
        for place, each in enumerate(shown)
    ]
    payload = {"tracks": tracks, "sound_only": sound_only, "available_bps": 180_000}
    between.tell("media.allocation", payload)


async def in_the_room(stage: Stage, *, grid: bool = False, query: str = "") -> Between:
    between = Between()
    await between.stand(stage)
    await gather_people(stage)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await enter(stage.client)
    if grid:
        await stage.client.page.keyboard.press("g")
    await stage.sees_people()
    return between


async def weak_saving(stage: Stage, *, grid: bool = False, query: str = "") -> None:
    between = await in_the_room(stage, grid=grid, query=query)
    await told(stage, between, lambda place: place > 0, sound_only=False)
    await present(stage.client, "weak-hint")


async def weak_saving_large(stage: Stage) -> None:
    await weak_saving(stage, query=LARGE)


async def weak_grid(stage: Stage) -> None:
    await weak_saving(stage, grid=True)


async def weak_sound_only(stage: Stage, *, grid: bool = False, query: str = "") -> None:
    between = await in_the_room(stage, grid=grid, query=query)
    await told(stage, between, lambda place: True, sound_only=True)
    await present(stage.client, "weak-hint")


async def weak_restored(stage: Stage) -> None:
    between = await in_the_room(stage)
    await told(stage, between, lambda place: True, sound_only=True)
    await present(stage.client, "weak-hint")
    await told(stage, between, lambda place: False, sound_only=False)
    await reads(stage.client, "网络已恢复")


async def grid_pages(stage: Stage, *, per_page: int = 9, query: str = "") -> None:
    await gather_people(stage)
    for number in range(1, 25):
        token = stage.server.token(stage.consultation, "member", f"委员{number}")
        person = RoomClient(stage.server.url, token, receive=False)
        await person.connect()
        stage.people.append(person)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await enter(stage.client)
    await stage.client.page.keyboard.press("g")
    await stage.sees_people()
    if per_page != 9:
        await stage.client.page.get_by_role("radio", name=str(per_page)).click()
        await present(stage.client, "participant-tile", per_page)


async def grid_pages_25(stage: Stage) -> None:
    await grid_pages(stage, per_page=25)


async def grid_pages_large(stage: Stage) -> None:
    await grid_pages(stage, query=LARGE)


WEAK_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "grid-pages": grid_pages,
    "grid-pages-25": grid_pages_25,
    "grid-pages-large": grid_pages_large,
    "weak-saving": weak_saving,
    "weak-saving-large": weak_saving_large,
    "weak-grid": weak_grid,
    "weak-sound-only": weak_sound_only,
    "weak-sound-only-large": lambda stage: weak_sound_only(stage, query=LARGE),
    "weak-sound-only-grid": lambda stage: weak_sound_only(stage, grid=True),
    "weak-restored": weak_restored,
}
SCENES.update(WEAK_SCENES)
