"""The pre-check of a venue as scenes: before it begins, what is measured, what is asked, what was found, handed in.

python -m tests.browser.screenshots FOLDER precheck precheck-network …
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.precheck import Hall, measured, rows, with_air
from tests.browser.scenes import SCENE_MEDIA, SCENES, Stage
from tests.browser.settled import present
from tests.support.venue_media import hall_sound, hall_video

LARGE, ENGLISH = "?size=large", "?lang=en"
_WORDS = {
    "loudspeaker": "音箱明天到",
    "network": "明天再测",
    "projection": "投影明天装",
    "nameplate": "明天再核对",
}


async def begun(stage: Stage, query: str = "", residual: float = 0.003) -> None:
    """The page of the venue's operator, with the first item being measured."""
    hall = await asyncio.to_thread(Hall, stage.server)
    await with_air(stage.client, residual=residual)
    await stage.client.open(hall.url(query))
    await stage.client.tap("precheck-begin")


async def runs(stage: Stage, item: str) -> None:
    """That item's turn has come."""

    async def now() -> bool:
        return (await rows(stage.client)).get(item, ("", ""))[0] == "running"

    await stage.client.wait_until(now, timeout_s=40, what=f"has come to {item}")


async def before(stage: Stage, query: str = "") -> None:
    hall = await asyncio.to_thread(Hall, stage.server)
    await stage.client.open(hall.url(query))
    await present(stage.client, "precheck-begin")


async def measuring(stage: Stage, query: str = "") -> None:
    await begun(stage, query)
    await runs(stage, "microphone")


async def network(stage: Stage) -> None:
    await begun(stage, "?item=network")
    await runs(stage, "network")


async def found(stage: Stage, query: str = "") -> None:
    """A dark hall whose microphone is clipped, with echo; what is asked next is whether the name plate is right."""
    await begun(stage, query, residual=0.8)
    for item in ("network", "projection"):
        await runs(stage, item)
        await skipped(stage, item)
    await present(stage.client, "precheck-plate-right")


async def skipped(stage: Stage, item: str) -> None:
    await stage.client.tap("precheck-skip")
    await stage.client.fill("reason", _WORDS[item])
    await stage.client.tap("confirm")


async def asked(stage: Stage) -> None:
    """Why it is left out is asked for."""
    await begun(stage, "?item=network")
    await runs(stage, "network")
    await stage.client.tap("precheck-skip")
    await present(stage.client, "reason")


async def handed_in(stage: Stage) -> None:
    """A healthy hall, but for what was left for tomorrow."""
    await begun(stage)
    for item in ("network", "projection"):
        await runs(stage, item)
        await skipped(stage, item)
    await stage.client.tap("precheck-plate-right")
    await measured(stage.client, "nameplate")
    await stage.client.tap("precheck-hand-in")
    await present(stage.client, "precheck-handed")


def _healthy() -> tuple[Path, Path]:
    return hall_video(), hall_sound()


def _poor() -> tuple[Path, Path]:
    return hall_video("dark"), hall_sound("clipped")


PRECHECK_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "precheck": before,
    "precheck-large": lambda stage: before(stage, LARGE),
    "precheck-english": lambda stage: before(stage, ENGLISH),
    "precheck-measuring": measuring,
    "precheck-measuring-large": lambda stage: measuring(stage, LARGE),
    "precheck-network": network,
    "precheck-asked": asked,
    "precheck-found": found,
    "precheck-found-large": lambda stage: found(stage, LARGE),
    "precheck-handed": handed_in,
}
SCENES.update(PRECHECK_SCENES)
SCENE_MEDIA.update({name: _poor if "found" in name else _healthy for name in PRECHECK_SCENES})
