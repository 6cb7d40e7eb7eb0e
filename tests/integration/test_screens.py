"""Big screens at the doors: the socket's credentials, the link over HTTP, lists that do not know of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.permissions import Role
from tests.support.eventually import eventually
from tests.unit.signaling.harness import KEY, Client, Signalling, signalling

API = "/api/v1"
VENUES = f"{API}/consultations/c/venues"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path) as running:
        yield running


async def http(
    server: Signalling, method: str, path: str, role: Role | None = None, body: Any = None
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {server.token(role)}"} if role else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, json=body, headers=headers) as response,
    ):
        return response.status, await response.json()


async def venue(server: Signalling) -> dict[str, Any]:
    body = {"name": "青禾县分会场", "kind": "branch"}
    status, made = await http(server, "POST", VENUES, Role.SECRETARIAT, body)
    assert status == 201
    return dict(made)


def shown(client: Client) -> dict[str, Any]:
    assert client.state.snapshot is not None
    return client.state.snapshot


def entrance(link: str) -> dict[str, str]:
    """What the page sends of a link."""
    said = dict(part.split("=") for part in link.partition("#")[2].split("&"))
    return {"consultation_id": "c", "venue_id": said["venue"], "code": said["code"]}


async def test_a_screen_is_in_no_list_and_hears_of_everything(server: Signalling) -> None:
    member = await server.join(name="何委员")
    screen = await server.join(Role.OBSERVER, "大屏", screen=True)
    assert [each["name"] for each in shown(screen)["participants"]] == ["何委员"]
    status, listed = await http(server, "GET", f"{API}/consultations/c/participants", Role.CHAIR)
    assert (status, [each["name"] for each in listed["items"]]) == (200, ["何委员"])
    status, attendance = await http(server, "GET", f"{API}/consultations/c/attendance", Role.CHAIR)
    assert [each["name"] for each in attendance["items"]] == ["何委员"]
    status, session = await http(server, "GET", f"{API}/session", Role.CHAIR)
    assert session["participants"] == 1
    await member.ask("participant.update", {"name": "何委员（农业界）"})
    await eventually(
        lambda: [each["name"] for each in screen.state.participants.values()] == ["何委员（农业界）"]
    )


@pytest.mark.parametrize(
    ("request_name", "body"),
    [
        ("floor.request", {}),
        ("participant.update", {"name": "别的"}),
        ("media.publish", {"sdp": "v=0"}),
        ("participant.mute", {"all": True, "muted": True}),
        ("statement.add", {"text": "说一句", "key": "12345678"}),
    ],
)
async def test_a_screen_may_do_nothing_with_anybodys_token(
    server: Signalling, request_name: str, body: dict[str, Any]
) -> None:
    screen = await server.join(Role.CHAIR, "主持", screen=True)
    assert await screen.refused(request_name, body) == "forbidden"


async def test_a_screen_that_leaves_is_gone_at_once(server: Signalling) -> None:
    screen = await server.join(Role.OBSERVER, "大屏", screen=True)
    room = server.process.rooms.find("c")
    assert room is not None
    assert len(room.screens) == 1
    await screen.ask("room.leave", {})
    assert server.process.rooms.find("c") is None


async def test_the_same_screen_comes_back_with_its_secret(server: Signalling) -> None:
    token = KEY.issue("c", Role.OBSERVER, "大屏", ttl_s=60)
    first = await server.connect({"token": token, "screen": True})
    await eventually(first.has_snapshot)
    await first.close()
    second = await server.connect({"token": token, "screen": True, "resume": first.resume})
    await eventually(second.has_snapshot)
    assert second.me == first.me
    assert shown(second)["self"]["resumed"]


async def test_the_link_opens_a_screen_and_no_seat(server: Signalling) -> None:
    made = await venue(server)
    assert made["screen_link"].startswith("/screen/c#venue=")
    status, entered = await http(server, "POST", f"{API}/screens/enter", body=entrance(made["screen_link"]))
    assert status == 200
    screen = await server.connect({"token": entered["token"], "screen": True})
    await eventually(screen.has_snapshot)
    assert shown(screen)["self"]["venue"] == "青禾县分会场"
    seat = await server.connect({"token": entered["token"]})
    await eventually(lambda: seat.of("session.refused"))
    assert seat.of("session.refused")[0]["code"] == "forbidden"


async def test_a_link_that_was_renewed_is_dead(server: Signalling) -> None:
    made = await venue(server)
    body = entrance(made["screen_link"])
    _, entered = await http(server, "POST", f"{API}/screens/enter", body=body)
    screen = await server.connect({"token": entered["token"], "screen": True})
    await eventually(screen.has_snapshot)
    status, renewed = await http(server, "POST", f"{VENUES}/{made['id']}/link", Role.SECRETARIAT)
    assert status == 200
    assert renewed["screen_link"] != made["screen_link"]
    status, problem = await http(server, "POST", f"{API}/screens/enter", body=body)
    assert (status, problem["code"]) == (404, "link_invalid")
    await eventually(lambda: screen.of("session.removed"))


async def test_only_those_who_may_see_links_see_it(server: Signalling) -> None:
    await venue(server)
    for role, is_shown in ((Role.SECRETARIAT, True), (Role.CHAIR, False)):
        _, listed = await http(server, "GET", VENUES, role)
        assert (listed["items"][0]["screen_link"] is not None) == is_shown
