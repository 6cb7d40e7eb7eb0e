"""The room in three real browsers: what each sees is read from pixels, what it hears from the decoder's energy."""

from __future__ import annotations

import pytest

from tests.browser.meeting import BRANCH, MAIN, MEMBER, SCREEN, Meeting, open_meeting
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.server import Server
from tests.support.shared_screen import open_shared_screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
async def meeting(server: Server, browsers: BrowserFactory) -> Meeting:
    return await open_meeting(server, browsers)


async def modes(client: BrowserClient, content: str) -> set[str]:
    """How the pictures of that content that are sent now depend on each other."""
    return {
        str(each.get("scalabilityMode"))
        for each in await client.outbound()
        if each["kind"] == "video" and each.get("contentType") == content and each.get("active")
    }


@pytest.mark.core
async def test_each_sees_and_hears_the_right_two_others(meeting: Meeting) -> None:
    await meeting.everybody_sees_the_others()
    for number in (BRANCH, MEMBER):
        await meeting.clients[number].hears(meeting.ids[MAIN])
    main = meeting.clients[MAIN]
    for number in (BRANCH, MEMBER):
        await main.hears_no_more(meeting.ids[number])

    # A screen share stands beside the camera, and goes again.
    await open_shared_screen(main, SCREEN)
    await main.tap("share-screen")
    for number in (BRANCH, MEMBER):
        client = meeting.clients[number]

        async def both(client: BrowserClient = client) -> bool:
            codes = await client.codes_by_tile()
            return {MAIN, SCREEN} <= codes.get(meeting.ids[MAIN], set())

        await client.wait_until(both, timeout_s=30, what="sees screen and camera")

    # Of each four pictures of a screen three may be left out for a thin line.
    async def layers() -> set[str]:
        return await modes(main, "screenshare")

    await main.wait_until(layers, lambda found: found == {"L1T3"}, what="sends the screen in layers of time")
    await main.tap("share-screen")
    branch = meeting.clients[BRANCH]

    async def gone() -> bool:
        return SCREEN not in (await branch.codes_by_tile()).get(meeting.ids[MAIN], set())

    await branch.wait_until(gone, what="the shared screen is gone")

    # Leaving removes the tile.
    await meeting.clients[MEMBER].tap("leave-button")
    for number in (MAIN, BRANCH):
        client = meeting.clients[number]

        async def without(client: BrowserClient = client) -> bool:
            return meeting.ids[MEMBER] not in await client.codes_by_tile()

        await client.wait_until(without, what="the tile of who left is gone")
    for client in meeting.clients.values():
        client.assert_quiet()
