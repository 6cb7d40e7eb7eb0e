"""The npm package whip-whep in Chromium: publishes, plays, trickles candidates, restarts ICE and stops."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Response, Route

from tests.browser.meeting import enter
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.media import participant_video, speech_wav
from tests.support.probe import Picture
from tests.support.server import Server

PACKAGE = Path(__file__).parent / "node_modules" / "whip-whep"
NUMBER = 4  # coded in the sender's picture

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not PACKAGE.exists(), reason="needs `npm ci` in tests/interop"),
]

# Their clients as their own documentation uses them. Only `mend` is ours: after an ICE restart the package joins the
# candidates of the answer with commas, so that it fails at every server with more than one (here UDP and TCP).
SCRIPT = """
async () => {
  const { WHIPClient } = await import("/__package/whip.js");
  const { WHEPClient } = await import("/__package/whep.js");
  const clients = {};
  window.lightPeers = {};
  const mend = (peer) => {
    const set = peer.setRemoteDescription.bind(peer);
    peer.setRemoteDescription = ({ type, sdp }) =>
      set({ type, sdp: sdp.replaceAll("\\r\\n,a=candidate", "\\r\\na=candidate") });
    return peer;
  };
  window.package = {
    publish: async (url, token) => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
      const peer = (window.lightPeers.whip = mend(new RTCPeerConnection({ bundlePolicy: "max-bundle" })));
      for (const track of stream.getTracks())
        peer.addTransceiver(track, { direction: "sendonly", streams: [stream] });
      clients.whip = new WHIPClient();
      await clients.whip.publish(peer, url, token);
      return clients.whip.resourceURL.href;
    },
    play: async (url, token) => {
      const peer = (window.lightPeers.whep = mend(new RTCPeerConnection({ bundlePolicy: "max-bundle" })));
      const video = document.createElement("video");
      Object.assign(video, { id: "whep", autoplay: true, srcObject: new MediaStream() });
      document.body.append(video);
      peer.ontrack = (event) => video.srcObject.addTrack(event.track);
      for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction: "recvonly" });
      clients.whep = new WHEPClient();
      await clients.whep.view(peer, url, token);
      return clients.whep.resourceURL.href;
    },
    restart: (name) => clients[name].restart(),
    stop: (name) => clients[name].stop(),
    fragment: (name) => /a=ice-ufrag:(\\S+)/.exec(window.lightPeers[name].remoteDescription.sdp)[1],
    state: (name) => window.lightPeers[name].iceConnectionState,
    picture: () => {
      const video = document.getElementById("whep");
      const { videoWidth: width, videoHeight: height, paused } = video;
      return { code: __probe.readCode(video), width, height, paused, mirrored: false };
    },
  };
}
"""


class PackagePage:
    """A page with both clients of the package, and every answer of our endpoints to it."""

    def __init__(self, client: BrowserClient) -> None:
        self.client = client
        self.answers: list[tuple[str, int]] = []
        client.page.on("response", self._on_response)

    async def open(self, origin: str) -> None:
        async def serve(route: Route) -> None:
            name = route.request.url.rpartition("/")[2]
            await route.fulfill(path=PACKAGE / name, content_type="text/javascript")

        await self.client.page.route("**/__package/*.js", serve)
        await self.client.open_blank(origin)
        await self.client.evaluate(SCRIPT)

    async def call(self, name: str, *arguments: str) -> str:
        result = await self.client.evaluate(f"(...all) => package.{name}(...all)", *arguments)
        return str(result or "")

    async def frame(self) -> int:
        """Number of the coded frame that the player shows; -1 when it shows another picture or none."""
        picture = Picture.read(await self.client.evaluate("() => package.picture()"))
        return picture.code.frame if picture.code and picture.code.participant == NUMBER else -1

    async def plays(self) -> None:
        """Wait until the player shows several different frames, and its sound has energy."""
        seen: set[int] = set()

        async def watched() -> bool:
            seen.add(await self.frame())
            return len(seen - {-1}) >= 5

        await self.client.wait_until(watched, timeout_s=30, what="plays")
        before = await self._energy()

        async def louder() -> float:
            return await self._energy() - before

        await self.client.wait_until(louder, lambda more: more > 1e-4, timeout_s=20, what="hears")

    async def restart(self, name: str) -> None:
        """ICE restart over PATCH; wait until it took effect."""
        old = await self.call("fragment", name)
        await self.call("restart", name)
        assert await self.call("fragment", name) != old
        await self.client.wait_until(
            lambda: self.call("state", name),
            lambda now: now in ("connected", "completed"),
            timeout_s=20,
            what=f"{name} is connected again",
        )

    def statuses(self, method: str) -> list[int]:
        return [status for each, status in self.answers if each == method]

    async def _energy(self) -> float:
        reports = await self.client.stats("whep")
        return sum(float(one.get("totalAudioEnergy") or 0) for one in reports if one["type"] == "inbound-rtp")

    def _on_response(self, response: Response) -> None:
        if "/whip/" in response.url or "/whep/" in response.url:
            self.answers.append((response.request.method, response.status))


async def test_publishes_plays_restarts_and_stops(
    server: Server, consultation: str, browsers: BrowserFactory
) -> None:
    room = await browsers.launch(name="room")
    await room.open(server.room_url(consultation, server.token(consultation, "member", "会场")))
    await enter(room)

    video = await asyncio.to_thread(participant_video, NUMBER, (640, 360), 15, 4.0)
    speech = await asyncio.to_thread(speech_wav)
    # A page without a user: its sound must start by itself, and a muted element would have no energy to measure.
    page = PackagePage(await browsers.launch(name="whip-whep", video=video, audio=speech, autoplay=True))
    await page.open(server.url)
    token = server.token(consultation, "member", "编码器")
    resource = await page.call("publish", f"{server.url}/whip/{consultation}", token)
    sender = resource.rpartition("/")[2]
    await room.sees({sender: NUMBER}, timeout_s=30)
    await room.hears(sender)

    await page.call("play", f"{server.url}/whep/{consultation}/{sender}", token)
    await page.plays()
    for name in ("whip", "whep"):
        await page.restart(name)
        await page.plays()

    await page.call("stop", "whep")
    assert sender in await room.codes_by_tile()
    await page.call("stop", "whip")

    async def gone() -> bool:
        return sender not in await room.codes_by_tile()

    await room.wait_until(gone, what="the tile of who stopped is gone")
    assert page.statuses("POST") == [201, 201]
    assert page.statuses("DELETE") == [200, 200]
    assert set(page.statuses("PATCH")) == {200, 204}
    assert page.statuses("PATCH").count(200) == 2  # the restarts; the others trickle candidates
    page.client.assert_quiet()
    room.assert_quiet()
