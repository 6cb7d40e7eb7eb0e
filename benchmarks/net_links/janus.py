"""Debian's Janus with its videoroom, between two pages of a few lines that do what its own client library does."""

import asyncio
import random
import re

import aiohttp

from benchmarks.janus import Handle, Janus
from benchmarks.net_links.meeting import (
    CAMERA_JS,
    Meeting,
    candidates_by_way_of,
    first_port,
    without_candidates,
)
from tests.support.browser import BrowserClient

# The same three sizes and rates in the same order as our client sends. With the largest first, as in Janus' library,
# Chromium gives a thin uplink to a large picture of three frames a second.
_PUBLISH_JS = f"""
async () => {{
  const stream = await navigator.mediaDevices.getUserMedia({{ audio: true, video: {CAMERA_JS} }});
  const peer = new RTCPeerConnection({{ bundlePolicy: "max-bundle" }});
  window.lightPeers = {{ publish: peer }};
  peer.addTransceiver(stream.getAudioTracks()[0], {{ direction: "sendonly", streams: [stream] }});
  const sendEncodings = [
    {{ rid: "l", maxBitrate: 150000, scaleResolutionDownBy: 4 }},
    {{ rid: "m", maxBitrate: 500000, scaleResolutionDownBy: 2 }},
    {{ rid: "h", maxBitrate: 1500000 }},
  ];
  peer.addTransceiver(stream.getVideoTracks()[0], {{ direction: "sendonly", streams: [stream], sendEncodings }});
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 20));
  return peer.localDescription.sdp;
}}
"""
_PUBLISHED_JS = """(sdp) => lightPeers.publish.setRemoteDescription({ type: "answer", sdp })"""
_SUBSCRIBE_JS = """
async (sdp) => {
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  window.lightPeers = { subscribe: peer };
  const video = document.createElement("video");
  Object.assign(video, { autoplay: true, playsInline: true, srcObject: new MediaStream() });
  video.style.width = "100%";
  document.body.append(video);
  peer.ontrack = (event) => video.srcObject.addTrack(event.track);
  await peer.setRemoteDescription({ type: "offer", sdp });
  await peer.setLocalDescription();
  while (peer.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 20));
  return peer.localDescription.sdp;
}
"""
_ROOM = {"publishers": 10, "bitrate": 20_000_000, "videocodec": "vp8", "audiocodec": "opus"}
"""Everything else is Janus' default: Opus FEC, transport-wide congestion control of publishers, no regular FIR."""


class JanusMeeting(Meeting):
    """One publisher with simulcast, one subscriber that asks for nothing in particular."""

    name = "janus"
    selector = "video"

    async def enter(self, sender: BrowserClient, viewer: BrowserClient) -> None:
        self._janus = Janus()
        await asyncio.to_thread(self._janus.start)
        self._http = aiohttp.ClientSession()
        base = self._janus.base
        for client in (sender, viewer):
            await client.open_blank(base.removesuffix("/janus"))
        room = random.randrange(1, 1 << 30)
        publisher = await Handle(self._http, base).open()
        await publisher.message({"request": "create", "permanent": False, "room": room, **_ROOM})
        offer = without_candidates(str(await sender.evaluate(_PUBLISH_JS)))
        joined = await publisher.message(
            {"request": "joinandconfigure", "ptype": "publisher", "room": room, "display": "publisher"},
            {"type": "offer", "sdp": offer, "rid_order": "lmh"},
        )
        await sender.evaluate(
            _PUBLISHED_JS, await self._way(joined["jsep"]["sdp"], is_linked=self.side == "up")
        )
        await sender.wait_until(
            lambda: sender.evaluate("() => lightPeers.publish.connectionState"),
            lambda state: state == "connected",
            timeout_s=30,
            what="is connected with Janus",
        )
        subscriber = await Handle(self._http, base).open()
        feed = joined["plugindata"]["data"]["id"]
        offered = await subscriber.message(
            {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed}]}
        )
        sdp = await self._way(offered["jsep"]["sdp"], is_linked=self.side == "down")
        answer = without_candidates(str(await viewer.evaluate(_SUBSCRIBE_JS, sdp)))
        await subscriber.message({"request": "start"}, {"type": "answer", "sdp": answer})
        self.facts["simulcast"] = sorted(set(re.findall(r"a=rid:(\w+) recv", joined["jsep"]["sdp"])))

    async def _way(self, sdp: str, *, is_linked: bool) -> str:
        if not is_linked:
            return sdp
        link = await asyncio.to_thread(self.open_link, ("127.0.0.1", first_port(sdp)))
        return candidates_by_way_of(sdp, link)

    async def stop(self) -> None:
        await self._http.close()
        await asyncio.to_thread(self._janus.stop)
