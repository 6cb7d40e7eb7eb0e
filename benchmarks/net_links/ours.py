"""Our server and its room page, as people have them."""

import asyncio

from benchmarks.net_links.meeting import Meeting
from tests.browser.meeting import enter
from tests.support.browser import BrowserClient
from tests.support.by_the_link import by_the_link
from tests.support.server import Server

_HOST = "127.0.0.1"


class OurMeeting(Meeting):
    """The chair publishes, an observer looks on."""

    name = "ours"
    selector = '[data-testid="participant-tile"] video'

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

    async def stop(self) -> None:
        await asyncio.to_thread(self._server.close)
