"""Real Chromium, one process a participant, with its own fake camera and microphone.

Pages are read and driven without giving them a user gesture that no user made: reading goes through a devtools
session with `userGesture: false`, tapping through real input events. (Playwright's own `evaluate` and locators count as
gestures and would unlock the playing of sound, which is one of the things to test.)
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from playwright.async_api import Browser as Chromium
from playwright.async_api import (
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    Page,
    Playwright,
    ViewportSize,
    WebSocket,
    async_playwright,
)
from playwright.async_api import Error as PlaywrightError

from tests.support.eventually import eventually
from tests.support.probe import INSTALL_JS, Inbound, Tile

Json = dict[str, Any]
Permission = Literal["grant", "fake-ui", "ask"]

EXECUTABLE = "/usr/bin/chromium"
SILENCE = 1e-5
"""Growth of the sound energy per second (square of full scale) below which nobody hears anything."""
ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "web_client" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Mobile Safari/537.36 "
).strip()


@dataclass(frozen=True)
class Screen:
    """Size and kind of a device."""

    width: int
    height: int
    scale: float = 1.0
    phone: bool = False

    @property
    def turned(self) -> "Screen":
        """The same held the other way."""
        return Screen(self.height, self.width, self.scale, self.phone)


LAPTOP = Screen(1280, 800)
WALL = Screen(1920, 1080)
PHONE = Screen(390, 844, 2.0, True)


class BrowserError(AssertionError):
    """The page threw, or what was looked for is not there."""


class BrowserClient:
    """One browser process with one page."""

    def __init__(
        self, name: str, chromium: Chromium, context: BrowserContext, page: Page, devtools: CDPSession
    ) -> None:
        self.name = name
        self.chromium, self.context, self.page = chromium, context, page
        self._devtools = devtools
        self.console: list[str] = []
        self.console_errors: list[str] = []
        self.page_errors: list[str] = []
        self.tracks: list[Json] = []  # the last media.offer's table
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.on("websocket", self._on_websocket)

    @classmethod
    async def launch(
        cls,
        playwright: Playwright,
        *,
        name: str = "",
        video: Path | None = None,
        audio: Path | None = None,
        screen: Screen = LAPTOP,
        permission: Permission = "grant",
        autoplay: bool = False,
        share_title: str = "",
        flags: Sequence[str] = (),
        locale: str = "zh-CN",
        ignore_https_errors: bool = False,
        executable: str | Path = EXECUTABLE,
    ) -> Self:
        """Start. `permission` "grant" is a user who allowed camera and microphone before, "fake-ui" the browser's
        skipping of the question, "ask" leaves the question open. `share_title` chooses the tab for screen sharing."""
        arguments = [*FLAGS, *flags]
        if video is not None:
            arguments.append(f"--use-file-for-fake-video-capture={video}")
        if audio is not None:
            arguments.append(f"--use-file-for-fake-audio-capture={audio}")
        if permission == "fake-ui":
            arguments.append("--use-fake-ui-for-media-stream")
        if autoplay:
            arguments.append("--autoplay-policy=no-user-gesture-required")
        if share_title:
            arguments.append(f"--auto-select-tab-capture-source-by-title={share_title}")
        chromium = await playwright.chromium.launch(executable_path=executable, args=arguments)
        context = await chromium.new_context(
            viewport=ViewportSize(width=screen.width, height=screen.height),
            device_scale_factor=screen.scale,
            is_mobile=screen.phone,
            has_touch=screen.phone,
            user_agent=ANDROID.format(chromium.version) if screen.phone else None,
            locale=locale,
            timezone_id="Asia/Shanghai",
            ignore_https_errors=ignore_https_errors,
        )
        if permission == "grant":
            await context.grant_permissions(["camera", "microphone"])
        await context.add_init_script(INSTALL_JS)
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        return cls(name, chromium, context, page, devtools)

    def _on_console(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text}"
        self.console.append(line)
        if message.type == "error":
            self.console_errors.append(message.text)

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._on_frame)

    def _on_frame(self, payload: str | bytes) -> None:
        if isinstance(payload, str) and '"media.offer"' in payload:
            start = payload.find('["media.offer"')
            if start >= 0:
                self.tracks = json.loads(payload[start:])[1].get("tracks", [])

    # ---- reading and acting

    async def open(self, url: str) -> None:
        """Go there."""
        await self.page.goto(url, wait_until="domcontentloaded")

    async def open_blank(self, origin: str) -> None:
        """An empty page on the server's origin, for tests that need no client of ours."""
        address = f"{origin}/__blank"
        html = "<!doctype html><title>blank</title><body></body>"
        await self.page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
        await self.open(address)

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function in the page without a user gesture; promises are awaited. BrowserError when it
        throws, or when the page goes elsewhere meanwhile: who waits for something asks again."""
        call = f"({function})(...{json.dumps(list(arguments))})"
        try:
            reply = await self._devtools.send(
                "Runtime.evaluate",
                {"expression": call, "awaitPromise": True, "returnByValue": True, "userGesture": False},
            )
        except PlaywrightError as error:
            if "Inspected target navigated" not in str(error):
                raise
            raise BrowserError(f"{self.name}: the page went elsewhere") from error
        if "exceptionDetails" in reply:
            details = reply["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details.get("text")
            raise BrowserError(f"{self.name}: {text}")
        return reply["result"].get("value")

    async def wait_until(
        self,
        probe: Callable[..., Any],
        until: Callable[[Any], object] = bool,
        *,
        timeout_s: float = 15.0,
        what: str = "",
    ) -> Any:
        """`eventually`, of a plain or async probe, with what the page complained about in the error."""
        try:
            return await eventually(
                probe, until, timeout_s=timeout_s, every_s=0.1, what=f"{self.name} {what}"
            )
        except AssertionError as error:
            error.add_note(f"{self.name} at {self.page.url.partition('#')[0]}, console: {self.console[-15:]}")
            error.add_note(f"page errors: {self.page_errors}")
            raise

    async def count(self, test_id: str) -> int:
        """Visible elements of that test id."""
        return int(await self.evaluate("(name) => __probe.count(name)", test_id))

    async def tap(self, test_id: str, nth: int = 0, *, timeout_s: float = 15.0) -> None:
        """A real click or touch in the middle of the element, once it is there, enabled, at rest and not covered."""
        before: Json | None = None

        async def ready() -> Json | None:
            nonlocal before
            last, before = before, await self.evaluate("(name, nth) => __probe.box(name, nth)", test_id, nth)
            at_rest = (
                before is not None
                and last is not None
                and (before["x"], before["y"]) == (last["x"], last["y"])
            )
            return before if before and at_rest and not before["disabled"] and before["hit"] else None

        box = await self.wait_until(ready, timeout_s=timeout_s, what=f"can tap {test_id}")
        assert box is not None
        if await self.evaluate("() => navigator.maxTouchPoints > 0"):
            await self.page.touchscreen.tap(box["x"], box["y"])
        else:
            await self.page.mouse.click(box["x"], box["y"])

    async def fill(self, test_id: str, text: str) -> None:
        """Replace the content of a field by typing."""
        await self.tap(test_id)
        await self.page.keyboard.press("ControlOrMeta+A")
        await self.page.keyboard.insert_text(text)

    async def tiles(self) -> list[Tile]:
        """All participant tiles."""
        return [Tile.read(raw) for raw in await self.evaluate("() => __probe.tiles()")]

    async def codes_by_tile(self) -> dict[str, set[int]]:
        """Participant id → participants read from the pixels of its tile; of several tiles of one the union."""
        found: dict[str, set[int]] = {}
        for tile in await self.tiles():
            found.setdefault(tile.participant_id, set()).update(tile.codes)
        return found

    async def sees(self, wanted: Mapping[str, int], *, timeout_s: float = 20.0) -> None:
        """Wait until the tile of each of these participants shows the picture of that number."""

        async def all_there() -> bool:
            codes = await self.codes_by_tile()
            assert all(number in codes.get(participant, set()) for participant, number in wanted.items()), (
                codes
            )
            return True

        await self.wait_until(all_there, timeout_s=timeout_s, what=f"sees {dict(wanted)}")

    async def connection_state(self) -> Json | None:
        """What the element `connection-state` says: its text and data attributes."""
        state = await self.evaluate("() => __probe.state()")
        return dict(state) if state else None

    # ---- statistics

    async def stats(self, which: str) -> list[Json]:
        """All reports of a peer connection: "publish", "subscribe", or a name of the mini client."""
        return list(await self.evaluate("(which) => __probe.stats(which)", which))

    async def inbound(self) -> list[Inbound]:
        """What the page receives, by participant."""
        by_mid = {str(track["mid"]): track for track in self.tracks}
        msids = {} if by_mid else await self.evaluate("() => __probe.msids()")
        found = []
        for report in await self.stats("subscribe"):
            if report["type"] == "inbound-rtp":
                mid = str(report.get("mid", ""))
                track = by_mid.get(mid, {})
                participant = track.get("participant_id") or msids.get(mid, "")
                found.append(Inbound(participant, track.get("source", ""), report["kind"], mid, report))
        return found

    async def outbound(self) -> list[Json]:
        """Reports of what the page sends."""
        return [report for report in await self.stats("publish") if report["type"] == "outbound-rtp"]

    async def sound_energy(self) -> dict[str, float]:
        """Participant id → sound energy heard so far."""
        heard: dict[str, float] = {}
        for stream in await self.inbound():
            if stream.kind == "audio":
                heard[stream.participant_id] = heard.get(stream.participant_id, 0.0) + stream.energy
        return heard

    async def hears(self, participant_id: str, *, energy: float = 1e-4, timeout_s: float = 20.0) -> None:
        """Wait until that much more sound of somebody was heard."""
        before = (await self.sound_energy()).get(participant_id, 0.0)

        async def louder() -> float:
            return (await self.sound_energy()).get(participant_id, 0.0) - before

        await self.wait_until(
            louder, lambda more: more >= energy, timeout_s=timeout_s, what=f"hears {participant_id}"
        )

    async def loudness(self, participant_id: str, *, over_s: float = 2.0) -> float:
        """Growth of the sound energy of somebody per second, watched for a while."""
        before = (await self.sound_energy()).get(participant_id, 0.0)
        await asyncio.sleep(over_s)
        return ((await self.sound_energy()).get(participant_id, 0.0) - before) / over_s

    async def hears_no_more(self, participant_id: str, *, timeout_s: float = 10.0) -> None:
        """Wait until nothing of somebody is heard for a second: what was under way is still played first."""
        await self.wait_until(
            lambda: self.loudness(participant_id, over_s=1),
            lambda loud: loud < SILENCE,
            timeout_s=timeout_s,
            what=f"hears {participant_id} no more",
        )

    # ---- looks

    async def screenshot(self, name: str, folder: Path | None = None) -> Path:
        """A picture of the page in build/screenshots (or `folder`)."""
        path = (folder or ROOT / "build" / "screenshots") / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path)
        return path

    async def axe(self, *, impacts: Sequence[str] = ("serious", "critical")) -> list[str]:
        """Accessibility violations of these impacts, one line each; not of a colour on its way to another."""
        await self.evaluate(
            """() => Promise.allSettled(
              document.getAnimations()
                .filter((each) => each.playState === "running")
                .filter((each) => Number.isFinite(each.effect?.getComputedTiming().endTime))
                .map((each) => each.finished))"""
        )
        await self.evaluate("(source) => { (0, eval)(source); }", AXE.read_text())
        result = await self.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{violation['impact']} {violation['id']}: {violation['help']} — {node['html'][:200]}"
            for violation in result["violations"]
            if violation["impact"] in impacts
            for node in violation["nodes"]
        ]

    async def horizontal_overflow(self) -> int:
        """CSS pixels by which the page is wider than the window."""
        return int(await self.evaluate("() => __probe.overflow()"))

    async def resize(self, screen: Screen) -> None:
        """Another window size, or a turned phone."""
        await self.page.set_viewport_size(ViewportSize(width=screen.width, height=screen.height))

    async def offline(self, on: bool) -> None:
        """Cut or mend the page's HTTP and sockets (not its media: use a link for that)."""
        await self.context.set_offline(on)

    async def own_id(self) -> str:
        """Our participant id, from the tile that is marked as our own or from what the client kept."""
        found = await self.evaluate(
            """() => {
              const own = document.querySelector('[data-testid="participant-tile"][data-self="true"]');
              if (own) return own.dataset.participantId;
              for (const value of Object.values(sessionStorage)) {
                const match = /"participant_id"\\s*:\\s*"([^"]+)"/.exec(value);
                if (match) return match[1];
              }
              return "";
            }"""
        )
        return str(found)

    async def join_time_ms(self) -> float | None:
        """From the click on join to the first picture of somebody else; `watch_join` before."""
        times = await self.evaluate("() => __probe.join")
        if times["clicked"] is None or times["picture"] is None:
            return None
        return float(times["picture"] - times["clicked"])

    async def watch_join(self) -> None:
        """Start to measure the join time."""
        await self.evaluate("() => __probe.watchJoin()")

    def assert_quiet(self, *, allowed: str = r"favicon|Failed to load resource") -> None:
        """No error on the console but the allowed ones, and nothing thrown."""
        errors = [line for line in self.console_errors if not re.search(allowed, line)]
        assert not errors, f"{self.name}: console errors {errors}"
        assert not self.page_errors, f"{self.name}: page errors {self.page_errors}"

    async def close(self) -> None:
        """End the process."""
        await self.chromium.close()


class BrowserFactory:
    """Starts browsers and ends them all."""

    def __init__(self) -> None:
        self._manager = async_playwright()
        self._playwright: Playwright | None = None
        self.clients: list[BrowserClient] = []

    async def launch(self, **options: Any) -> BrowserClient:
        """See `BrowserClient.launch`."""
        if self._playwright is None:
            self._playwright = await self._manager.start()
        client = await BrowserClient.launch(self._playwright, **options)
        self.clients.append(client)
        return client

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(client.close() for client in self.clients), return_exceptions=True)
        self.clients.clear()
        if self._playwright is not None:
            await self._playwright.stop()
            self._playwright = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
