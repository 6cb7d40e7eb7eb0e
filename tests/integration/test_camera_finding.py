"""Cameras found in the network and asked for their streams: real datagrams, real SOAP, and the stream really pulled."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from conference.ingest.devices import OnvifDevices
from conference.ingest.discovery import search
from conference.ingest.supervisor import IngestSupervisor
from conference.ingest_events import DeviceDoor, DeviceStream, IngestJob, IngestLook, IngestReason
from conference.model.camera_address import CameraAddress
from signaling.network import announced_addresses
from tests.support.eventually import eventually
from tests.support.onvif_device import OnvifDevice, Profile
from tests.support.ports import free_port
from tests.support.process import command_line
from tests.support.rtsp_server import HEIGHT, WIDTH, RtspServer, is_installed

pytestmark = pytest.mark.timeout(120)
USER, PASSWORD = "admin", "Gu4nMu%e!"
MAIN = Profile("main", "主码流", "rtsp://127.0.0.1:554/Streaming/Channels/101?transportmode=unicast")
SUB = Profile("sub", "SubStream", "rtsp://127.0.0.1:554/102", size=(640, 360), rate=12)
H265 = Profile("third", "H265 4K", "rtsp://127.0.0.1:554/103", encoding="H265", size=(3840, 2160))


def door(device: OnvifDevice, user: str = USER, password: str = PASSWORD) -> DeviceDoor:
    return DeviceDoor(device.address, user, password)


@pytest.fixture
def devices() -> OnvifDevices:
    return OnvifDevices(lambda: announced_addresses("0.0.0.0", ()))


@pytest.fixture
async def device() -> AsyncIterator[OnvifDevice]:
    """With a password; a test changes what it needs to."""
    async with OnvifDevice([H265, SUB, MAIN], user=USER, password=PASSWORD) as device:
        yield device


async def test_a_search_finds_those_that_answer_once_each(device: OnvifDevice) -> None:
    interfaces = announced_addresses("0.0.0.0", ())
    async with OnvifDevice(name="后排 & 全景") as other:
        await device.answer_searches(interfaces)
        await other.answer_searches(interfaces)
        found = {each.address: each for each in await search(("203.0.113.7", *interfaces), 1.5)}
    assert {device.address, other.address} <= found.keys()
    assert found[device.address].host == f"127.0.0.1:{device.port}"
    assert (found[device.address].name, found[device.address].hardware) == ("会议室 1", "YS-200")
    assert found[other.address].name == "后排 & 全景"


async def test_a_search_of_a_network_without_cameras_finds_none() -> None:
    assert await search(("127.0.0.1",), 0.7) == []
    assert await search((), 0.1) == []


async def test_a_device_says_its_streams_and_the_one_to_be_taken_comes_first(
    devices: OnvifDevices, device: OnvifDevice
) -> None:
    assert await devices.streams(door(device)) == [
        DeviceStream("主码流", "h264", 1920, 1080, 25.0, MAIN.uri),
        DeviceStream("SubStream", "h264", 640, 360, 12.0, SUB.uri),
        DeviceStream("H265 4K", "hevc", 3840, 2160, 25.0, H265.uri),
    ]
    assert device.signed.count("GetStreamUri") == 3


async def test_a_wrong_clock_another_name_and_old_ways_do_no_harm(
    devices: OnvifDevices, device: OnvifDevice
) -> None:
    device.clock_gap = -timedelta(days=9000, hours=8)
    device.is_named = "192.168.99.99:8080"
    device.knows_capabilities = False
    device.profiles = [
        Profile("a", "a", f"rtsp://{USER}:x@192.168.99.99:8554/live/ch0"),
        Profile("gone", "gone", ""),
        Profile("web", "web", "http://192.168.99.99/mjpeg"),
    ]
    found = await devices.streams(door(device))
    assert isinstance(found, list)
    assert [each.address for each in found] == ["rtsp://127.0.0.1:8554/live/ch0"]
    assert "GetServices" in device.signed


async def test_one_without_a_password_is_asked_unsigned(devices: OnvifDevices) -> None:
    async with OnvifDevice([SUB], user="") as open_one:
        found = await devices.streams(door(open_one, "", ""))
    assert isinstance(found, list)
    assert [each.address for each in found] == [SUB.uri]


@pytest.mark.parametrize(
    ("user", "password"), [(USER, "falsch"), ("gast", PASSWORD), ("", ""), (USER, ""), ("", PASSWORD)]
)
async def test_a_wrong_password_is_called_so(
    devices: OnvifDevices, device: OnvifDevice, user: str, password: str
) -> None:
    assert await devices.streams(door(device, user, password)) is IngestReason.PASSWORD_WRONG


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9))
    + b']><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>&j;</s:Body></s:Envelope>'
)


@pytest.mark.parametrize(
    ("operation", "said", "reason"),
    [
        ("GetSystemDateAndTime", b"<html><body>router</body></html>", IngestReason.NOT_FOUND),
        ("GetSystemDateAndTime", b'{"json": true}', IngestReason.NOT_FOUND),
        ("GetSystemDateAndTime", b"", IngestReason.NOT_FOUND),
        ("GetSystemDateAndTime", BOMB, IngestReason.NOT_FOUND),
        ("GetProfiles", b"\x00\xff not xml", IngestReason.GARBAGE),
        ("GetProfiles", BOMB, IngestReason.GARBAGE),
    ],
)
async def test_nonsense_is_called_so(
    devices: OnvifDevices, device: OnvifDevice, operation: str, said: bytes, reason: IngestReason
) -> None:
    device.nonsense[operation] = said
    assert await devices.streams(door(device)) is reason


@pytest.mark.parametrize(
    ("operation", "status", "reason"),
    [
        ("GetSystemDateAndTime", 404, IngestReason.NOT_FOUND),
        ("GetProfiles", 401, IngestReason.PASSWORD_WRONG),
        ("GetProfiles", 500, IngestReason.GARBAGE),
    ],
)
async def test_pages_instead_of_answers(
    devices: OnvifDevices, device: OnvifDevice, operation: str, status: int, reason: IngestReason
) -> None:
    device.statuses[operation] = status
    assert await devices.streams(door(device)) is reason


async def test_one_without_a_stream_has_no_picture(devices: OnvifDevices, device: OnvifDevice) -> None:
    device.profiles = []
    assert await devices.streams(door(device)) is IngestReason.NO_PICTURE


async def test_nobody_there_and_nobody_who_answers(devices: OnvifDevices, device: OnvifDevice) -> None:
    closed = DeviceDoor(f"http://127.0.0.1:{free_port()}/onvif/device_service", USER, PASSWORD)
    assert await devices.streams(closed) is IngestReason.REFUSED
    unknown = DeviceDoor("http://kamera.invalid/onvif/device_service", USER, PASSWORD)
    assert await devices.streams(unknown) is IngestReason.ADDRESS_WRONG
    device.hangs = True
    began_s = asyncio.get_running_loop().time()
    assert await devices.streams(door(device)) is IngestReason.UNREACHABLE
    assert asyncio.get_running_loop().time() - began_s < 16


async def test_what_is_no_web_server_is_no_device(devices: OnvifDevices) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        at = DeviceDoor(f"http://127.0.0.1:{port}/onvif/device_service", USER, PASSWORD)
        assert await devices.streams(at) is IngestReason.NOT_FOUND


async def test_who_gives_up_leaves_no_process_and_the_password_is_on_no_command_line(
    devices: OnvifDevices, device: OnvifDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    device.hangs = True
    asking = asyncio.create_task(devices.streams(door(device)))
    await eventually(lambda: device.calls, timeout_s=20)
    children = _children()
    lines = [command_line(each) for each in children]
    assert any("conference.ingest.worker" in each for each in lines)
    assert not any(PASSWORD in each or device.address in each for each in lines)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not set(_children()) & set(children)
    said = capfd.readouterr()
    assert PASSWORD not in said.out + said.err


async def test_the_library_says_nothing_of_passwords_in_any_failure(
    devices: OnvifDevices, device: OnvifDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    await devices.streams(door(device))
    await devices.streams(door(device, USER, "falsch"))
    device.nonsense["GetProfiles"] = b"nonsense"
    await devices.streams(door(device))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_nobody_else_loads_the_library() -> None:
    """It is large: the web process, and those that pull cameras, do without."""
    code = (
        "import sys, signaling.app, conference.ingest.worker; "
        "print([each for each in ('onvif', 'zeep') if each in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=90, check=True, text=True, cwd=Path.cwd()
    )
    assert said.stdout.strip() == "[]"


async def test_what_was_found_is_really_pulled(devices: OnvifDevices, tmp_path: Path) -> None:
    assert is_installed("x264enc"), (
        "GStreamer's RTSP server is not installed: see TEST_PACKAGES in the Makefile"
    )
    with RtspServer(free_port(), user=USER, password="geheim") as rtsp:
        behind = Profile("p", "main", f"rtsp://192.168.99.99:{rtsp.port}/baseline", size=(WIDTH, HEIGHT))
        async with OnvifDevice([behind], user=USER, password="geheim") as device:
            found = await devices.streams(door(device, USER, "geheim"))
        assert isinstance(found, list)
        address = CameraAddress.parsed(found[0].address).with_credentials(USER, "geheim")
        supervisor = IngestSupervisor(tmp_path / "run")
        look = await supervisor.look(IngestJob("look", "c", "", address.url()))
        await supervisor.close()
    assert isinstance(look, IngestLook)
    assert (look.width, look.height, look.codec) == (found[0].width, found[0].height, found[0].codec)


def _children() -> list[int]:
    """Processes of ours."""
    task = Path(f"/proc/{os.getpid()}/task")
    return [int(pid) for each in task.iterdir() for pid in (each / "children").read_text().split()]
