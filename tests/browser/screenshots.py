"""`make screenshots`: the named scenes on every kind of screen, as pictures in a folder.

python -m tests.browser.screenshots FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tests.browser import (
    scenes_admin,
    scenes_cameras,
    scenes_captions,
    scenes_comments,
    scenes_console,
    scenes_desk_comments,
    scenes_entry,
    scenes_floor,
    scenes_inspector,
    scenes_live,
    scenes_minutes,
    scenes_precheck,
    scenes_prepare,
    scenes_reach,
    scenes_record,
    scenes_rehearsal,
    scenes_responses,
    scenes_venues,
    scenes_weak,
)
from tests.browser.scenes import SCENES, SCREENS, scene
from tests.support.browser import BrowserFactory
from tests.support.server import Server

# Each adds its scenes to SCENES.
PARTS = (
    scenes_admin,
    scenes_cameras,
    scenes_captions,
    scenes_comments,
    scenes_console,
    scenes_desk_comments,
    scenes_entry,
    scenes_floor,
    scenes_inspector,
    scenes_live,
    scenes_minutes,
    scenes_precheck,
    scenes_prepare,
    scenes_reach,
    scenes_record,
    scenes_rehearsal,
    scenes_responses,
    scenes_venues,
    scenes_weak,
)


async def take(folder: Path, names: list[str], screens: list[str]) -> None:
    spoken = [name for name in names if name in scenes_captions.CAPTION_SCENES]
    await scenes_captions.take(folder, spoken, screens)
    with Server(programs=True) as server:
        async with BrowserFactory() as browsers:
            for name in [name for name in names if name not in spoken]:
                for screen in screens:
                    async with scene(name, server, browsers, SCREENS[screen]) as stage:
                        print(await stage.client.screenshot(f"{name}-{screen}", folder), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(SCENES))
    parser.add_argument("--screens", default=",".join(SCREENS))
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
