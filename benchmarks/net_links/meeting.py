"""One publisher and one viewer in real browsers with a link on the way of one of them."""

from __future__ import annotations

import abc
import asyncio
import re
from typing import Any

from benchmarks.net_links.camera import HEIGHT, WIDTH, busy_video
from benchmarks.net_links.rows import WIDE, Side
from benchmarks.net_links.watch import WATCH_JS, Notes
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.link import Link
from tests.support.media import speech_wav

_CANDIDATE = re.compile(r"^a=candidate:.*\r?\n", re.MULTILINE)
_NOWHERE = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"


def candidates_by_way_of(sdp: str, link: Link) -> str:
    """A server's SDP in which it is reached through the link only."""
    host, port = link.address
    line = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
    return _replace_candidates(sdp, line)


def without_candidates(sdp: str) -> str:
    """A browser's SDP for a server that would look for a way around the link: it finds the browser by its checks."""
    return _replace_candidates(sdp, _NOWHERE)


def _replace_candidates(sdp: str, line: str) -> str:
    """In each m-line that has any; one that has none stays as it is."""
    head, *parts = re.split(r"(?m)^(?=m=)", sdp)
    made = [head]
    for part in parts:
        made.append(_CANDIDATE.sub("", part) + (line if _CANDIDATE.search(part) else ""))
    return "".join(made)


def first_port(sdp: str) -> int:
    """The port of the first candidate."""
    found = _CANDIDATE.search(sdp)
    assert found is not None, "the server told no candidate"
    return int(found[0].split()[5])


class Meeting(abc.ABC):
    """Open it, wait until the picture is whole, watch."""

    name: str
    selector: str
    """The viewer's <video> elements."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.browsers = BrowserFactory()
        self.link: Link | None = None
        self.facts: dict[str, object] = {}

    @abc.abstractmethod
    async def enter(self, sender: BrowserClient, viewer: BrowserClient) -> None:
        """Join both, with the link on the way of `side`."""

    @abc.abstractmethod
    async def stop(self) -> None:
        """End the server."""

    async def open(self) -> None:
        """Start browsers and server, and wait until the viewer sees the whole picture."""
        video, sound = await asyncio.gather(
            asyncio.to_thread(busy_video), asyncio.to_thread(speech_wav, pause_s=0.1)
        )
        sender = await self.browsers.launch(
            name="publisher", video=video, audio=sound, screen=LAPTOP, autoplay=True
        )
        viewer = self.viewer = await self.browsers.launch(name="viewer", screen=LAPTOP, autoplay=True)
        self.sender = sender
        await self.enter(sender, viewer)
        await viewer.evaluate(WATCH_JS, self.selector)
        await viewer.wait_until(
            lambda: self.height(viewer), lambda height: height >= HEIGHT, timeout_s=60, what="sees it whole"
        )
        self.facts["subscription"] = await self._agreed(viewer)

    async def height(self, viewer: BrowserClient) -> int:
        """Of the largest picture that the viewer shows."""
        return int(
            await viewer.evaluate(
                "(selector) => Math.max(0, ...[...document.querySelectorAll(selector)].map((v) => v.videoHeight))",
                self.selector,
            )
        )

    async def now_s(self) -> float:
        """The clock of the viewer's page."""
        return float(await self.viewer.evaluate("() => performance.now() / 1000"))

    async def notes(self) -> Notes:
        """Everything noted so far."""
        return Notes.read(await self.viewer.evaluate("() => linkWatch"))

    async def _agreed(self, viewer: BrowserClient) -> dict[str, bool]:
        """What viewer and server agreed on."""
        sdp = await viewer.evaluate(
            """() => {
              const peer = (window.lightPeers || {}).subscribe || window.yuanshangDebug.subscribeConnection;
              return peer.currentLocalDescription.sdp;
            }"""
        )
        wanted = {
            "nack": r"a=rtcp-fb:\d+ nack\r",
            "rtx": r"a=rtpmap:\d+ rtx/",
            "transport-cc": r"a=rtcp-fb:\d+ transport-cc",
            "remb": r"a=rtcp-fb:\d+ goog-remb",
            "opus fec": r"useinbandfec=1",
            "opus dtx": r"usedtx=1",
        }
        return {name: re.search(pattern, sdp) is not None for name, pattern in wanted.items()}

    async def publishing(self) -> list[dict[str, Any]]:
        """Of each layer that the publisher sends: what limits it, and for how long (s) what has limited it so far."""
        return [
            {
                "height": report.get("frameHeight"),
                "active": report.get("active"),
                "limit": report.get("qualityLimitationReason"),
                "limits_s": report.get("qualityLimitationDurations"),
            }
            for report in await self.sender.outbound()
            if report["kind"] == "video"
        ]

    def open_link(self, target: tuple[str, int]) -> Link:
        """The link, wide for now."""
        self.link = Link(target, up=WIDE, down=WIDE).start()
        return self.link

    async def close(self) -> None:
        """End everything."""
        try:
            await self.browsers.close()
        finally:
            try:
                await self.stop()
            finally:
                if self.link is not None:
                    self.link.close()


CAMERA_JS = f"{{ width: {WIDTH}, height: {HEIGHT} }}"
