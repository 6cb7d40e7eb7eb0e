"""The doors: who is let in, and what hostile clients get."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from conference.model.audit import CLI, AuditEntry
from conference.model.permissions import Role
from conference.services.arrivals import Arrivals
from signaling.auth.tokens import TokenKey
from tests.support.eventually import eventually
from tests.unit.signaling.harness import KEY, SHORT, Client, Signalling, signalling


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path) as running:
        yield running


async def refusal(server: Signalling, auth: Any) -> str:
    """The code with which the door stays shut; the socket is disconnected after it."""
    client = await server.connect(auth)
    await eventually(lambda: not client.connected)
    assert client.names() == ["session.refused"]
    assert client.events[0][1]["message"]
    return str(client.events[0][1]["code"])


async def test_refusals_name_their_reason(server: Signalling) -> None:
    assert await refusal(server, {}) == "token_missing"
    assert await refusal(server, {"token": 5}) == "token_missing"
    assert await refusal(server, [1, 2]) == "token_missing"
    assert await refusal(server, {"token": "rubbish"}) == "token_invalid"
    forged = TokenKey(b"x" * 32).issue("c", Role.CHAIR, "x", ttl_s=60)
    assert await refusal(server, {"token": forged}) == "token_invalid"
    assert await refusal(server, {"token": server.token(ttl_s=-1)}) == "token_expired"
    assert await refusal(server, {"token": server.token(cid="nowhere")}) == "consultation_not_found"
    resume = {"participant_id": "p_x", "secret": "y"}
    assert await refusal(server, {"token": server.token(ttl_s=-1), "resume": resume}) == "token_expired"


async def test_a_revoked_token_opens_nothing(server: Signalling) -> None:
    token = server.token()
    client = await server.connect({"token": token})
    await eventually(lambda: client.state.snapshot)
    async with server.process.database.transaction() as unit:
        token_id = KEY.read(token).token_id
        await unit.revocations.add(token_id, 1)
        await unit.audit.append(AuditEntry("c", 1, None, CLI, "token.revoked", token_id))
    assert await refusal(server, {"token": token}) == "token_revoked"
    assert await refusal(server, {"token": token, "resume": client.resume}) == "token_revoked"


async def test_a_full_room(tmp_path: Path) -> None:
    async with signalling(tmp_path, replace(SHORT, max_participants=2)) as server:
        await server.join()
        await server.join()
        assert await refusal(server, {"token": server.token()}) == "room_full"


async def test_who_waits_for_a_seat_is_seen_to_be_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.realtime.server.PING_INTERVAL_S", 0.05)
    may_sit = asyncio.Event()
    join = Arrivals.join

    async def late_join(arrivals: Arrivals, *arguments: Any) -> str:
        await may_sit.wait()
        return await join(arrivals, *arguments)

    monkeypatch.setattr(Arrivals, "join", late_join)
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as http:
        address = f"{server.url}/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(address) as socket:
            await socket.send_str(f"40/room,{json.dumps({'token': server.token()})}")
            pings = 0
            async for message in socket:
                if message.data == "2":  # the next one comes only when this one's answer was read
                    await socket.send_str("3")
                    pings += 1
                if pings == 5 and not may_sit.is_set():
                    await socket.send_str('42/room,1["room.sync",{}]')  # before the seat: it waits
                    may_sit.set()
                if str(message.data).startswith("43/room,1"):
                    break
            assert pings >= 5
            assert json.loads(message.data.partition("1")[2])[0]["ok"], message.data


async def test_a_secret_of_another_consultation_resumes_nothing(server: Signalling) -> None:
    member = await server.join()
    intruder = await server.connect({"token": server.token(cid="other"), "resume": member.resume})
    await eventually(lambda: intruder.state.snapshot)
    assert intruder.me != member.me
    assert list(intruder.state.participants) == [intruder.me]


async def test_bad_requests_are_answered_and_nobody_else_notices(server: Signalling) -> None:
    bystander, client = await server.join(), await server.join()
    for event, data, code in (
        ("nonsense", {}, "unknown_event"),
        ("connect", {"token": "x"}, "unknown_event"),
        ("disconnect", "client", "unknown_event"),
        ("room.sync", [1], "bad_request"),
        ("media.publish", {"sdp": 7}, "bad_request"),
        ("media.publish", {"sdp": "x" * 300_000}, "too_large"),
        ("participant.mute", {"muted": "yes", "all": True}, "bad_request"),
        ("participant.update", {"name": "\u0000" * 50}, "too_large"),
        ("participant.remove", {"participant_id": bystander.me}, "forbidden"),
        ("floor.withdraw", {"participant_id": bystander.me}, "forbidden"),
        ("media.publish", {"sdp": b"\x00\x01"}, "bad_request"),
    ):
        assert await client.refused(event, data) == code, event
    assert await client.ask("floor.request") == {"place": 1}
    assert await bystander.ask("room.sync")


async def test_frames_that_are_not_socketio(server: Signalling) -> None:
    client = await server.join()
    for frame in (
        '2/room,["room.sync"',  # half a JSON
        "2/room,[]",
        "2/room,{}",
        "2/room,7",
        "9/room,x",
        "2/room,0" + "[" * 5000,
        "3/room,999[]",
        "3/room,0[1,2,3]",
        "2/nowhere,[]",
        '51-/room,["room.sync",{"_placeholder":true,"num":7}]',
        "2/room," + "1" * 120 + '["room.sync"]',
    ):
        await client.send_raw(frame)
    assert await client.ask("floor.request") == {"place": 1}  # answered behind all of these
    counted = re.search(r"^yuanshang_socket_malformed_total (\S+)$", await _metrics(server), re.MULTILINE)
    assert counted is not None
    assert float(counted[1]) > 0


async def test_a_second_knock_on_the_same_socket_ends_it(server: Signalling) -> None:
    bystander, client = await server.join(), await server.join()
    await client.send_raw("0/room,{}")
    await eventually(lambda: not client.connected)
    assert await bystander.ask("floor.request") == {"place": 1}


async def test_a_megabyte_ends_that_socket_only(server: Signalling) -> None:
    bystander, client = await server.join(), await server.join()
    await client.send_raw('2/room,["media.publish",{"sdp":"' + "x" * 1_000_000 + '"}]')
    await eventually(lambda: not client.connected)
    assert await bystander.ask("floor.request") == {"place": 1}
    back = await server.join(resume=client.resume)
    assert back.me == client.me


async def test_a_flood_is_slowed_down(server: Signalling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.realtime.dispatch.REQUESTS_PER_S", 0.0)  # however long the burst takes
    client = await server.join()
    acks = [await client.call("room.sync") for _ in range(110)]
    assert [ack["ok"] for ack in acks] == [True] * 100 + [False] * 10
    assert {ack["error"]["code"] for ack in acks[100:]} == {"rate_limited"}


async def test_a_reader_that_is_too_slow_is_let_go(
    server: Signalling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.realtime.outbox.MAX_PENDING", 5)
    writer = await server.join(Role.CHAIR)
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}/socket.io/?EIO=4&transport=polling"
        opened = await (await session.get(url)).text()
        url += f"&sid={json.loads(opened[1:])['sid']}"
        await session.post(url, data="40/room," + json.dumps({"token": server.token()}))
        await eventually(lambda: writer.of("participant.joined"))
        for number in range(20):  # nobody polls
            await writer.ask("participant.update", {"camera": bool(number % 2)})
        await eventually(
            lambda: "yuanshang_socket_overflows_total 1.0" in server.process.metrics.render({}).decode()
        )
    await eventually(lambda: writer.of("participant.left"))


async def test_connections_are_bounded(server: Signalling, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await server.join()
    monkeypatch.setattr("signaling.realtime.server.MAX_SOCKETS", 1)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await server.connect({"token": server.token()})
    assert await client.ask("floor.request") == {"place": 1}


async def test_pages_of_other_origins_open_no_socket(server: Signalling) -> None:
    sio = socketio.AsyncClient(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await sio.connect(
            server.url,
            namespaces=["/room"],
            headers={"Origin": "https://evil.example"},
            transports=["websocket"],
        )
    await sio.shutdown()


async def test_no_compression_is_agreed_on(server: Signalling) -> None:
    url = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=15) as socket:
        assert (await socket.receive_str()).startswith('0{"sid"')
        assert not socket.compress


async def test_joins_and_leaves_leave_nothing_behind(tmp_path: Path) -> None:
    async with signalling(tmp_path) as server:
        for _ in range(30):
            client = Client(server.url)
            await client.connect({"token": server.token()})
            await eventually(client.has_snapshot)
            await client.ask("room.leave")
            await client.close()
        sockets = server.process.sockets
        await eventually(lambda: not sockets.open_sockets)
        assert not sockets.open_sessions
        assert server.process.rooms.all() == ()
        assert server.media.gates == {}


async def _metrics(server: Signalling) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as response:
        return await response.text()
