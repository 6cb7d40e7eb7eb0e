"""One browser of several that meets the server's media through a link, without its page knowing of it."""

import json

from tests.support.browser import BrowserClient
from tests.support.link import Link

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


async def by_the_link(client: BrowserClient, host: str, link: Link) -> None:
    """Before its page is opened: what the server says of its address `host` is told as the link's."""
    await client.context.add_init_script(_BY_THE_LINK_JS.replace("ADDRESSES", json.dumps([host, link.host])))
