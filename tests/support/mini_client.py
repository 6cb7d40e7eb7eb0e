"""A page of some forty lines that publishes by WHIP and plays by WHEP with bare RTCPeerConnections."""

from typing import Any

from tests.support.browser import BrowserClient
from tests.support.probe import Picture

SCRIPT = """
(() => {
  if (window.lightClient) return;
  const peers = (window.lightPeers = {});
  const locations = {};
  const exchange = async (name, peer, url, token) => {
    await peer.setLocalDescription();
    const headers = { "Content-Type": "application/sdp" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await fetch(url, { method: "POST", headers, body: peer.localDescription.sdp });
    const body = await response.text();
    if (!response.ok) throw new Error(`${url}: ${response.status} ${body}`);
    locations[name] = { url: new URL(response.headers.get("Location") || "", response.url).href, headers };
    await peer.setRemoteDescription({ type: "answer", sdp: body });
    return locations[name].url;
  };
  const prefer = (transceiver, kind, codec) => {
    if (!codec || kind !== "video") return;
    const all = RTCRtpReceiver.getCapabilities(kind).codecs;
    const wanted = all.filter((c) => c.mimeType === `video/${codec}` || c.mimeType === "video/rtx");
    transceiver.setCodecPreferences(wanted);
  };
  window.lightClient = {
    publish: async (name, url, token, constraints, codec) => {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      const peer = (peers[name] = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
      for (const track of stream.getTracks())
        prefer(peer.addTransceiver(track, { direction: "sendonly", streams: [stream] }), track.kind, codec);
      return exchange(name, peer, url, token);
    },
    play: async (name, url, token, codec) => {
      const peer = (peers[name] = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
      const video = document.createElement("video");
      Object.assign(video, { id: name, autoplay: true, muted: true, playsInline: true, srcObject: new MediaStream() });
      document.body.append(video);
      peer.ontrack = (event) => video.srcObject.addTrack(event.track);
      for (const kind of ["audio", "video"])
        prefer(peer.addTransceiver(kind, { direction: "recvonly" }), kind, codec);
      return exchange(name, peer, url, token);
    },
    remove: async (name) => {
      const { url, headers } = locations[name];
      const response = await fetch(url, { method: "DELETE", headers });
      peers[name].close();
      return response.status;
    },
    picture: (name) => {
      const video = document.getElementById(name);
      const { videoWidth: width, videoHeight: height, paused } = video;
      return { code: __probe.readCode(video), width, height, paused, mirrored: false };
    },
    state: (name) => peers[name].connectionState,
  };
})
"""
DEFAULT_CONSTRAINTS = {"audio": True, "video": {"width": 640, "height": 360}}


class MiniClient:
    """Drives the script in a browser's blank page."""

    def __init__(self, browser: BrowserClient) -> None:
        self.browser = browser

    async def open(self, origin: str) -> None:
        """A blank page on that origin with the script in it."""
        await self.browser.open_blank(origin)
        await self.browser.evaluate(SCRIPT)

    async def publish(
        self, name: str, url: str, token: str = "", *, constraints: Any = None, codec: str = ""
    ) -> str:
        """Send the fake camera and microphone; gives the Location. The participant id is its last part."""
        call = "(...arguments) => lightClient.publish(...arguments)"
        wanted = constraints or DEFAULT_CONSTRAINTS
        return str(await self.browser.evaluate(call, name, url, token, wanted, codec))

    async def play(self, name: str, url: str, token: str = "", *, codec: str = "") -> str:
        """Receive into a <video>; gives the Location."""
        call = "(...arguments) => lightClient.play(...arguments)"
        return str(await self.browser.evaluate(call, name, url, token, codec))

    async def picture(self, name: str) -> Picture:
        """What a player shows."""
        return Picture.read(await self.browser.evaluate("(name) => lightClient.picture(name)", name))

    async def shows(self, name: str, participant: int, *, timeout_s: float = 20.0) -> None:
        """Wait until a player shows the coded picture of `participant`."""

        async def code() -> int | None:
            picture = await self.picture(name)
            return picture.code.participant if picture.code else None

        await self.browser.wait_until(
            code, lambda seen: seen == participant, timeout_s=timeout_s, what=f"{name} shows {participant}"
        )

    async def state(self, name: str) -> str:
        """connectionState."""
        return str(await self.browser.evaluate("(name) => lightClient.state(name)", name))

    async def remove(self, name: str) -> int:
        """DELETE the resource; gives the status."""
        return int(await self.browser.evaluate("(name) => lightClient.remove(name)", name))
