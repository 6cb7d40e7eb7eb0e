"""A page of somebody else's publishes by WHIP from Chromium: the room sees and hears it under its label."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser.meeting import enter
from tests.browser.settled import reads
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
CAMERA, SECOND, VIEWER = 4, 6, 1  # the numbers coded in the pictures

# All there is to RFC 9725 for who only publishes: one offer with all candidates, one answer, and DELETE.
SCRIPT = """() => {
  let session = null
  window.whip = {
    async publish(url, token) {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } })
      const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" })
      for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendonly" })
      await peer.setLocalDescription()
      await new Promise((done) => {
        peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done()
        if (peer.iceGatheringState === "complete") done()
        setTimeout(done, 2000)
      })
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
        body: peer.localDescription.sdp,
      })
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
      await peer.setRemoteDescription({ type: "answer", sdp: await response.text() })
      session = { peer, token, place: response.headers.get("Location") }
      return session.place
    },
    state: () => session.peer.connectionState,
    async stop() {
      const { peer, token, place } = session
      const response = await fetch(place, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } })
      peer.close()
      return response.status
    },
  }
}"""


async def page(
    browsers: BrowserFactory, server: Server, name: str, number: int, audio: Path
) -> BrowserClient:
    """A page without any client of ours, with a camera and a microphone."""
    video = await asyncio.to_thread(participant_video, number, (640, 360), 15, 4.0)
    client = await browsers.launch(name=name, video=video, audio=audio, screen=LAPTOP)
    await client.open_blank(server.url)
    await client.evaluate(SCRIPT)
    return client


async def publishes(client: BrowserClient, server: Server, cid: str, label: str, token: str) -> str:
    """Sent under that label; the participant's id."""
    place = await client.evaluate(
        "(url, token) => window.whip.publish(url, token)", f"/whip/{cid}?label={quote(label)}", token
    )
    await client.wait_until(
        lambda: client.evaluate("() => window.whip.state()"),
        lambda state: state == "connected",
        what="is connected",
    )
    return str(place).rpartition("/")[2]


async def test_pages_that_publish_are_seen_and_heard_under_their_labels(
    server: Server, browsers: BrowserFactory
) -> None:
    cid = server.create_consultation("推进县域养老服务高质量发展")
    speech = await asyncio.to_thread(speech_wav)
    token = server.token(cid, "venue_operator", "青禾县分会场", "青禾县分会场")
    first = await page(browsers, server, "first", CAMERA, speech)
    second = await page(browsers, server, "second", SECOND, speech)
    own = await asyncio.to_thread(participant_video, VIEWER, (640, 360), 15, 4.0)
    viewer = await browsers.launch(name="viewer", video=own, screen=LAPTOP)
    member = server.token(cid, "member", "陈委员")
    await viewer.open(f"{server.url}/room/{cid}#token={member}")
    await enter(viewer)

    hall = await publishes(first, server, cid, "主席台机位", token)
    seats = await publishes(second, server, cid, "观众席机位", token)
    await viewer.sees({hall: CAMERA, seats: SECOND})
    for participant_id, label in ((hall, "主席台机位"), (seats, "观众席机位")):
        words = await viewer.evaluate(
            "(id) => document.querySelector(`[data-testid=participant-tile][data-participant-id='${id}']`).innerText",
            participant_id,
        )
        assert label in words
    await viewer.hears(hall)
    await viewer.hears(seats)

    assert await second.evaluate("() => window.whip.stop()") == 200

    async def one_left() -> bool:
        return seats not in await viewer.codes_by_tile()

    await viewer.wait_until(one_left, what="shows the second no more")
    await viewer.sees({hall: CAMERA})
    await reads(viewer, "主席台机位")
