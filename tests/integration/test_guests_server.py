"""The door of the real server: kill -9 with somebody before it, links through a restart, silence in a hall."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.light_client.room import SessionRefusedError
from tests.support.server import Server

Json = dict[str, Any]


async def rest(server: Server, method: str, path: str, token: str = "", body: Json | None = None) -> Json:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{server.url}/api/v1{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, json=body) as response,
    ):
        answer: Json = {} if response.status == 204 else await response.json(content_type=None)
        assert response.status < 300, answer
        return answer


async def by_link(server: Server, link: str) -> str:
    entered = await rest(server, "POST", f"/links/{link.rpartition('/')[2]}/enter")
    return str(entered["token"])


async def test_a_kill_with_somebody_waiting(server: Server) -> None:
    cid = server.create_consultation()
    staff = server.token(cid, "secretariat", "秘书")
    path = f"/consultations/{cid}"
    revision = (await rest(server, "GET", path, staff))["revision"]
    await rest(server, "PATCH", path, staff, {"revision": revision, "waiting_room": True})
    invitee = await rest(server, "POST", f"{path}/invitees", staff, {"name": "王伟", "title": "局长"})
    token = await by_link(server, invitee["link"])
    member = RoomClient(server.url, token)
    chair = RoomClient(server.url, server.token(cid, "chair", "主持人"))
    await chair.connect()
    await member.connect()
    assert member.waiting["name"] == "王伟"
    since_ms, who = member.waiting["since_wall_ms"], member.participant_id
    await eventually(lambda: [each["participant_id"] for each in chair.at_the_door or []] == [who])
    with pytest.raises(SessionRefusedError, match="not_admitted"):
        await member.request("statement.add", {"text": "x", "key": "k" * 8})

    await asyncio.to_thread(server.kill9, "parent")
    await asyncio.to_thread(server.restart)
    for client in (chair, member):
        await client.drop()
    # The link is as good as before, and its holder is who waited before.
    again = RoomClient(server.url, token, resume=member.resume)
    leader = RoomClient(server.url, server.token(cid, "chair", "主持人"), resume=chair.resume)
    await leader.connect()
    assert [each["participant_id"] for each in leader.at_the_door or []] == [who]
    await again.connect()
    assert (again.waiting["participant_id"], again.waiting["since_wall_ms"]) == (who, since_ms)
    assert await leader.request("participant.admit", {"participant_id": who}) == {"admitted": 1}
    await again.admitted()
    await again.publish([AudioSource(), VideoSource()], names=["microphone", "camera"])
    await leader.receives(who, "microphone")
    assert leader.at_the_door == []
    lines = (await rest(server, "GET", f"{path}/audit?limit=500", staff))["items"]
    about = [each["action"] for each in lines if each["subject"] in (who, invitee["id"])]
    assert about == ["invitee.added", "link.used", "participant.waiting", "participant.admitted"]

    other = RoomClient(server.url, await by_link(server, invitee["link"]))
    with pytest.raises(SessionRefusedError, match="second_device"):
        await other.connect()
    moved = RoomClient(server.url, await by_link(server, invitee["link"]), take_over=True)
    await moved.connect()
    assert moved.participant_id == who
    await eventually(lambda: again.disconnected)
    assert again.events[-1][0] == "session.replaced"
    await moved.publish([VideoSource()], names=["camera"])
    await leader.receives(who, "camera")
    for client in (again, moved, leader):
        await client.close()


async def test_a_phone_in_a_hall_gets_pictures_and_no_sound(server: Server, consultation: str) -> None:
    staff = server.token(consultation, "secretariat", "秘书")
    path = f"/consultations/{consultation}"
    venue = await rest(server, "POST", f"{path}/venues", staff, {"name": "主会场", "kind": "main"})
    body = {"name": "王伟", "venue_id": venue["id"]}
    await rest(server, "POST", f"{path}/invitees", staff, body)
    coded = await rest(server, "POST", f"{path}/venues/{venue['id']}/code", staff)
    door = {"code": coded["entry_code"], "device": "phone-01", "name": "王伟"}
    entered = await rest(server, "POST", "/entry-codes/enter", body=door)
    async with (
        RoomClient(server.url, server.token(consultation, "chair", "主持人")) as chair,
        RoomClient(server.url, entered["token"]) as phone,
    ):
        await chair.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        await phone.receives(chair.participant_id, "camera", packets=30)
        assert {each["source"] for each in phone.tracks} == {"camera"}
        assert all("m=audio" not in section.text for section in phone.offers)
        await phone.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        await chair.receives(phone.participant_id, "camera", packets=30)
        assert await chair.silent(phone.participant_id)
        await chair.request("floor.grant", {"participant_id": phone.participant_id})
        await chair.receives(phone.participant_id, "microphone")
        await chair.request("floor.end")
        await eventually(lambda: not chair.participants[phone.participant_id]["microphone"])
        await chair.receives(phone.participant_id, "camera", packets=10)
        assert await chair.silent(phone.participant_id)
