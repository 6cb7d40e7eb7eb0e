"""A venue that is checked in a browser: its operator, and the room between its loudspeakers and its microphone.

Chromium's fake microphone hears no loudspeaker, so the air between the two is put into the page: what the page plays
comes back a moment later, quieter, in the microphone that it opens. With echo cancellation asked for it comes back
quieter still, by as much as a canceller of that hall would take away. So the page's own measuring is tested on real
sound; how well Chromium's canceller works is not.
"""

from __future__ import annotations

import json
from typing import Any

from tests.browser.office import Office
from tests.support.browser import BrowserClient
from tests.support.server import Server

Json = dict[str, Any]
HALL = "青禾县分会场"
ITEMS = (
    "camera",
    "light",
    "microphone",
    "loudspeaker",
    "echo",
    "network",
    "clock",
    "projection",
    "nameplate",
)

# `loud`: of what is played, how much the microphone hears; `residual`: how much of that cancellation leaves.
AIR_JS = """(loud, residual) => {
  if (!navigator.mediaDevices) return // a blank page
  const air = (window.air = { loud, residual })
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
  const connect = AudioNode.prototype.connect
  const played = new WeakMap()
  let hall = null
  const microphones = new Set()
  const playing = []
  const hears = (stream, microphone) => {
    const way = new DelayNode(hall, { delayTime: 0.04 })
    const gain = new GainNode(hall, { gain: microphone.gain() })
    hall.createMediaStreamSource(stream).connect(way)
    connect.call(way, gain)
    connect.call(gain, microphone.out)
  }
  AudioNode.prototype.connect = function (target, ...rest) {
    const result = connect.call(this, target, ...rest)
    if (target !== this.context.destination || this.context === hall) return result
    let out = played.get(this.context)
    if (!out) {
      played.set(this.context, (out = this.context.createMediaStreamDestination()))
      playing.push(out.stream)
      for (const each of microphones) hears(out.stream, each)
    }
    connect.call(this, out)
    return result
  }
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await real(wish)
    if (!wish.audio) return stream
    hall ??= new AudioContext()
    const out = hall.createMediaStreamDestination()
    const voice = new GainNode(hall)
    // The operator speaks when the page asks for it, and keeps quiet when it asks for that.
    const quiet = ['loudspeaker', 'echo'].includes(document.querySelector('[data-testid=precheck-now]')?.dataset.item)
    voice.gain.value = quiet ? 0 : 1
    connect.call(hall.createMediaStreamSource(stream), voice)
    connect.call(voice, out)
    const cancelled = wish.audio.echoCancellation === true
    const microphone = { out, gain: () => air.loud * (cancelled ? air.residual : 1) }
    microphones.add(microphone)
    for (const each of playing) hears(each, microphone)
    const [track] = out.stream.getAudioTracks()
    const stop = track.stop.bind(track)
    track.stop = () => {
      microphones.delete(microphone)
      for (const each of stream.getTracks()) each.stop()
      stop()
    }
    return out.stream
  }
}"""


class Hall:
    """A venue of a consultation with its operator's link."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.consultation = server.create_consultation("推进县域养老服务高质量发展")
        self.office = Office(server, login=f"liuxin-{self.consultation[-8:].lower()}")
        self.path = f"/consultations/{self.consultation}"
        self.venue: Json = self.office.call("POST", f"{self.path}/venues", {"name": HALL, "kind": "branch"})
        code = str(self.venue["link"]).rpartition("/")[2]
        self.token = str(self.office.call("POST", f"/links/{code}/enter")["token"])

    def url(self, query: str = "", host: str = "127.0.0.1") -> str:
        address = f"{self.server.url}/precheck/{self.consultation}{query}#token={self.token}"
        return address.replace("127.0.0.1", host, 1)

    def sheets(self) -> list[Json]:
        """What was handed in of this venue, newest first."""
        return list(self.office.call("GET", f"{self.path}/venues/{self.venue['id']}/prechecks")["items"])


async def with_air(client: BrowserClient, *, loud: float = 0.5, residual: float = 0.003) -> None:
    """Before the page is opened: its microphone hears its loudspeakers."""
    await client.page.add_init_script(f"({AIR_JS})({json.dumps(loud)}, {json.dumps(residual)})")


async def rows(client: BrowserClient) -> dict[str, tuple[str, str]]:
    """Each item's verdict, or its state where it has none, and what was found."""
    found = await client.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('[data-testid=precheck-item]')].map((row) =>
          [row.dataset.item, [row.dataset.verdict || row.dataset.state, row.dataset.faults]]))"""
    )
    return {item: (verdict, faults) for item, (verdict, faults) in found.items()}


async def measured(client: BrowserClient, item: str, *, timeout_s: float = 30.0) -> tuple[str, str]:
    """Wait until that item has a verdict."""

    async def row() -> tuple[str, str]:
        return (await rows(client)).get(item, ("", ""))

    found = await client.wait_until(
        row,
        lambda each: each[0] not in ("", "waiting", "running"),
        timeout_s=timeout_s,
        what=f"has measured {item}",
    )
    return tuple(found)


async def check_one(client: BrowserClient, hall: Hall, item: str, **options: Any) -> tuple[str, str]:
    """One item alone, on a page of its own."""
    await client.open("about:blank")
    await client.open(hall.url(f"?item={item}"))
    await client.tap("precheck-begin")
    return await measured(client, item, **options)
