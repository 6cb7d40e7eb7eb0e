"""Debian's Janus with its videoroom plugin as a target, all traffic on loopback."""

import os
import random
import shutil
import string
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.target import (
    Publication,
    Session,
    Subscriber,
    Target,
    TargetMissingError,
    wait_for_http,
)
from tests.support import process
from tests.support.light_client import SessionDescription, SimulcastSource, VideoSource
from tests.support.ports import free_port

Json = dict[str, Any]
_PLUGINS = "audiobridge duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
_TRANSPORTS = "mqtt nanomsg pfunix rabbitmq websockets"


def _libraries(names: str) -> str:
    return ",".join(f"libjanus_{name}.so" for name in names.split())


class Handle:
    """A session with one handle of the videoroom plugin, over long polling."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http, self._base = http, base
        self.path = self._handle = ""

    async def open(self) -> "Handle":
        self.path = f"/{(await self._call('', {'janus': 'create'}))['data']['id']}"
        attached = await self._call(self.path, {"janus": "attach", "plugin": "janus.plugin.videoroom"})
        self._handle = f"{self.path}/{attached['data']['id']}"
        return self

    async def _call(self, path: str, message: Json) -> Json:
        message["transaction"] = "".join(random.choices(string.ascii_letters, k=10))
        async with self._http.post(self._base + path, json=message) as response:
            reply: Json = await response.json(content_type=None)
        if reply["janus"] == "error":
            raise RuntimeError(str(reply))
        return reply

    async def message(self, body: Json, jsep: Json | None = None) -> Json:
        """Ask the plugin; its event, with what came with it."""
        message: Json = {"janus": "message", "body": body} | ({"jsep": jsep} if jsep else {})
        reply = await self._call(self._handle, message)
        while reply["janus"] == "ack" or reply["janus"] not in ("success", "event"):
            async with self._http.get(self._base + self.path, params={"maxev": 1}) as response:
                reply = await response.json(content_type=None)
        if "error" in reply.get("plugindata", {}).get("data", {}):
            raise RuntimeError(str(reply))
        return reply

    async def destroy(self) -> None:
        """End the session."""
        await self._call(self.path, {"janus": "destroy"})


class JanusSession(Session):
    """One videoroom."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._room = 0
        self._handles: list[Handle] = []

    async def _open(self) -> Handle:
        handle = await Handle(self._http, self._base).open()
        self._handles.append(handle)
        return handle

    async def publish(self, source: VideoSource | SimulcastSource) -> Publication:
        handle = await self._open()
        if not self._room:
            self._room = random.randrange(1, 1 << 30)
            room = {
                "room": self._room,
                "publishers": 100,
                "bitrate": 20_000_000,
                "videocodec": "vp8",
                "fir_freq": 0,
            }
            await handle.message({"request": "create", "permanent": False, **room})
        peer = self.peer()
        event = await handle.message(
            {"request": "joinandconfigure", "ptype": "publisher", "room": self._room, "display": "bench"},
            {"type": "offer", "sdp": peer.offer([source.offered]), "rid_order": "lmh"},
        )
        peer.set_remote(SessionDescription(event["jsep"]["sdp"]))
        await peer.connect()
        return Publication(
            source, peer, str(event["plugindata"]["data"]["id"]), event["plugindata"]["data"]["id"]
        )

    async def subscribe(self, publications: Sequence[Publication]) -> list[Subscriber]:
        made: list[Subscriber] = []
        for publication in publications:
            handle = await self._open()
            streams = [{"feed": publication.handle}]
            joined = await handle.message(
                {"request": "join", "ptype": "subscriber", "room": self._room, "streams": streams}
            )
            peer = self.peer(controlling=False)
            answer = peer.answer(SessionDescription(joined["jsep"]["sdp"]), plain=True)
            await handle.message({"request": "start"}, {"type": "answer", "sdp": answer})
            await peer.connect()
            made.append(Subscriber(peer))
        return made

    async def close(self) -> None:
        for handle in self._handles:
            await handle.destroy()
        await self._http.close()


class Janus(Target):
    """Janus with a fixed number of event loops (0: Debian's default, a thread for each handle)."""

    def __init__(self, event_loops: int = 2) -> None:
        self.name = f"janus event_loops={event_loops}" if event_loops else "janus"
        self._event_loops = event_loops
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self.base = ""
        library = next(Path("/usr/lib").glob("*-linux-gnu/janus"), None)
        if shutil.which("janus") is None or library is None or shutil.which("cc") is None:
            raise TargetMissingError("Debian's janus and gcc")
        self._library = library

    def _configure(self, folder: Path, port: int) -> None:
        loops = f"event_loops = {self._event_loops}" if self._event_loops else ""
        (folder / "janus.jcfg").write_text(
            f"""general: {{
  configs_folder = "{folder}"
  plugins_folder = "{self._library}/plugins"
  transports_folder = "{self._library}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 3
  session_timeout = 0
  {loops}
}}
media: {{ ipv6 = false }}
nat: {{ ice_enforce_list = "lo" ice_tcp = false full_trickle = false ignore_mdns = true }}
plugins: {{ disable = "{_libraries(_PLUGINS)}" }}
transports: {{ disable = "{_libraries(_TRANSPORTS)}" }}
events: {{ broadcast = false }}
"""
        )
        (folder / "janus.transport.http.jcfg").write_text(
            f"""general: {{
  json = "plain"
  base_path = "/janus"
  http = true
  port = {port}
  ip = "127.0.0.1"
  https = false
}}
admin: {{ admin_http = false }}
"""
        )
        (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")

    def start(self) -> None:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="janus-bench-"))
        port = free_port()
        self._configure(folder, port)
        shim = Path(__file__).with_name("lo_shim.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(folder / "lo.so"), str(shim), "-ldl"], check=True)
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["janus", "-F", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LD_PRELOAD": str(folder / "lo.so")},
            )
        self.base = f"http://127.0.0.1:{port}/janus"
        wait_for_http(self.base + "/info")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def media_pids(self) -> list[int]:
        assert self._process is not None
        return process.tree(self._process.pid)

    def session(self) -> Session:
        return JanusSession(self.base)
