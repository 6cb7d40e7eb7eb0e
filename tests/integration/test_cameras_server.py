"""Cameras of a venue on a real server: found, written down, tried out, in the room, broken off and back; and what opens
them is found nowhere."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from signaling.network import announced_addresses
from tests.support.eventually import eventually
from tests.support.light_client import RoomClient
from tests.support.onvif_device import OnvifDevice, Profile
from tests.support.ports import free_port
from tests.support.process import command_line
from tests.support.rtsp_server import HEIGHT, WIDTH, RtspServer, is_installed
from tests.support.server import Server
from tests.unit.signaling.harness import Client

pytestmark = pytest.mark.timeout(240)
USER, PASSWORD = "lagermeister", "Gu4nMu%e!"


@pytest.fixture(scope="module")
def device() -> Iterator[RtspServer]:
    """A camera that asks for user and password."""
    assert is_installed("x264enc"), (
        "GStreamer's RTSP server is not installed: see TEST_PACKAGES in the Makefile"
    )
    with RtspServer(free_port(), user=USER, password=PASSWORD) as device:
        yield device


@dataclass
class Stage:
    server: Server
    device: RtspServer
    cid: str
    venue: str
    desk: Client

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        token = self.server.token(self.cid, "secretariat", "秘书处")
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/consultations/{self.cid}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    @property
    def path(self) -> str:
        return f"/venues/{self.venue}/cameras"

    async def add(self, label: str, path: str, **more: Any) -> dict[str, Any]:
        body = {"label": label, "address": self.device.url(path), "user": USER, "password": PASSWORD, **more}
        status, camera = await self.call("POST", self.path, body)
        assert status == 201, camera
        return dict(camera)

    def now(self, camera_id: str) -> dict[str, Any]:
        """What the desk was told last."""
        told = [each["camera"] for each in self.desk.of("camera.updated")]
        return next((each for each in reversed(told) if each["id"] == camera_id), {})

    async def is_told(self, camera_id: str, timeout_s: float = 30.0, **wanted: Any) -> dict[str, Any]:
        def said() -> bool:
            now = self.now(camera_id)
            return all(now.get(key) == value for key, value in wanted.items())

        await eventually(said, timeout_s=timeout_s, what=f"the desk is told {wanted}")
        return self.now(camera_id)


@pytest.fixture
async def stage(server: Server, device: RtspServer) -> AsyncIterator[Stage]:
    cid = await asyncio.to_thread(server.create_consultation, "推进县域养老服务高质量发展")
    desk = Client(server.url, "/desk")
    stage = Stage(server, device, cid, "", desk)
    status, venue = await stage.call("POST", "/venues", {"name": "青禾县分会场", "kind": "branch"})
    assert status == 201
    stage.venue = venue["id"]
    await desk.connect({"token": server.token(cid, "secretariat", "秘书处")})
    await eventually(lambda: desk.state.snapshot)
    yield stage
    await desk.close()


async def test_a_test_shows_a_picture_or_says_why_there_is_none(stage: Stage) -> None:
    camera = await stage.add("主席台", "/baseline")
    status, look = await stage.call("POST", f"{stage.path}/{camera['id']}/test")
    assert (status, look["reason"], look["codec"], look["transcoding"]) == (200, None, "h264", False)
    picture = Image.open(io.BytesIO(base64.b64decode(look["picture"])))
    assert picture.size == (look["width"], look["height"]) == (WIDTH, HEIGHT)
    blue = picture.getpixel((5, 5))
    assert isinstance(blue, tuple)
    assert blue[2] > blue[1] > blue[0], "the ground of the camera's picture"
    for changes, reason in (
        ({"password": "falsch"}, "password_wrong"),
        ({"password": PASSWORD, "address": stage.device.url("/none")}, "not_found"),
        ({"address": f"rtsp://127.0.0.1:{free_port()}/x"}, "refused"),
        ({"address": "rtsp://kamera.invalid/x"}, "address_wrong"),
    ):
        status, changed = await stage.call("PATCH", f"{stage.path}/{camera['id']}", changes)
        assert status == 200, changed
        status, look = await stage.call("POST", f"{stage.path}/{camera['id']}/test")
        assert (status, look["reason"], look["picture"]) == (200, reason, "")
    status, refused = await stage.call(
        "PATCH", f"{stage.path}/{camera['id']}", {"address": "file:///etc/passwd"}
    )
    assert (status, refused["code"]) == (422, "camera_address_wrong")


async def test_one_is_found_asked_and_tried_out_and_its_password_is_found_nowhere(stage: Stage) -> None:
    behind = Profile("p", "main", f"rtsp://192.168.99.99:{stage.device.port}/baseline", size=(WIDTH, HEIGHT))
    async with OnvifDevice([behind], user=USER, password=PASSWORD) as found:
        await found.answer_searches(announced_addresses("0.0.0.0", ()))
        status, searched = await stage.call("POST", f"{stage.path}/find")
        assert status == 200
        (one,) = [each for each in searched["items"] if each["address"] == found.address]
        assert (one["name"], one["hardware"], one["host"]) == (
            found.name,
            "YS-200",
            f"127.0.0.1:{found.port}",
        )
        asked = {"address": one["address"], "user": USER, "password": "falsch"}
        said = await stage.call("POST", f"{stage.path}/streams", asked)
        assert said == (200, {"reason": "password_wrong", "streams": []})
        asked = {"address": one["host"], "user": USER, "password": PASSWORD}
        status, answer = await stage.call("POST", f"{stage.path}/streams", asked)
    assert (status, answer["reason"]) == (200, None)
    (stream,) = answer["streams"]
    assert stream["address"] == stage.device.url("/baseline")
    assert (stream["codec"], stream["width"], stream["height"]) == ("h264", WIDTH, HEIGHT)
    said = await stage.call("POST", f"{stage.path}/streams", {"address": "rtsp://192.0.2.1/x"})
    assert said == (200, {"reason": "address_wrong", "streams": []})
    status, _ = await stage.call("POST", f"{stage.path}/streams", {"address": ""})
    assert status == 400

    camera = await stage.add(one["name"], "", address=stream["address"])
    status, look = await stage.call("POST", f"{stage.path}/{camera['id']}/test")
    assert (status, look["reason"]) == (200, None)
    _, lines = await stage.call("GET", "/audit?limit=500")
    for secret in (USER, PASSWORD, "Gu4nMu", "falsch"):
        assert secret not in json.dumps(lines)
        assert secret not in stage.server.logs


async def test_it_is_in_the_room_breaks_off_and_is_back(stage: Stage) -> None:
    camera = await stage.add("主席台", "/baseline", with_sound=True)
    member = RoomClient(stage.server.url, stage.server.token(stage.cid, "member", "张三"))
    await member.connect()
    try:
        await stage.is_told(camera["id"], state="running", reason=None)
        await eventually(lambda: stage.now(camera["id"])["participant_id"], what="it has a seat")
        seat = stage.now(camera["id"])["participant_id"]
        await eventually(lambda: stage.now(camera["id"])["picture"]["width"] == WIDTH, timeout_s=20)
        assert stage.now(camera["id"])["picture"]["codec"] == "h264"
        await member.receives(seat, "camera", packets=50, timeout_s=20)
        await member.receives(seat, "microphone", packets=50, timeout_s=20)
        assert member.participants[seat]["name"] == "青禾县分会场 · 主席台"

        await asyncio.to_thread(stage.device.kill)
        await stage.is_told(camera["id"], state="failed")
        assert member.participants[seat]["connected"] is False
        await asyncio.to_thread(stage.device.start)
        await member.receives(seat, "camera", packets=20, timeout_s=5)
        await stage.is_told(camera["id"], state="running", reason=None)
        await eventually(lambda: member.participants[seat]["connected"])

        status, _ = await stage.call("DELETE", f"{stage.path}/{camera['id']}")
        assert status == 204
        await eventually(lambda: seat not in member.participants, what="it has left")
        assert stage.desk.of("camera.removed") == [{"camera_id": camera["id"]}]
    finally:
        await member.close()


async def test_faults_harm_nobody_else_and_end_by_themselves(stage: Stage) -> None:
    wrong = await stage.add("后排", "/baseline", password="falsch")
    good = await stage.add("主席台", "/silent")
    member = RoomClient(stage.server.url, stage.server.token(stage.cid, "member", "张三"))
    await member.connect()
    try:
        told = await stage.is_told(wrong["id"], state="failed", reason="password_wrong")
        assert told["participant_id"] is None, "nobody sees an empty tile"
        await stage.is_told(good["id"], state="running")
        status, _ = await stage.call("PATCH", f"{stage.path}/{wrong['id']}", {"password": PASSWORD})
        assert status == 200
        await stage.is_told(wrong["id"], state="running", reason=None)
    finally:
        await member.close()


async def test_what_opens_a_camera_is_found_nowhere(stage: Stage) -> None:
    camera = await stage.add("主席台", "/baseline")
    member = RoomClient(stage.server.url, stage.server.token(stage.cid, "member", "张三"))
    await member.connect()
    try:
        await stage.is_told(camera["id"], state="running")
        wrong = await stage.add("后排", "/none?token=" + PASSWORD.replace("%", "%25"))
        await stage.is_told(wrong["id"], state="failed")
        told = json.dumps([body for _, body in stage.desk.events])
        _, rows = await stage.call("GET", stage.path)
        _, lines = await stage.call("GET", "/audit?limit=500")
        commands = " ".join(command_line(pid) for pid in stage.server.tree())
        environments = b"".join(_environment(pid) for pid in stage.server.tree())
        files = b"".join(each.read_bytes() for each in stage.server.data_dir.rglob("*") if each.is_file())
        log = stage.server.logs
    finally:
        await member.close()
    assert "camera.added" in json.dumps(lines)
    assert camera["id"] in json.dumps(rows)
    for secret in (USER, PASSWORD, "Gu4nMu"):
        for place in (told, json.dumps(rows), json.dumps(lines), commands, log):
            assert secret not in place
        assert secret.encode() not in environments
        assert secret.encode() not in files


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # it ended meanwhile
        return b""
