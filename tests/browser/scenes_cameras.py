"""网络摄像机 at the desk as scenes, with GStreamer cameras: the list; the dialog empty, with a picture, with a
fault; the search for one, its streams, and nothing found.

python -m tests.browser.screenshots FOLDER cameras cameras-add cameras-look cameras-wrong …
"""

from __future__ import annotations

import asyncio
import atexit

from signaling.network import announced_addresses
from tests.browser.office import Json, Office
from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_prepare import add_venues, at_desk, new_draft, show
from tests.browser.settled import present
from tests.support.light_client import RoomClient
from tests.support.onvif_device import OnvifDevice, Profile
from tests.support.ports import free_port
from tests.support.rtsp_server import RtspServer

LARGE = "?size=large"


_devices: list[RtspServer] = []


def new_device() -> None:
    """One for each scene: GStreamer does not always give a camera out again whose last viewer has just gone."""
    for each in _devices:
        each.kill()
    device = RtspServer(free_port(), user="admin", password="geheim")
    device.start()
    atexit.register(device.kill)
    _devices.append(device)


def device() -> RtspServer:
    return _devices[-1]


def add_cameras(office: Office, cid: str) -> None:
    """One that is well, one with another codec, one with a wrong password, one that is switched off."""
    venues: list[Json] = office.call("GET", f"/consultations/{cid}/venues")["items"]
    paths = [f"/consultations/{cid}/venues/{each['id']}/cameras" for each in venues]

    def add(path: str, label: str, stream: str, password: str = "geheim") -> Json:
        address = device().url(stream, f"admin:{password}")
        return dict(office.call("POST", path, {"label": label, "address": address}))

    add(paths[0], "主席台", "/silent")
    add(paths[0], "全景（后排）", "/b-frames")
    add(paths[1], "主席台", "/silent", "falsch")
    off = add(paths[1], "投影电脑", "/silent")
    office.call("PATCH", f"{paths[1]}/{off['id']}", {"enabled": False})


async def cameras(stage: Stage, query: str = "") -> None:
    """All states at once: somebody is in the room."""
    office = await asyncio.to_thread(new_draft, stage)

    def ready() -> None:
        new_device()
        add_venues(office, stage.consultation)
        add_cameras(office, stage.consultation)
        path = f"/consultations/{stage.consultation}"
        people = {"name": "周正明", "role": "chair"}
        office.call("POST", f"{path}/invitees", people)
        item = {"kind": "report", "title": "情况通报", "planned_minutes": 20}
        office.call("PUT", f"{path}/agenda", {"items": [item]})
        fields = {"revision": 1, "scheduled_at_ms": 1_795_069_800_000, "ends_at_ms": 1_795_078_800_000}
        office.call("PATCH", path, fields)
        office.call("POST", f"{path}/publish")

    await asyncio.to_thread(ready)
    await at_desk(stage, office, "prepare", query)
    await present(stage.client, "camera-row", 4)
    member = RoomClient(
        stage.server.url, stage.server.token(stage.consultation, "member", "张三"), receive=False
    )
    stage.people.append(member)
    await member.connect()
    page = stage.client.page
    for words in ("画面正常", "正在转码", "用户名或密码不对", "已停用"):
        await page.locator(".camsays", has_text=words).first.wait_for(timeout=40_000)
    await show(stage, "venues")


async def dialog(stage: Stage, stream: str, password: str = "geheim", query: str = "") -> None:
    await cameras(stage, query)
    client = stage.client
    await client.tap("camera-add")
    await client.fill("camera-label", "侧面")
    if stream:
        await client.fill("camera-address", device().url(stream))
        await client.fill("camera-user", "admin")
        await client.fill("camera-password", password)
        await client.tap("camera-test")
        await client.page.locator('[data-testid="camera-look"] :is(img, .notice)').wait_for(timeout=30_000)


async def cameras_large(stage: Stage) -> None:
    await cameras(stage, LARGE)


async def cameras_add(stage: Stage) -> None:
    await dialog(stage, "")


async def cameras_look(stage: Stage) -> None:
    await dialog(stage, "/b-frames")


async def cameras_wrong(stage: Stage) -> None:
    await dialog(stage, "/none")


async def cameras_look_large(stage: Stage) -> None:
    await dialog(stage, "/silent", query=LARGE)


async def finder(stage: Stage, *, wait_for: str, found: bool = True, query: str = "") -> None:
    """As far as `wait_for` appears. The devices stay until the scene's loop ends: streams are read from one."""
    await cameras(stage, query)
    client = stage.client
    await client.tap("camera-add")
    if not found:
        await client.tap("camera-find")
        await (
            client.page.get_by_test_id("camera-find-says")
            .locator("p:not(:has(.spin))")
            .wait_for(timeout=20_000)
        )
        return
    profiles = [
        Profile("1", "Profile_1", "rtsp://h/1", encoding="H265", size=(3840, 2160)),
        Profile("2", "Profile_2", "rtsp://h/2"),
        Profile("3", "Profile_3", "rtsp://h/3", size=(640, 360), rate=15),
    ]
    async with (
        OnvifDevice(profiles, name="青禾县会议室 主席台") as first,
        OnvifDevice(name="DS-2CD2T46WDV3-I5") as second,
        OnvifDevice(name="") as third,
    ):
        for each in (first, second, third):
            await each.answer_searches(announced_addresses("0.0.0.0", ()))
        await client.tap("camera-find")
        await present(client, "camera-device", 3)
        shown = client.page.get_by_test_id("camera-device").filter(has_text=f"127.0.0.1:{first.port}")
        await shown.click()
        if wait_for == "devices":
            return
        await client.fill("camera-find-user", "admin")
        await client.fill("camera-find-password", "geheim" if wait_for == "streams" else "falsch")
        await client.tap("camera-read")
        await client.page.locator(
            '[data-testid="camera-stream"], [data-testid="camera-streams"] .notice'
        ).first.wait_for(timeout=30_000)


async def camera_find(stage: Stage) -> None:
    await finder(stage, wait_for="devices")


async def camera_find_none(stage: Stage) -> None:
    await finder(stage, wait_for="devices", found=False)


async def camera_find_wrong(stage: Stage) -> None:
    await finder(stage, wait_for="fault")


async def camera_find_streams(stage: Stage) -> None:
    await finder(stage, wait_for="streams")


async def camera_find_streams_large(stage: Stage) -> None:
    await finder(stage, wait_for="streams", query=LARGE)


CAMERA_SCENES = {
    "cameras": cameras,
    "cameras-large": cameras_large,
    "cameras-add": cameras_add,
    "cameras-look": cameras_look,
    "cameras-look-large": cameras_look_large,
    "cameras-wrong": cameras_wrong,
    "camera-find": camera_find,
    "camera-find-none": camera_find_none,
    "camera-find-wrong": camera_find_wrong,
    "camera-find-streams": camera_find_streams,
    "camera-find-streams-large": camera_find_streams_large,
}
SCENES.update(CAMERA_SCENES)
