"""The network test of the join page and a missing relay as scenes: which ways are open is made up in the page.

python -m tests.browser.screenshots FOLDER network-tcp network-shut relay-absent …
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

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
# A connection that comes about by the ways that are open, as told by the candidates that it is given.
_PEERS_JS = """(open) => {
  window.RTCPeerConnection = class extends EventTarget {
    connectionState = 'new'
    localDescription = { sdp: 'offer' }
    constructor({ iceTransportPolicy }) { super(); this.relayed = iceTransportPolicy === 'relay' }
    addTransceiver() {}
    async createOffer() { return {} }
    async setLocalDescription() {}
    async setRemoteDescription({ sdp }) {
      const way = this.relayed ? 'relay' : / udp /.test(sdp) ? 'udp' : sdp.includes(' 7882 ') ? 'tcp' : 'https'
      this.connectionState = open.includes(way) ? 'connected' : 'failed'
      setTimeout(() => this.dispatchEvent(new Event('connectionstatechange')))
    }
    close() {}
  }
}"""


async def after_test(
    stage: Stage, state: str, *open_ways: str, relay: bool = True, query: str = "", refused: bool = False
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
    await page.add_init_script(f"({_PEERS_JS})({json.dumps(open_ways)})")
    await page.route("**/api/v1/network-test", answer)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await stage.client.wait_until(
        lambda: stage.client.evaluate(
            """() => [...document.querySelectorAll('video')].some((v) => v.videoWidth > 0)
              && document.querySelector('[data-testid="network-check"]')?.dataset.state"""
        ),
        lambda found: found == state,
        what=f"network test: {state}",
    )
    await stage.client.evaluate(
        """() => { const check = document.querySelector('[data-testid="network-check"]')
          if (check.getBoundingClientRect().bottom > innerHeight - 120) check.scrollIntoView({ block: 'center' }) }"""
    )


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
    "network-tcp": lambda stage: after_test(stage, "tcp", "tcp", "https", "relay"),
    "network-tcp-large": lambda stage: after_test(stage, "tcp", "tcp", "https", "relay", query=LARGE),
    "network-relay": lambda stage: after_test(stage, "relay", "relay"),
    "network-relay-english": lambda stage: after_test(stage, "relay", "relay", query=ENGLISH),
    "network-shut": lambda stage: after_test(stage, "shut", relay=False),
    "network-shut-large": lambda stage: after_test(stage, "shut", relay=False, query=LARGE),
    "network-shut-english": lambda stage: after_test(stage, "shut", query=ENGLISH),
    "network-unknown": lambda stage: after_test(stage, "unknown", refused=True),
    "relay-absent": lambda stage: relay_missing(stage, "absent"),
    "relay-absent-large": lambda stage: relay_missing(stage, "absent", LARGE),
    "relay-failed": lambda stage: relay_missing(stage, "failed"),
    "relay-failed-english": lambda stage: relay_missing(stage, "failed", ENGLISH),
}
SCENES.update(REACH_SCENES)
