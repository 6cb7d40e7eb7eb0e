"""A consultation that the public watches: somebody with picture and sound, who goes live, speaks, is cut off, ends."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.browser.scenes_floor import AGENDA
from tests.support.browser import BrowserClient
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import vp8_clip
from tests.support.server import Server

TITLE = "推进县域养老服务高质量发展"
PROMOTED = "村里老人不会用手机，助餐点能不能接受现金？"


@dataclass
class Airing:
    """The chair is the only one in the room, has the camera on and speaks."""

    server: Server
    consultation: str
    chair: RoomClient

    def url(self, query: str = "") -> str:
        return f"{self.server.url}/live/{self.consultation}{query}"

    async def post(self, path: str) -> None:
        """As the chair, by REST."""
        token = self.server.token(self.consultation, "chair", "刘主持")
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/consultations/{self.consultation}/{path}",
            method="POST",
            headers={"Authorization": f"Bearer {token}"},
        )
        await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=20).close())

    async def set_agenda(self) -> None:
        fields = ("kind", "title", "planned_minutes", "speaker")
        items: list[dict[str, Any]] = [dict(zip(fields, item, strict=True)) for item in AGENDA]
        items.insert(3, {"kind": "promotion", "title": PROMOTED, "speaker": "市民政局"})
        await self.chair.request("agenda.set", {"items": items})

    async def step(self) -> None:
        await self.chair.request("agenda.next", {})

    async def speak(self) -> None:
        await self.chair.request("floor.grant", {"participant_id": self.chair.participant_id})


@asynccontextmanager
async def airing(server: Server, *, agenda: bool = True) -> AsyncIterator[Airing]:
    """Scheduled, not live yet."""
    consultation = server.create_consultation(TITLE)
    token = server.token(consultation, "chair", "刘主持", "主会场")
    chair = RoomClient(server.url, token, receive=False)
    await chair.connect()
    try:
        frames = await asyncio.to_thread(vp8_clip, 1)
        await chair.publish(
            [AudioSource(level_db=25), VideoSource(fps=15, frames=frames)], names=["microphone", "camera"]
        )
        staged = Airing(server, consultation, chair)
        if agenda:
            await staged.set_agenda()
        yield staged
    finally:
        await chair.close()


STATE_JS = """() => {
  const box = document.querySelector('[data-testid="live-player"]')
  const video = document.querySelector("video")
  const number = (text) => (text === undefined ? null : Number(text))
  return {
    phase: document.querySelector("main")?.dataset.phase ?? null,
    how: box?.dataset.how ?? null,
    playing: box?.dataset.playing === "true",
    program_ms: number(box?.dataset.programMs),
    at_s: video?.currentTime ?? null,
    source: video?.currentSrc ?? "",
    has_source: video?.hasAttribute("src") ?? false,
    muted: video?.muted ?? null,
    width: video?.videoWidth ?? 0,
    shown: video?.checkVisibility() ?? false,
    heard: video?.webkitAudioDecodedByteCount ?? 0,
  }
}"""


async def state(viewer: BrowserClient) -> dict[str, Any]:
    """What the public page shows now."""
    return dict(await viewer.evaluate(STATE_JS))


async def reaches(viewer: BrowserClient, phase: str, *, timeout_s: float = 45.0) -> dict[str, Any]:
    """Wait until the page shows this face."""
    found = await viewer.wait_until(
        lambda: state(viewer), lambda now: now["phase"] == phase, timeout_s=timeout_s, what=f"is {phase}"
    )
    return dict(found)


async def plays(viewer: BrowserClient, *, for_s: float = 1.0, timeout_s: float = 60.0) -> dict[str, Any]:
    """Wait until so much was played without a seek back; gives the state then."""
    first = await viewer.wait_until(
        lambda: state(viewer),
        lambda now: now["playing"] and now["at_s"] > 0,
        timeout_s=timeout_s,
        what="plays",
    )
    found = await viewer.wait_until(
        lambda: state(viewer),
        lambda now: now["playing"] and now["at_s"] >= first["at_s"] + for_s,
        timeout_s=timeout_s,
        what="goes on playing",
    )
    return dict(found)
