"""GStreamer's webrtcbin, an encoder with an RSA certificate, publishes by WHIP and Chromium sees and hears it.

libnice takes no loopback address, so the encoder runs in a network namespace of its own and reaches the server over a
veth pair; the browser runs beside the server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.meeting import enter
from tests.interop.watching import moves
from tests.support.browser import EXECUTABLE, BrowserClient, BrowserFactory
from tests.support.netns import Namespace, Network, why_not
from tests.support.server import Server

PYTHON = "/usr/bin/python3"  # the bindings are Debian packages
SCRIPT = Path(__file__).with_name("gst_whip.py")
SERVER_ADDRESS, ENCODER_ADDRESS = "10.78.1.1", "10.78.1.2"
NEEDED = ("webrtcbin", "nicesrc", "dtlsdec", "vp8enc", "x264enc", "opusenc")


def _missing() -> str:
    """Why GStreamer cannot be used here; empty when it can."""
    check = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0');"
        "from gi.repository import Gst, GstWebRTC; Gst.init(None);"
        f"print(*(name for name in {NEEDED!r} if not Gst.ElementFactory.find(name)))"
    )
    try:
        done = subprocess.run([PYTHON, "-c", check], capture_output=True, text=True, check=False, timeout=60)
    except OSError as error:
        return str(error)
    return done.stdout.strip() if done.returncode == 0 else "needs GStreamer's bindings"


pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@dataclass
class Stage:
    """The server's namespace with a browser in the room, and the encoder's namespace."""

    server: Server
    local_url: str
    consultation: str
    viewer: BrowserClient
    encoders: Namespace


@pytest.fixture(scope="module")
def namespaces() -> Iterator[tuple[Namespace, Namespace]]:
    if missing := _missing():
        pytest.skip(missing)
    with Network() as network:
        inside, encoders = network.namespace("server"), network.namespace("encoder")
        network.join(inside, SERVER_ADDRESS, encoders, ENCODER_ADDRESS)
        yield inside, encoders


@pytest.fixture(scope="module")
def server_inside(namespaces: tuple[Namespace, Namespace]) -> Iterator[Server]:
    addresses = (SERVER_ADDRESS, "127.0.0.1")
    with Server(host="0.0.0.0", media_addresses=addresses, namespace=namespaces[0]) as server:
        yield server


@pytest.fixture
async def stage(
    namespaces: tuple[Namespace, Namespace],
    server_inside: Server,
    browsers: BrowserFactory,
    tmp_path: Path,
) -> Stage:
    inside, encoders = namespaces
    consultation = server_inside.create_consultation()
    chromium = inside.script(tmp_path / "chromium", EXECUTABLE)
    viewer = await browsers.launch(name="viewer", executable=chromium)
    local_url = f"http://127.0.0.1:{server_inside.port}"
    token = server_inside.token(consultation, "member", "会场")
    await viewer.open(f"{local_url}/room/{consultation}#token={token}")
    return Stage(server_inside, local_url, consultation, viewer, encoders)


class Encoder:
    """The running script; its lines."""

    def __init__(self, stage: Stage, codec: str) -> None:
        url = f"http://{SERVER_ADDRESS}:{stage.server.port}/whip/{stage.consultation}?label=GStreamer"
        token = stage.server.token(stage.consultation, "member", "编码器")
        self._process = stage.encoders.popen(
            [PYTHON, "-I", str(SCRIPT), url, token, codec],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    async def says(self, key: str) -> Any:
        """Wait for the line with that key; its value."""
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while line := await asyncio.to_thread(self._process.stdout.readline):
                said = json.loads(line)
                assert "error" not in said, said["error"]
                if key in said:
                    return said[key]
        raise AssertionError(f"the encoder ended before it said {key}")

    async def end(self) -> int:
        """Let it delete its resource and end; the status of the DELETE."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return int(await self.says("deleted"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
async def encode(stage: Stage) -> AsyncIterator[Callable[[str], Encoder]]:
    running: list[Encoder] = []

    def start(codec: str) -> Encoder:
        running.append(Encoder(stage, codec))
        return running[-1]

    yield start
    for encoder in running:
        encoder.close()


@pytest.mark.parametrize(
    ("codec", "received_as"),
    [
        ("vp8", "video/VP8"),
        ("constrained-baseline", "video/H264"),
        ("main", "video/H264"),
        ("high", "video/H264"),
    ],
)
async def test_chromium_sees_and_hears_the_encoder(
    stage: Stage, encode: Callable[[str], Encoder], codec: str, received_as: str
) -> None:
    await enter(stage.viewer)
    encoder = encode(codec)
    participant = str(await encoder.says("location")).rpartition("/")[2]
    assert await encoder.says("key") == "RSA"
    picture = await moves(stage.viewer, participant)
    assert (picture.width, picture.height) == (640, 360)
    assert picture.codec.startswith(received_as)
    await stage.viewer.hears(participant)

    assert await encoder.end() == 200

    async def gone() -> bool:
        return participant not in await stage.viewer.codes_by_tile()

    await stage.viewer.wait_until(gone, what="the tile of who stopped is gone")
    stage.viewer.assert_quiet()
