"""Named states of the pages in real Chromium, for screenshots and for the checks that every page must pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.meeting import connected, enter
from tests.browser.settled import present, reads, settled
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import participant_video, vp8_clip
from tests.support.server import Server

PHONE = Screen(390, 844, 2.0, True)
LANDSCAPE = Screen(844, 390, 2.0, True)
LAPTOP = Screen(1440, 900)
WALL = Screen(1920, 1080)
SCREENS = {"phone": PHONE, "landscape": LANDSCAPE, "laptop": LAPTOP, "wall": WALL}

PEOPLE = (
    ("venue_operator", "青禾县分会场", "青禾县分会场"),
    ("venue_operator", "柳塘街道连线点", "柳塘街道连线点"),
    ("member", "吴委员", ""),
    ("expert", "郑研究员", ""),
)


@dataclass
class Stage:
    """What a scene works with."""

    server: Server
    consultation: str
    client: BrowserClient
    people: list[RoomClient]

    def url(self, role: str, name: str, venue: str = "", query: str = "") -> str:
        token = self.server.token(self.consultation, role, name, venue)
        return f"{self.server.url}/room/{self.consultation}{query}#token={token}"

    async def sees_people(self) -> None:
        """Those whom `gather_people` brought are shown: a phone has no room for all, and cuts small pictures off."""
        numbers = {person.participant_id: n for n, person in enumerate(self.people[: len(PEOPLE)], start=2)}

        async def shown() -> bool:
            codes = await self.client.codes_by_tile()
            there = numbers.keys() & codes.keys()
            assert any(numbers[each] in codes[each] for each in there), codes
            return True

        await self.client.wait_until(shown, what="sees people")


async def gather_people(stage: Stage) -> None:
    """Four others with pictures; the first speaks, the third has a hand up."""
    for number, (role, name, venue) in enumerate(PEOPLE, start=2):
        token = stage.server.token(stage.consultation, role, name, venue)
        person = RoomClient(stage.server.url, token, receive=False)
        await person.connect()
        stage.people.append(person)
        sound = AudioSource(level_db=25 if number == 2 else 127)
        picture = VideoSource(fps=15, frames=await asyncio.to_thread(vp8_clip, number))
        await person.publish([sound, picture], names=["microphone", "camera"])
        if number > 2:
            await person.request("participant.update", {"microphone": False})
    await stage.people[2].request("floor.request", {})


async def measured(client: BrowserClient) -> str:
    """The network test of the join page is over; what it came to."""
    return str(
        await client.wait_until(
            lambda: client.evaluate(
                """() => { const check = document.querySelector('[data-testid="network-check"]')
                  return check?.dataset.measured === 'true' ? check.dataset.state : '' }"""
            ),
            timeout_s=60,
            what="has measured the network",
        )
    )


async def checked(stage: Stage) -> None:
    """The page has found camera and microphone, and how good the network is."""
    await stage.client.wait_until(
        lambda: stage.client.evaluate(
            "() => [...document.querySelectorAll('video')].some((v) => v.videoWidth > 0)"
        ),
        what="shows the own picture",
    )
    await measured(stage.client)


async def join(stage: Stage) -> None:
    await stage.client.open(stage.url("member", "陈委员"))
    await checked(stage)


async def join_large(stage: Stage) -> None:
    await stage.client.open(stage.url("member", "陈委员", query="?size=large"))
    await checked(stage)


async def bad_link(stage: Stage) -> None:
    await stage.client.open(f"{stage.server.url}/room/{stage.consultation}#token=wrong")
    await present(stage.client, "refusal")


async def entry(stage: Stage) -> None:
    await stage.client.open(stage.server.url + "/")
    await present(stage.client, "entry-code")


async def alone(stage: Stage) -> None:
    await stage.client.open(stage.url("member", "陈委员"))
    await enter(stage.client)


async def five(stage: Stage) -> None:
    await gather_people(stage)
    await stage.client.open(stage.url("chair", "主会场", "主会场"))
    await enter(stage.client)
    await stage.sees_people()


async def five_grid(stage: Stage) -> None:
    await five(stage)
    await stage.client.page.keyboard.press("g")
    await stage.sees_people()


async def five_large(stage: Stage) -> None:
    await gather_people(stage)
    await stage.client.open(stage.url("chair", "主会场", "主会场", query="?size=large"))
    await enter(stage.client)
    await stage.sees_people()


async def muted_by_chair(stage: Stage) -> None:
    await gather_people(stage)
    chair = RoomClient(
        stage.server.url, stage.server.token(stage.consultation, "chair", "刘主持"), receive=False
    )
    await chair.connect()
    stage.people.append(chair)
    await stage.client.open(stage.url("member", "陈委员"))
    me = await enter(stage.client)
    await chair.request("participant.mute", {"participant_id": me, "muted": True, "hard": True})
    await reads(stage.client, "主持人请您静音")


async def reconnecting(stage: Stage) -> None:
    await five(stage)
    await stage.client.offline(True)
    await stage.client.wait_until(
        stage.client.connection_state,
        lambda state: bool(state) and state.get("state") in ("reconnecting", "lost"),
        timeout_s=40,
    )


async def back(stage: Stage) -> None:
    await stage.client.offline(False)
    await connected(stage.client, timeout_s=40)


# Scenes whose browser has other devices than one camera with a participant's picture.
SCENE_FLAGS: dict[str, tuple[str, ...]] = {}
# Scenes whose browser has another picture and another sound: what makes the files.
SCENE_MEDIA: dict[str, Callable[[], tuple[Path, Path]]] = {}
SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "entry": entry,
    "bad-link": bad_link,
    "join": join,
    "join-large": join_large,
    "alone": alone,
    "five": five,
    "five-grid": five_grid,
    "five-large": five_large,
    "muted-by-chair": muted_by_chair,
    "reconnecting": reconnecting,
}


def _media(name: str) -> tuple[Path | None, Path | None]:
    if name in SCENE_MEDIA:
        return SCENE_MEDIA[name]()
    return None if name in SCENE_FLAGS else participant_video(1, (640, 360), 15, 4.0), None


@asynccontextmanager
async def scene(name: str, server: Server, browsers: BrowserFactory, screen: Screen) -> AsyncIterator[Stage]:
    """Play the scene on a browser of that size; the page stands still then."""
    async with AsyncExitStack() as stack:
        consultation = server.create_consultation("推进县域养老服务高质量发展")
        flags = SCENE_FLAGS.get(name, ())
        video, audio = await asyncio.to_thread(_media, name)
        client = await browsers.launch(name=name, video=video, audio=audio, screen=screen, flags=flags)
        stack.push_async_callback(client.close)
        stage = Stage(server, consultation, client, [])
        try:
            await SCENES[name](stage)
            await settled(client)
            yield stage
        finally:
            for person in stage.people:
                await person.close()
