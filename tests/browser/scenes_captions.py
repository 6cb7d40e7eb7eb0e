"""Captions as named scenes: in the room, on the desk, on the public page, and where there is no model.

python -m tests.browser.scenes_captions FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.meeting import enter
from tests.browser.scenes import SCENES, SCREENS, Stage, scene
from tests.browser.scenes_floor import running
from tests.browser.scenes_live import on_air, watched
from tests.browser.scenes_prepare import LARGE
from tests.browser.settled import present, reads
from tests.support.browser import BrowserFactory
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import ROOT, vp8_clip
from tests.support.scripted_recognizer import FACTORY
from tests.support.server import Server
from tests.support.spoken import LONG, MIDDLE, Sentence, script, spoken, text_of

# A sentence that is over, and the beginning of the next one.
GROWN_JS = """() => [...document.querySelectorAll('[data-testid=caption-line] .caption')].some((line) =>
  line.querySelector('.partial')?.textContent.length > 5
  && line.textContent.length > line.querySelector('.partial').textContent.length + 20)"""


@contextmanager
def captioned_server(*, programs: bool = False) -> Iterator[Server]:
    """With a model that says prepared sentences."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--speech-model", str(script(Path(folder) / "zh-script")), "--speech-engine", FACTORY]
        with Server(
            programs=programs, arguments=arguments, environment={"PYTHONPATH": str(ROOT)}
        ) as running_server:
            yield running_server


async def speaks(
    stage: Stage, number: int, name: str, *parts: Sentence | float, role: str = "member"
) -> RoomClient:
    """Somebody with a picture who says this over and over."""
    person = RoomClient(stage.server.url, stage.server.token(stage.consultation, role, name), receive=False)
    await person.connect()
    stage.people.append(person)
    sound = AudioSource(packets=await asyncio.to_thread(spoken, *parts), level_db=20)
    picture = VideoSource(fps=15, frames=await asyncio.to_thread(vp8_clip, number))
    await person.publish([sound, picture], names=["microphone", "camera"])
    return person


async def talking(stage: Stage, *, two: bool = False) -> None:
    """Live; the others are silent while one speaks, or two do at once."""
    chair = await running(stage, grant=None)
    await stage.people[0].request("participant.update", {"microphone": False})
    speaker = await speaks(stage, 6, "林委员", LONG, 1.6)
    if two:
        await speaks(stage, 7, "何委员", MIDDLE, 1.6)
    grant = {"participant_id": speaker.participant_id, "duration_ms": 300_000}
    await chair.request("floor.grant", grant)


async def captions(stage: Stage, query: str = "", *, two: bool = False, grid: bool = False) -> None:
    await talking(stage, two=two)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await enter(stage.client)
    await stage.client.tap("toggle-microphone")
    if grid:
        await stage.client.page.keyboard.press("g")
    await present(stage.client, "caption-line")
    await stage.client.wait_until(
        lambda: stage.client.evaluate(GROWN_JS), timeout_s=60, what="has read a sentence and more"
    )


async def captions_large(stage: Stage) -> None:
    await captions(stage, LARGE)


async def captions_two(stage: Stage) -> None:
    await captions(stage, two=True)


async def captions_grid(stage: Stage) -> None:
    await captions(stage, grid=True)


async def captions_desk(stage: Stage, query: str = "") -> None:
    await talking(stage)
    token = stage.server.token(stage.consultation, "secretariat", "刘秘书")
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}{query}#token={token}")
    await present(stage.client, "captions-card")


async def captions_desk_large(stage: Stage) -> None:
    await captions_desk(stage, LARGE)


async def captions_none(stage: Stage) -> None:
    """Somebody asks for captions where there is no model."""
    await running(stage)
    await stage.client.open(stage.url("member", "陈委员"))
    await enter(stage.client)
    await present(stage.client, "floor-clock")
    await stage.client.page.keyboard.press("c")
    await reads(stage.client, "字幕没有打开")


async def captions_none_desk(stage: Stage) -> None:
    await captions_desk(stage)
    await stage.client.page.get_by_text("怎样安装").click()


async def live_captions(stage: Stage, query: str = "") -> None:
    airing = await on_air(stage)
    await stage.people[0].request("participant.update", {"microphone": False})
    await speaks(stage, 6, "林委员", LONG, 1.6)
    await watched(stage, airing, query)
    await present(stage.client, "caption-line")
    await reads(stage.client, text_of(LONG))


async def live_captions_large(stage: Stage) -> None:
    await live_captions(stage, LARGE)


CAPTION_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "captions": captions,
    "captions-large": captions_large,
    "captions-two": captions_two,
    "captions-grid": captions_grid,
    "captions-desk": captions_desk,
    "captions-desk-large": captions_desk_large,
    "captions-live": live_captions,
    "captions-live-large": live_captions_large,
}
# On a server without a model.
NONE_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "captions-none": captions_none,
    "captions-none-desk": captions_none_desk,
}
SCENES.update(CAPTION_SCENES | NONE_SCENES)


async def take(folder: Path, names: list[str], screens: list[str]) -> None:
    """As pictures, each scene on the server that it needs."""
    async with BrowserFactory() as browsers:
        for scenes, start in ((CAPTION_SCENES, captioned_server), (NONE_SCENES, Server)):
            wanted = [name for name in names if name in scenes]
            if not wanted:
                continue
            with start(programs=True) as server:
                for name in wanted:
                    for screen in screens:
                        async with scene(name, server, browsers, SCREENS[screen]) as stage:
                            print(await stage.client.screenshot(f"{name}-{screen}", folder), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=[*CAPTION_SCENES, *NONE_SCENES])
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
