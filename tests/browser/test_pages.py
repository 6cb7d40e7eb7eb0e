"""What every page must keep on every screen: nothing wider than the window, no serious accessibility finding."""

from __future__ import annotations

import pytest

import tests.browser.scenes_entry
import tests.browser.scenes_reach
import tests.browser.scenes_weak  # noqa: F401 pages of pictures, and a weak network
from tests.browser.scenes import SCREENS, scene
from tests.support.browser import BrowserFactory
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]


@pytest.mark.core
@pytest.mark.parametrize(
    ("name", "screen"),
    [
        ("code", "phone"),
        ("code-large", "laptop"),
        ("login-error", "phone"),
        ("meetings", "phone"),
        ("meetings-large", "laptop"),
        ("link-large", "phone"),
        ("second-device", "laptop"),
        ("waiting-large", "phone"),
        ("in-hall", "phone"),
        ("letting-in-list", "phone"),
        ("join", "phone"),
        ("join-large", "laptop"),
        ("five", "laptop"),
        ("five-large", "phone"),
        ("muted-by-chair", "landscape"),
        ("grid-pages-large", "laptop"),
        ("network-fair-large", "phone"),
        ("network-poor-english", "laptop"),
        ("network-shut-large", "phone"),
        ("network-shut-phone", "laptop"),
        ("relay-absent-large", "phone"),
        ("weak-saving-large", "phone"),
        ("weak-grid", "laptop"),
        ("weak-sound-only", "landscape"),
    ],
)
async def test_it_fits_and_everybody_can_use_it(
    name: str, screen: str, server: Server, browsers: BrowserFactory
) -> None:
    async with scene(name, server, browsers, SCREENS[screen]) as stage:
        assert await stage.client.horizontal_overflow() == 0
        assert await stage.client.axe() == []
        clipped = await stage.client.evaluate(
            """() => [...document.querySelectorAll("button, .ctl, label")]
                .filter((e) => e.checkVisibility() && !e.closest(".ell") && getComputedStyle(e).overflow === "hidden"
                               && e.scrollWidth > e.clientWidth + 1)
                .map((e) => e.innerText)"""
        )
        assert clipped == []
