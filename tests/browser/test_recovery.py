"""What must come back by itself: processes that die, networks that drop, without a click or a reload."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.meeting import BRANCH, MAIN, MEMBER, SCREEN, Meeting, connected, open_meeting
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.light_client import RoomClient
from tests.support.server import Server
from tests.support.shared_screen import open_shared_screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def chair_token(meeting: Meeting) -> str:
    return meeting.server.token(meeting.consultation, "secretariat", "秘书处")


async def hard_mute(meeting: Meeting, number: int) -> None:
    """By somebody of the secretariat, who leaves again."""
    async with RoomClient(meeting.server.url, chair_token(meeting), receive=False) as secretary:
        target = {"participant_id": meeting.ids[number], "muted": True, "hard": True}
        await secretary.request("participant.mute", target)
        await secretary.leave()


async def ready(server: Server) -> None:
    """Wait until the server says that its media process is there again."""
    try:
        await eventually(
            lambda: asyncio.to_thread(server.get, "/readyz"), lambda got: got[0] == 200, timeout_s=40
        )
    except AssertionError as error:
        error.add_note(server.logs[-3000:])
        raise


async def told(client: BrowserClient, participant_id: str, key: str) -> str:
    """A data attribute of somebody's tile."""
    return str(
        await client.evaluate(
            """(id, key) => document.querySelector(
                 `[data-testid="participant-tile"][data-participant-id="${id}"]`)?.dataset[key] ?? ''""",
            participant_id,
            key,
        )
    )


async def nothing_agreed_is_wrong(meeting: Meeting) -> None:
    """Same people, same names, same microphones, and the shared screen where it was."""
    for number, client in meeting.clients.items():
        assert await client.own_id() == meeting.ids[number], "the same participant"
        assert await client.count("join-button") == 0
        for other in (BRANCH, MEMBER):
            participant = meeting.ids[other]
            await client.wait_until(
                lambda client=client, participant=participant: told(client, participant, "muted"),
                lambda value: value == "true",
                what="shows the muted as muted",
            )
        await client.wait_until(
            lambda client=client: told(client, meeting.ids[MAIN], "muted"),
            lambda value: value == "false",
            what="shows the open microphone as open",
        )
    for number in (BRANCH, MEMBER):
        client = meeting.clients[number]

        async def both(client: BrowserClient = client) -> bool:
            codes = await client.codes_by_tile()
            return {MAIN, SCREEN} <= codes.get(meeting.ids[MAIN], set())

        await client.wait_until(both, timeout_s=40, what="sees screen and camera again")
        await client.hears(meeting.ids[MAIN])
    await meeting.clients[MAIN].hears_no_more(meeting.ids[BRANCH])


@pytest.mark.parametrize("victim", ["web", pytest.param("media", marks=pytest.mark.core)])
async def test_a_killed_process_costs_no_click_and_nothing_agreed(
    victim: str, server: Server, browsers: BrowserFactory
) -> None:
    meeting = await open_meeting(server, browsers)
    await meeting.everybody_sees_the_others()
    await hard_mute(meeting, BRANCH)
    await open_shared_screen(meeting.clients[MAIN], SCREEN)
    await meeting.clients[MAIN].tap("share-screen")
    await nothing_agreed_is_wrong(meeting)
    if victim == "web":
        await asyncio.to_thread(server.kill9, "web")
        await asyncio.to_thread(server.restart)
    else:
        await asyncio.to_thread(server.kill9, "media")
        await ready(server)
    for client in meeting.clients.values():
        await connected(client, timeout_s=40)
    await meeting.everybody_sees_the_others(timeout_s=40)
    await nothing_agreed_is_wrong(meeting)
    async with RoomClient(server.url, chair_token(meeting), receive=False) as witness:
        branch, member = (witness.participants[meeting.ids[number]] for number in (BRANCH, MEMBER))
        assert branch["hard_muted"], "a hard mute outlives any process"
        assert not member["hard_muted"]
        assert [branch["name"], member["name"]] == ["青禾县分会场", "陈委员"]
        assert len(witness.participants) == 4, "three and the witness"
