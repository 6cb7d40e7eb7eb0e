"""Three participants in three real browsers: main venue, branch venue and a phone, in one consultation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.support.browser import LAPTOP, PHONE, BrowserClient, BrowserFactory
from tests.support.media import participant_video, speech_wav
from tests.support.server import Server
from tests.support.shared_screen import TITLE

MAIN, BRANCH, MEMBER = 1, 2, 3  # the numbers coded in their pictures
SCREEN = 7


@dataclass
class Meeting:
    """The browsers by the number in their picture, and who is who in the room."""

    server: Server
    consultation: str
    clients: dict[int, BrowserClient]
    ids: dict[int, str]

    def others(self, number: int) -> dict[str, int]:
        """Participant id → number for everybody else."""
        return {self.ids[other]: other for other in self.clients if other != number}

    async def everybody_sees_the_others(self, timeout_s: float = 30.0) -> None:
        await asyncio.gather(
            *(
                client.sees(self.others(number), timeout_s=timeout_s)
                for number, client in self.clients.items()
            )
        )


async def enter(client: BrowserClient) -> str:
    """Press join and wait until the room is connected; gives the participant id."""
    await client.tap("join-button", timeout_s=30)
    await connected(client)
    return await client.own_id()


async def connected(client: BrowserClient, *, timeout_s: float = 30.0) -> None:
    await client.wait_until(
        client.connection_state,
        lambda state: bool(state) and state.get("state") == "connected",
        timeout_s=timeout_s,
        what="is connected",
    )


async def muted(client: BrowserClient, *, is_muted: bool) -> None:
    """Wait until the own tile says so."""
    own = await client.own_id()

    async def said() -> bool:
        value = await client.evaluate(
            """(id) => document.querySelector(
                 `[data-testid="participant-tile"][data-participant-id="${id}"]`)?.dataset.muted""",
            own,
        )
        return bool(value == ("true" if is_muted else "false"))

    await client.wait_until(said, what=f"is muted: {is_muted}")


async def open_meeting(
    server: Server, browsers: BrowserFactory, *, permission: str = "grant", flags: tuple[str, ...] = ()
) -> Meeting:
    """Start the three, join one after the other; branch and member then switch their microphones off."""
    consultation = server.create_consultation("推进县域养老服务高质量发展")
    speech = await asyncio.to_thread(speech_wav)
    setups = (
        (MAIN, "chair", "主会场", "主会场", (1280, 720), LAPTOP),
        (BRANCH, "venue_operator", "青禾县分会场", "青禾县分会场", (640, 360), LAPTOP),
        (MEMBER, "member", "陈委员", "", (640, 360), PHONE),
    )
    clients: dict[int, BrowserClient] = {}
    ids: dict[int, str] = {}
    for number, role, name, venue, size, screen in setups:
        video = await asyncio.to_thread(participant_video, number, size, 15 if number != MAIN else 30, 4.0)
        client = await browsers.launch(
            name=name,
            video=video,
            audio=speech,
            screen=screen,
            permission=permission,
            share_title=TITLE if number == MAIN else "",
            flags=flags,
        )
        clients[number] = client
        await client.open(server.room_url(consultation, server.token(consultation, role, name, venue)))
        ids[number] = await enter(client)
    for number in (BRANCH, MEMBER):
        await clients[number].tap("toggle-microphone")
        await muted(clients[number], is_muted=True)
    return Meeting(server, consultation, clients, ids)
