"""The board of venues and talkback through their doors: sockets of operators and desks, and HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.permissions import Role
from conference.services.rooms import RoomLimits
from signaling.realtime.venue_requests import MESSAGE_BURST
from tests.support.eventually import eventually
from tests.unit.signaling.harness import KEY, Client, Signalling, signalling

HALL = "青禾县分会场"
PATH = "/api/v1/consultations/c/venues"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    # With the usual grace: who drops out is away for a while before it is gone.
    async with signalling(tmp_path, RoomLimits(max_participants=8)) as running:
        yield running


async def ask(
    server: Signalling, method: str, path: str, role: Role = Role.SECRETARIAT, body: Any = None
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {server.token(role)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{server.url}{path}", headers=headers, json=body) as response,
    ):
        kind = response.headers.get("Content-Type", "")
        return response.status, await response.json() if "json" in kind else await response.text()


async def prepared(server: Signalling) -> str:
    status, venue = await ask(server, "POST", PATH, body={"name": HALL, "kind": "branch", "place": "一楼"})
    assert status == 201, venue
    return str(venue["id"])


async def operator(server: Signalling, venue: str = HALL) -> Client:
    token = KEY.issue("c", Role.VENUE_OPERATOR, "马干事", venue=venue, ttl_s=60)
    client = await server.connect({"token": token})
    await eventually(lambda: client.state.snapshot)
    return client


async def test_the_board_over_http_and_by_events(server: Signalling) -> None:
    vid = await prepared(server)
    status, board = await ask(server, "GET", f"{PATH}/health")
    assert status == 200
    (venue,) = board["items"]
    assert (venue["venue_id"], venue["verdict"], venue["reason"], venue["minutes"]) == (
        vid, "absent", "not_here", [],
    )  # fmt: skip
    assert (venue["steps"][0], venue["checked"], board["is_live"]) == ("call", None, False)
    desk = await server.desk(Role.SECRETARIAT)
    other = await server.desk(Role.MODERATOR)
    client = await operator(server)
    told = await eventually(
        lambda: [
            each
            for body in desk.of("venue.health")
            for each in body["venues"]
            if each["reason"] == "not_checked"
        ]
    )
    assert (told[0]["venue_id"], told[0]["participant_ids"]) == (vid, [client.me])
    assert other.of("venue.health") == client.of("venue.health") == []
    await client.drop()
    await eventually(
        lambda: [b for b in desk.of("venue.health") for v in b["venues"] if v["reason"] == "away"]
    )
    status, session = await ask(server, "GET", f"{PATH}/{vid}/health")
    assert status == 200
    assert [each["reason"] for each in session["events"]][:1] == ["away"]
    assert (await ask(server, "GET", f"{PATH}/v_none/health"))[0] == 404
    assert (await ask(server, "GET", f"{PATH}/health", Role.VENUE_OPERATOR))[0] == 403


async def test_the_board_as_a_table(server: Signalling) -> None:
    await prepared(server)
    status, text = await ask(server, "GET", f"{PATH}/health.csv")
    assert status == 200
    head, row = text.lstrip("\ufeff").splitlines()
    assert head.startswith("会场,类别,地点")
    assert row.startswith(f"{HALL},分会场,一楼,,不在会,还没有进入")


async def test_desk_and_operator_write_to_each_other(server: Signalling) -> None:
    vid = await prepared(server)
    desk, client, member = await server.desk(Role.CHAIR), await operator(server), await server.join()
    sent = await desk.ask("venue.message", {"venue_id": vid, "text": " 请把话筒传给何委员。 "})
    assert (sent["message"]["text"], sent["message"]["from_venue"]) == ("请把话筒传给何委员。", False)
    await client.ask("venue.message", {"text": "收到", "key": "k" * 8})
    await eventually(lambda: len(desk.of("venue.message")) == 2)
    for each in (desk, client):
        assert [one["message"]["text"] for one in each.of("venue.message")] == [
            "请把话筒传给何委员。",
            "收到",
        ]
        assert (await each.ask("room.sync"))["venue_messages"] == each.state.venue_messages
    assert (member.of("venue.message"), (await member.ask("room.sync"))["venue_messages"]) == ([], None)
    status, page = await ask(server, "GET", f"{PATH}/{vid}/messages?limit=1")
    assert (status, [each["text"] for each in page["items"]]) == (200, ["收到"])
    status, page = await ask(server, "GET", f"{PATH}/{vid}/messages?before={page['next']}")
    assert ([each["text"] for each in page["items"]], page["next"]) == (["请把话筒传给何委员。"], None)


async def test_what_cannot_be_meant_and_who_writes_too_fast(server: Signalling) -> None:
    vid = await prepared(server)
    desk, client = await server.desk(Role.SECRETARIAT), await operator(server)
    stray = await server.join(Role.VENUE_OPERATOR)
    for bad in ({"text": " "}, {"text": "a\0b"}, {"text": 1}, {"text": "x", "key": "short"}, {}):
        assert await client.refused("venue.message", bad) == "bad_request"
    assert await client.refused("venue.message", {"text": "长" * 501}) == "too_large"
    assert await stray.refused("venue.message", {"text": "x"}) == "no_venue"
    assert await desk.refused("venue.message", {"text": "x"}) == "bad_request"
    assert await desk.refused("venue.message", {"venue_id": "v_none", "text": "x"}) == "not_found"
    codes = []
    for n in range(int(MESSAGE_BURST) + 2):
        ack = await client.call("venue.message", {"text": str(n)})
        codes.append("ok" if ack["ok"] else ack["error"]["code"])
    assert codes.count("ok") >= MESSAGE_BURST
    assert codes[-1] == "rate_limited"
    await desk.ask("venue.message", {"venue_id": vid, "text": "慢一点"})
