"""The join page measures the network that it really has: through the link emulator in real Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.scenes import measured
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.link import Conditions, Link, loopback_address
from tests.support.server import Server

pytestmark = [pytest.mark.net, pytest.mark.browser, pytest.mark.timeout(240)]

_FIGURES_JS = """
() => Object.fromEntries([...document.querySelectorAll('[data-figure]')]
  .map((row) => [row.dataset.figure, [row.dataset.grade, row.querySelector('b')?.textContent ?? '']]))
"""


async def figures(client: BrowserClient) -> dict[str, tuple[str, str]]:
    """Each figure's grade, and what stands beside it."""
    found = await client.evaluate(_FIGURES_JS)
    return {name: (grade, words) for name, (grade, words) in found.items()}


async def again(client: BrowserClient) -> tuple[str, dict[str, tuple[str, str]]]:
    """Press 再测一次 and wait for the result."""
    await client.page.get_by_role("button", name="再测一次").click()
    return await measured(client), await figures(client)


async def test_loss_delay_and_a_thin_uplink_are_found_and_named(
    start_server: Any, start_link: Any, browsers: BrowserFactory
) -> None:
    host = loopback_address()
    server: Server = start_server(media_addresses=[host])
    page_port = server.port
    link: Link = start_link(
        Link(
            ("127.0.0.1", server.media_port),
            listen_host=host,
            tcp={page_port: ("127.0.0.1", page_port)},
        )
    )
    consultation = server.create_consultation()
    client = await browsers.launch(name="陈委员")
    address = server.room_url(consultation, server.token(consultation, "observer", "陈委员"))
    await client.open(address.replace("127.0.0.1", host, 1))
    assert await measured(client) == "good"
    assert {grade for grade, _ in (await figures(client)).values()} == {"fine"}

    link.set(up=Conditions(loss=0.25, delay_ms=150), down=Conditions(delay_ms=150))
    state, found = await again(client)
    assert state == "poor"
    assert found["loss"][0] == "poor"
    up, down = (float(each.strip("上下行%")) for each in found["loss"][1].split("，"))
    assert (up > 10, down < 3) == (True, True), found["loss"]
    assert found["delay"][0] == "fair", found["delay"]
    assert await client.count("network-advice") == 1

    link.set(up=Conditions(rate_bps=600_000, queue_ms=1000), down=Conditions())
    state, found = await again(client)
    assert found["up"][0] == "fair", found["up"]
    assert found["down"][0] == "fine", found["down"]
    assert state == "fair"

    link.both(rate_bps=0.0, outage=False)
    assert (await again(client))[0] == "good"
    client.assert_quiet()
