"""The network test of the join page and a missing relay as scenes: which ways are open is made up in the page.

python -m tests.browser.screenshots FOLDER network-tcp network-shut relay-absent …
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from playwright.async_api import Route

from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_prepare import VENUES, at_desk, fill, new_draft, show
from tests.browser.settled import present

LARGE, ENGLISH = "?size=large", "?lang=en"
_ANSWER = "\r\n".join(
    (
        "v=0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=candidate:1 1 udp 2130706431 10.0.0.1 7882 typ host",
        "a=candidate:2 1 tcp 1518280447 10.0.0.1 7882 typ host tcptype passive",
        "a=candidate:3 1 tcp 1518214911 10.0.0.1 PAGE typ host tcptype passive",
        "",
    )
)


@dataclass(frozen=True)
class Line:
    """What the page measures. Speeds in bit/s, the round trip in ms, losses as shares of 1."""

    up_bps: float = 6e6
    down_bps: float = 18e6
    rtt_ms: float = 38
    up_loss: float = 0.0
    down_loss: float = 0.0


# A connection that comes about by the ways that are open, as told by the candidates that it is given, and bytes that
# come and go as fast as the line lets them.
_LINE_JS = """(open, line) => {
  window.RTCPeerConnection = class extends EventTarget {
    connectionState = 'new'
    localDescription = { sdp: 'offer' }
    constructor({ iceTransportPolicy }) { super(); this.relayed = iceTransportPolicy === 'relay' }
    addTransceiver() { return {} }
    async createOffer() { return {} }
    async setLocalDescription() {}
    async setRemoteDescription({ sdp }) {
      const way = this.relayed ? 'relay' : / udp /.test(sdp) ? 'udp' : sdp.includes(' 7882 ') ? 'tcp' : 'https'
      this.connectionState = open.includes(way) ? 'connected' : 'failed'
      setTimeout(() => this.dispatchEvent(new Event('connectionstatechange')))
    }
    async getStats() {
      const arrived = Math.round(1000 * (1 - line.up_loss)), lost = Math.round(arrived * line.down_loss)
      return [
        { type: 'outbound-rtp', packetsSent: 1000 },
        { type: 'inbound-rtp', packetsReceived: arrived - lost, packetsLost: lost },
        { type: 'candidate-pair', nominated: true, totalRoundTripTime: line.rtt_ms / 1000, responsesReceived: 1 },
      ]
    }
    close() {}
  }
  const real = window.fetch, pause = (ms) => new Promise((done) => setTimeout(done, ms))
  window.fetch = async (address, options = {}) => {
    if (!String(address).endsWith('/network-test/bytes')) return real(address, options)
    if (options.method === 'POST') {
      await pause(options.body.length * 8000 / line.up_bps)
      return Response.json({ size_bytes: options.body.length })
    }
    return new Response(new ReadableStream({
      async pull(controller) {
        await pause(50)
        controller.enqueue(new Uint8Array(Math.ceil(line.down_bps / 160)))
      },
    }))
  }
}"""


GOOD = Line()
SLOW = Line(up_bps=8e5, rtt_ms=61, up_loss=0.034)
VERY_SLOW = Line(up_bps=2e5, down_bps=4e5, rtt_ms=640, up_loss=0.02, down_loss=0.12)


async def after_test(
    stage: Stage,
    state: str,
    *open_ways: str,
    relay: bool = True,
    query: str = "",
    refused: bool = False,
    line: Line = GOOD,
) -> None:
    """The join page after its network test came to `state`, because `open_ways` alone are open."""
    servers = [{"urls": ["turns:x.example:443"], "username": "u", "credential": "c"}] if relay else []
    sdp = _ANSWER.replace("PAGE", str(stage.server.port))

    async def answer(route: Route) -> None:
        if refused:
            await route.fulfill(status=429, json={"code": "rate_limited"})
        else:
            await route.fulfill(json={"sdp": sdp, "ice_servers": servers})

    page = stage.client.page
    await page.add_init_script(f"({_LINE_JS})({json.dumps(open_ways)}, {json.dumps(asdict(line))})")
    await page.route("**/api/v1/network-test", answer)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await stage.client.wait_until(
        lambda: stage.client.evaluate(
            """() => [...document.querySelectorAll('video')].some((v) => v.videoWidth > 0)
              && { ...document.querySelector('[data-testid="network-check"]')?.dataset }"""
        ),
        lambda found: (
            found and found.get("state") == state and (found["measured"] == "true") == bool(open_ways)
        ),
        timeout_s=60,
        what=f"network test: {state}",
    )
    await stage.client.evaluate(
        """() => { const check = document.querySelector('[data-testid="network-check"]')
          if (check.getBoundingClientRect().bottom > innerHeight - 120) check.scrollIntoView({ block: 'center' }) }"""
    )


async def shut_by_phone(stage: Stage, query: str = "") -> None:
    """No way is open, and another device is asked for: a laptop shows a code, a telephone copies the link."""
    await after_test(stage, "shut", relay=False, query=query)
    if await stage.client.count("by-phone"):
        await stage.client.tap("by-phone")
        await present(stage.client, "phone-code")
    else:
        await stage.client.tap("copy-link")


async def relay_missing(stage: Stage, state: str, query: str = "") -> None:
    """筹备, where links are given out: the server has no relay."""

    async def ready(route: Route) -> None:
        await route.fulfill(json={"status": "ok", "checks": {"relay": state}})

    await stage.client.page.route("**/readyz", ready)
    office = await asyncio.to_thread(new_draft, stage)
    await asyncio.to_thread(fill, office, stage.consultation)
    await at_desk(stage, office, "prepare", query)
    await present(stage.client, "relay-missing")
    await present(stage.client, "venue-row", len(VENUES))
    await show(stage, "links")
    await stage.client.evaluate(
        """() => document.querySelector('[data-testid="relay-missing"]').scrollIntoView({ block: 'center' })"""
    )


REACH_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "network-good": lambda stage: after_test(stage, "good", "udp"),
    "network-fair": lambda stage: after_test(stage, "fair", "udp", line=SLOW),
    "network-fair-large": lambda stage: after_test(stage, "fair", "udp", line=SLOW, query=LARGE),
    "network-poor": lambda stage: after_test(stage, "poor", "udp", line=VERY_SLOW),
    "network-poor-english": lambda stage: after_test(stage, "poor", "udp", line=VERY_SLOW, query=ENGLISH),
    "network-tcp": lambda stage: after_test(stage, "tcp", "tcp", "https", "relay"),
    "network-tcp-slow": lambda stage: after_test(stage, "tcp", "https", "relay", line=SLOW),
    "network-tcp-large": lambda stage: after_test(stage, "tcp", "tcp", "https", "relay", query=LARGE),
    "network-relay": lambda stage: after_test(stage, "relay", "relay"),
    "network-relay-english": lambda stage: after_test(stage, "relay", "relay", query=ENGLISH),
    "network-shut": lambda stage: after_test(stage, "shut", relay=False),
    "network-shut-phone": shut_by_phone,
    "network-shut-large": lambda stage: after_test(stage, "shut", relay=False, query=LARGE),
    "network-shut-english": lambda stage: after_test(stage, "shut", query=ENGLISH),
    "network-unknown": lambda stage: after_test(stage, "unknown", refused=True),
    "relay-absent": lambda stage: relay_missing(stage, "absent"),
    "relay-absent-large": lambda stage: relay_missing(stage, "absent", LARGE),
    "relay-failed": lambda stage: relay_missing(stage, "failed"),
    "relay-failed-english": lambda stage: relay_missing(stage, "failed", ENGLISH),
}
SCENES.update(REACH_SCENES)
