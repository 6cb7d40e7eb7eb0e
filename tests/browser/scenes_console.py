"""The console of a venue as scenes: well, with a hand up, a camera that shows nothing, muted, and asked who runs it.

python -m tests.browser.screenshots FOLDER console console-turn …
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.browser.meeting import enter
from tests.browser.scenes import SCENE_FLAGS, SCENES, Stage, gather_people
from tests.browser.settled import present, reads
from tests.support.browser import BrowserClient
from tests.support.light_client import RoomClient

VENUE = "云溪县分会场"
LARGE = "?size=large"
# Chromium's second fake device is a depth camera, whose pictures no browser sends.
DEPTH = 1
THREE_CAMERAS = ("--use-fake-device-for-media-stream=device-count=3",)
FOUR_CAMERAS = ("--use-fake-device-for-media-stream=device-count=4",)


async def console(stage: Stage, query: str = "") -> None:
    """Three cameras, two of them sent; the others are here."""
    await gather_people(stage)
    await stage.client.open(stage.url("venue_operator", "马师傅", VENUE, query))
    await enter(stage.client)
    await open_cameras(stage.client, 0, 2)
    await present(stage.client, "venue-state")
    await returned(stage.client)


async def open_cameras(client: BrowserClient, *places: int) -> None:
    """Turn on the cameras at these places of the list."""
    assert DEPTH not in places
    await client.tap("venue-cameras")
    await client.wait_until(
        lambda: client.count("camera-switch"), lambda shown: shown > max(places), what="lists its cameras"
    )
    for place in places:
        is_on = await client.evaluate(
            """(n) => document.querySelectorAll('[data-testid=camera-switch]')[n]
                 .getAttribute('aria-checked') === 'true'""",
            place,
        )
        if not is_on:
            await client.tap("camera-switch", place)
    await client.page.keyboard.press("Escape")
    await client.wait_until(lambda: client.count("camera-switch"), lambda shown: shown == 0)

    async def good() -> int:
        return int(
            await client.evaluate(
                """() => document.querySelectorAll('[data-testid=venue-camera][data-state=good]').length"""
            )
        )

    await client.wait_until(good, lambda now: now >= len(places), timeout_s=20, what="has its cameras open")


async def returned(client: BrowserClient) -> None:
    """The own picture has come back from the server."""

    async def source() -> str:
        return str(
            await client.evaluate("() => document.querySelector('[data-testid=venue-return]').dataset.source")
        )

    await client.wait_until(source, lambda now: now == "return", timeout_s=40, what="sees its return")


async def desk_writes(stage: Stage, text: str) -> None:
    """By the chair, who sits in the room."""
    chair = await chair_of(stage)
    await chair.request("venue.message", {"venue_id": VENUE, "text": text, "key": "key-of-the-desk"})
    await reads(stage.client, text)


async def chair_of(stage: Stage) -> RoomClient:
    token = stage.server.token(stage.consultation, "chair", "刘主持")
    chair = RoomClient(stage.server.url, token, receive=False)
    await chair.connect()
    stage.people.append(chair)
    return chair


async def console_large(stage: Stage) -> None:
    await console(stage, LARGE)


async def console_turn(stage: Stage) -> None:
    """A member speaks, one is before us, and the desk has written."""
    await console(stage)
    await desk_writes(stage, "请提前把话筒传给何委员，下一位发言后就是你们。")
    await stage.client.tap("talk-quick")
    chair = stage.people[-1]
    await chair.request(
        "floor.grant", {"participant_id": stage.people[3].participant_id, "duration_ms": 300_000}
    )
    await stage.client.tap("raise-hand")
    await reads(stage.client, "点此取消")


async def console_muted(stage: Stage) -> None:
    await console(stage)
    await stage.client.tap("toggle-microphone")
    await present(stage.client, "venue-muted")


async def console_dark(stage: Stage) -> None:
    """The main camera is a capture box without a signal: black from here on."""
    await stage.client.page.add_init_script(BLACK_JS)
    await gather_people(stage)
    await stage.client.open(stage.url("venue_operator", "马师傅", VENUE))
    await enter(stage.client)
    await reads(stage.client, "没有收到高清信号")


async def console_asked(stage: Stage) -> None:
    """Somebody else runs this venue already."""
    await gather_people(stage)
    await stage.client.open(stage.url("venue_operator", "李师傅", "青禾县分会场"))
    await enter(stage.client)
    await present(stage.client, "venue-take-over")


# Every camera gives an even black picture, at the usual rate.
BLACK_JS = """
navigator.mediaDevices.getUserMedia = ((real) => async (wanted) => {
  const stream = await real.call(navigator.mediaDevices, wanted);
  for (const track of stream.getVideoTracks()) {
    const canvas = document.createElement('canvas');
    canvas.width = 640; canvas.height = 360;
    const pen = canvas.getContext('2d');
    setInterval(() => { pen.fillStyle = '#000'; pen.fillRect(0, 0, 640, 360); }, 40);
    stream.removeTrack(track);
    const black = canvas.captureStream(25).getVideoTracks()[0];
    const settings = track.getSettings();
    black.getSettings = () => ({ ...settings, width: 640, height: 360 });
    stream.addTrack(black);
  }
  return stream;
})(navigator.mediaDevices.getUserMedia);
"""

CONSOLE_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "console": console,
    "console-large": console_large,
    "console-turn": console_turn,
    "console-muted": console_muted,
    "console-dark": console_dark,
    "console-asked": console_asked,
}
SCENES.update(CONSOLE_SCENES)
SCENE_FLAGS.update(dict.fromkeys(CONSOLE_SCENES, THREE_CAMERAS))
