"""A film is brought on the desk, played and paused there, and seen and heard by a member, in real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.meeting import enter
from tests.browser.whole import shows
from tests.support.browser import LAPTOP, PHONE, BrowserFactory
from tests.support.films import film
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(360)]

FILM = 9  # the number coded in its picture
STATE_JS = "(id) => document.querySelector(`[data-testid=${id}]`)?.dataset.state ?? null"


async def test_a_film_is_brought_played_and_paused_and_a_member_sees_and_hears_it(
    browsers: BrowserFactory, server: Server, consultation: str, tmp_path: Path
) -> None:
    source = film(
        tmp_path / "乡村助餐点.mp4", participant=FILM, size=(320, 180), fps=15, seconds=20, level=0.5
    )
    (tmp_path / "通知.mp4").write_bytes(b"%PDF-1.7 no film\n" * 200)
    desk = await browsers.launch(name="desk", screen=LAPTOP)
    token = server.token(consultation, "secretariat", "刘欣")
    await desk.open(f"{server.url}/desk/{consultation}/prepare#token={token}")
    await shows(desk, "clips-prepare")

    async def states() -> list[str]:
        rows = (
            "() => [...document.querySelectorAll('[data-testid=clip-row]')].map((each) => each.dataset.state)"
        )
        return [str(each) for each in await desk.evaluate(rows)]

    await desk.page.set_input_files("[data-testid=clip-input]", [source, tmp_path / "通知.mp4"])
    await desk.wait_until(states, lambda now: now == ["ready", "refused"], timeout_s=150, what="has both")
    await desk.page.locator("#clips").scroll_into_view_if_needed()
    await desk.screenshot("clips-prepare")
    assert await desk.axe() == []
    assert await desk.horizontal_overflow() == 0

    member = await browsers.launch(name="member", screen=LAPTOP)
    token = server.token(consultation, "member", "陈委员")
    await member.open(f"{server.url}/room/{consultation}#token={token}")
    await enter(member)

    await desk.page.goto(f"{server.url}/desk/{consultation}")
    await shows(desk, "clips")
    await desk.tap("clip-choose")
    await desk.screenshot("clips-choose")
    await desk.tap("clip-play")
    await desk.wait_until(
        lambda: desk.evaluate(STATE_JS, "clip-playing"),
        lambda now: now == "playing",
        timeout_s=30,
        what="plays it",
    )
    who = await member.evaluate(
        """async () => {
          const find = () => [...document.querySelectorAll('[data-testid=participant-tile]')]
            .find((each) => each.textContent.includes('乡村助餐点'))?.dataset.participantId
          for (let turn = 0; turn < 100 && !find(); turn += 1) await new Promise((next) => setTimeout(next, 100))
          return find() ?? null
        }"""
    )
    assert who, "a tile named after the clip"
    await member.sees({str(who): FILM}, timeout_s=30)
    await member.hears(str(who))
    await member.screenshot("clips-room")
    await desk.screenshot("clips-playing")
    assert await desk.axe() == []

    await desk.tap("clip-pause")
    await member.hears_no_more(str(who))
    await member.sees({str(who): FILM})  # the last picture stays
    await desk.screenshot("clips-paused")
    await desk.resize(PHONE)
    await desk.page.locator("[data-testid=clips]").scroll_into_view_if_needed()
    await desk.screenshot("clips-phone")
    assert await desk.horizontal_overflow() == 0
    await desk.page.evaluate("document.documentElement.dataset.size = 'large'")
    await desk.screenshot("clips-phone-large")
    assert await desk.horizontal_overflow() == 0
    await desk.resize(LAPTOP)
    await desk.tap("clip-resume")
    await member.hears(str(who))
    await desk.tap("clip-stop")
    await member.wait_until(
        member.codes_by_tile, lambda codes: str(who) not in codes, timeout_s=20, what="the film is gone"
    )
    desk.assert_quiet()
    member.assert_quiet()
