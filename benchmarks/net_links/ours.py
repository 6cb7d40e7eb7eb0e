"""Our server and its room page, as people have them."""

import asyncio
import json

from benchmarks.net_links.meeting import Meeting
from tests.browser.meeting import enter
from tests.support.browser import BrowserClient
from tests.support.server import Server

_HOST = "127.0.0.1"

# The page meets the link without knowing it: the server's address stands for the link's in what it is told.
_BY_THE_LINK_JS = """
(() => {
  const [from, to] = ADDRESSES;
  const take = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const lines = (description?.sdp ?? "").split("\\r\\n");
    const sdp = lines.map((line) => (line.startsWith("a=candidate:") ? line.replace(` ${from} `, ` ${to} `) : line));
    return take.call(this, { type: description.type, sdp: sdp.join("\\r\\n") });
  };
})()
"""


class OurMeeting(Meeting):
    """The chair publishes, an observer looks on."""

    name = "ours"
    selector = '[data-testid="participant-tile"] video'

    async def enter(self, sender: BrowserClient, viewer: BrowserClient) -> None:
        self._server = server = Server(host=_HOST)
        await asyncio.to_thread(server.start)
        link = await asyncio.to_thread(self.open_link, (_HOST, server.media_port))
        linked = sender if self.side == "up" else viewer
        await linked.context.add_init_script(
            _BY_THE_LINK_JS.replace("ADDRESSES", json.dumps([_HOST, link.host]))
        )
        consultation = await asyncio.to_thread(server.create_consultation)
        for client, role in ((sender, "chair"), (viewer, "observer")):
            await client.open(server.room_url(consultation, server.token(consultation, role, client.name)))
            await enter(client)

    async def stop(self) -> None:
        await asyncio.to_thread(self._server.close)
