"""Our server and its room page, as people have them."""

import asyncio
import contextlib
from typing import Any

import aiohttp

from benchmarks.net_links.meeting import Meeting
from tests.browser.meeting import enter
from tests.support.browser import BrowserClient
from tests.support.by_the_link import by_the_link
from tests.support.server import Server

_HOST = "127.0.0.1"
_LOOK_S = 0.5


class OurMeeting(Meeting):
    """The chair publishes, an observer looks on."""

    name = "ours"
    selector = '[data-testid="participant-tile"] video'
    _watch: asyncio.Task[None] | None = None

    async def enter(self, sender: BrowserClient, viewer: BrowserClient) -> None:
        self._server = server = Server(host=_HOST)
        await asyncio.to_thread(server.start)
        link = await asyncio.to_thread(self.open_link, (_HOST, server.media_port))
        linked = sender if self.side == "up" else viewer
        await by_the_link(linked, _HOST, link)
        consultation = await asyncio.to_thread(server.create_consultation)
        for client, role in ((sender, "chair"), (viewer, "observer")):
            await client.open(server.room_url(consultation, server.token(consultation, role, client.name)))
            await enter(client)
        self._watch = asyncio.create_task(self._inspect(consultation, await viewer.own_id()))

    async def _inspect(self, consultation: str, viewer_id: str) -> None:
        """Note what the room inspector says of the viewer, twice a second: when (the clock of its page, s), estimate
        and what came out (kbit/s), state of the way, round trip (ms), and layer, height, temporal layer and reason of
        its picture."""
        noted: list[Any] = []
        self.facts["inspected"] = noted
        headers = {"Authorization": f"Bearer {self._server.token(consultation, 'secretariat', 'inspector')}"}
        url = f"{self._server.url}/api/v1/consultations/{consultation}/inspector"
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                async with session.get(url, params={"of": viewer_id}) as response:
                    people = (await response.json())["participants"]
                for one in people:
                    if one["id"] != viewer_id:
                        continue
                    pictures = [each for each in one["receives"] or () if each["kind"] == "video"]
                    way = (one["estimate_bps"] or 0) // 1000, (one["delivered_bps"] or 0) // 1000, one["link"]
                    shown = [
                        (each["layer"], each["height"], each["temporal"], each["reason"]) for each in pictures
                    ]
                    noted.append((round(await self.now_s(), 1), *way, one["rtt_ms"], *shown))
                await asyncio.sleep(_LOOK_S)

    async def close(self) -> None:
        """The watch first: it asks a page and the server."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await super().close()

    async def stop(self) -> None:
        await asyncio.to_thread(self._server.close)
