"""Real Firefox without a window, driven over WebDriver BiDi, with its own fake camera and microphone.

Firefox speaks the protocol itself on `--remote-debugging-port`: no driver program is needed. Pages are read without
giving them a user gesture (`userActivation: false`), and tapped through real input events.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from tests.support.eventually import eventually
from tests.support.probe import INSTALL_JS, Inbound, Tile

T = TypeVar("T")
Json = dict[str, Any]

EXECUTABLE = "firefox-esr"
WIDTH, HEIGHT = 1280, 800
START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 60.0
MAX_MESSAGE_BYTES = 64 << 20

# Fake devices, media over loopback, and no visits to anybody but the server under test.
PREFERENCES: Mapping[str, bool | int | str] = {
    "media.navigator.streams.fake": True,  # a moving picture and a tone
    "media.peerconnection.ice.loopback": True,
    # The user allowed them before. Only a page with that permission takes all addresses of the machine, not just the
    # default route's.
    "permissions.default.camera": 1,
    "permissions.default.microphone": 1,
    "intl.accept_languages": "zh-CN,zh",
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    "trailhead.firstrun.didSeeAboutWelcome": True,
}


class FirefoxError(AssertionError):
    """The browser refused a command, or the page threw."""


class BidiConnection:
    """Commands and their answers over one WebSocket; what the page complains about is kept."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._reader: asyncio.Task[None] | None = None
        self.console: list[str] = []

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect and begin a session."""
        session = aiohttp.ClientSession()
        try:
            socket = await session.ws_connect(url, max_msg_size=MAX_MESSAGE_BYTES)
        except BaseException:
            await session.close()
            raise
        connection = cls(session, socket)
        connection._reader = asyncio.create_task(connection._read())
        await connection.call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
        await connection.call("session.subscribe", events=["log.entryAdded"])
        return connection

    async def call(self, method: str, **parameters: Any) -> Json:
        """One command; its result."""
        number = next(self._numbers)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._socket.send_json({"id": number, "method": method, "params": parameters})
            async with asyncio.timeout(CALL_TIMEOUT_S):
                reply = await answer
        finally:
            del self._waiting[number]
        if reply.get("type") == "error":
            raise FirefoxError(f"{method}: {reply.get('error')}: {reply.get('message')}")
        return dict(reply["result"])

    async def close(self) -> None:
        """End the session; harmless when the browser is gone."""
        with contextlib.suppress(FirefoxError, OSError, TimeoutError, aiohttp.ClientError):
            if not self._socket.closed:
                await self.call("session.end")
        await self._session.close()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            body = json.loads(message.data)
            waiting = self._waiting.get(body.get("id") or 0)
            if waiting is not None and not waiting.done():
                waiting.set_result(body)
            elif body.get("method") == "log.entryAdded":
                self._log(body["params"])
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(FirefoxError("the browser closed the connection"))

    def _log(self, entry: Json) -> None:
        self.console.append(f"{entry.get('type')} {entry.get('level')}: {entry.get('text')}")


class Firefox:
    """One browser process with one page; use it with `async with`. The methods are those of `BrowserClient`."""

    def __init__(self, name: str = "Firefox") -> None:
        self.name = name
        self.version = ""
        self._profile = Path(tempfile.mkdtemp(prefix="yuanshang-firefox-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._bidi: BidiConnection | None = None
        self._context = ""

    # ---- life

    async def start(self) -> Self:
        """A fresh profile, the browser, and one page of a laptop's size with the probe installed."""
        log = self._launch()

        def address() -> str:
            assert self._process is not None
            text = log.read_text(errors="replace")
            assert self._process.poll() is None, f"Firefox ended: {text[-2000:]}"
            found = re.search(r"WebDriver BiDi listening on (ws://\S+)", text)
            return found[1] if found else ""

        url = await eventually(address, timeout_s=START_TIMEOUT_S, what="Firefox listens")
        self._bidi = await BidiConnection.open(f"{url}/session")
        tree = await self._call("browsingContext.getTree", maxDepth=0)
        self._context = str(tree["contexts"][0]["context"])
        await self._call(
            "browsingContext.setViewport",
            context=self._context,
            viewport={"width": WIDTH, "height": HEIGHT},
        )
        await self._call("script.addPreloadScript", functionDeclaration=f"() => {{ {INSTALL_JS} }}")
        self.version = str(await self.evaluate("() => navigator.userAgent.split('/').pop()"))
        return self

    async def close(self) -> None:
        """End the browser with all its processes and remove the profile."""
        if self._bidi is not None:
            await self._bidi.close()
            self._bidi = None
        if self._process is not None:
            # A session of its own: the group is the browser and its content processes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await asyncio.to_thread(self._process.wait, 10)
            self._process = None
        shutil.rmtree(self._profile, ignore_errors=True)

    async def __aenter__(self) -> Self:
        try:
            return await self.start()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _launch(self) -> Path:
        lines = [
            f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in PREFERENCES.items()
        ]
        (self._profile / "user.js").write_text("".join(lines))
        log = self._profile / "stderr.log"
        arguments = ["--headless", "--no-remote", "--remote-debugging-port", "0"]
        arguments += ["--profile", str(self._profile), "about:blank"]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [EXECUTABLE, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=os.environ | {"HOME": str(self._profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
                start_new_session=True,
            )
        return log

    # ---- reading and acting

    @property
    def console(self) -> list[str]:
        """What the page wrote to the console and threw."""
        return self._bidi.console if self._bidi is not None else []

    async def open(self, url: str) -> None:
        """Go there."""
        await self._call("browsingContext.navigate", context=self._context, url=url, wait="interactive")

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page without a user gesture; promises are awaited."""
        call = f"async () => JSON.stringify((await ({function})(...{json.dumps(list(arguments))})) ?? null)"
        reply = await self._call(
            "script.callFunction",
            functionDeclaration=call,
            awaitPromise=True,
            userActivation=False,
            target={"context": self._context},
        )
        if reply["type"] == "exception":
            raise FirefoxError(f"{self.name}: {reply['exceptionDetails'].get('text')}")
        return json.loads(reply["result"]["value"])

    async def wait_until(
        self, probe: Callable[[], Any], until: Callable[[Any], bool] = bool, *, timeout_s: float, what: str
    ) -> Any:
        """`eventually`, with what the page complained about in the error."""
        try:
            return await eventually(
                probe, until, timeout_s=timeout_s, every_s=0.1, what=f"{self.name} {what}"
            )
        except AssertionError as error:
            error.add_note(f"{self.name}, console: {self.console[-15:]}")
            raise

    async def tap(self, test_id: str, *, timeout_s: float = 20.0) -> None:
        """A real click in the middle of the element, once it is there, enabled and not covered."""

        async def ready() -> Json | None:
            box = await self.evaluate("(name) => __probe.box(name, 0)", test_id)
            return box if box and not box["disabled"] and box["hit"] else None

        box = await self.wait_until(ready, timeout_s=timeout_s, what=f"can tap {test_id}")
        pointer = [
            {"type": "pointerMove", "x": round(box["x"]), "y": round(box["y"])},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self._perform({"type": "pointer", "id": "mouse", "actions": pointer})

    async def resize(self, width: int, height: int) -> None:
        """Another window size, in CSS pixels."""
        viewport = {"width": width, "height": height}
        await self._call("browsingContext.setViewport", context=self._context, viewport=viewport)

    async def fill(self, test_id: str, text: str) -> None:
        """Replace the content of a field by typing."""
        await self.tap(test_id)
        control = "\ue009"
        keys = [
            {"type": "keyDown", "value": control},
            *self._strokes("a"),
            {"type": "keyUp", "value": control},
        ]
        await self._perform({"type": "key", "id": "keys", "actions": [*keys, *self._strokes(text)]})

    async def tiles(self) -> list[Tile]:
        """All participant tiles."""
        return [Tile.read(raw) for raw in await self.evaluate("() => __probe.tiles()")]

    async def codes_by_tile(self) -> dict[str, set[int]]:
        """Participant id → participants read from the pixels of its tile; of several tiles of one the union."""
        found: dict[str, set[int]] = {}
        for tile in await self.tiles():
            found.setdefault(tile.participant_id, set()).update(tile.codes)
        return found

    async def sees(self, wanted: Mapping[str, set[int]], *, timeout_s: float = 30.0) -> None:
        """Wait until the tiles of each of these participants show exactly the pictures of these numbers."""

        async def shown() -> dict[str, set[int]]:
            codes = await self.codes_by_tile()
            return {participant: codes.get(participant, set()) for participant in wanted}

        await self.wait_until(
            shown, lambda now: now == dict(wanted), timeout_s=timeout_s, what=f"sees {dict(wanted)}"
        )

    async def connected(self, *, timeout_s: float = 30.0) -> None:
        """Wait until the room says that it stands."""

        async def state() -> str:
            said = await self.evaluate("() => __probe.state()")
            return str(said["state"]) if said else ""

        await self.wait_until(state, lambda now: now == "connected", timeout_s=timeout_s, what="is connected")

    async def own_id(self) -> str:
        """Our participant id, from what the client kept for coming back."""
        return str(
            await self.evaluate(
                """() => {
                  for (const value of Object.values(sessionStorage)) {
                    const match = /"participant_id"\\s*:\\s*"([^"]+)"/.exec(value);
                    if (match) return match[1];
                  }
                  return "";
                }"""
            )
        )

    # ---- statistics

    async def stats(self, which: str) -> list[Json]:
        """All reports of a peer connection: "publish" or "subscribe"."""
        return list(await self.evaluate("(which) => __probe.stats(which)", which))

    async def inbound(self) -> list[Inbound]:
        """What the page receives, by participant."""
        msids = await self.evaluate("() => __probe.msids()")
        reports = [one for one in await self.stats("subscribe") if one["type"] == "inbound-rtp"]
        return [
            Inbound(msids.get(str(one.get("mid")), ""), "", one["kind"], str(one.get("mid")), one)
            for one in reports
        ]

    async def hears(self, participant_id: str, *, energy: float = 1e-4, timeout_s: float = 20.0) -> None:
        """Wait until that much more sound of somebody was heard."""

        async def heard() -> float:
            return sum(
                one.energy
                for one in await self.inbound()
                if one.kind == "audio" and one.participant_id == participant_id
            )

        before = await heard()
        await self.wait_until(
            heard,
            lambda now: now - before >= energy,
            timeout_s=timeout_s,
            what=f"hears {participant_id}",
        )

    # ---- inside

    async def _call(self, method: str, **parameters: Any) -> Json:
        assert self._bidi is not None, "not started"
        return await self._bidi.call(method, **parameters)

    async def _perform(self, source: Json) -> None:
        await self._call("input.performActions", context=self._context, actions=[source])

    @staticmethod
    def _strokes(text: str) -> list[Json]:
        return [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
