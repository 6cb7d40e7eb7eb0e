"""The public page as named scenes: before, live with a speaker and with a promoted comment, interrupted, replay, text.

python -m tests.browser.scenes_live FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.browser.airing import Airing, plays, reaches
from tests.browser.scenes import SCENES, Stage, gather_people
from tests.browser.scenes_floor import chair_of, take
from tests.browser.scenes_prepare import LARGE, fill, invite, new_draft
from tests.browser.settled import present
from tests.support.eventually import eventually


async def on_air(stage: Stage, *, until: str = "item") -> Airing:
    """Live with three others, in the third item, the first of them speaks; "promotion": a comment is put to them."""
    await gather_people(stage)
    chair = await chair_of(stage)
    airing = Airing(stage.server, stage.consultation, chair)
    await airing.set_agenda()
    await airing.post("start")
    for _ in range(4 if until == "promotion" else 3):
        await airing.step()
    await chair.request("floor.grant", {"participant_id": stage.people[0].participant_id})
    return airing


async def watched(stage: Stage, airing: Airing, query: str = "") -> None:
    await stage.client.open(airing.url(query))
    await reaches(stage.client, "live", timeout_s=60)
    await plays(stage.client)
    await present(stage.client, "current-speaker")


async def before(stage: Stage, query: str = "") -> None:
    """Published, in two days."""

    def ready() -> None:
        office = new_draft(stage)
        path = f"/consultations/{stage.consultation}"
        fill(office, stage.consultation)
        invite(office, stage.consultation)
        begins_ms = (int(time.time()) // 86_400 + 3) * 86_400_000 + 23_400_000  # 14:30 in China
        fields = {"scheduled_at_ms": begins_ms, "ends_at_ms": begins_ms + 9_000_000, "closing_at_ms": None}
        revision = office.call("GET", path)["revision"]
        office.call("PATCH", path, {"revision": revision, "is_public": True, **fields})
        office.call("POST", f"{path}/publish")

    await asyncio.to_thread(ready)
    await stage.client.open(f"{stage.server.url}/live/{stage.consultation}{query}")
    await reaches(stage.client, "before")


async def before_large(stage: Stage) -> None:
    await before(stage, LARGE)


async def live(stage: Stage) -> None:
    await watched(stage, await on_air(stage))


async def live_large(stage: Stage) -> None:
    await watched(stage, await on_air(stage), LARGE)


async def live_english(stage: Stage) -> None:
    await watched(stage, await on_air(stage), "?lang=en")


async def live_promotion(stage: Stage) -> None:
    await watched(stage, await on_air(stage, until="promotion"))
    await present(stage.client, "promotion-card")


async def live_cut(stage: Stage, query: str = "") -> None:
    airing = await on_air(stage)
    await watched(stage, airing, query)
    await airing.chair.request("broadcast.cut", {})
    await present(stage.client, "cut-card")


async def live_cut_large(stage: Stage) -> None:
    await live_cut(stage, LARGE)


async def replay(stage: Stage, query: str = "") -> None:
    airing = await on_air(stage)
    await watched(stage, airing)
    await airing.step()
    await airing.step()
    await airing.post("end")
    await stage.client.open(airing.url(query))
    await reaches(stage.client, "replay", timeout_s=60)
    await stage.client.tap("tap-to-play")
    await plays(stage.client)


async def replay_large(stage: Stage) -> None:
    await replay(stage, LARGE)


async def text(stage: Stage, query: str = "?text=1") -> None:
    airing = await on_air(stage, until="promotion")

    async def told() -> Any:
        address = f"{stage.server.url}/api/v1/public/consultations/{stage.consultation}/text"
        with await asyncio.to_thread(urllib.request.urlopen, address, timeout=10) as answer:
            return json.load(answer)

    await eventually(told, lambda found: found["still"], timeout_s=60, what="a still was made")
    await stage.client.open(airing.url(query))
    await present(stage.client, "text-entry", 4)
    await present(stage.client, "text-still")


async def text_large(stage: Stage) -> None:
    await text(stage, "?text=1&size=large")


async def gone(stage: Stage) -> None:
    await stage.client.open(f"{stage.server.url}/live/c_nothing")
    await present(stage.client, "live-gone")


LIVE_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "live-before": before,
    "live-before-large": before_large,
    "live": live,
    "live-large": live_large,
    "live-english": live_english,
    "live-promotion": live_promotion,
    "live-cut": live_cut,
    "live-cut-large": live_cut_large,
    "live-replay": replay,
    "live-replay-large": replay_large,
    "live-text": text,
    "live-text-large": text_large,
    "live-gone": gone,
}
SCENES.update(LIVE_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(LIVE_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
